"""One word for one thing: the project's glossary, held against every name and every sentence.

``python -m tests.test_words [PATH...]`` prints what breaks it, by room.
"""

from __future__ import annotations

import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("vidstyle", "pipelines", "plugins", "benchmarks", "scripts", "samples", "tests", "docs")
SUFFIXES = {".py", ".yaml", ".yml", ".toml", ".md", ".cfg", ".sh"}


@dataclass(frozen=True)
class Word:
    """One line of the glossary."""

    say: str
    """The word that the project uses."""
    names: str = ""
    """Words that no identifier is made of, separated by spaces; after ``=`` whole identifiers."""
    text: str = ""
    """Regular expression of what no sentence has; a space stands for any white space."""
    rooms: tuple[str, ...] = ("",)
    """Beginnings of the paths where the rule holds; elsewhere the word has another meaning."""

    @cached_property
    def in_names(self) -> re.Pattern[str] | None:
        """To be searched in an identifier of lower case."""
        whole = [name[1:] for name in self.names.split() if name.startswith("=")]
        parts = [name for name in self.names.split() if not name.startswith("=")]
        patterns = [rf"^_*(?:{'|'.join(whole)})$"] if whole else []
        patterns += [rf"(?<![a-z])(?:{'|'.join(parts)})(?![a-z])"] if parts else []
        return re.compile("|".join(patterns)) if patterns else None

    @cached_property
    def in_text(self) -> re.Pattern[str] | None:
        """To be searched in sentences."""
        pattern = self.text.replace(" ", r"[\s#]+")
        return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE) if pattern else None


_RUNNER = ("vidstyle/core", "vidstyle/runner", "tests/core", "tests/runner")
_CONTRACT = (*_RUNNER, "vidstyle/stages", "vidstyle/testing", "plugins", "tests/testing")

GLOSSARY = (
    Word(
        "stylize, stylized frame, stylization; style image for the input",
        "paint paints painted painter painting paintings repaint",
        r"(re)?paint(s|ed|er|ers|ing|ings)?",
    ),
    Word("image", "picture pictures", r"pictures?"),
    Word(
        "flicker, temporal consistency, temporally consistent",
        "calm calmed calmer steady steadier steadied steadiness popping",
        r"calm(s|ed|er|est|ing|ness)?|stead(y|ier|iest|iness|ied|ying)|popping",
    ),
    Word("option, parameter", "dial dials", r"dials?"),
    Word("blend weight", "share shares", rooms=("vidstyle/stages/blend", "tests/stages/blend")),
    Word(
        "confidence",
        "trust trusts trusted",
        r"trust(s|ed)? (of|in) (the |a )?(flow|warp|vector|motion|pixel)s?",
    ),
    Word(
        "evaluator, metric, score",
        "judge judges judged judging verdict verdicts figure figures",
        r"judg(e|es|ed|ing|ment)|verdicts?|figures?(?! \d)",
    ),
    Word(
        "warping-error reduction",
        text=r"(flicker|flickering) (is |was )?gone|of the flicker (is |was )?gone",
    ),
    Word(
        "per-frame baseline",
        "=alone painted_alone stylizer_alone stylized_alone frame_alone of_alone",
        r"loops? that people run|(painted|stylized) alone|(every|each) frame alone|alone\.mp4",
    ),
    Word("feature layer", "tap taps", r"taps?"),
    Word("range penalty", "excess", r"excess"),
    Word("repair, inpaint", "mend mends mended mending", r"mend(s|ed|ing)?"),
    Word("preview video", "film films", r"films?"),
    Word("resolve, resolved plan", "settle settles settled", r"settl(e|es|ed|ing)"),
    Word("initial_state", "fresh", r"fresh states?|``fresh``|`fresh`"),
    Word("execution context", "=place", r"``?place``?|\"place\"|'place'", rooms=_CONTRACT),
    Word("checkpoint, stage state", "held", rooms=_RUNNER),
    Word("checkpoint, stage state", "=edge =edges", rooms=_RUNNER),
    Word("scratch file", "shelf shelves", r"shel(f|ves)"),
    Word(
        "resume, resumed, recompute",
        "anew",
        r"(go|goes|going|gone|went) on (with|where|behind|from|at)|anew",
    ),
    Word(
        "report, warn, 'is listed'",
        "tells?(?!(_[a-z]+){0,4}_apart) told(?!_apart) said notice notices",
        r"told(?! apart)|said|tells?(?!( \S+){0,4} apart)|notices?",
    ),
    Word("lazily converted layer", "parcel parcels", r"parcels?"),
    Word("lazily converted layer", "cell cells", rooms=_RUNNER),
    Word("supported, not supported", text=r"ha(s|ve|d) (no|a) place"),
    Word("fails, raises", text=r"ends? (in|with) (an? |one )?(error|line|exception|exit|code)s?"),
)


@dataclass(frozen=True)
class Allowed:
    """An exception: the word means something else there."""

    path: str
    """Beginning of the path."""
    line: str
    """Part of the line."""
    reason: str


ALLOWED = (
    Allowed("tests/evaluation/test_style_losses.py", '"paintings"', "a folder of test data"),
    Allowed("tests/imaging/test_warp.py", "Taps of a kernel", "the term of signal processing"),
    Allowed("benchmarks/compare.py", "PictureType", "PyAV's name"),
    Allowed("benchmarks/compare.py", "pict_type", "PyAV's name"),
    Allowed("tests/runner/test_resume_times.py", "PictureType", "PyAV's name"),
    Allowed("tests/runner/test_resume_times.py", "pict_type", "PyAV's name"),
    Allowed("vidstyle/report/charts.py", "Figure", "matplotlib's name"),
)


@dataclass(frozen=True)
class Offender:
    """A word that the glossary replaces."""

    path: str
    line: int
    found: str
    say: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: say {self.say}"


def offenders(path: Path) -> list[Offender]:
    """What a file has against the glossary, exceptions left out."""
    relative = path.relative_to(ROOT).as_posix()
    words = [word for word in GLOSSARY if relative.startswith(word.rooms)]
    content = path.read_text(encoding="utf-8")
    names = [(0, part, True) for part in re.split(r"[/.]", relative)]
    found = set(_found(relative, names, [relative], words))
    if any(word.in_text and word.in_text.search(content) for word in words) or any(
        word.in_names and word.in_names.search(name)
        for name in map(_lower_words, set(re.findall(r"\w+", content)))
        for word in words
    ):
        # Reading a file by its tokens takes a hundred times as long.
        found |= set(_found(relative, _pieces(path, content), content.splitlines(), words))
    return sorted(found, key=lambda offender: (offender.path, offender.line))


def _found(
    path: str,
    pieces: Iterable[tuple[int, str, bool]],
    lines: Sequence[str],
    words: Sequence[Word],
) -> Iterator[Offender]:
    allowed = [exception.line for exception in ALLOWED if path.startswith(exception.path)]
    for first, text, is_name in pieces:
        searched = _lower_words(text) if is_name else text
        for word in words:
            pattern = word.in_names if is_name else word.in_text
            for match in pattern.finditer(searched) if pattern else ():
                number = first if is_name else first + text[: match.start()].count("\n")
                line = lines[max(number - 1, 0)]
                if not any(part in line for part in allowed):
                    yield Offender(path, number, line.strip()[:100], word.say)


def _pieces(path: Path, content: str) -> Iterator[tuple[int, str, bool]]:
    """Line, text and whether it is a name: of Python the tokens, of other files all."""
    if path.suffix != ".py":
        yield from _sentences(1, content)
        return
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "NAME":
            yield token.start[0], token.string, True
        elif kind in ("STRING", "FSTRING_MIDDLE", "COMMENT"):
            yield from _sentences(token.start[0], token.string)


def _sentences(line: int, text: str) -> Iterator[tuple[int, str, bool]]:
    """The text itself, and the names that stand in it."""
    yield line, text, False
    for match in re.finditer(r"\w*(_|[a-z][A-Z])\w*", text):
        yield line + text[: match.start()].count("\n"), match[0], True


def _lower_words(name: str) -> str:
    """``JudgedClips`` and ``judged_clips`` as words with something between them."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def files(rooms: Sequence[str]) -> list[Path]:
    """Every file of ours there that has words; this one has the others."""
    found = []
    for room in rooms:
        path = ROOT / room
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if file.suffix in SUFFIXES and file.is_file()]
    return [file for file in found if file != Path(__file__)]


def _rooms() -> list[str]:
    return [*ROOMS, *(path.name for path in sorted(ROOT.iterdir()) if path.suffix in SUFFIXES)]


def found_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> list[str]:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return [f"{offender.line} {offender.say}" for offender in offenders(path)]


@pytest.mark.parametrize(
    ("name", "text", "line", "say"),
    [
        ("vidstyle/a.py", "x = 1\nclass JudgedClip: ...\n", 2, "evaluator"),
        ("vidstyle/a.py", "def f(judged_clips): ...\n", 1, "evaluator"),
        ("vidstyle/a.py", "x = 1  # a calm image\n", 1, "flicker"),
        ("vidstyle/a.py", 'f"{x}"\n"""Is\n\nrepainted by ``x``."""\n', 4, "stylize"),
        ("vidstyle/a.py", '"""A run is gone\n    on with."""\n', 1, "resume"),
        ("vidstyle/a.py", '"""What ``painted_frames`` gives."""\n', 1, "stylize"),
        ("vidstyle/core/a.py", "def open(self, place): ...\n", 1, "execution context"),
        ("vidstyle/report/alone.py", "x = 1\n", 0, "per-frame baseline"),
        ("docs/a.md", "First.\n\nThe verdict of each dial.\n", 3, "evaluator"),
        ("pipelines/a.yaml", "a: 1 # 0.7 of the flicker\n  # is gone\n", 1, "warping-error"),
    ],
)
def test_a_word_is_found_in_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: int, say: str
) -> None:
    found = found_in(tmp_path, monkeypatch, name, text)
    assert any(one.startswith(f"{line} {say}") for one in found), found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vidstyle/a.py", "inpainted = inpaint(spaces, shared, excessive)\n"),
        ("vidstyle/a.py", '"""The first of all to be recommended, as figure 3 shows."""\n'),
        ("vidstyle/a.py", '"""Nothing to tell the two images apart."""\n'),
        ("vidstyle/a.py", "def hashes_tell_frames_apart(): ...\n"),
        ("vidstyle/stages/a.py", "taken_place = upheld\n"),
        ("vidstyle/imaging/a.py", "edges = cell_of(table)\n"),
        ("vidstyle/core/a.py", '"""Takes place once, and the frame goes on."""\n'),
    ],
)
def test_a_word_of_another_meaning_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    assert found_in(tmp_path, monkeypatch, name, text) == []


@pytest.mark.parametrize("room", _rooms())
def test_one_word_for_one_thing(room: str) -> None:
    found = [str(offender) for file in files([room]) for offender in offenders(file)]
    assert not found, "\n".join(found)


def main(paths: Sequence[str]) -> None:
    """Print the offenders of the paths, and how many each folder has."""
    counts: dict[str, int] = defaultdict(int)
    named = [str(Path(path).absolute().relative_to(ROOT)) for path in paths]
    for file in files(named or _rooms()):
        found = offenders(file)
        counts[file.parent.relative_to(ROOT).as_posix()] += len(found)
        if paths:
            sys.stdout.writelines(f"{offender}\n" for offender in found)
    sys.stdout.writelines(f"{count:5} {room}\n" for room, count in counts.items() if count)


if __name__ == "__main__":
    main(sys.argv[1:])
