"""A name means one thing: no two modules of the package define the same one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "vidstyle"
# What each module of the command line has, programs' beginnings, and `vidstyle.run` beside
# `vidstyle run` and the runner's own.
REPEATED = {"list_", "main", "register", "run"}


def defined_names() -> dict[str, set[str]]:
    """The modules that define each class and each public function."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            private = isinstance(node, ast.FunctionDef) and node.name.startswith("_")
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not private:
                found[node.name].add(str(path.relative_to(PACKAGE)))
    return found


def test_a_name_is_defined_once() -> None:
    found = defined_names()
    assert len(found) > 500
    repeated = {name: modules for name, modules in found.items() if len(modules) > 1}
    assert {name: repeated[name] for name in repeated.keys() - REPEATED} == {}


def test_each_exception_is_one() -> None:
    found = defined_names()
    assert all(len(found[name]) > 1 for name in REPEATED)
