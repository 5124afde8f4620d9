"""``-`` at the command line: real processes, real pipes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from tests.media.piped_inputs import noise, y4m

VIDSTYLE = [sys.executable, "-m", "vidstyle"]
RAW = ("run", "identity.yaml", "-", "-o", "-", "--raw", "64x48@25")
ROOT = Path(__file__).parents[2]
# Writes a header and frames at a rate, and waits then.
FEEDER = """\
import sys, time
data = open("in.y4m", "rb").read()
header = data.index(b"\\n") + 1
size = 6 + 64 * 48 * 3 // 2
sys.stdout.buffer.write(data[:header])
for number in range(int(sys.argv[1])):
    at = header + number % 6 * size
    sys.stdout.buffer.write(data[at : at + size])
    sys.stdout.buffer.flush()
    time.sleep(0.02)
time.sleep(float(sys.argv[2]))
"""


def vidstyle(*words: str, given: bytes | int = b"") -> tuple[int, bytes, list[str]]:
    """The code, what is on standard output, and the lines on standard error."""
    done = subprocess.run(
        [*VIDSTYLE, *words],
        capture_output=True,
        timeout=60,
        check=False,
        **({"stdin": given} if isinstance(given, int) else {"input": given}),  # type: ignore[call-overload]  # one of two
    )
    return done.returncode, done.stdout, done.stderr.decode().splitlines()


def test_nothing_but_the_video_is_on_standard_output(folder: Path) -> None:
    data = noise(6 * 64 * 48 * 3)
    code, out, errors = vidstyle(*RAW, given=data)
    assert (code, out) == (0, data)
    latency = r"latency: \d+ ms on average, \d+ ms and \d frames? at most"
    assert any(re.fullmatch(latency, line) for line in errors)
    assert errors[-1] == "wrote standard output"
    assert {path.name for path in folder.iterdir()} == {"identity.yaml"}


def test_json_leaves_standard_output_to_the_video(folder: Path) -> None:
    data = noise(6 * 64 * 48 * 3)
    code, out, errors = vidstyle(*RAW, "--json", given=data)
    assert (code, out) == (0, data)
    events = [json.loads(line) for line in errors]
    assert [event["event"] for event in events].count("frame") == 6
    assert events[-1]["latency"]["frames"] <= 2
    assert all(event["behind"] >= 0 for event in events if event["event"] == "frame")


def test_what_a_plugin_prints_stays_out_of_the_video(folder: Path) -> None:
    stage = folder / "plugins" / "filter" / "loud.py"
    stage.parent.mkdir(parents=True)
    stage.write_text(
        "import os\nfrom vidstyle.core import NOW, BaseStage, Needs, StageOptions\n\n\n"
        "class STAGE(BaseStage):\n    Options = StageOptions\n"
        '    needs = Needs(reads={"image": NOW}, writes=("image",))\n\n'
        "    def step(self, window, state):\n"
        '        print("from python", flush=True)\n        os.write(1, b"from below\\n")\n'
        '        return {"image": window.now.host("image")}, state\n'
    )
    pipeline = (folder / "identity.yaml").read_text()
    loud = pipeline.replace("  - use: encode", "  - use: filter/loud\n  - use: encode")
    (folder / "loud.yaml").write_text(loud)
    data = noise(6 * 64 * 48 * 3)
    call = ("run", "loud.yaml", *RAW[2:], "--plugins", "plugins")
    code, out, errors = vidstyle(*call, given=data)
    assert (code, out) == (0, data), errors
    assert "from python" in errors


@pytest.mark.parametrize(
    ("words", "given", "code", "line"),
    [
        ("- -o -", b"", 3, "standard input is empty: does the program that writes it work?"),
        ("- -o out.mkv", noise(4000), 3, "standard input: not a video that can be read"),
        ("- -o - --raw 64x48@25", noise(99), 3, "standard input: ends before its first frame"),
        ("- -o - --raw 64x48", b"", 2, "--raw 64x48: wanted WIDTHxHEIGHT@RATE:FORMAT, such as"),
        ("- - -o -", b"", 2, "a run with a pipe takes one input, and - can be read once"),
        ("- in.y4m -o out", b"", 2, "a run with a pipe takes one input, and - can be read once"),
        ("-", b"", 2, "a pipe has no name: say with -o what the output is, as in -o out.mkv"),
        ("- -o folder", y4m(1), 2, "folder is a folder: name the output of a pipe, as in out.mkv"),
        ("- -o out.avi", y4m(1), 2, "out.avi: frames of a pipe are written to .y4m, .mkv, .mp4,"),
        ("in.y4m -o - --raw 64x48@25", b"", 2, "--raw says what comes by standard input: give -"),
        ("in.y4m -o a.mkv --raw 64x48@25", b"", 2, "--raw is for pipes: give - as the input or"),
        ("- -o a.mkv --format y4m", b"", 2, "--format is for -o -; the suffix of a file says"),
        ("- -o - --format avi", b"", 2, "--format avi: wanted y4m, mkv, raw"),
        ("- -o - --cache c", b"", 2, "--cache needs files: a run with a pipe stores nothing"),
        ("- -o - --engine serial", b"", 2, "--engine serial needs files: a run with a pipe"),
        ("missing.mp4 -o -", b"", 3, "missing.mp4: no such file"),
    ],
)
def test_what_cannot_be_is_one_line_and_a_code(
    folder: Path, words: str, given: bytes, code: int, line: str
) -> None:
    (folder / "folder").mkdir()
    (folder / "in.y4m").write_bytes(y4m(2))
    found, out, errors = vidstyle("run", "identity.yaml", *words.split(), given=given)
    assert (found, out) == (code, b"")
    assert len(errors) == 1
    assert errors[0].startswith(f"vidstyle: {line}")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("check identity.yaml -", "-: no such file; only `vidstyle run` reads standard input"),
        ("batch identity.yaml - -o out", "- is not a folder"),
        ("evaluate - -", "-: no such file"),
    ],
)
def test_other_commands_say_that_they_read_no_pipe(folder: Path, words: str, line: str) -> None:
    code, _, errors = vidstyle(*words.split(), given=y4m(2))
    assert code == 2
    assert errors[-1].startswith(f"vidstyle: {line}")


def test_a_file_of_that_name_is_a_file(folder: Path) -> None:
    (folder / "-").write_bytes(y4m(2))
    call = ("run", "identity.yaml", "./-", "-o", "-", "--format", "y4m")
    code, out, _ = vidstyle(*call, given=y4m(5))
    assert (code, len(out)) == (0, len(y4m(2)))


def test_a_closed_stream_is_no_file_of_ours(folder: Path) -> None:
    (folder / "in.y4m").write_bytes(y4m(2))
    for redirection, word, code in (
        ("- -o out.mkv <&-", "standard input is empty", 3),
        ("in.y4m -o - >&-", "cannot write to the standard output", 6),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m vidstyle run identity.yaml {redirection}"],
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
        assert done.returncode == code
        assert word in done.stderr.decode().splitlines()[-1]


def test_a_terminal_gets_a_line_and_no_bytes(folder: Path) -> None:
    (folder / "in.y4m").write_bytes(y4m(2))
    theirs, ours = os.openpty()
    code, _, errors = vidstyle("run", "identity.yaml", "-", "-o", "out.mkv", given=ours)
    assert code == 2
    assert errors == [line for line in errors if "standard input is a terminal" in line]
    done = subprocess.run(
        [*VIDSTYLE, "run", "identity.yaml", "in.y4m", "-o", "-"],
        stdout=ours,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "standard output is a terminal" in done.stderr.decode()
    for descriptor in (theirs, ours):
        os.close(descriptor)


class Feeder:
    """A program that writes frames at a rate into a pipe, and then waits."""

    def __init__(self, folder: Path, frames: int, wait: float) -> None:
        (folder / "in.y4m").write_bytes(y4m())
        call = [sys.executable, "-c", FEEDER, str(frames), str(wait)]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )

    def run(self, *words: str) -> subprocess.Popen[bytes]:
        """A run that reads from it."""
        child = subprocess.Popen(
            [*VIDSTYLE, "run", *words],
            stdin=self.process.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.process.stdout.close()
        return child


@pytest.fixture
def feeders() -> Iterator[list[Feeder]]:
    several: list[Feeder] = []
    yield several
    for feeder in several:
        feeder.process.kill()
        feeder.process.wait()


@pytest.mark.parametrize("form", ["y4m", "mkv"])
@pytest.mark.parametrize("frames", [1000, 3])
def test_a_reader_that_goes_away_ends_the_run(  # type: ignore[no-untyped-def]  # fixtures
    folder, feeders, form, frames
) -> None:
    """Where frames come, and where none does any more."""
    feeders.append(Feeder(folder, frames, 60))
    child = feeders[0].run("identity.yaml", "-", "-o", "-", "--format", form)
    assert len(child.stdout.read(100)) == 100
    child.stdout.close()
    started = time.perf_counter()
    errors = child.stderr.read().decode().splitlines()
    assert child.wait(20) == 6
    assert time.perf_counter() - started < 5
    child.stderr.close()
    assert errors[-1] == (
        "vidstyle: nobody reads the standard output any more: the run has ended there"
    )
    assert not any("Traceback" in line for line in errors)


@pytest.mark.parametrize("form", ["y4m", "mkv"])
@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_works_and_one_that_nobody_reads(  # type: ignore[no-untyped-def]  # fixtures
    folder, feeders, form, reads, sent, code
) -> None:
    feeders.append(Feeder(folder, 1000, 60))
    child = feeders[0].run("identity.yaml", "-", "-o", "-", "--format", form)
    child.stdout.read(3000 if reads else 1)
    time.sleep(0.5)
    os.kill(child.pid, sent)
    errors = child.stderr.read()
    assert child.wait(20) == code
    child.stdout.close()
    child.stderr.close()
    word = "interrupted" if sent == signal.SIGINT else "terminated"
    last = errors.decode().splitlines()[-1]
    assert re.fullmatch(rf"vidstyle: {word}; \d+ frames? (was|were) written", last)


def test_ctrl_c_ends_all_programs_of_a_shell_pipeline(folder: Path) -> None:
    (folder / "in.y4m").write_bytes(y4m())
    (folder / "feed.py").write_text(FEEDER)
    # As a shell at a terminal does it: the programs have Ctrl-C's usual effect, the shell none.
    usual = f"{sys.executable} -c 'import os, signal, sys; signal.signal(2, signal.SIG_DFL);"
    usual += " os.execvp(sys.argv[1], sys.argv[1:])'"
    programs = (
        f"{usual} {sys.executable} feed.py 100000 0",
        f"{usual} {sys.executable} -m vidstyle run identity.yaml - -o -",
        f"{usual} cat",
    )
    child = subprocess.Popen(
        ["bash", "-c", f"trap '' INT; {' | '.join(programs)} >got; echo ${{PIPESTATUS[@]}}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    for _ in range(200):
        if (folder / "got").exists() and (folder / "got").stat().st_size > 20_000:
            break
        time.sleep(0.1)
    os.killpg(child.pid, signal.SIGINT)
    out, errors = child.communicate(timeout=20)
    assert out.split() == [b"130", b"130", b"130"], errors
    assert b"vidstyle: interrupted; " in errors


def test_memory_does_not_grow_with_the_length(folder: Path) -> None:
    """More frames than fit into what a run of a few frames has taken."""

    def peak(frames: int) -> int:
        data = y4m(6)
        header = data.index(b"\n") + 1
        program = (
            "import sys, resource, subprocess\n"
            "child = subprocess.run(sys.argv[1:], stdin=0, stdout=subprocess.DEVNULL)\n"
            "assert child.returncode == 0\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
        )
        call = [*VIDSTYLE, "run", "identity.yaml", "-", "-o", "-"]
        done = subprocess.run(
            [sys.executable, "-c", program, *call],
            input=data[:header] + data[header:] * (frames // 6),
            stderr=subprocess.PIPE,
            timeout=100,
            check=True,
        )
        return int(done.stderr.decode().splitlines()[-1])

    assert peak(6000) - peak(600) < 15_000


@pytest.mark.slow
def test_the_demo_clip_through_temporal_equals_the_run_of_a_file(folder: Path) -> None:
    with av.open(str(ROOT / "samples" / "demo.mp4")) as container:
        frames = [
            frame.reformat(format="yuv420p").to_ndarray().tobytes()
            for frame, _ in zip(container.decode(video=0), range(30), strict=False)
        ]
    header = b"YUV4MPEG2 W640 H360 F25:1 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n"
    data = header + b"".join(b"FRAME\n" + frame for frame in frames)
    (folder / "in.y4m").write_bytes(data)
    plain = ("--set", "encode.codec=ffv1", "--set", "encode.pixel_format=yuv420p")
    temporal = str(ROOT / "pipelines" / "temporal.yaml")
    changes = (*plain, "--set", "encode.crf=null", "--set", "encode.preset=null")
    call = ("run", temporal, *changes, "--json")
    _, whole, _ = vidstyle(*call, "in.y4m", "-o", "whole.mkv")
    code, out, errors = vidstyle(*call, "-", "-o", "-", given=data)
    assert code == 0, errors
    assert len(out) == len(data)
    done, wanted = json.loads(errors[-1]), json.loads(whole.splitlines()[-1])
    assert done["hash"] == wanted["hash"]
    # The stages look one frame ahead.
    assert done["latency"]["frames"] <= 3
