"""The three ways to offer a stage, and the check that the offered object is a stage."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from vidstyle.core.options import StageOptions
from vidstyle.runner.config.plugin_lines import MODULE_PREFIX, describe_error, plugin_line

STAGE = "STAGE"
_STAGE_METHODS = ("describe", "resolve", "open", "initial_state", "step", "close")
# Methods of the classes of a kind; the classes of other kinds have a step.
METHODS = {
    "decode": ("open", "frames", "mark", "close"),
    "encode": ("check", "resolve", "open", "segment", "join", "close"),
}
_RESERVED = {"use", "as"}


class BrokenError(Exception):
    """The offered object is no stage. The text is the reason, in one line."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The name of a stage and a way to import it."""

    name: str
    """``kind/name``."""
    owner: str
    """``vidstyle``, the package or the plugin's file."""
    load: Callable[[], object]
    """Import it; raises what the import raises."""
    summary: Callable[[], str] | None = None
    """First paragraph of its documentation, without an import; None where it must be imported."""


def offer_built_in(name: str, target: str) -> Offer:
    """A stage of this package; ``target`` is ``module:attribute``."""
    module, _, attribute = target.partition(":")
    return Offer(
        name,
        "vidstyle",
        lambda: getattr(importlib.import_module(module), attribute),
        lambda: _summary_of_source(module, attribute),
    )


def offer_entry_point(entry: EntryPoint) -> Offer:
    """A stage of an installed package."""
    owner = f"package {entry.dist.name}" if entry.dist else "an installed package"
    return Offer(entry.name, owner, entry.load)


def offer_folder(folder: Path) -> Iterator[Offer]:
    """The files ``kind/name.py`` of a folder; names with _, . or test_ in front are skipped."""
    for path in sorted(folder.glob("*/*.py")):
        if not any(part.startswith(("_", ".", "test_")) for part in (path.parent.name, path.name)):
            yield offer_file(f"{path.parent.name}/{path.stem}", path)


def offer_file(name: str, path: Path) -> Offer:
    """The ``STAGE`` of a file, imported under a private module name."""
    return Offer(name, str(path), lambda: getattr(_import_file(path), STAGE))


def _import_file(path: Path) -> ModuleType:
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"{MODULE_PREFIX}{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Annotations are resolved through sys.modules while the file is being run.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def load_stage_class(offer: Offer) -> type[Any]:
    """The stage's class, with all that its kind needs. Raises BrokenError with the reason."""
    try:
        # Standard output carries JSON; what a plugin prints while it is imported goes elsewhere.
        with contextlib.redirect_stdout(sys.stderr):
            stage = offer.load()
    except BrokenError:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        raise BrokenError(_reason(error)) from error
    fault = _fault(offer, stage)
    if fault:
        raise BrokenError(fault)
    assert isinstance(stage, type)
    return stage


def _reason(error: BaseException) -> str:
    text = describe_error(error)
    if isinstance(error, AttributeError) and error.name == STAGE:
        return f"it has no {STAGE}; end the file with `{STAGE} = YourStage`"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}:{error.lineno})"
    line = plugin_line(error)
    return text if line is None else f"{text} ({line})"


def _fault(offer: Offer, stage: object) -> str | None:
    kind = offer.name.split("/")[0]
    if not isinstance(stage, type):
        hint = "; decorate it with @image_filter" if inspect.isfunction(stage) else ""
        return f"{STAGE} must be a class, got a {type(stage).__name__}{hint}"
    options = getattr(stage, "Options", None)
    if not (isinstance(options, type) and issubclass(options, StageOptions)):
        return f"{stage.__name__} must have Options, a class derived from StageOptions"
    missing = [name for name in METHODS.get(kind, _STAGE_METHODS) if not _has(stage, name)]
    if missing:
        return f"{stage.__name__} lacks {', '.join(missing)}, which a stage of kind {kind} has"
    reserved = sorted(_RESERVED & set(options.model_fields))
    return f"the option {reserved[0]} is a key of pipelines; rename it" if reserved else None


def _has(stage: type[Any], method: str) -> bool:
    """Whether it has the method; ``step_span`` replaces ``step``."""
    names = ("step", "step_span") if method == "step" else (method,)
    return any(callable(getattr(stage, name, None)) for name in names)


def summarize(offer: Offer, stage: type[Any] | None) -> str:
    """The first paragraph of a stage's documentation, read from its source where it is built in."""
    if stage is None:
        return offer.summary() if offer.summary else ""
    return summary_of(stage)


def summary_of(stage: type[Any]) -> str:
    """The first paragraph of the documentation of the stage or of its module; may be empty."""
    return _first_paragraph(stage.__dict__.get("__doc__")) or _first_paragraph(
        getattr(sys.modules.get(stage.__module__), "__doc__", None)
    )


def _first_paragraph(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def _summary_of_source(module: str, attribute: str) -> str:
    """Read from the source: importing takes seconds where a stage needs torch.

    Raises BrokenError where the source is missing.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise BrokenError(f"the module {module} is missing; reinstall vidstyle")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    names = {
        node.value.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Name)
        and any(isinstance(target, ast.Name) and target.id == attribute for target in node.targets)
    }
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in names:
            documents = (ast.get_docstring(node), ast.get_docstring(tree))
            return _first_paragraph(documents[0]) or _first_paragraph(documents[1])
    return _first_paragraph(ast.get_docstring(tree))
