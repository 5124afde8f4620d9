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
from tests.cli.stamp_calls import CHUNKS, batch, packets, run, times
from vidstyle.cli.main import run_command
from vidstyle.runner.storage.records import Records
from vidstyle.stages.decode.pyav import DecodePyAV


def test_what_is_done_is_left_as_it_is(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert batch() == 0
    made = times(clips / "out")
    capfd.readouterr()
    assert batch() == 0
    err = capfd.readouterr().err
    assert [line for line in err.splitlines() if "done already" in line] == err.splitlines()
    assert err.splitlines()[-1] == "3 clips: 3 done already"
    assert len(err.splitlines()) == 4
    assert times(clips / "out") == made


def test_what_is_done_is_not_read_again(
    clips: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run() == 0
    made = (clips / "a.mp4").stat().st_mtime_ns

    def read(*_: object) -> None:
        raise AssertionError("a frame was decoded, or a source hashed")

    monkeypatch.setattr(DecodePyAV, "frames", read)
    monkeypatch.setattr("vidstyle.runner.storage.made.content_digest", read)
    assert run() == 0
    assert (clips / "a.mp4").stat().st_mtime_ns == made
    # Where the time of the source is another, it has to be.
    os.utime(clips / "clips" / "a.mp4")
    capfd.readouterr()
    assert run() != 0
    assert "a source hashed" in capfd.readouterr().err


def test_an_output_of_another_clip_names_that_clip(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    capfd.readouterr()
    assert run_command(["run", "p.yaml", "clips/b.mp4", "-o", "a.mp4"]) == 6
    assert (
        f"a.mp4 was made of another source, {clips}/clips/a.mp4; pass --overwrite"
        in capfd.readouterr().err
    )


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
    assert "2 of 3 outputs are not what this command makes; pass --redo" in lines[-1]
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


def test_an_output_that_lost_its_last_bytes_is_not_done(clips: Path) -> None:
    assert run() == 0
    path = clips / "a.mp4"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert run() == 6
    np.testing.assert_equal(path.read_bytes(), bytes(data))
    assert run("--overwrite") == 0


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
