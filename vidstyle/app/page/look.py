"""The page's head and its looks."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLE = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def draw_head() -> None:
    st.html(f"<style>{_STYLE}</style>")
    st.html(
        '<header class="vidstyle"><h1>vidstyle</h1>'
        "<p>Paint an image or a video in the style of a painting.</p></header>"
    )


def columns() -> tuple[st.delta_generator.DeltaGenerator, st.delta_generator.DeltaGenerator]:
    """Where things are chosen, and where they are seen."""
    left, right = st.columns([1, 2], gap="large")
    return left, right


def draw_nothing_yet(text: str) -> None:
    """What a place for results says before there are any."""
    st.html(f'<div class="nothing-yet"><span>{text}</span></div>')
