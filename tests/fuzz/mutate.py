"""Damage made from a seed: of bytes of any kind, and of the text of YAML files."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

INTEGERS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1)
"""Where programs go wrong: ends of ranges, and what lies beside them."""
LONG_INTEGERS = (*INTEGERS, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
NUMBERS = (
    *("0", "-0", "-1", "1", "0.5", "1.0000001", "1e-320", "1e309", "-1e400", ".inf", "-.inf"),
    *(".nan", "0x7fffffffffffffff", "0o777", "2147483648", "-9223372036854775809", "1_000"),
    *("9" * 40, "9" * 5000, "1e999999999", "0.1e", "1:30", "١٢"),
)
WORDS = (
    *("''", "~", "null", "true", "no", "{}", "[]", "[1, 2", "{a: 1", "a: b: c", "'", '"', "- - -"),
    *("{at: {0s: 0}}", "{at: {-1s: 2, 1e9s: .nan}}", "{at: {}}", "{at: {0s: a, 0s: b}}"),
    *("&a x", "*a", "&a [*a, *a]", "<<: *a", "!!binary aGk=", "!!python/name:os.system x"),
    *("!!python/object/apply:os.system ['touch pwned']", "!<tag:x> 1", "%YAML 9.9", "---", "..."),
    *("../../etc/passwd", "/dev/zero", "http://127.0.0.1:9/x", "./nowhere", ".", "", "in.mkv"),
    *("filter/odd", "odd/odd", "plugins/filter/odd", "decode/images", "encode/images"),
    *("filter/keep-colors", "filter/repair", "flow/farneback", "|", ">-", "? a", "@a", "`a"),
    *("n" * 300, f"./{'n' * 300}.png", "n/" * 3000),
)
LETTERS = ("\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "é", "🎨", "\t")
MARKS = ("&a ", "*a ", "!!str ", "!!int ", "!!map ", "!!set ", "! ", "!x ", "? ", "| ", "- ", "# ")

Change = Callable[[bytearray, Random, Sequence[bytes]], None]
TextChange = Callable[[str, Random, Sequence[str]], str]


def damaged(data: bytes, rng: Random, *, others: Sequence[bytes] = ()) -> bytes:
    """The data with some changes, from one flipped bit to half of it gone.

    Pieces that are spliced in come from ``others``, or from the data itself.
    """
    changed = bytearray(data)
    for _ in range(_times(rng, 16, 0.6)):
        rng.choice(CHANGES)(changed, rng, others or (data,))
    return bytes(changed)


def damaged_yaml(text: str, rng: Random, *, words: Sequence[str] = ()) -> bytes:
    """The text with some changes, as UTF-8; now and then with damaged bytes, too.

    ``words`` are those that mean something in such files: they take each other's places.
    """
    for _ in range(_times(rng, 6, 1.5)):
        text = rng.choice(TEXT_CHANGES)(text, rng, words or WORDS)
    data = text.encode(errors="surrogatepass")
    return damaged(data, rng) if rng.random() < 0.05 else data


def _times(rng: Random, most: int, rate: float) -> int:
    """Mostly few: what is changed much is refused at once."""
    return min(most, 1 + int(rng.expovariate(rate)))


def _position(data: bytearray, rng: Random) -> int:
    """Headers lie at the start, and indices at the end."""
    size = len(data)
    start, stop = rng.choice(((0, 64), (0, 512), (size - 2048, size), (0, size), (0, size)))
    return rng.randrange(max(0, start), max(1, min(stop, size)))


def _piece(data: bytes | bytearray, rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return bytes(data[start : start + int(rng.expovariate(1 / 64))])


def _flip(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    if data:
        data[_position(data, rng)] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at, size = _position(data, rng), 1 + int(rng.expovariate(0.1))
    data[at : at + size] = rng.choice((b"\0", b"\xff", b"A", rng.randbytes(1))) * size


def _delete(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = _position(data, rng)
    del data[at : at + 1 + int(rng.expovariate(0.05))]


def _insert(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = _position(data, rng)
    data[at:at] = rng.randbytes(1 + int(rng.expovariate(0.1)))


def _double(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at = _position(data, rng)
    data[at:at] = _piece(data, rng)


def _truncate(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) // 2, len(data) + 1) :]


def _splice(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at, piece = _position(data, rng), _piece(rng.choice(others), rng)
    data[at : at + len(piece)] = piece


def _integer(data: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    at, order = _position(data, rng), rng.choice("<>")
    if rng.random() < 0.5:
        at -= at % 4
    if rng.random() < 0.7:
        data[at : at + 4] = struct.pack(order + "I", rng.choice(INTEGERS))
    else:
        data[at : at + 8] = struct.pack(order + "Q", rng.choice(LONG_INTEGERS))


CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _overwrite, _delete, _insert, _double, _truncate),
    *(_splice, _integer, _integer),
)


def _tokens(text: str) -> list[str]:
    return re.findall(r"[\w./-]+|\s+|.", text, re.DOTALL) or [""]


def _retold(text: str, rng: Random, token: str, form: str = r"[\w./-]+") -> str:
    """The text with one of the tokens of a form exchanged."""
    tokens = _tokens(text)
    places = [at for at, old in enumerate(tokens) if re.fullmatch(form, old)]
    tokens[rng.choice(places or [0])] = token
    return "".join(tokens)


def _odd_word(text: str, rng: Random, words: Sequence[str]) -> str:
    return _retold(text, rng, rng.choice(WORDS))


def _other_word(text: str, rng: Random, words: Sequence[str]) -> str:
    return _retold(text, rng, rng.choice(words))


def _number(text: str, rng: Random, words: Sequence[str]) -> str:
    return _retold(text, rng, rng.choice(NUMBERS), r"-?[\d.]+s?")


def _mark(text: str, rng: Random, words: Sequence[str]) -> str:
    tokens = _tokens(text)
    tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(MARKS))
    return "".join(tokens)


def _letter(text: str, rng: Random, words: Sequence[str]) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(LETTERS) + text[at:]


def _indent(text: str, rng: Random, words: Sequence[str]) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice(("", " ", "  ", "    ", "\t", " " * 200)) + lines[at].lstrip()
    return "\n".join(lines)


def _lines(text: str, rng: Random, words: Sequence[str]) -> str:
    """A line is gone, or there twice, or elsewhere."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    line = lines[at] if rng.random() < 0.3 else lines.pop(at)
    if rng.random() < 0.7:
        lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines)


def _option(text: str, rng: Random, words: Sequence[str]) -> str:
    lines = text.split("\n")
    value = rng.choice((*NUMBERS, *WORDS, *words))
    indent = " " * rng.choice((0, 4, 4, 4, 8))
    lines.insert(rng.randrange(len(lines) + 1), f"{indent}{rng.choice(words)}: {value}")
    return "\n".join(lines)


def _long(text: str, rng: Random, words: Sequence[str]) -> str:
    size = rng.choice((100, 2000, 100_000, 2_000_000))
    return _retold(text, rng, rng.choice(("k", "9", "é", "a/", "[", "{a: ", "- ")) * size)


TEXT_CHANGES: tuple[TextChange, ...] = (
    *(_odd_word, _other_word, _other_word, _number, _number, _mark),
    *(_letter, _indent, _lines, _option, _option, _long),
)
