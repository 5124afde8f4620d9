"""One case of bad input each: what is laid out, what is run, and what must hold afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.fuzz.confined import MEMORY, Outcome, confined
from tests.fuzz.mutate import NUMBERS, WORDS, damaged, damaged_yaml
from tests.fuzz.seeds import OUTPUT, RECURRENT, Files, Packets, Seeds, packets
from tests.fuzz.streams import OUTPUTS, spoken_clips, with_damaged_streams
from vidstyle.cli.main import run_command

CODES = (0, 2, 3, 4, 5, 6, 8, 9, 10)
"""What bad input may end in; 1 is a bug of ours, and 7 is for batches."""
_USAGE = 2
_PLACED = re.compile(r"vidstyle: (\S+:\d+:\d+: |--\S+ )")
"""How the line of one fault of a pipeline begins: with where it is written."""
PRECIOUS = b"what was there before"
_OFFICIAL = "download.pytorch.org"
"""A pipeline may ask for RAFT's weights, which come from there."""
_LIBRARIES = re.compile(r"libpng (warning|error)|Corrupt JPEG|Warning: unknown JFIF")
"""How the readers of PNG and JPEG begin their own lines, which OpenCV's wheel cannot be set not
to: both write to standard error, and only redirecting that for all threads would stop them."""
_IDENTITY = "version: 1\nstages:\n  - use: decode/pyav\n  - use: encode/pyav\n    codec: ffv1\n"
_STYLIZED = _IDENTITY.replace(
    "  - use: encode",
    "  - use: stylize/feedforward\n    style: ./wave.safetensors\n  - use: encode",
)
_DECOYS = (
    *("av.py", "cv2.py", "yaml.py", "torch.py", "sitecustomize.py", "vidstyle.py", "odd.py"),
    *("filter/odd.py", "odd/odd.py", "decode/pyav.py", "stylize/feedforward.py"),
    *("plugins/filter/odd.py", "stages/filter/odd.py", "vidstyle/stages/filter/odd.py"),
)
_MARK = "ran"
"""A folder that decoys make."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command line and the files that it meets."""

    kind: str
    arguments: list[str]
    files: Files
    """By path below the current folder."""
    output: str = f"out/{OUTPUT}"
    wanted: Packets | None = None
    """What the output must hold; None where it may fail."""


Maker = Callable[[Seeds, Random], Case]


def make_case(seeds: Seeds, seed: int, number: int) -> Case:
    """The case of that number; any part of it depends on the two numbers alone."""
    rng = Random(f"{seed} {number}")
    kind = tuple(KINDS)[number % len(KINDS)]
    return KINDS[kind](seeds, rng)


def run_case(case: Case, folder: Path) -> tuple[Outcome, list[str]]:
    """Run it in a new folder; gives what is wrong, each in a line."""
    _lay_out(case, folder)
    before = _contents(folder)
    environment = {
        "VIDSTYLE_CACHE": str(folder / "cache"),
        "VIDSTYLE_WEIGHTS": "",
        "VIDSTYLE_PLUGINS": "",
        "TMPDIR": str(folder / "tmp"),
    }
    outcome = confined(partial(run_command, case.arguments), folder, environment=environment)
    return outcome, [*_faults_of(outcome), *_faults_left(case, outcome, folder, before)]


def _lay_out(case: Case, folder: Path) -> None:
    for name in ("out", "tmp"):
        (folder / name).mkdir()
    touch = f"import os\nos.makedirs({str(folder / _MARK)!r}, exist_ok=True)\n".encode()
    for name, content in {**dict.fromkeys(_DECOYS, touch), **case.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _is_miscounted(errors: Sequence[str], code: int) -> bool:
    """Whether it is not one line for a failure; a pipeline's faults have one each, with a place."""
    if len(errors) < 2 or code != _USAGE:
        return len(errors) != bool(code)
    return len(set(errors)) < len(errors) or not all(map(_PLACED.match, errors))


def _faults_of(outcome: Outcome) -> list[str]:
    """In how the process ended and what it printed."""
    lines = [line for line in outcome.err.split("\n") if not _LIBRARIES.match(line)]
    errors = [line for line in lines if line.startswith("vidstyle: ")]
    found = {
        f"it was ended by {outcome.signal}": outcome.signal,
        f"the exit code is {outcome.code}": not outcome.signal and outcome.code not in CODES,
        "there is a traceback": "Traceback" in outcome.err,
        f"{len(errors)} lines of errors": _is_miscounted(errors, outcome.code)
        and not outcome.signal,
        "a line has control characters": not all(map(str.isprintable, lines)),
        "a line is of nobody": [line for line in lines if re.search(r"\w*Warning: ", line)],
        f"it asked for {', '.join(outcome.asked)}": set(outcome.asked) - {_OFFICIAL},
        "it left a process behind": outcome.left,
        f"it took {outcome.memory >> 20} MiB": outcome.memory > MEMORY,
    }
    return [text for text, is_so in found.items() if is_so]


def _faults_left(
    case: Case, outcome: Outcome, folder: Path, before: Mapping[str, bytes]
) -> list[str]:
    """In what lies in the folder afterwards."""
    after = _contents(folder)
    allowed = _outputs(case, after)
    extra = after.keys() - before.keys() - allowed
    found = {
        "a decoy was run": (folder / _MARK).exists() or (folder / "pwned").exists(),
        f"{', '.join(sorted(extra))[:200]} was left": extra,
        "something was changed or removed": any(
            after.get(name) != content for name, content in before.items() if name not in allowed
        ),
        "the old output is not what it was": outcome.code != 0
        and after.get(case.output) != before.get(case.output),
    }
    faults = [text for text, is_so in found.items() if is_so]
    if case.wanted is not None and not faults:
        faults += _faults_in_output(case.wanted, outcome, folder / case.output)
    return faults


def _outputs(case: Case, names: Mapping[str, bytes]) -> set[str]:
    """What a run may make and change: the output, and what lies in its hidden folder."""
    path = Path(case.output)
    records = f"{path.parent}/.vidstyle/{path.stem}"
    return {
        name
        for name in {*names, *case.files}
        if name == case.output or name.startswith((f"{case.output}/", f"{records}.", f"{records}-"))
    }


def _faults_in_output(wanted: Packets, outcome: Outcome, path: Path) -> list[str]:
    if outcome.code != 0:
        return ["the damage was not got over"]
    return [] if packets(path) == wanted else ["the frames are others"]


def _clip(seeds: Seeds, rng: Random) -> Case:
    name = rng.choice(tuple(seeds.clips))
    data = damaged(seeds.clips[name], rng, others=tuple(seeds.clips.values()))
    pipeline = rng.choice((_IDENTITY, _IDENTITY, RECURRENT))
    files = {"p.yaml": pipeline.encode(), name: data}
    if rng.random() < 0.15:
        return Case("clip", ["check", "p.yaml", name], files)
    return _with_old_output(Case("clip", ["run", "p.yaml", name], files), rng)


def _with_old_output(case: Case, rng: Random) -> Case:
    """Written to the output; in a third of the cases something is there already."""
    arguments, files = [*case.arguments, "-o", case.output], case.files
    if rng.random() < 0.33:
        files = {**files, case.output: PRECIOUS}
        arguments += ["--overwrite"] if rng.random() < 0.7 else []
    return Case(case.kind, arguments, files, case.output)


def _images(seeds: Seeds, rng: Random) -> Case:
    images = {f"in/{name}": data for name, data in seeds.images.items()}
    for name in rng.sample(sorted(images), rng.choice((1, 1, 2))):
        images[name] = damaged(images[name], rng, others=tuple(seeds.images.values()))
    pipeline = _IDENTITY.replace("decode/pyav", "decode/images")
    files = {"p.yaml": pipeline.encode(), **images}
    return _with_old_output(Case("images", ["run", "p.yaml", "in"], files), rng)


def _pipeline(seeds: Seeds, rng: Random) -> Case:
    name = rng.choice(tuple(seeds.pipelines))
    words = _known_words(seeds)
    data = damaged_yaml(seeds.pipelines[name], rng, words=words)
    base = seeds.pipelines["recurrent.yaml"].encode()
    files = {name: data, "base.yaml": base, "in.mkv": seeds.clips["h264.mkv"]}
    if name == "based.yaml" and rng.random() < 0.5:
        files["base.yaml"] = damaged_yaml(base.decode(), rng, words=words)
    if rng.random() < 0.4:
        return Case("pipeline", ["check", name, *rng.choice(([], ["in.mkv"]))], files)
    output = "out/frames" if name == "images.yaml" else f"out/{OUTPUT}"
    arguments = ["run", name, "in.mkv", "-o", output]
    return Case("pipeline", arguments, files, output)


def _known_words(seeds: Seeds) -> list[str]:
    """That mean something in pipelines."""
    text = "\n".join(re.sub(r"#.*", "", text) for text in seeds.pipelines.values())
    keys = {option.partition(".")[2] for option in seeds.options}
    return sorted({*re.findall(r"[\w./-]+", text), *keys})


def _style(seeds: Seeds, rng: Random) -> Case:
    data = damaged(seeds.style, rng, others=(seeds.style, *seeds.networks.values()))
    files = {
        "p.yaml": _STYLIZED.encode(),
        "wave.safetensors": data,
        "in.mkv": seeds.clips["h264.mkv"],
    }
    if rng.random() < 0.3:
        return Case("style", ["check", "p.yaml"], files)
    return _with_old_output(Case("style", ["run", "p.yaml", "in.mkv"], files), rng)


def _photo(seeds: Seeds, rng: Random) -> Case:
    """Read as those of a training are."""
    name = rng.choice(tuple(seeds.images))
    data = damaged(seeds.images[name], rng, others=tuple(seeds.images.values()))
    arguments = ["styles", "preview", name, "--styles", "./wave.safetensors", "--size", "32"]
    files = {name: data, "wave.safetensors": seeds.style}
    return _with_old_output(Case("photo", arguments, files, "out/sheet.png"), rng)


def _network(seeds: Seeds, rng: Random) -> Case:
    name = rng.choice(tuple(seeds.networks))
    data = damaged(seeds.networks[name], rng, others=(seeds.style, *seeds.networks.values()))
    name = rng.choice((name, name, "wave.safetensors"))
    case = Case("network", ["styles", "import", name], {name: data}, "out/wave.safetensors")
    return _with_old_output(case, rng)


def _mask(seeds: Seeds, rng: Random) -> Case:
    name = rng.choice(tuple(seeds.masks))
    data = damaged(seeds.masks[name], rng, others=tuple(seeds.masks.values()))
    if rng.random() < 0.5:
        text = _STYLIZED.replace("version: 1", f"version: 1\ninputs: {{mask: ./{name}}}")
        text = text.replace("./wave.safetensors", "./wave.safetensors\n    mask: mask")
    else:
        text = _STYLIZED.replace("./wave.safetensors", f"./wave.safetensors\n    mask: ./{name}")
    files = {
        "p.yaml": text.encode(),
        name: data,
        "wave.safetensors": seeds.style,
        "in.mkv": seeds.clips["h264.mkv"],
    }
    return _with_old_output(Case("mask", ["run", "p.yaml", "in.mkv"], files), rng)


def _store(seeds: Seeds, rng: Random) -> Case:
    left = dict(rng.choice(seeds.runs.stopped))
    (store,) = (name for name in left if name.endswith(".work"))
    journal = f"{store}-journal"
    name = journal if journal in left and rng.random() < 0.2 else store
    left[name] = damaged(left[name], rng)
    if rng.random() < 0.3:
        # As if the journal had been lost; else it undoes the damage that lies in its pages.
        left.pop(journal, None)
    files = {f"out/{name}": data for name, data in left.items()}
    files |= {"p.yaml": RECURRENT.encode(), "in.mkv": seeds.runs.clip}
    arguments = ["run", "p.yaml", "in.mkv", "-o", f"out/{OUTPUT}"]
    return Case("store", arguments, files, wanted=seeds.runs.whole)


def _evaluate(seeds: Seeds, rng: Random) -> Case:
    sound = seeds.clips["h264.mkv"]
    name = rng.choice(tuple(seeds.clips))
    data = damaged(seeds.clips[name], rng, others=tuple(seeds.clips.values()))
    clips = ["sound.mkv", f"bad-{name}"]
    rng.shuffle(clips)
    arguments = ["evaluate", *clips, "--evaluator", "dis", "--device", "cpu"]
    files = {"sound.mkv": sound, f"bad-{name}": data}
    return _with_old_output(Case("evaluate", arguments, files, "out/scores.json"), rng)


def _options(seeds: Seeds, rng: Random) -> Case:
    """Values on the command line."""
    odd = rng.choice((*NUMBERS, *WORDS))
    value = rng.choice((odd, odd, rng.choice(_known_words(seeds))))
    option = rng.choice(
        (
            ["--set", f"{rng.choice(seeds.options)}={value}"],
            ["--set", f"{rng.choice(seeds.options)}={value}"],
            ["--set", f"{rng.choice(seeds.options)}={value}", "--set", f"inputs.mask={odd}"],
            ["--set", odd],
            ["--frames", rng.choice((odd, f"{rng.choice(NUMBERS)}:{rng.choice(NUMBERS)}"))],
            ["--device", rng.choice((odd, f"cuda:{rng.choice(NUMBERS)}"))],
            ["--timeout", odd],
            ["--style", odd],
            ["--plugins", odd],
        )
    )
    files = {"p.yaml": RECURRENT.encode(), "in.mkv": seeds.clips["h264.mkv"]}
    return _with_old_output(Case("options", ["run", "p.yaml", "in.mkv", *option], files), rng)


def _streams(seeds: Seeds, rng: Random) -> Case:
    """Sound and subtitles, copied or converted."""
    name, output = rng.choice(tuple(spoken_clips())), rng.choice(OUTPUTS)
    codec = "libvpx-vp9" if output.endswith("webm") else "libx264"
    cut = ["--frames", "2:9"] if rng.random() < 0.4 else []
    arguments = ["run", "p.yaml", name, "--set", f"encode.codec={codec}", *cut]
    files = {"p.yaml": _IDENTITY.encode(), name: with_damaged_streams(name, rng)}
    return _with_old_output(Case("streams", arguments, files, f"out/{output}"), rng)


KINDS: dict[str, Maker] = {
    "clip": _clip,
    "images": _images,
    "pipeline": _pipeline,
    "style": _style,
    "photo": _photo,
    "network": _network,
    "mask": _mask,
    "store": _store,
    "evaluate": _evaluate,
    "options": _options,
    "streams": _streams,
    "more clips": _clip,
    "more pipelines": _pipeline,
    "more stores": _store,
}
