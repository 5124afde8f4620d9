"""Files from a server arrive whole and checked, once, or leave nothing behind."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.models.weights.file_server import FileServer, serve_files
from vidstyle.core.errors import OutputError, WeightsError
from vidstyle.models.weights import download
from vidstyle.models.weights.download import fetch_file, user_cache

CONTENT = bytes(range(256)) * 20
NAME = f"weights-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serve_files(monkeypatch) as served:
        yield served


def test_a_file_arrives_in_a_folder_that_is_made_for_it(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    folder = tmp_path / "cache" / "weights"
    path = fetch_file(server.address + NAME, folder)
    assert path == folder / NAME
    assert path.read_bytes() == CONTENT
    assert left_in(folder) == [NAME]


def test_a_file_that_is_there_is_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    first = fetch_file(server.address + NAME, tmp_path)
    assert fetch_file(server.address + NAME, tmp_path) == first
    assert server.asked == [NAME]


@pytest.mark.parametrize("left", [CONTENT, CONTENT * 2, b""])
def test_what_a_killed_download_left_beyond_the_end_is_written_over(
    server: FileServer, tmp_path: Path, left: bytes
) -> None:
    server.files[NAME] = CONTENT
    (tmp_path / f".{NAME}.part").write_bytes(left)
    assert fetch_file(server.address + NAME, tmp_path).read_bytes() == CONTENT
    assert left_in(tmp_path) == [NAME]


def test_a_damaged_part_is_found_out_and_not_gone_on_with_again(
    server: FileServer, tmp_path: Path
) -> None:
    server.files[NAME] = CONTENT
    (tmp_path / f".{NAME}.part").write_bytes(b"other" * 100)
    with pytest.raises(WeightsError, match="gave another file"):
        fetch_file(server.address + NAME, tmp_path)
    assert left_in(tmp_path) == []
    assert fetch_file(server.address + NAME, tmp_path).read_bytes() == CONTENT


def test_a_server_that_knows_no_parts_sends_all_of_it(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    server.knows_parts = False
    (tmp_path / f".{NAME}.part").write_bytes(CONTENT[:1000])
    assert fetch_file(server.address + NAME, tmp_path).read_bytes() == CONTENT
    assert server.sent == [len(CONTENT)]


def test_a_file_without_known_digits_is_taken_and_its_own_are_kept(
    server: FileServer, tmp_path: Path
) -> None:
    server.files["model.bin"] = CONTENT
    # Of another version perhaps: without digits nothing would show it.
    (tmp_path / ".mine.bin.part").write_bytes(CONTENT[:1000])
    path = fetch_file(server.address + "model.bin", tmp_path, name="mine.bin", checked=False)
    assert (path.name, path.read_bytes()) == ("mine.bin", CONTENT)
    stated = (tmp_path / "mine.bin.sha256").read_text()
    assert stated == f"{hashlib.sha256(CONTENT).hexdigest()}  mine.bin\n"
    assert server.sent == [len(CONTENT)]


def test_another_file_under_the_name_is_refused_and_removed(
    server: FileServer, tmp_path: Path
) -> None:
    server.files[NAME] = CONTENT[::-1]
    digest = hashlib.sha256(CONTENT[::-1]).hexdigest()[:8]
    words = rf"{NAME} gave another file: its SHA-256 begins with {digest}, wanted {NAME[8:16]}"
    with pytest.raises(WeightsError, match=words):
        fetch_file(server.address + NAME, tmp_path)
    assert left_in(tmp_path) == []


def test_a_cut_connection_is_named_and_gone_on_with(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    server.missing_bytes = 1000
    with pytest.raises(WeightsError, match=r"cut after 4120 of 5120 bytes of http.*: try again"):
        fetch_file(server.address + NAME, tmp_path)
    assert left_in(tmp_path) == [f".{NAME}.part"]
    server.missing_bytes = 0
    watched: list[tuple[int, int | None]] = []
    path = fetch_file(server.address + NAME, tmp_path, report=lambda *at: watched.append(at))
    assert path.read_bytes() == CONTENT
    assert server.sent == [4120, 1000]
    assert watched == [(5120, 5120)]
    assert left_in(tmp_path) == [NAME]


def test_a_file_that_the_server_lacks_is_named_with_its_place(
    server: FileServer, tmp_path: Path
) -> None:
    words = rf"cannot fetch {server.address}{NAME} to {tmp_path} \(HTTP Error 404.*put the file"
    with pytest.raises(WeightsError, match=words):
        fetch_file(server.address + NAME, tmp_path)
    assert left_in(tmp_path) == []


def test_a_server_that_is_not_there_or_silent_is_given_up(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match=r"cannot fetch .*refused"):
        fetch_file(f"http://127.0.0.1:9/{NAME}", tmp_path)
    monkeypatch.setattr(download, "_PATIENCE_SECONDS", 0.1)
    server.delay_seconds = 0.5
    with pytest.raises(WeightsError, match=r"cannot fetch .*timed out"):
        fetch_file(server.address + NAME, tmp_path)
    assert left_in(tmp_path) == []


@pytest.mark.slow
def test_two_processes_at_once_fetch_a_file_once(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    server.delay_seconds = 1.0
    code = "import sys; from pathlib import Path;"
    code += " from vidstyle.models.weights.download import fetch_file;"
    code += "fetch_file(sys.argv[1], Path(sys.argv[2]))"
    command = [sys.executable, "-c", code, server.address + NAME, str(tmp_path)]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert (server.asked, left_in(tmp_path)) == ([NAME], [NAME])


def test_two_at_once_fetch_a_file_once(server: FileServer, tmp_path: Path) -> None:
    server.files[NAME] = CONTENT
    server.delay_seconds = 0.3
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch_file(server.address + NAME, tmp_path), range(2)))
    assert [path.read_bytes() for path in paths] == [CONTENT, CONTENT]
    assert server.asked == [NAME]
    assert left_in(tmp_path) == [NAME]


def test_a_folder_that_cannot_be_made_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=rf"\({tmp_path}/file is not a folder\): set VIDSTYLE_C"):
        fetch_file(server.address + NAME, tmp_path / "file" / "weights")
    assert server.asked == []


def test_a_name_without_digits_is_refused_before_anything_is_asked_for(
    server: FileServer, tmp_path: Path
) -> None:
    with pytest.raises(
        ValueError, match=r"the name any\.pth does not end in the digits of its SHA-256"
    ):
        fetch_file(server.address + "any.pth", tmp_path)
    assert server.asked == []


def test_a_file_that_does_not_serve_is_replaced_only_by_a_right_one(
    server: FileServer, tmp_path: Path
) -> None:
    def serves(path: Path) -> bool:
        return path.is_file() and path.read_bytes() == CONTENT

    (tmp_path / NAME).write_bytes(b"wrong")
    with pytest.raises(WeightsError, match="cannot fetch"):
        fetch_file(server.address + NAME, tmp_path, serves=serves)
    assert (tmp_path / NAME).read_bytes() == b"wrong"
    server.files[NAME] = CONTENT
    for _ in range(2):
        assert fetch_file(server.address + NAME, tmp_path, serves=serves).read_bytes() == CONTENT
    assert server.asked == [NAME, NAME]


def test_a_download_is_announced(
    server: FileServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.files[NAME] = CONTENT
    with caplog.at_level(logging.WARNING):
        fetch_file(server.address + NAME, tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"fetching {server.address}{NAME} (0 MiB) to {tmp_path}, once"
    ]


def left_in(folder: Path) -> list[str]:
    """What lies in the folder, hidden files included; a lock is no content."""
    return sorted(each.name for each in folder.iterdir() if each.suffix != ".lock")


def test_the_cache_is_where_the_variables_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "ours"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "all"))
    assert user_cache("weights") == tmp_path / "ours" / "weights"
    monkeypatch.delenv("VIDSTYLE_CACHE")
    assert user_cache("weights") == tmp_path / "all" / "vidstyle" / "weights"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache("weights") == tmp_path / ".cache" / "vidstyle" / "weights"


def test_a_user_without_a_home_learns_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("VIDSTYLE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(WeightsError, match="set VIDSTYLE_CACHE to a folder"):
        user_cache("weights")
