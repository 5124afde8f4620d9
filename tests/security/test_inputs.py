"""An input is one regular file: no network, no other file, no protocol, no waiting."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGSYS
from threading import Event, Thread

import av
import pytest

from tests.security.conftest import Sealed
from tests.security.sealed import UNAVAILABLE
from vidstyle.cli.main import run_command

REMOTE = "http://127.0.0.1:9/clip.ts"
LISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
    "HLS, master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{target}\n",
    "HLS, key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:9,\nin.mp4\n',
    "HLS, map": '#EXTM3U\n#EXT-X-MAP:URI="{target}"\n#EXTINF:9,\nin.mp4\n',
    "HLS after a remark": "# a remark\n#EXTM3U\n#EXTINF:9,\n{target}\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "concat without its head": "file '{target}'\n",
    "DASH": '<?xml version="1.0"?><MPD type="static"><Period><AdaptationSet mimeType="video/mp4">'
    '<Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
    "SMIL": '<SMIL><video src="{target}"/></SMIL>',
    "PLS": "[playlist]\nFile1={target}\n",
    "ASX": "[Reference]\nRef1={target}\n",
    "RTSP": "rtsptext{target}\n",
    "filter graph": "movie={target}",
}
SUFFIXES = ("mp4", "m3u8", "ffconcat", "txt", "mpd", "sdp", "ts")
PROTOCOLS = (
    REMOTE,
    "https://127.0.0.1:9/clip.mp4",
    "tcp://127.0.0.1:9",
    "udp://127.0.0.1:9",
    "rtmp://127.0.0.1:9/x",
    "file:in.mp4",
    "file://in.mp4",
    "concat:in.mp4|in.mp4",
    "concatf:in.txt",
    "subfile,,start,0,end,0,,:in.mp4",
    "crypto:in.mp4",
    "cache:in.mp4",
    "async:in.mp4",
    "data:video/mp4;base64,AAAA",
    "pipe:0",
    "fd:0",
    "unix:in.sock",
    "-",
)


def run(*arguments: str) -> list[str]:
    return ["run", "p.yaml", "-o", "out.mkv", "--", *arguments]


@pytest.mark.slow
def test_no_list_and_no_name_reaches_the_network(folder: Path, sealed: Sealed) -> None:
    names = []
    for number, text in enumerate(LISTS.values()):
        for suffix in SUFFIXES:
            names.append(f"{number}.{suffix}")
            (folder / names[-1]).write_text(text.format(target=REMOTE))
    codes = sealed(*map(run, (*names, *PROTOCOLS)))
    assert codes == [3] * len(codes)
    assert not (folder / "out.mkv").exists()


def test_a_path_that_reads_as_an_address_is_a_file(folder: Path, sealed: Sealed) -> None:
    # FFmpeg takes one slash behind the colon for two.
    clip = folder / "http:" / "127.0.0.1:9" / "clip.mp4"
    clip.parent.mkdir(parents=True)
    (folder / "in.mp4").rename(clip)
    assert sealed(run("http:/127.0.0.1:9/clip.mp4")) == [0]


def test_the_seal_would_have_caught_ffmpeg() -> None:
    program = (
        "import sys, sealed, av\n"
        f"sys.exit({UNAVAILABLE}) if not sealed.seal() else av.open({REMOTE!r})"
    )
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, capture_output=True, check=False
    )
    if done.returncode == UNAVAILABLE:
        pytest.skip("the kernel takes no filter of system calls")
    assert done.returncode == -SIGSYS


@contextmanager
def trap(path: Path) -> Iterator[Event]:
    """A pipe in the place of a file; the event is set when anybody opens it to read."""
    os.mkfifo(path)
    sprung, over = Event(), Event()

    def watch() -> None:
        while not over.wait(0.005):
            # An error where nobody reads.
            with suppress(OSError):
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                sprung.set()

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield sprung
    finally:
        over.set()
        watcher.join()


@pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}"])
def test_no_list_opens_another_file(folder: Path, form: str) -> None:
    with trap(folder / "secret.ts") as sprung:
        for text in LISTS.values():
            for name in (folder / "secret.ts", "secret.ts"):
                Path("list.mp4").write_text(text.format(target=form.format(name)))
                assert run_command(run("list.mp4")) == 3
    assert not sprung.is_set()


def test_the_trap_would_have_caught_ffmpeg(folder: Path) -> None:
    Path("list.mp4").write_text(LISTS["concat"].format(target="secret.ts"))
    with trap(folder / "secret.ts") as sprung:
        with pytest.raises(av.error.FFmpegError):
            av.open("list.mp4")
        assert sprung.wait(5)


PLAIN_NAMES = (
    b"two\nlines.mp4",
    b"quo'ted\".mp4",
    b"frame%03d.mp4",
    b"100%.mp4",
    b"-dash.mp4",
    b"--overwrite.mp4",
    b"caf\xe9\xff.mp4",
    b"a#b?c&d=e.mp4",
    b"[1]{2}*.mp4",
    b"http:.mp4",
    b"concat:in.mp4",
    b"subfile,,start,0,end,9,,:in.mp4",
    b"pipe:0",
    b" .mp4",
)


@pytest.mark.parametrize("name", PLAIN_NAMES, ids=ascii)
def test_a_strange_name_is_a_plain_name(folder: Path, name: bytes) -> None:
    clip = os.fsdecode(name)
    (folder / "in.mp4").rename(folder / clip)
    output = f"./{clip}.mkv"
    assert run_command(["run", "p.yaml", "-o", output, "--", clip]) == 0
    made = {"p.yaml", clip, f"{clip}.mkv", ".vidstyle"}
    assert {path.name for path in folder.iterdir()} == made
    assert [path.name for path in (folder / ".vidstyle").iterdir()] == [f"{clip}.mkv.json"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "kind", ["pipe", "socket", "zero", "terminal", "folder", "loop", "dangling"]
)
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_regular_file_is_refused_unopened(
    folder: Path, capfd: pytest.CaptureFixture[str], kind: str, linked: bool
) -> None:
    path = special(folder / "odd.mp4", kind)
    if linked:
        (folder / "link.mp4").symlink_to(path)
        path = folder / "link.mp4"
    assert run_command(run(str(path))) == 3
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert not (folder / "out.mkv").exists()


def special(path: Path, kind: str) -> Path:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    elif kind in ("zero", "terminal"):
        return Path("/dev/zero" if kind == "zero" else "/dev/tty")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.name if kind == "loop" else "nowhere")
    return path


@pytest.mark.parametrize("option", ["max_pixels", "max_frames", "max_hours", "max_frame_rate"])
def test_limits_are_set_in_the_pipeline_or_on_the_command_line(
    folder: Path, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    least = "0.00001" if option == "max_hours" else "1"
    assert (
        run_command(["run", "p.yaml", "in.mp4", "-o", "a.mkv", "--set", f"decode.{option}={least}"])
        == 3
    )
    assert f"raise decode's option {option}" in capfd.readouterr().err
    text = (folder / "p.yaml").read_text()
    (folder / "p.yaml").write_text(
        text.replace("decode/pyav\n", f"decode/pyav\n    {option}: 100000\n")
    )
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "a.mkv"]) == 0
