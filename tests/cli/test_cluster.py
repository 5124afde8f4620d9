"""``--engine ray``: a cluster computes what the serial run does, whatever is lost on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import av
import numpy as np
import pytest
from filelock import FileLock

from vidstyle.cli.main import run_command
from vidstyle.core.errors import UsageError
from vidstyle.runner.execution import ray_address, ray_cluster
from vidstyle.runner.execution.ray_address import check_address

COUNT, CUTS = 40, (7, 9, 20, 31)
PIPELINE = """\
version: 1
chunk: {least: 5, most: 8}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/farneback
  - use: filter/fragile
    folder: FOLDER
  - use: blend/warped
  - use: encode/pyav
    codec: libx264
"""
PLUGIN = '''
import os, signal, time
from pathlib import Path
from vidstyle.core import NOW, BaseStage, Needs, StageOptions

class Fragile(BaseStage):
    """Kills its process once, and writes down what it computes."""

    class Options(StageOptions):
        folder: str = ""

    needs = Needs(reads={"image": NOW}, writes=("image",))

    def step(self, window, state):
        folder = Path(self.options.folder)
        if window.now.index == 24 and (folder / "kill").exists():
            (folder / "kill").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if (folder / "slow").exists():
            time.sleep(0.2)
        with (folder / "log").open("a") as log:
            log.write(f"{window.now.index} {os.getpid()}\\n")
        return {"image": 1 - window.now.host("image")}, state

STAGE = Fragile
'''


@pytest.fixture
def one_cluster() -> Iterator[None]:
    """Wait for clusters of other tests: two that start at once may choose the same ports."""
    with FileLock(Path(tempfile.gettempdir()) / "vidstyle-tests-of-ray.lock"):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a pipeline, a plugin, and a clip with cuts."""
    (tmp_path / "plugins" / "filter").mkdir(parents=True)
    (tmp_path / "plugins" / "filter" / "fragile.py").write_text(PLUGIN)
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("FOLDER", str(tmp_path)))
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (60, 120, 3), np.uint8) for _ in range(len(CUTS) + 1)]
    (tmp_path / "clips" / "sub").mkdir(parents=True)
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for index in range(COUNT):
            texture = textures[sum(index >= cut for cut in CUTS)]
            image = np.ascontiguousarray(texture[6:54, index : index + 64])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    # Not encoded again: an encoder with a bit rate may give other images where cores are short.
    for name in ("a.mkv", "sub/b.mkv"):
        shutil.copy(tmp_path / "in.mkv", tmp_path / "clips" / name)
    return tmp_path


def on_ray(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with a cluster of its own, on all cores of the machine."""
    return subprocess.run(
        [sys.executable, "-m", "vidstyle", *command, "--engine", "ray"],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        preexec_fn=lambda: os.sched_setaffinity(0, range(os.cpu_count() or 1)),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def packets(path: Path) -> list[tuple[int | None, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [(p.pts, p.dts, bytes(p)) for p in container.demux(video=0) if p.size]


def forks_of(command: int) -> list[int]:
    """The processes of a command that run its jobs."""
    server = [pid for pid in children_of(command) if b"forkserver" in command_line(pid)]
    return [each for pid in server for each in children_of(pid)]


def children_of(parent: int) -> list[int]:
    threads = Path(f"/proc/{parent}/task").iterdir()
    return [int(pid) for each in threads for pid in (each / "children").read_text().split()]


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def send(number: signal.Signals, processes: list[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def computed(folder: Path) -> Counter[int]:
    lines = (folder / "log").read_text().splitlines()
    (folder / "log").unlink()
    return Counter(int(line.split()[0]) for line in lines)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("one_cluster")
def test_a_clip_is_spread_over_processes_and_a_killed_one_costs_its_unit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    serial = ["run", "p.yaml", "in.mkv", "-o", "serial.mkv", "--engine", "serial"]
    assert run_command([*serial, "--plugins", "plugins"]) == 0
    assert set(computed(folder).values()) == {1}
    (folder / "kill").touch()
    command = ("run", "p.yaml", "in.mkv", "-o", "ray.mkv", "--plugins", "plugins", "--json")
    ended = on_ray(*command, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sum(event["event"] == "frame" for event in events) == COUNT
    assert packets(folder / "ray.mkv") == packets(folder / "serial.mkv")
    assert not (folder / "kill").exists()
    counts = computed(folder)
    again = sorted(index for index, count in counts.items() if count > 1)
    # The unit from 20 on was under way when its process was killed at 24.
    assert again == [20, 21, 22, 23]
    assert len(counts) == COUNT


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("one_cluster")
def test_a_folder_that_was_begun_here_is_finished_on_a_cluster(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    given = ["p.yaml", "in.mkv", "-o", "serial.mp4", "--plugins", "plugins"]
    assert run_command(["run", *given]) == 0
    computed(folder)
    (folder / "clips" / "bad.mkv").write_text("no video")
    # Killed at frame 24 of one clip: what was stored before stays.
    (folder / "kill").touch()
    batch = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins"]
    ended = subprocess.run(
        [sys.executable, "-m", "vidstyle", *batch, "--jobs", "1", "--retries", "0"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.returncode == 7, ended.stderr
    assert [path.name for path in (folder / "out").rglob("*.mp4")] == ["b.mkv.mp4"], ended.stderr
    computed(folder)
    ended = on_ray(*batch, cwd=folder)
    assert ended.returncode == 7, ended.stderr
    assert "1 of 3 clips failed: bad.mkv" in ended.stderr
    for name in ("a.mkv.mp4", "sub/b.mkv.mp4"):
        assert packets(folder / "out" / name) == packets(folder / "serial.mp4")
    # The chunks of the killed run that were whole are used; the last of them began at 7 or 15.
    assert computed(folder) in (Counter(range(15, COUNT)), Counter(range(20, COUNT)))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("one_cluster")
def test_an_interrupted_cluster_leaves_what_is_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    given = ["run", "p.yaml", "in.mkv", "--plugins", "plugins"]
    assert run_command([*given, "-o", "serial.mkv"]) == 0
    computed(folder)
    (folder / "slow").touch()
    with subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *given, "-o", "ray.mkv", "--engine", "ray", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as child:
        assert child.stdout is not None
        seen = 0
        # More than the chunks that come of units which are not whole yet.
        while seen < 20:
            seen += '"event": "frame"' in child.stdout.readline()
            assert child.poll() is None
        # As Ctrl-C in a terminal does: to all processes of the command.
        os.killpg(child.pid, signal.SIGINT)
        rest = child.stdout.read()
        assert child.wait(60) == 130
    (kept,) = (event["frames"] for event in map(json.loads, rest.splitlines()) if "store" in event)
    assert 0 < kept < COUNT
    computed(folder)
    assert run_command([*given, "-o", "ray.mkv"]) == 0
    assert sum(computed(folder).values()) == COUNT - kept
    assert packets(folder / "ray.mkv") == packets(folder / "serial.mkv")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("one_cluster")
def test_the_parts_of_a_long_shot_are_those_of_the_run_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    # Without a stage that finds cuts the clip is one shot.
    one_shot = (folder / "p.yaml").read_text().replace("  - use: shots/histogram\n", "")
    (folder / "p.yaml").write_text(one_shot)
    split = ["p.yaml", "in.mkv", "--plugins", "plugins", "--split-shots", "33"]
    assert run_command(["run", *split, "-o", "serial.mkv", "--engine", "serial"]) == 0
    # The frames before the second part are computed with it as well, and its first one with that
    # before it, whose blend looks ahead.
    twice = Counter(range(COUNT)) + Counter(range(17, 34))
    assert computed(folder) == twice
    (folder / "kill").touch()
    ended = on_ray("run", *split, "-o", "ray.mkv", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert "note: long shots were cut before frame 33" in ended.stderr
    assert packets(folder / "ray.mkv") == packets(folder / "serial.mkv")
    assert computed(folder).keys() == twice.keys()
    # Begun here, and killed; finished there.
    (folder / "kill").touch()
    with pytest.raises(subprocess.CalledProcessError):
        command = [sys.executable, "-m", "vidstyle", "run", *split, "-o", "begun.mkv"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    computed(folder)
    ended = on_ray("run", *split, "-o", "begun.mkv", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert packets(folder / "begun.mkv") == packets(folder / "serial.mkv")
    # Of the first part what was stored is used.
    assert set(computed(folder)) == set(range(16, COUNT))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("one_cluster")
def test_a_second_ctrl_c_leaves_a_summary_and_no_folder(folder: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix="v"))
    (folder / "slow").touch()
    batch = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *batch, "--engine", "ray"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "RAY_TMPDIR": str(temporary),
        },
    ) as child:
        assert child.stdout is not None
        while '"event": "frame"' not in child.stdout.readline():
            assert child.poll() is None, child.communicate()[1]
        assert list(temporary.iterdir())
        # It cannot end before the second signal, however late this process sends that.
        held = forks_of(child.pid)
        assert held
        send(signal.SIGSTOP, held)
        os.kill(child.pid, signal.SIGINT)
        assert child.stderr is not None
        while not child.stderr.readline().startswith("stopping: "):
            assert child.poll() is None
        os.kill(child.pid, signal.SIGINT)
        send(signal.SIGCONT, held)
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 130
    assert errors.splitlines()[-1].startswith("vidstyle: interrupted at once; ")
    states = json.loads((folder / "out" / "summary.json").read_text())["states"]
    assert "interrupted" in states
    assert not list(temporary.iterdir())
    temporary.rmdir()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", "head:6379"], "--address goes with --engine ray"),
        (["--engine", "ray", "--cache", "cache"], "--cache is a folder of this machine"),
        (["--engine", "ray", "--address", "head"], "wanted HOST:PORT"),
        (["--engine", "ray", "--address", "ray://head:10001"], "wanted HOST:PORT"),
    ],
)
def test_options_that_contradict_are_refused(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    for command in (["run", "p.yaml", "in.mkv"], ["batch", "p.yaml", "clips"]):
        assert run_command([*command, "-o", "out", "--plugins", "plugins", *options]) == 2
        assert message in capfd.readouterr().err


def test_an_address_where_nothing_answers_is_refused_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        command = ["run", "p.yaml", "in.mkv", "-o", "out.mkv", "--plugins", "plugins"]
        assert run_command([*command, "--engine", "ray", "--address", address]) == 2
    assert f"{address}: nothing answers there" in capfd.readouterr().err
    assert not (folder / "out.mkv").exists()


@pytest.mark.parametrize("port", ["0", "65536", "99999", "٣"])
def test_a_port_that_cannot_be_is_no_port(port: str) -> None:
    with pytest.raises(UsageError, match=f"--address head:{port}: wanted HOST:PORT"):
        check_address(f"head:{port}")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_what_listens_and_is_no_cluster_is_refused_soon(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], answer: bytes
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(ray_address, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection = server.accept()[0]
            with connection, suppress(ConnectionError):
                connection.sendall(answer)
                # Whoever asks closes the connection.
                while connection.recv(100):
                    pass

        serving = Thread(target=serve)
        serving.start()
        address = f"localhost:{server.getsockname()[1]}"
        command = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins"]
        assert run_command([*command, "--engine", "ray", "--address", address]) == 2
        serving.join()
    (line,) = capfd.readouterr().err.splitlines()
    assert f"--address {address}: what listens there is no head node" in line


def test_a_cluster_is_opened_where_there_is_work_for_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "clips" / "sub")

    def refuse(address: str | None) -> None:
        raise UsageError("no cluster today")

    monkeypatch.setattr(ray_cluster, "open_cluster", refuse)
    batch = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins"]
    single = ["run", "p.yaml", "in.mkv", "-o", "one.mkv", "--plugins", "plugins"]
    for command in (batch, single):
        assert run_command([*command, "--engine", "ray"]) == 2
        starting, refused = capfd.readouterr().err.splitlines()[-2:]
        assert (starting, refused) == (
            "starting a Ray cluster on this machine",
            "vidstyle: no cluster today",
        )
        assert run_command(command) == 0
        # Now there is nothing left to do.
        assert run_command([*command, "--engine", "ray"]) == 0
        assert "Ray" not in capfd.readouterr().err


def test_without_ray_it_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "ray", None)
    command = ["run", "p.yaml", "in.mkv", "-o", "out.mkv", "--plugins", "plugins"]
    assert run_command([*command, "--engine", "ray"]) == 2
    assert "pip install 'vidstyle[ray]'" in capfd.readouterr().err
