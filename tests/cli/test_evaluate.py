"""``vidstyle evaluate`` from the outside: table, JSON, files, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command
from vidstyle.evaluation.scores import METRICS
from vidstyle.runner.storage.destination import Destination

COUNT, WIDTH, HEIGHT = 12, 96, 80
EVALUATOR = ["--evaluator", "farneback"]


def images(amount: float = 0.0, *, count: int = COUNT, seed: int = 0) -> list[np.ndarray]:
    """A soft image that moves right by 2 px a frame, and flickers by ``amount`` of 255."""
    random = np.random.default_rng(seed)
    wide = cv2.GaussianBlur(random.random((HEIGHT, WIDTH + 2 * COUNT, 3)), (0, 0), 3)
    wide = 40 + 170 * (wide - wide.min()) / np.ptp(wide)
    rows = [wide[:, 2 * (COUNT - t) :][:, :WIDTH] + amount * (t % 2) for t in range(count)]
    return [np.rint(row).astype(np.uint8) for row in rows]


def write(path: Path, frames: list[np.ndarray], codec: str = "ffv1", form: str = "bgr0") -> Path:
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, width=width, height=height)
        stream.pix_fmt = form
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Source, per-frame baseline that flickers by 20, and a blend that flickers by 10, of 255."""
    folder = tmp_path_factory.mktemp("clips")
    flicker = {"source": 0, "baseline": 20, "blended": 10}
    return tuple(write(folder / f"{name}.mkv", images(by)) for name, by in flicker.items())


@pytest.fixture
def clips(folder: Path, clip_files: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clips in a folder of the test's own."""
    for name in ("VIDSTYLE_WEIGHTS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    for file in clip_files:
        shutil.copy(file, folder)
    return folder


def evaluated(*arguments: str) -> Any:
    """The JSON that is written to a file beside the clips."""
    assert run_command(["evaluate", *arguments, *EVALUATOR, "-o", "scores.json"]) == 0
    return json.loads(Path("scores.json").read_text())


def test_the_table_is_for_people(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    command = ["evaluate", "source.mkv", "blended.mkv", "--per-frame", "baseline.mkv", *EVALUATOR]
    assert run_command(command) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "evaluated by farneback: 12 frames, no cuts" in captured.err
    rows = {line.split()[0]: line for line in captured.err.splitlines() if line.strip()}
    assert METRICS["warping_error_reduction"] in rows["warping_error_reduction"]
    assert float(rows["warping_error_reduction"].split()[1]) == pytest.approx(0.75, abs=0.02)
    assert "note: no LPIPS" in captured.err or "lpips" in rows


@pytest.mark.parametrize("many", [1, 2, 3, 8])
def test_a_table_fits_a_window_of_80_columns(clips, capfd, monkeypatch, many) -> None:  # type: ignore[no-untyped-def]  # fixtures
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"blended-{'x' * 5 * number}.mkv" for number in range(many)]
    for name in names:
        (clips / name).symlink_to(clips / "blended.mkv")
    command = ["evaluate", "source.mkv", *names, "--per-frame", "baseline.mkv", *EVALUATOR]
    assert run_command(command) == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert max(map(len, lines)) <= 80
    words = [line.split() for line in lines]
    # Whole, and once for each clip.
    (score,) = {row[1] for row in words if row[0] == "warping_error_reduction" and row[1] != "part"}
    assert float(score) == pytest.approx(0.75, abs=0.02)
    assert sum(row.count(score) for row in words if row[0] == "warping_error_reduction") == many
    assert sum("part of the per-frame" in line for line in lines) == 1


def test_json_is_all_that_is_on_standard_output(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    command = [
        "evaluate",
        "source.mkv",
        "blended.mkv",
        "baseline.mkv",
        "--per-frame",
        "baseline.mkv",
    ]
    assert run_command([*command, *EVALUATOR, "--json"]) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    *progress, found = map(json.loads, captured.out.splitlines())
    assert [row["done"] for row in progress] == list(range(1, progress[0]["total"] + 1))
    assert found["event"] == "done"
    assert found["evaluator"] == "farneback"
    assert list(found["clips"]) == ["blended.mkv", "baseline.mkv"]
    stable = found["clips"]["blended.mkv"]
    assert stable["evaluator"] == "farneback"
    assert stable["scores"]["e_warp"] == pytest.approx((10 / 255) ** 2, rel=0.05)
    assert stable["scores"]["per_frame_e_warp"] == pytest.approx((20 / 255) ** 2, rel=0.05)
    assert stable["scores"]["warping_error_reduction"] == pytest.approx(0.75, abs=0.02)
    assert stable["scores"]["source_e_warp"] < 1e-4
    assert len(stable["series"]["e_warp"]) == stable["frames"] == COUNT
    assert stable["series"]["e_warp"][0] is None
    assert found["clips"]["baseline.mkv"]["scores"]["warping_error_reduction"] == pytest.approx(0)


def test_clips_of_other_codecs_containers_and_tools(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write(clips / "blended.mp4", images(10), "libx264", "yuv444p")
    (clips / "images").mkdir()
    for index, image in enumerate(images(10)):
        cv2.imwrite(str(clips / "images" / f"{index}.png"), image[..., ::-1])
    found = evaluated("source.mkv", "blended.mkv", "blended.mp4", "images")["clips"]
    exact = found["blended.mkv"]["scores"]["e_warp"]
    assert found["images"]["scores"]["e_warp"] == exact
    assert found["blended.mp4"]["scores"]["e_warp"] == pytest.approx(exact, rel=0.2)


def test_cuts_are_found_in_the_source(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    other = [255 - image // 2 for image in images(seed=1)]
    write(clips / "cut.mkv", images()[:7] + other[7:])
    write(clips / "bled.mkv", [*images()[:7], other[7] - 51, *other[8:]])
    found = evaluated("cut.mkv", "bled.mkv", "--per-frame", "cut.mkv")["clips"]["bled.mkv"]
    assert found["cuts"] == [7]
    assert found["scores"]["cut_bleed"] == pytest.approx(0.2, rel=1e-3)


def test_an_interval_is_evaluated_of_all_clips(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write(clips / "longer.mkv", images(10, count=9))
    found = evaluated("source.mkv", "longer.mkv", "--frames", "3:9")
    assert found["interval"] == [3, 9]
    assert found["clips"]["longer.mkv"]["frames"] == 6


def test_another_length_is_one_line(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write(clips / "short.mkv", images(10, count=9))
    assert run_command(["evaluate", "source.mkv", "short.mkv", *EVALUATOR]) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "short.mkv has 9 frames and source.mkv has more" in line
    assert "--frames A:B" in line


def test_another_size_is_one_line_or_scaled(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    small = [cv2.resize(image, (48, 40)) for image in images(10)]
    write(clips / "small.mkv", small)
    assert run_command(["evaluate", "source.mkv", "small.mkv", *EVALUATOR]) == 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "small.mkv is 48x40, source.mkv is 96x80" in line
    assert "--resize" in line
    found = evaluated("source.mkv", "small.mkv", "--resize")["clips"]["small.mkv"]
    assert found["scores"]["e_warp"] == pytest.approx((10 / 255) ** 2, rel=0.05)
    assert any("small.mkv is scaled from 48x40 to 96x80" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.mkv", "blended.mkv"], 3, "none.mkv"),
        (["source.mkv", "none.mkv"], 3, "none.mkv"),
        (["source.mkv", "blended.mkv", "--frames", "40:50"], 3, "none from 40 on"),
        (["source.mkv", "blended.mkv", "--frames", "3:4"], 3, "nothing to evaluate"),
        (
            ["source.mkv", "blended.mkv", "--blended-with", "farneback"],
            2,
            "farneback cannot evaluate",
        ),
        (["source.mkv", "blended.mkv", "blended.mkv"], 2, "blended.mkv is given twice"),
        (["source.mkv", "blended.mkv", "--style-image", "x.png"], 2, "--per-frame"),
        (
            ["source.mkv", "blended.mkv", "-o", "blended.mkv", "--overwrite"],
            2,
            "the output is the input itself",
        ),
        (["source.mkv", "blended.mkv", "-o", "identity.yaml"], 6, "--overwrite"),
        (["source.mkv", "blended.mkv", "-o", "none/scores.json"], 6, "does not exist"),
        (["source.mkv", "blended.mkv", "--report", "identity.yaml"], 6, "--overwrite"),
        (["source.mkv", "blended.mkv", "-o", "a.html", "--report", "a.html"], 2, "two outputs"),
        (["source.mkv", "blended.mkv", "-o", "a", "--report", "./a"], 2, "two outputs"),
        (["source.mkv", "blended.mkv", "-o", "a", "--report", "frames/../a"], 2, "two outputs"),
        (["source.mkv", "blended.mkv", "-o", "a", "--report", "here/a"], 2, "two outputs"),
        (["source.mkv", "blended.mkv", "-o", "frames"], 6, "frames is a folder"),
        (["source.mkv", "blended.mkv", "-o", "frames", "--overwrite"], 6, "frames is a folder"),
        (["source.mkv", "blended.mkv", "--report", "frames", "--overwrite"], 6, "is a folder"),
        (["source.mkv", "blended.mkv", "-o", "n" * 300], 6, "cannot write"),
        (["source.mkv", "frames", "-o", "frames/0.png", "--overwrite"], 2, "the input itself"),
        (["frames", "blended.mkv", "--report", "frames/new.html"], 2, "among the images"),
        (["source.mkv", "linked", "-o", "frames/0.png", "--overwrite"], 2, "the input itself"),
        (
            [
                "source.mkv",
                "blended.mkv",
                "--weights",
                "frames",
                "-o",
                "frames/0.png",
                "--overwrite",
            ],
            2,
            "the input itself",
        ),
        (
            [
                *("source.mkv", "blended.mkv", "--per-frame", "baseline.mkv", "--overwrite"),
                *("--style-image", "frames/0.png", "--report", "frames/0.png"),
            ],
            2,
            "the input itself",
        ),
        (["source.mkv"], 2, "STYLIZED"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_code(clips, capfd, arguments, code, message) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (clips / "frames").mkdir()
    for index, image in enumerate(images()):
        cv2.imwrite(str(clips / "frames" / f"{index}.png"), image[..., ::-1])
    (clips / "linked").mkdir()
    (clips / "linked" / "0.png").symlink_to(clips / "frames" / "0.png")
    (clips / "here").symlink_to(clips)
    before = {path: path.read_bytes() for path in clips.rglob("*") if path.is_file()}
    assert run_command(["evaluate", *arguments, *EVALUATOR]) == code
    # One line: no table comes before it, so nothing was evaluated in vain.
    (line,) = capfd.readouterr().err.splitlines()
    assert message in line
    assert {path: path.read_bytes() for path in clips.rglob("*") if path.is_file()} == before


def test_an_unknown_evaluator_is_a_usage_error(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    assert run_command(["evaluate", "source.mkv", "blended.mkv", "--evaluator", "guess"]) == 2
    assert "raft-small" in capfd.readouterr().err


def test_without_weights_farneback_evaluates_and_notes_so(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    assert run_command(["evaluate", "source.mkv", "blended.mkv"]) == 0
    message = capfd.readouterr().err
    assert "evaluated by farneback" in message
    (note,) = [line for line in message.splitlines() if "raft-small" in line]
    assert note == (
        "note: raft-small does not evaluate: its weights are not on this machine; `vidstyle weights"
        " pull raft-small` fetches them"
    )


def test_the_file_is_replaced_only_with_overwrite(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    first = evaluated("source.mkv", "blended.mkv")
    command = ["evaluate", "source.mkv", "baseline.mkv", *EVALUATOR, "-o", "scores.json"]
    assert run_command(command) == 6
    assert json.loads(Path("scores.json").read_text()) == first
    assert run_command([*command, "--overwrite"]) == 0
    assert list(json.loads(Path("scores.json").read_text())["clips"]) == ["baseline.mkv"]
    assert not [path for path in clips.iterdir() if path.name.startswith(".")]


def test_nothing_is_written_through_a_link(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    victim = clips / "victim"
    victim.write_text("mine")
    (clips / ".vidstyle").mkdir()
    for name in (".scores.json.part", ".vidstyle/scores.partial.json"):
        (clips / name).symlink_to(victim)
    evaluated("source.mkv", "blended.mkv")
    assert victim.read_text() == "mine"


def test_a_second_run_waits_for_the_first(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    with Destination(clips / "scores.json").reserved():
        assert (
            run_command(["evaluate", "source.mkv", "blended.mkv", *EVALUATOR, "-o", "scores.json"])
            == 9
        )
    assert "another run is writing scores.json" in capfd.readouterr().err.splitlines()[-1]
    assert not (clips / "scores.json").exists()


def test_names_have_no_power_over_the_terminal(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    stylized, output = "ca\x1b[31mlm\n.mkv", "fig\x1b]0;\x07\n.json"
    (clips / "blended.mkv").rename(clips / stylized)
    write(clips / "small\x1b.mkv", [cv2.resize(image, (48, 40)) for image in images(10)])
    command = ["evaluate", "source.mkv", stylized, "small\x1b.mkv", "--resize", *EVALUATOR]
    assert run_command([*command, "-o", output]) == 0
    captured = capfd.readouterr()
    assert "\x1b" not in captured.err
    assert "\x07" not in captured.err
    for message in (
        r"ca\x1b[31mlm\n.mkv",
        r"small\x1b.mkv is scaled",
        r"wrote fig\x1b]0;\x07\n.json",
    ):
        assert message in captured.err


def test_scores_of_the_narrowest_clip_are_json(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    # One pixel wide, which no codec of these tests takes.
    (clips / "narrow").mkdir()
    for index, image in enumerate(images(10)):
        cv2.imwrite(str(clips / "narrow" / f"{index}.png"), image[:, :1])
    command = ["evaluate", "narrow", "narrow", "--per-frame", "narrow", *EVALUATOR]
    assert run_command([*command, "--json"]) == 0
    for line in capfd.readouterr().out.splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_clips_of_one_name_keep_apart(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (clips / "other").mkdir()
    write(clips / "other" / "blended.mkv", images(20))
    found = evaluated("source.mkv", "blended.mkv", "other/blended.mkv")["clips"]
    assert list(found) == ["./blended.mkv", "other/blended.mkv"]


@pytest.mark.slow
def test_a_report_shows_what_was_evaluated(clips, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    command = ["evaluate", "source.mkv", "blended.mkv", "--per-frame", "baseline.mkv", *EVALUATOR]
    assert run_command([*command, "--report", "report.html"]) == 0
    page = (clips / "report.html").read_text()
    assert "wrote report.html" in capfd.readouterr().err
    assert "blended.mkv" in page
    assert "farneback" in page


@pytest.mark.slow
def test_raft_evaluates_with_the_weights_of_a_folder(clips, shared_data, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    command = ["evaluate", "source.mkv", "blended.mkv", "--frames", "0:3", "--device", "cpu"]
    assert run_command([*command, "--weights", str(shared_data / "weights"), "--json"]) == 0
    found = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert found["evaluator"] == "raft-small"
    error = found["clips"]["blended.mkv"]["scores"]["e_warp"]
    assert error == pytest.approx((10 / 255) ** 2, rel=0.1)


def test_torch_is_not_imported_for_a_classic_evaluator(clips) -> None:  # type: ignore[no-untyped-def]  # fixtures
    script = (
        "import sys\n"
        "from vidstyle.cli.main import run_command\n"
        "code = run_command(sys.argv[1:])\n"
        "assert 'torch' not in sys.modules\n"
        "sys.exit(code)\n"
    )
    command = ["evaluate", "source.mkv", "blended.mkv", *EVALUATOR]
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
