"""Choosing an image or a clip: by upload, or from a list."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from vidstyle.app.choices import ListEntry
from vidstyle.app.desk import Kind, Upload
from vidstyle.app.page.progress import current_desk
from vidstyle.app.plain_text import plain
from vidstyle.app.studio import current
from vidstyle.core.errors import InputError

IMAGE_TYPES = ("png", "jpg", "jpeg", "webp", "bmp")
_CLIP_TYPES = ("mp4", "mov", "mkv", "webm", "avi", "m4v")
_TYPES = {"image": IMAGE_TYPES, "clip": _CLIP_TYPES}
# Of an image that is shown before it is stylized: larger ones would make the page wait.
_MOST_SHOWN_BYTES = 8 * 2**20
_BROWSER_IMAGES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
}


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """An image or a clip that was chosen."""

    name: str
    path: Path


def draw_source(
    label: str, position: str, choices: Sequence[ListEntry], kind: Kind
) -> ChosenFile | None:
    """An upload, which wins, and a list where there is one; None for nothing yet."""
    upload = draw_upload(label, position, _TYPES[kind], kind)
    listed = None
    if choices:
        number = st.selectbox(
            "Or one of these",
            range(len(choices)),
            format_func=lambda index: choices[index].title,
            key=f"{position}-list",
            disabled=upload is not None,
        )
        listed = ChosenFile(choices[number].title, choices[number].path)
    return ChosenFile(upload.name, upload.path) if upload else listed


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


def draw_image_file(
    chosen: ChosenFile | None, caption: str, *, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """An image as the browser itself reads it: this process decodes no file of others."""
    if chosen is None:
        return
    address = _address(chosen.path)
    if address:
        st.image(address, caption=plain(caption), width=width)


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
