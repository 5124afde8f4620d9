"""A pipeline file is data: it runs nothing, grows to nothing, reads beside itself alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
HOSTILE = {
    "aliases": BOMB,
    "depth": b"a: " + b"[" * 100_000,
    "size": b"a: " + b"x" * (1 << 21),
    "values": b"a: [" + b"1," * 100_000 + b"]",
    "object": b"version: !!python/object/apply:os.system ['touch pwned']\n",
    "not UTF-8": b"version: 1\nstages: \xff\n",
    "NUL": b"version: 1\nstages: a\0b\n",
    "escape": b"version: 1\nstages: \x1b[2J\n",
    "duplicate key": b"version: 1\nversion: 1\n",
    "wrong type": b"version: 1\nstages: 3\n",
    "huge number": b"version: " + b"9" * 100_000,
    "endless rate": b"version: 1\nstages:\n  - use: decode/images\n"
    b"    frame_rate: '1e999999999'\n  - use: encode/pyav\n",
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_line_with_its_place(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (folder / "p.yaml").write_bytes(HOSTILE[name])
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "out.mkv"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.isprintable()
    # A file that is too large has no line to blame.
    assert re.match(r"vidstyle: p\.yaml:\d+:\d+: ", line) or name == "size"
    assert {path.name for path in folder.iterdir()} == {"p.yaml", "in.mp4"}


@pytest.mark.parametrize(
    "base", ["/etc/passwd", "../base.yaml", "link.yaml", "sub/../../base.yaml"]
)
def test_extends_reads_below_the_pipelines_folder_alone(
    folder: Path, capfd: pytest.CaptureFixture[str], base: str
) -> None:
    inner = folder / "inner"
    (inner / "sub").mkdir(parents=True)
    (folder / "p.yaml").rename(folder / "base.yaml")
    (inner / "link.yaml").symlink_to("../base.yaml")
    (inner / "p.yaml").write_text(f"version: 1\nextends: {base}\n")
    assert run_command(["check", "inner/p.yaml"]) == 2
    assert "inner/p.yaml:2:10: extends reads files of the pipeline's own" in capfd.readouterr().err
    # The name of a pipeline that ships leads nowhere else.
    (inner / "temporal").symlink_to("../base.yaml")
    (inner / "p.yaml").write_text("version: 1\nextends: temporal\n")
    assert run_command(["check", "inner/p.yaml"]) == 2
    assert "which leads out of it" in capfd.readouterr().err
    (inner / "temporal").unlink()
    assert run_command(["check", "inner/p.yaml"]) == 0
    (inner / "sub" / "base.yaml").write_bytes((folder / "base.yaml").read_bytes())
    (inner / "p.yaml").write_text("version: 1\nextends: sub/base.yaml\n")
    assert run_command(["check", "inner/p.yaml"]) == 0


def test_code_in_the_current_folder_is_not_loaded_unasked(folder: Path) -> None:
    for position in ("filter", "plugins/filter", "stages/filter"):
        (folder / position).mkdir(parents=True)
        (folder / position / "odd.py").write_text("import pathlib; pathlib.Path('pwned').touch()\n")
    text = (folder / "p.yaml").read_text()
    (folder / "p.yaml").write_text(
        text.replace("  - use: enc", "  - use: filter/odd\n  - use: enc")
    )
    command = ["run", "p.yaml", "in.mp4", "-o", "out.mkv"]
    assert run_command(command) == 2
    assert not (folder / "pwned").exists()
    # Named, it is code.
    assert run_command([*command, "--plugins", "plugins"]) == 5
    assert (folder / "pwned").exists()
