"""A name that no file system takes is a name of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import PipelineError, WeightsError
from vidstyle.models.weights import safetensors_file, torch_file
from vidstyle.runner.config.pipeline_file import read_pipeline_file

LONG = "n" * 300


def test_a_pipeline_cannot_extend_it(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"version: 1\nextends: {LONG}\n")
    with pytest.raises(PipelineError, match=r"p\.yaml:2:10: there is no (file|pipeline) n+"):
        read_pipeline_file(path)


@pytest.mark.parametrize(
    "read", [safetensors_file.read_metadata, safetensors_file.read_tensors, torch_file.read_content]
)
def test_no_weights_are_in_it(tmp_path: Path, read) -> None:
    with pytest.raises(WeightsError, match="is not there"):
        read(tmp_path / LONG)
