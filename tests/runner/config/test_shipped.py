"""Pipelines that ship are found by name, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import UsageError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.shipped import (
    pipeline_file,
    pipeline_summary,
    shipped_folder,
    shipped_pipelines,
)


def test_all_that_ship_are_pipelines_that_say_what_they_do() -> None:
    found = shipped_pipelines()
    assert {"identity", "per-frame", "temporal", "gatys"} <= found.keys()
    for name, path in found.items():
        assert path.name == f"{name}.yaml"
        assert load_pipeline(path, registry=Registry()).stages
        assert pipeline_summary(path)


def test_an_installed_package_has_its_own_folder(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "vidstyle"
    package.mkdir(parents=True)
    # Whatever another package put there is not ours, once ours is there.
    beside = tmp_path / "site-packages" / "pipelines"
    assert shipped_folder(package) == beside
    beside.mkdir()
    (package / "pipelines").mkdir()
    assert shipped_folder(package) == package / "pipelines"


def test_a_bare_name_is_a_shipped_one_unless_a_file_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "identity").mkdir()
    assert pipeline_file(Path("identity")) == shipped_pipelines()["identity"]
    (tmp_path / "temporal").write_text("version: 1")
    assert pipeline_file(Path("temporal")) == Path("temporal")


@pytest.mark.parametrize("named", ["identity.yaml", "folder/identity", "/identity", "..", "."])
def test_a_path_is_that_path_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert pipeline_file(Path(named)) == Path(named)


def test_a_name_that_is_nothing_gets_a_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("version: 1")
    with pytest.raises(
        UsageError, match=r"no pipeline temprol\. Did you mean temporal\? Shipped: archive, "
    ) as raised:
        pipeline_file(Path("temprol"))
    # The user's own files are not among those that ship.
    assert "mine" not in str(raised.value)
    with pytest.raises(
        UsageError, match=r"no pipeline mine\. Did you mean the file mine\.yaml\? S"
    ):
        pipeline_file(Path("mine"))


def test_about_is_the_first_sentence_of_the_comment(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# Runs\n# slowly. Very.\nversion: 1\n# later\n")
    (tmp_path / "b.yaml").write_text("version: 1\n")
    assert pipeline_summary(tmp_path / "a.yaml") == "Runs slowly."
    assert pipeline_summary(tmp_path / "b.yaml") == ""
    (tmp_path / "c.yaml").write_text("# By optimization (Gatys et al. 2016): slow. Very.\n")
    assert pipeline_summary(tmp_path / "c.yaml") == "By optimization (Gatys et al. 2016): slow."
