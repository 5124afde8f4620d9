"""The commands of ``docs/outputs.md`` and ``docs/batch.md`` work as they are written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.ramp_clip import write_ramp
from vidstyle.cli.main import run_command

DOCS = Path(__file__).parents[2] / "docs"


def commands_of(page: str) -> list[str]:
    return re.findall(r"^    vidstyle (.+)$", (DOCS / page).read_text(), re.MULTILINE)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips" / "more").mkdir(parents=True)
    for name in ("input.mp4", "clips/a.mp4", "clips/draft-b.mp4", "clips/more/c.mp4"):
        write_ramp(name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", ["outputs.md", "batch.md"])
def test_commands_of_a_page_run_in_their_order(
    workshop: Path, page: str, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = commands_of(page)
    assert len(commands) == 4
    for command in commands:
        assert run_command(shlex.split(command)) == 0, (command, capfd.readouterr().err)
    made = {str(path.relative_to(workshop)) for path in workshop.rglob("*.mp4")}
    expected = {
        "outputs.md": {"stylized.mp4"},
        "batch.md": {"out/a.mp4", "out/more/c.mp4", "small/more/c.mp4", "both/input.mp4"},
    }
    assert expected[page] <= made
    assert "small/draft-b.mp4" not in made
