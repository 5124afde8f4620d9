"""The kernels' source files, and where their library lies. The build reads this file by itself."""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

_FOLDER = Path(__file__).parent


def library_path() -> Path:
    """Give the place of the compiled library.

    Returns:
        A file beside this one, which may be missing.
    """
    suffix = sysconfig.get_config_var("SHLIB_SUFFIX") or ".dll"
    return _FOLDER / f"kernels{suffix}"


def digest_of_sources() -> str:
    """Identify what the library has to be compiled from.

    Returns:
        SHA-256 of all source files.
    """
    digest = hashlib.sha256()
    for path in sorted(_FOLDER.glob("*.[ch]")):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()
