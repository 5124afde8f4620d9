"""Choosing an image or a clip: from a folder's list, or by upload."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from vidstyle.app.choices import ListEntry
from vidstyle.app.desk import Kind, Upload
from vidstyle.app.page.progress import current_desk
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.core.errors import InputError

IMAGE_TYPES = ("png", "jpg", "jpeg", "webp", "bmp")
CLIP_TYPES = ("mp4", "mov", "mkv", "webm", "avi", "m4v")
# Of an image that is shown small: larger ones would make the page wait.
_MOST_SHOWN_BYTES = 8 * 2**20
_BROWSER_IMAGES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
}


@dataclass(frozen=True, slots=True)
class ChosenImage:
    """A content or style image."""

    name: str
    path: Path


def draw_image_source(
    label: str, own: str, position: str, choices: Sequence[ListEntry]
) -> ChosenImage | None:
    """A list where there is one, and an upload, which wins; None for nothing yet."""
    listed = _draw_list(label, position, choices) if choices else None
    with st.expander(own) if choices else st.container():
        upload = draw_upload(own if choices else label, position, IMAGE_TYPES, "image")
    return ChosenImage(upload.name, upload.path) if upload else listed


def _draw_list(label: str, position: str, choices: Sequence[ListEntry]) -> ChosenImage:
    number = st.selectbox(
        label,
        range(len(choices)),
        format_func=lambda index: choices[index].title,
        key=f"{position}-list",
    )
    return ChosenImage(choices[number].title, choices[number].path)


def draw_upload(label: str, position: str, types: Sequence[str], kind: Kind) -> Upload | None:
    """An upload; what is wrong with the file is shown below it."""
    limit = f"up to {current().settings.max_upload / 2**20:.0f} MB"
    given = st.file_uploader(f"{label} :gray[({limit})]", type=list(types), key=position)
    if given is None:
        current_desk().forget(position)
        return None
    try:
        return current_desk().upload(position, given.file_id, given.name, given, kind)
    except InputError as error:
        st.error(plain(str(error)))
        return None


def draw_small(chosen: ChosenImage | None, caption: str) -> None:
    """An image as the browser itself reads it: this process decodes no file of others."""
    if chosen is None:
        return
    address = _address(chosen.path)
    if address:
        st.image(address, caption=caption, width="stretch")


def _address(path: Path) -> str | None:
    """The image as an address that is its content; None where browsers do not show it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_SHOWN_BYTES + 1)
    except OSError:
        return None
    media = next(
        (media for mark, media in _BROWSER_IMAGES.items() if content.startswith(mark)), None
    )
    if media is None or len(content) > _MOST_SHOWN_BYTES:
        return None
    return f"data:{media};base64,{base64.b64encode(content).decode()}"
