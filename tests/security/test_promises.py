"""docs/security.md promises nothing that no test holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = (ROOT / "docs" / "security.md").read_text().split("## Promises")[1].split("\n## ")[0]
HELD = re.findall(r"^- (.+?)$(.*?)(?=^- |^#|\Z)", PROMISES, re.MULTILINE | re.DOTALL)


def test_there_are_promises() -> None:
    assert len(HELD) > 10


@pytest.mark.parametrize("rest", [rest for _, rest in HELD], ids=[first for first, _ in HELD])
def test_a_promise_names_a_test_that_is_there(rest: str) -> None:
    found = re.fullmatch(r"\s*\(`(tests/[a-z_/]+\.py)::(test_\w+)`\)\s*", rest)
    assert found is not None
    module = ast.parse((ROOT / found[1]).read_text())
    assert found[2] in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
