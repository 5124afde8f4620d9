"""Docstrings of the rooms that others read first have the sections that they need."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vidstyle"
ROOMS = ("core", "imaging", "models", "testing", "training", "evaluation")

_SECTION = re.compile(r"(Args|Returns|Yields|Raises|References):$")
_PAPER = re.compile(r"\bet al\.|\b[A-Z][a-z]+ (?:and [A-Z][a-z]+ )?(?:19|20)\d\d\b")
# Of a check in `vidstyle.testing`: each takes what is checked, and nothing else.
_CHECKED = ["subject"]


def sections_of(docstring: str) -> dict[str, str]:
    """The text below each heading of a docstring."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if heading := _SECTION.match(line):
            current = found.setdefault(heading[1], [])
        else:
            current.append(line)
    return {name: "\n".join(lines) for name, lines in found.items()}


def parameters_of(function: ast.FunctionDef, *, method: bool) -> list[str]:
    """The names of the parameters that a caller gives."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    stars = [each.arg for each in (given.vararg, given.kwarg) if each]
    own = 1 if method and "staticmethod" not in decorators_of(function) else 0
    return [*names[own:], *(each.arg for each in given.kwonlyargs), *stars]


def decorators_of(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(each) for each in function.decorator_list}


def faults_of_function(
    function: ast.FunctionDef, docstring: str | None, *, method: bool
) -> Iterator[str]:
    """What is missing from a function's docstring."""
    if docstring is None:
        yield "has no docstring"
        return
    sections, parameters = sections_of(docstring), parameters_of(function, method=method)
    if not parameters or parameters == _CHECKED:
        return
    for name in parameters:
        if not re.search(rf"^ +\*{{0,2}}{name}: ", sections.get("Args", ""), re.MULTILINE):
            yield f"Args lacks {name}"
    gives = function.returns is not None and ast.unparse(function.returns) != "None"
    if gives and not sections.keys() & {"Returns", "Yields"}:
        yield "has no Returns"


def faults_of_class(node: ast.ClassDef, documented: set[str]) -> Iterator[str]:
    """What is missing from the docstrings of a class, and of its public methods."""
    text = ast.get_docstring(node)
    if text is None:
        yield f"{node.name} has no docstring"
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or "property" in decorators_of(method):
            continue
        docstring = ast.get_docstring(method)
        if method.name == "__init__":
            # A class says itself what it is made of.
            docstring = docstring or text
        elif method.name.startswith("_") or (docstring is None and method.name in documented):
            continue
        for fault in faults_of_function(method, docstring, method=True):
            yield f"{node.name}.{method.name} {fault}"


def faults_of(source: str, documented: set[str]) -> Iterator[str]:
    """What is missing from the public docstrings of a module.

    Methods named in ``documented`` need no docstring: a protocol or a base class has it.
    """
    for node in ast.walk(tree := ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node) or ""
            if _PAPER.search(text) and "References" not in sections_of(text):
                yield f"{node.name} names a paper and has no References"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from faults_of_class(node, documented)
        elif (
            isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and "overload" not in decorators_of(node)
        ):
            for fault in faults_of_function(node, ast.get_docstring(node), method=False):
                yield f"{node.name} {fault}"


def documented_methods() -> set[str]:
    """The names of the methods that a protocol or a base class describes, of ours or torch."""
    found = {"forward"}
    for path in (path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                methods = (each for each in node.body if isinstance(each, ast.FunctionDef))
                found |= {each.name for each in methods if ast.get_docstring(each)}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_name_arguments_results_and_papers(room: str) -> None:
    documented = documented_methods()
    faults = [
        f"{path.relative_to(PACKAGE)}: {fault}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for fault in faults_of(path.read_text(), documented)
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("source", "faults"),
    [
        ("def f(a):\n    '''Does.'''", ["f Args lacks a"]),
        ("def f(a):\n    '''Does.\n\n    Args:\n        a: It.\n    '''", []),
        ("def f(*, a) -> int:\n    '''Does.\n\n    Args:\n        a: It.'''", ["f has no Returns"]),
        ("def f() -> int:\n    '''Gives.'''", []),
        ("def _f(a): ...", []),
        ("def f(): ...", ["f has no docstring"]),
        (
            "def f():\n    '''After Ruder et al. 2016.'''",
            ["f names a paper and has no References"],
        ),
        ("class C:\n    '''It.'''\n    def __init__(self, a): ...", ["C.__init__ Args lacks a"]),
        ("class C:\n    '''It.\n\n    Args:\n        a: A.'''\n    def __init__(self, a): ...", []),
        ("class C:\n    '''It.'''\n    def run(self, a): ...", []),
        ("class C:\n    '''It.'''\n    def go(self, a): ...", ["C.go has no docstring"]),
    ],
)
def test_what_is_missing_is_found(source: str, faults: list[str]) -> None:
    assert list(faults_of(source, {"run"})) == faults
