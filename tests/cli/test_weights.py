"""``vidstyle weights`` says what there is, fetches it, and finds a wrong file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.weights.file_server import serve_files
from vidstyle.cli.main import run_command
from vidstyle.models.weights import catalog as weight_catalog
from vidstyle.models.weights.catalog import CATALOG, WeightFile

CONTENT = b"weights" * 999
NAME = f"small-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A server; the catalog has a file of it, `small`, beside the others."""
    with serve_files(monkeypatch) as server:
        server.files[NAME] = CONTENT
        add(monkeypatch, WeightFile("small", server.address + NAME, NAME, 0.1, "MIT"))
        yield server.files


def add(monkeypatch: pytest.MonkeyPatch, entry: WeightFile) -> None:
    monkeypatch.setitem(weight_catalog.CATALOG, entry.name, entry)  # type: ignore[arg-type]  # a dict


def test_all_addresses_are_encrypted_and_every_checked_name_has_digits() -> None:
    for entry in CATALOG.values():
        assert entry.address.startswith("https://")
        assert entry.digits or not entry.checked


def test_the_list_says_from_where_and_where_to(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.mkdir(parents=True)
    (cache / "resnet50-0676ba61.pth").write_bytes(b"")
    assert run_command(["weights", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["resnet"]["lies_at"] == str(cache / "resnet50-0676ba61.pth")
    assert rows["vgg16"]["lies_at"] is None
    assert rows["vgg16"]["sha256"] == "397923af"
    assert rows["resnet-v2"]["sha256"] is None
    assert rows["resnet-v2"]["address"].startswith("https://huggingface.co/timm/resnetv2_50.a1h")


def test_the_list_fits_a_page_where_it_is_piped(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("VIDSTYLE_CACHE")
    monkeypatch.setenv("HOME", str(cache))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    folder = cache / ".cache" / "vidstyle" / "weights"
    folder.mkdir(parents=True)
    (folder / "resnet50-0676ba61.pth").write_bytes(b"")
    assert run_command(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CATALOG) + 1
    assert max(map(len, lines)) <= 85
    (resnet,) = (line.split() for line in lines if line.startswith("resnet "))
    assert resnet[-2:] == ["download.pytorch.org", "~/.cache/vidstyle/weights"]


def test_pull_replaces_a_wrong_file_but_not_one_of_the_users(
    served: dict[str, bytes],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT[:-1])
    assert run_command(["weights", "pull", "small", "--offline"]) == 4
    assert "is not the right file, and nothing is downloaded" in capsys.readouterr().err
    assert run_command(["weights", "pull", "small"]) == 0
    assert f"small: downloaded: {cache / NAME}" in capsys.readouterr().err
    assert (cache / NAME).read_bytes() == CONTENT
    own = cache.parent / NAME
    own.write_bytes(b"mine")
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(cache.parent))
    assert run_command(["weights", "pull", "small"]) == 4
    assert f"{own} is not the right file: remove it" in capsys.readouterr().err
    assert own.read_bytes() == b"mine"


def test_a_cache_that_is_a_file_is_no_place(
    served: dict[str, bytes], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.parent.write_text("")
    assert run_command(["weights", "pull", "small"]) == 6
    error = capsys.readouterr().err.strip()
    assert f"({cache.parent} is not a folder)" in error
    assert len(error.splitlines()) == 1


def test_pull_fetches_once_and_verify_finds_it_right(
    served: dict[str, bytes], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["weights", "pull", "small"]) == 0
    assert (cache / NAME).read_bytes() == CONTENT
    assert f"small: downloaded: {cache / NAME}" in capsys.readouterr().err
    del served[NAME]
    assert run_command(["weights", "pull", "small", "--json"]) == 0
    row = {"name": "small", "file": str(cache / NAME), "fetched": False}
    assert json.loads(capsys.readouterr().out) == row
    assert run_command(["weights", "verify"]) == 0
    assert capsys.readouterr().out.startswith(f"right     small: {cache / NAME}")
    (cache / NAME).write_bytes(CONTENT[:-1])
    assert run_command(["weights", "verify", "small"]) == 4
    assert f"not the right file: {cache / NAME}: remove it" in capsys.readouterr().err


def test_pull_prints_the_bytes_as_they_arrive(
    served: dict[str, bytes], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["weights", "pull", "small", "--json"]) == 0
    *steps, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    size = len(CONTENT)
    assert steps[-1] == {"event": "download", "name": "small", "bytes": size, "total": size}
    assert last == {"name": "small", "file": str(cache / NAME), "fetched": True}


def test_a_wrong_file_is_not_kept(
    served: dict[str, bytes], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served[NAME] = CONTENT[::-1]
    assert run_command(["weights", "pull", "small"]) == 4
    assert "gave another file: its SHA-256 begins with" in capsys.readouterr().err
    assert not list(cache.glob("*.pth"))
    assert not list(cache.glob(".*.part"))


def test_what_no_checksum_is_known_of_is_watched_from_then_on(
    served: dict[str, bytes],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = CATALOG["small"].address
    add(monkeypatch, WeightFile("small", address, "own.bin", 0.1, "MIT", checked=False))
    assert run_command(["weights", "pull", "small"]) == 0
    assert run_command(["weights", "verify", "small"]) == 0
    assert "unchanged small" in capsys.readouterr().out
    (cache / "own.bin").write_bytes(b"other")
    assert run_command(["weights", "verify", "small"]) == 4
    (cache / "own.bin.sha256").unlink()
    capsys.readouterr()
    assert run_command(["weights", "verify", "small"]) == 0
    assert "unknown   small" in capsys.readouterr().out


def test_without_a_network_address_and_place_are_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["weights", "pull", "resnet-v2", "--offline"]) == 4
    error = capsys.readouterr().err
    assert (
        f"fetch {CATALOG['resnet-v2'].address} (98 MiB) and put it into {cache} as resnetv2"
        in error
    )
    address = f"http://127.0.0.1:9/{NAME}"
    add(monkeypatch, WeightFile("small", address, NAME, 0.1, "MIT"))
    assert run_command(["weights", "pull", "small"]) == 4
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert f"cannot fetch {address} to {cache} (no connection to 127.0.0.1:9: " in error
    assert "refused" in error
    assert "urlopen" not in error


def test_an_unknown_name_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["weights", "pull", "vgg18"]) == 4
    assert "there are no weights 'vgg18'; there are vgg16, vgg19," in capsys.readouterr().err
    assert run_command(["weights", "verify", "vgg16"]) == 4
    assert "run `vidstyle weights pull vgg16`" in capsys.readouterr().err
