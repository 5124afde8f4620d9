"""``vidstyle run`` from the outside: files, JSON, dry runs, intervals, plugins."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from vidstyle.cli.main import run_command
from vidstyle.runner.execution.engines import ENGINES

TEMPORAL = """\
version: 1
chunk: {least: 3, most: 5}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
    strength: 0.5
  - use: encode/pyav
    codec: libx264
"""


def frames_of(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0) if frame.pts is not None]


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_makes_the_file_and_says_so(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4")
    assert run_command(["run", "identity.yaml", "in.mp4", "-o", "out.mkv"]) == 0
    captured = capfd.readouterr()
    assert "wrote out.mkv" in captured.err
    assert "ms per frame: decode" in captured.err
    assert captured.out == ""
    assert len(frames_of(folder / "out.mkv")) == 12
    assert sorted(path.name for path in folder.iterdir()) == [
        ".vidstyle",
        "identity.yaml",
        "in.mp4",
        "out.mkv",
    ]


def test_json_is_all_that_is_on_standard_output(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4")
    assert run_command(["run", "identity.yaml", "in.mp4", "-o", "out.mkv", "--json"]) == 0
    captured = capfd.readouterr()
    events = json_lines(captured.out)
    assert captured.err == ""
    assert events[0]["event"] == "plan"
    assert sum(event["event"] == "frame" for event in events) == 12
    assert events[-1]["event"] == "done"
    assert events[-1]["frames"] == 12


@pytest.mark.parametrize("chunked", [True, False])
def test_threads_give_the_serial_frames_hash_for_hash(folder, write_clip, capfd, chunked) -> None:  # type: ignore[no-untyped-def]  # fixtures
    text = TEMPORAL if chunked else TEMPORAL.replace("chunk: {least: 3, most: 5}\n", "")
    (folder / "p.yaml").write_text(text)
    write_clip(folder / "in.mp4", count=16, cut=9)
    hashes = {}
    for engine in ("serial", "threaded"):
        command = ["run", "p.yaml", "in.mp4", "-o", f"{engine}.mp4", "--engine", engine, "--json"]
        assert run_command(command) == 0
        lines = json_lines(capfd.readouterr().out)
        hashes[engine] = [line["hash"] for line in lines if line["event"] == "frame"]
    assert len(hashes["serial"]) == 16
    assert hashes["serial"] == hashes["threaded"]


def test_a_dry_run_prints_the_plan_and_writes_nothing(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "p.yaml").write_text(TEMPORAL)
    write_clip(folder / "in.mp4")
    before = sorted(folder.iterdir())
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "out.mp4", "--dry-run"]) == 0
    out = capfd.readouterr().out
    assert "blend/warped" in out
    assert "160x128, 25 fps" in out
    assert sorted(folder.iterdir()) == before


def test_an_interval_starts_at_zero(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4")
    command = ["run", "identity.yaml", "in.mp4", "-o", "out.mkv", "--frames", "4:9"]
    assert run_command(command) == 0
    assert frames_of(folder / "out.mkv") == [0, 40, 80, 120, 160]


def test_overwrite_replaces_and_its_absence_refuses(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4")
    (folder / "out.mkv").write_text("old")
    command = ["run", "identity.yaml", "in.mp4", "-o", "out.mkv"]
    assert run_command(command) == 6
    assert (folder / "out.mkv").read_text() == "old"
    assert run_command([*command, "--overwrite"]) == 0
    assert len(frames_of(folder / "out.mkv")) == 12


def test_set_changes_an_option(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "p.yaml").write_text(TEMPORAL)
    write_clip(folder / "in.mp4")
    command = ["run", "p.yaml", "in.mp4", "-o", "out.mp4", "--dry-run", "--json"]
    assert run_command([*command, "--set", "blend.strength=0.25"]) == 0
    [plan] = json_lines(capfd.readouterr().out)
    options = {stage["name"]: stage["options"] for stage in plan["stages"]}  # type: ignore[attr-defined]  # a list
    assert options["blend"]["strength"] == 0.25


def test_short_options_are_options_of_stylize_and_blend(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd
) -> None:
    write_clip(folder / "in.mp4")
    changes = ["--strength", "0.25", "--consistency", "0.5", "--stroke-size", "auto"]
    command = ["run", "temporal", "in.mp4", "-o", "out.mp4", "--dry-run", *changes]
    assert run_command([*command, "--json"]) == 0
    [plan] = json_lines(capfd.readouterr().out)
    options = {stage["name"]: stage["options"] for stage in plan["stages"]}  # type: ignore[attr-defined]  # a list
    assert options["restore"]["strength"] == 0.25
    assert options["stylize"]["stroke_size"] == "auto"
    assert options["blend"]["strength"] == 0.5
    assert run_command(command) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "Stylization strength (--strength): 0.25" in lines
    assert "Size of the strokes (--stroke-size): auto" in lines
    assert "Temporal consistency (--consistency): 0.5" in lines


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            ["--strength", "2"],
            2,
            "vidstyle: --strength 2: stage stylize: option strength must be at most 1, got the"
            " number 2",
        ),
        (
            ["--consistency", "0.5"],
            2,
            "vidstyle: --consistency 0.5: the pipeline has no stage blend",
        ),
        (
            ["--stroke-size", "large"],
            2,
            "vidstyle: --stroke-size large: stage stylize: option stroke_size must be a number or"
            " 'auto', got the text 'large'",
        ),
    ],
)
def test_a_strength_that_cannot_be_is_one_line(folder, capfd, change, code, message) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for command in (["run", "per-frame", "in.mp4"], ["batch", "per-frame", ".", "-o", "out"]):
        assert run_command([*command, *change]) == code
        assert message in capfd.readouterr().err
    assert run_command(["check", "per-frame", *change]) == code
    assert message in capfd.readouterr().err


def test_a_codec_that_its_container_cannot_hold_says_what_would_work(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd
) -> None:
    write_clip(folder / "in.mp4", count=2)
    assert run_command(["run", "identity", "in.mp4", "-o", "out.mp4"]) == 2
    assert capfd.readouterr().err == (
        "vidstyle: ffv1 cannot be stored in .mp4: name the output out.mkv, or add"
        " --set encode.codec=libx264\n"
    )
    assert run_command(["run", "identity", "in.mp4", "-o", "out.webm"]) == 2
    assert "out.mkv, or add --set encode.codec=libvpx-vp9" in capfd.readouterr().err


@pytest.mark.parametrize("frame", [0, 7, 11])
def test_a_stage_that_raises_ends_the_run_at_any_frame(folder, write_clip, capfd, frame) -> None:  # type: ignore[no-untyped-def]  # fixtures
    plugin = folder / "plug" / "filter" / "odd.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from vidstyle.core import NOW, BaseStage, Needs, StageOptions\n\n\n"
        "class Odd(BaseStage[StageOptions]):\n"
        "    needs = Needs(reads={'image': NOW}, writes=('image',))\n\n"
        "    def step(self, window, state):\n"
        f"        if window.now.index == {frame}:\n"
        "            raise RuntimeError('planted')\n"
        "        return {'image': window.now.host('image')}, None\n\n\n"
        "STAGE = Odd\n"
    )
    (folder / "p.yaml").write_text(
        TEMPORAL.replace("  - use: encode", "  - use: filter/odd\n  - use: encode")
    )
    write_clip(folder / "in.mp4")
    for engine in ("threaded", "serial"):
        command = ["run", "p.yaml", "in.mp4", "-o", "out.mp4", "--plugins", "plug"]
        assert run_command([*command, "--engine", engine]) == 10
        assert f"stage filter, frame {frame}: RuntimeError: planted" in capfd.readouterr().err
        assert not (folder / "out.mp4").exists()


def test_help_says_what_each_engine_does(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "--help"]) == 0
    text = " ".join(capfd.readouterr().out.split())
    for name, engine in ENGINES.items():
        line = (engine.__doc__ or "").splitlines()[0]
        assert f"{name}: {line[0].lower()}{line[1:]}" in text


@pytest.mark.parametrize(
    ("name", "codec", "note"),
    [
        (
            "out.webm",
            "vp9",
            "note: .webm cannot hold libx264: encoded by libvpx-vp9\n",
        ),
        (
            "out.gif",
            "gif",
            "note: .gif cannot hold libx264: encoded by gif\n"
            "note: crf of the pipeline left out: it has no meaning for gif\n",
        ),
        ("out.mov", "h264", ""),
        ("out.MKV", "h264", ""),
    ],
)
def test_the_suffix_chooses_the_codec(folder, write_clip, capfd, name, codec, note) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4", count=2)
    assert (
        run_command(["run", "per-frame", "in.mp4", "-o", name, "--set", "stylize.strength=0"]) == 0
    )
    assert capfd.readouterr().err.startswith(note)
    with av.open(str(folder / name)) as container:
        assert container.streams.video[0].codec_context.name == codec


def test_codec_options_have_short_names_and_what_is_set_stays(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd
) -> None:
    write_clip(folder / "in.mp4", count=2)
    command = ["run", "temporal", "in.mp4", "-o", "out.mkv", "--dry-run", "--json"]
    assert run_command([*command, "--codec", "libx265", "--crf", "30", "--preset", "slow"]) == 0
    [plan] = json_lines(capfd.readouterr().out)
    options = plan["stages"][-1]["options"]  # type: ignore[index]  # a list
    assert [options[name] for name in ("codec", "crf", "preset")] == ["libx265", 30, "slow"]
    # What the pipeline has, and the other codec has too, stays; what it does not have is left out.
    assert run_command([*command, "--codec", "libx265"]) == 0
    [plan] = json_lines(capfd.readouterr().out)
    options = plan["stages"][-1]["options"]  # type: ignore[index]  # a list
    assert [options[name] for name in ("crf", "preset")] == [17, "superfast"]
    assert run_command([*command, "--codec", "ffv1"]) == 0
    assert "note: crf and preset of the pipeline left out: they have no meaning for ffv1" in (
        capfd.readouterr().err
    )
    # What the user sets is never left out.
    assert run_command([*command, "--codec", "ffv1", "--crf", "20"]) == 2
    assert "ffv1 has no crf; leave it out" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["in.mp4", "temporal"],
            2,
            "in.mp4 is no pipeline, which comes first: `vidstyle run temporal input.mp4`",
        ),
        (
            ["identity", "https://example.org/clip.mp4", "-o", "out.mkv"],
            3,
            "https:/example.org/clip.mp4 is an address: download the file, and name that",
        ),
        (
            ["identity", "in.mp4", "-o", "out.mkv", "--max-memory", "500"],
            2,
            "--max-memory 500: wanted an amount of memory with its unit, such as 3G or 800M",
        ),
    ],
)
def test_what_newcomers_type_gets_one_line_that_helps(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd, arguments, code, message
) -> None:
    write_clip(folder / "in.mp4", count=2)
    assert run_command(["run", *arguments]) == code
    assert capfd.readouterr().err == f"vidstyle: {message}\n"


def test_h_is_help(capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    assert run_command(["run", "-h"]) == 0
    short = capfd.readouterr().out
    assert run_command(["run", "--help"]) == 0
    assert short == capfd.readouterr().out
    assert "-h, --help" in short
