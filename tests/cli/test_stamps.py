"""What lies at an output is what the command makes, or is named as something else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

import vidstyle
from vidstyle.cli.main import run_command
from vidstyle.runner.storage.records import Records
from vidstyle.stages.decode.pyav import DecodePyAV

CHUNKS = """\
version: 1
chunk: {least: 4, most: 6}
stages:
  - use: decode/pyav
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
  - use: encode/pyav
"""


@pytest.fixture
def clips(folder: Path, write_clip: Callable[..., Path]) -> Path:
    """Three clips, and a pipeline with an option to change."""
    (folder / "p.yaml").write_text(CHUNKS)
    for number, name in enumerate(("a", "b", "deep/c"), start=1):
        write_clip(folder / "clips" / f"{name}.mp4", count=8 + number)
    return folder


def batch(*more: str) -> int:
    return run_command(["batch", "p.yaml", "clips", "-o", "out", *more])


def run(*more: str) -> int:
    return run_command(["run", "p.yaml", "clips/a.mp4", "-o", "a.mp4", *more])


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")}


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0)]


def test_what_is_done_is_left_as_it_is_and_not_read_again(
    clips: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert batch() == 0
    made = times(clips / "out")
    capfd.readouterr()

    def read(*_: object) -> None:
        raise AssertionError("a frame was decoded")

    monkeypatch.setattr(DecodePyAV, "frames", read)
    monkeypatch.setattr("vidstyle.runner.storage.made.content_digest", read)
    assert batch() == 0
    err = capfd.readouterr().err
    assert [line for line in err.splitlines() if "done already" in line] == err.splitlines()
    assert err.splitlines()[-1] == "3 clips: 3 done already"
    assert len(err.splitlines()) == 4
    assert times(clips / "out") == made


def test_other_options_are_listed_and_refused_before_anything_is_made(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert batch() == 0
    made = times(clips / "out")
    (clips / "out" / "b.mp4").unlink()
    capfd.readouterr()
    changed = ("--set", "blend.strength=0.5")
    assert batch(*changed) == 6
    lines = capfd.readouterr().err.splitlines()
    assert lines[:-1] == [
        f"out/{name}.mp4 was made with other options: blend.strength was 0.85, is 0.5"
        for name in ("a", "deep/c")
    ]
    assert "2 of 3 outputs are not what this batch makes; pass --redo" in lines[-1]
    assert times(clips / "out") == {name: made[name] for name in ("a.mp4", "c.mp4")}
    assert batch(*changed, "--keep") == 0
    assert {n: t for n, t in times(clips / "out").items() if n != "b.mp4"} == {
        name: made[name] for name in ("a.mp4", "c.mp4")
    }
    assert batch(*changed, "--redo") == 0
    assert batch(*changed) == 0
    assert all(time != made[name] for name, time in times(clips / "out").items())
    assert batch("--redo", "--keep") == 2


def test_a_replaced_source_a_deleted_output_and_nothing_else_is_made_again(
    clips: Path, write_clip: Callable[..., Path]
) -> None:
    assert batch() == 0
    made = times(clips / "out")
    write_clip(clips / "clips" / "a.mp4", count=5)
    (clips / "out" / "b.mp4").unlink()
    assert batch() == 0
    again = times(clips / "out")
    assert {name for name in made if again[name] != made[name]} == {"a.mp4", "b.mp4"}
    assert len(packets(clips / "out" / "a.mp4")) >= 5
    # Written again with the same content: its time alone is another.
    os.utime(clips / "clips" / "b.mp4")
    assert batch() == 0
    assert times(clips / "out") == again


@pytest.mark.parametrize("manifest", ["gone", "damaged", "of another file"])
def test_a_file_of_somebody_else_is_never_replaced_unasked(
    clips: Path, capfd: pytest.CaptureFixture[str], manifest: str
) -> None:
    assert batch() == 0
    record = clips / "out" / ".vidstyle" / "a.mp4.json"
    if manifest == "gone":
        record.unlink()
    elif manifest == "damaged":
        record.write_text("{")
    (clips / "out" / "a.mp4").write_text("mine")
    for rule, code in (("--redo", 6), ("--keep", 0)):
        assert batch(rule) == code
        assert (clips / "out" / "a.mp4").read_text() == "mine"
    capfd.readouterr()
    assert batch() == 6
    assert "pass --overwrite to replace all, or --keep" in capfd.readouterr().err
    assert batch("--overwrite") == 0
    assert packets(clips / "out" / "a.mp4")


def test_a_batch_makes_what_a_run_makes(clips: Path) -> None:
    assert batch() == 0
    assert run() == 0
    assert packets(clips / "out" / "a.mp4") == packets(clips / "a.mp4")
    entries = [Records(folder).read(Path("a.mp4")) for folder in (clips, clips / "out")]
    keys = {entry.stamp.file_key for entry in entries if entry is not None}
    assert len(keys) == 1


def test_the_output_of_a_clip_that_cannot_be_opened_any_more_stays(clips: Path) -> None:
    assert batch() == 0
    made = times(clips / "out")
    (clips / "clips" / "a.mp4").write_text("no video")
    for rule in ("--redo", "--keep", "--overwrite"):
        assert batch(rule, "--set", "blend.strength=0.5") == 7
        assert times(clips / "out")["a.mp4"] == made["a.mp4"]


def test_a_run_says_what_is_done_and_what_was_made_otherwise(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    made = (clips / "a.mp4").stat().st_mtime_ns
    capfd.readouterr()
    assert run() == 0
    assert "a.mp4 is done already" in capfd.readouterr().err
    assert run("--dry-run", "--set", "flow.preset=fast") == 6
    assert run("--set", "flow.preset=fast", "--frames", "0:5", "--set", "encode.audio=drop") == 6
    line = capfd.readouterr().err.splitlines()[-1]
    assert line == (
        "vidstyle: a.mp4 was made with other options: frames was 0:, is 0:5,"
        " flow.preset was ultrafast, is fast, encode.audio was copy, is drop;"
        " pass --overwrite to replace it"
    )
    assert (clips / "a.mp4").stat().st_mtime_ns == made
    assert run("--set", "flow.preset=fast", "--overwrite") == 0
    assert run("--set", "flow.preset=fast") == 0


def test_a_style_counts_by_its_content(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    styles = Path(vidstyle.__file__).parent / "assets" / "styles"
    great, udnie = (styles / f"{name}.safetensors" for name in ("great-wave", "udnie"))
    text = CHUNKS.replace("  - use: blend/warped\n", "  - use: stylize/feedforward\n")
    (clips / "p.yaml").write_text(text.replace("  - use: flow/dis\n    preset: ultrafast\n", ""))
    shutil.copy(great, clips / "own.safetensors")
    shutil.copy(great, clips / "same.safetensors")
    assert run("--style", "own.safetensors", "--frames", "0:2") == 0
    assert run("--style", "same.safetensors", "--frames", "0:2") == 0
    shutil.copy(udnie, clips / "own.safetensors")
    capfd.readouterr()
    assert run("--style", "own.safetensors", "--frames", "0:2") == 6
    assert "stylize.style was another file of that name" in capfd.readouterr().err
    assert run("--style", "udnie", "--frames", "0:2") == 6
    assert "stylize.style was own.safetensors, is udnie" in capfd.readouterr().err


def test_the_stamp_is_in_the_tags_of_the_file(clips: Path) -> None:
    for name, tag in (("a.mp4", "comment"), ("a.mkv", "VIDSTYLE")):
        assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", name]) == 0
        entry = Records(clips).read(Path(name))
        assert entry is not None
        with av.open(name) as container:
            assert container.metadata[tag] == entry.stamp.short
    # Stylized once more, the file has its own stamp and not that of its source.
    assert run_command(["run", "p.yaml", "a.mp4", "-o", "twice.mkv"]) == 0
    with av.open("twice.mkv") as container:
        texts = [text for text in container.metadata.values() if text.startswith("vidstyle ")]
    assert texts == [getattr(Records(clips).read(Path("twice.mkv")), "stamp").short]  # noqa: B009


CORES = """\
import os, sys
os.sched_setaffinity(0, {int(core) for core in sys.argv[1].split(",")})
from vidstyle.cli.main import run_command
sys.exit(run_command(sys.argv[2:]))
"""


@pytest.mark.parametrize("codec", ["libx264", "libvpx-vp9"])
def test_a_number_of_cores_changes_no_packet(clips: Path, codec: str) -> None:
    cores = sorted(os.sched_getaffinity(0))
    found = []
    for used in (cores[:1], cores):
        name = f"{len(used)}.mkv"
        call = ["run", "p.yaml", "clips/a.mp4", "-o", name, "--set", f"encode.codec={codec}"]
        listed = ",".join(map(str, used))
        subprocess.run([sys.executable, "-c", CORES, listed, *call], check=True, timeout=60)
        found.append(packets(clips / name))
        entry = json.loads((clips / ".vidstyle" / f"{name}.json").read_text())
        assert entry["machine"]["cores"] == str(len(used))
    assert found[0] == found[-1]


def interrupted(clips: Path, *more: str) -> None:
    """Leave the work of a run that was killed behind its first chunks."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, "run", "p.yaml", "clips/a.mp4", *more],
    )
    assert child.wait(timeout=60) == 9
    assert Records(clips).works()


KILLED = """\
import os, sys
from vidstyle.cli.main import run_command
from vidstyle.runner.storage.destination import Destination
setattr(Destination, "commit", lambda _: os._exit(9))
run_command(sys.argv[1:])
"""


def test_a_change_of_container_sound_or_titles_uses_the_finished_frames(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupted(clips, "-o", "a.mp4")
    capfd.readouterr()
    drop = ("--set", "encode.audio=drop", "--set", "encode.metadata=drop")
    assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", "a.mkv", *drop]) == 0
    assert "resuming an interrupted run after 9 frames" in capfd.readouterr().err
    assert not Records(clips).works()
    assert run_command(["run", "p.yaml", "clips/a.mp4", "-o", "whole.mkv"]) == 0
    assert packets(clips / "a.mkv") == packets(clips / "whole.mkv")


@pytest.mark.parametrize(
    ("codec", "first", "second"),
    [
        ("libx264", "a.mp4", "b.mkv"),
        ("libx264", "a.mkv", "b.mov"),
        ("libx265", "a.mov", "b.mkv"),
        ("libsvtav1", "a.mp4", "b.webm"),
        ("libvpx-vp9", "a.webm", "b.mkv"),
        ("prores_ks", "a.mov", "b.mkv"),
    ],
)
def test_a_finished_output_gives_its_frames_to_another_file(
    clips: Path, capfd: pytest.CaptureFixture[str], codec: str, first: str, second: str
) -> None:
    call = ["run", "p.yaml", "clips/a.mp4", "--set", f"encode.codec={codec}", "--frames", "1:8"]
    assert run_command([*call, "-o", first]) == 0
    capfd.readouterr()
    assert run_command([*call, "-o", second]) == 0
    assert f"the frames of {first} are used: only the file is made" in capfd.readouterr().err
    (clips / "apart").mkdir()
    assert run_command([*call, "-o", f"apart/{second}"]) == 0
    assert "are used" not in capfd.readouterr().err
    assert rows(clips / second) == rows(clips / "apart" / second)
    # One with another stamp is no source of frames, nor one that was changed.
    assert run_command([*call, "-o", f"c{second}", "--set", "blend.strength=0.5"]) == 0
    assert "are used" not in capfd.readouterr().err
    for name in (first, second):
        (clips / name).write_bytes((clips / name).read_bytes()[:-1] + b"!")
    drop = ("--set", "encode.metadata=drop")
    assert run_command([*call, *drop, "-o", second, "--overwrite"]) == 0
    assert "are used" not in capfd.readouterr().err


def rows(path: Path) -> list[tuple[object, ...]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, packet.is_keyframe, bytes(packet))
            for packet in container.demux(video=0)
        ]


def test_work_with_other_options_stays_until_it_is_cleaned(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupted(clips, "-o", "a.mp4")
    (work,) = Records(clips).works()
    assert run("--set", "blend.strength=0.5") == 0
    assert "a partial result with other options kept" in capfd.readouterr().err
    assert Records(clips).works() == [work]
    assert run_command(["clean"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[0].startswith(f"{work.relative_to(clips)}: 9 frames, ")
    assert out[1].startswith("1 partial result, ")
    assert out[1].endswith(": `vidstyle clean --yes` removes them")
    assert work.exists()
    assert run_command(["clean", str(clips), "--yes"]) == 0
    assert Records(clips).works() == []
    assert (clips / "a.mp4").exists()
    assert run("--set", "blend.strength=0.5") == 0
    assert run_command(["clean"]) == 0
    assert "nothing to clean" in capfd.readouterr().out


def test_old_work_is_removed_by_itself(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    interrupted(clips, "-o", "a.mp4")
    (work,) = Records(clips).works()
    os.utime(work, (1, 1))
    assert run("--set", "blend.strength=0.5") == 0
    assert f"partial work {work.name} was removed: older than 30 days" in capfd.readouterr().err
    assert Records(clips).works() == []


def test_an_output_that_lost_its_last_bytes_is_not_done(clips: Path) -> None:
    assert run() == 0
    path = clips / "a.mp4"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert run() == 6
    np.testing.assert_equal(path.read_bytes(), bytes(data))
    assert run("--overwrite") == 0


def test_a_replay_makes_the_output_again(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keyed = ("--set", "blend.strength={at: {0s: 0.2, 1s: 0.9}}", "--frames", "1:7")
    assert run(*keyed) == 0
    made = packets(clips / "a.mp4")
    # Neither the pipeline's file nor its overrides are needed.
    (clips / "p.yaml").unlink()
    capfd.readouterr()
    assert run_command(["replay", "a.mp4"]) == 0
    assert "equal: all 6 frames are those of a.mp4" in capfd.readouterr().err
    assert packets(clips / "a-replay.mp4") == made
    assert run_command(["replay", "a.mp4"]) == 6
    (clips / "a.mp4").unlink()
    assert run_command(["replay", "a.mp4"]) == 0
    assert packets(clips / "a.mp4") == made
    assert run_command(["replay", "a-replay.mp4", "-o", "b.mp4"]) == 0


def test_a_replay_says_what_is_not_as_it_was(
    clips: Path, write_clip: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    record = clips / ".vidstyle" / "a.mp4.json"
    entry = json.loads(record.read_text())
    entry["version"], entry["machine"]["av"] = "0.0.0", "1"
    record.write_text(json.dumps(entry))
    write_clip(clips / "clips" / "a.mp4", count=9, cut=2)
    capfd.readouterr()
    assert run_command(["replay", "a.mp4"]) == 6
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "not as it was: the source was changed"
    assert lines[1] == f"not as it was: vidstyle was 0.0.0, is {vidstyle.__version__}"
    assert lines[2].startswith("not as it was: av was 1, is ")
    assert lines[-1] == (
        "vidstyle: a-replay.mp4 is not equal to a.mp4: the frames differ;"
        " what is not as it was is listed above"
    )
    (clips / "clips" / "a.mp4").unlink()
    assert run_command(["replay", "a.mp4", "--overwrite"]) == 3
    assert run_command(["replay", "nothing.mp4"]) == 3


def test_a_replay_loads_no_code_that_nobody_named(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plugin = clips / "plugins" / "filter" / "own.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from pathlib import Path\nfrom vidstyle.core import HostArray, image_filter\n"
        "Path('loaded').touch()\n\n@image_filter\ndef own(image: HostArray) -> HostArray:\n"
        "    return 1 - image\n\nSTAGE = own\n"
    )
    text = CHUNKS.replace("  - use: encode", "  - use: filter/own\n  - use: encode")
    (clips / "p.yaml").write_text(text)
    assert run("--plugins", "plugins") == 0
    (clips / "loaded").unlink()
    script = [sys.executable, "-m", "vidstyle", "replay", "a.mp4"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"--plugins {clips / 'plugins'}" in done.stderr
    assert not (clips / "loaded").exists()
    capfd.readouterr()
    assert run_command(["replay", "a.mp4", "--plugins", "plugins"]) == 0
    # The code of a plugin is a part of the stamp.
    plugin.write_text(plugin.read_text().replace("1 - image", "image"))
    (clips / "a-replay.mp4").unlink()
    script += ["--plugins", "plugins"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 6
    assert "not as it was: the code of filter was changed" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("frames", "9"), ("machine", []), ("recipe", "x"), ("output", {"size": 1}), ("more", 1)],
)
def test_a_manifest_of_another_form_is_none(clips: Path, name: str, value: object) -> None:
    assert run() == 0
    record = clips / ".vidstyle" / "a.mp4.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), name: value}))
    assert Records(clips).read(Path("a.mp4")) is None
    assert run_command(["replay", "a.mp4"]) == 3
    assert run() == 6


def test_a_folder_of_images_has_a_stamp_like_a_file(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (clips / "p.yaml").write_text(CHUNKS.replace("encode/pyav", "encode/images"))
    call = ["run", "p.yaml", "clips/a.mp4", "-o", "images"]
    assert run_command(call) == 0
    made = times_of_images(clips)
    assert run_command(call) == 0
    assert times_of_images(clips) == made
    assert run_command([*call, "--set", "encode.bits=16"]) == 6
    assert "encode.bits was 8, is 16" in capfd.readouterr().err
    assert run_command(["replay", "images"]) == 0
    first = clips / "images" / "000000.png"
    first.write_bytes(first.read_bytes() + b"!")
    assert run_command(call) == 6
    assert "images was changed since it was made" in capfd.readouterr().err


def times_of_images(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "images").iterdir()}
