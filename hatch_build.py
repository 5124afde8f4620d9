"""Compiles the package's kernels where there is a C compiler.

Hatchling calls it for wheels and for the checkout. Without a compiler the package is whole, too,
but slower: numpy and OpenCV do the work.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNELS = Path(__file__).with_name("vidstyle") / "kernels"
# Products and sums in one instruction, where the processor has one; errors of the C library's
# functions and floating-point traps are looked at by nobody. Nothing else is rounded differently.
FLAGS = (
    *("-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"),
    *("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"),
)


class KernelBuild(BuildHookInterface[Any]):
    """Adds the compiled library to what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        library = compile_kernels()
        if library is None:
            return
        build_data["artifacts"].append(library.relative_to(self.root).as_posix())
        # Any Python 3 loads it, but only on this kind of machine.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def compile_kernels() -> Path | None:
    """Compile the library; None, and a line that says why, where that cannot be done."""
    sources = runpy.run_path(str(KERNELS / "sources.py"))
    library: Path = sources["library_path"]()
    names = os.environ.get("CC", "").split() or ["cc", "gcc", "clang"]
    compiler = next((found for name in names if (found := shutil.which(name))), None)
    if compiler is None:
        _say("no C compiler: vidstyle will run without its kernels, and slower")
        return None
    digest = f'-DVIDSTYLE_SOURCES="{sources["digest_of_sources"]()}"'
    # Another process may have the old one loaded: it keeps its file.
    new = library.with_name(f".{os.getpid()}-{library.name}")
    command = [compiler, *FLAGS, digest, "-o", str(new), *map(str, sorted(KERNELS.glob("*.c")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        new.unlink(missing_ok=True)
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        _say(f"{compiler} failed, and vidstyle will run without its kernels: {lines[0]}")
        return None
    new.replace(library)
    return library


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(compile_kernels() is None)
