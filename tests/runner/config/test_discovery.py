from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from vidstyle.core import StageOptions
from vidstyle.core.errors import PipelineError, PluginError
from vidstyle.runner.config import discovery
from vidstyle.runner.config.discovery import BUILT_IN, Listed, Registry, folders_from_environment
from vidstyle.runner.config.yaml_values import Where

GOOD = '''
from vidstyle.core import HostArray, image_filter


@image_filter
def STAGE(image: HostArray, *, amount: float = 0.1) -> HostArray:
    """Adds light.

    More of it.
    """
    return image + amount
'''


def plugin(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def listed(registry: Registry, name: str) -> Listed:
    (line,) = [line for line in registry.list() if line.name == name]
    return line


def test_a_file_in_a_named_folder_is_a_stage(tmp_path: Path) -> None:
    path = plugin(tmp_path, "filter/light", GOOD)
    registry = Registry([tmp_path])
    stage = registry.find("filter/light")
    assert issubclass(stage.Options, StageOptions)
    assert stage.Options.model_validate({"amount": 0.5}).amount == 0.5
    assert listed(registry, "filter/light") == Listed("filter/light", str(path), "Adds light.")
    assert registry.find("filter/light") is stage


def test_a_plugin_has_a_private_module_name_and_may_use_postponed_annotations(
    tmp_path: Path,
) -> None:
    text = """
        from __future__ import annotations
        from dataclasses import dataclass
        from vidstyle.core import BaseStage, Needs, StageOptions

        @dataclass(frozen=True)
        class Pair:
            left: int

        class JsonOptions(StageOptions):
            mode: Mode = 1

        Mode = int

        class STAGE(BaseStage[JsonOptions]):
            Options = JsonOptions
            needs = Needs()
            def step(self, window, state):
                return {}, None
    """
    plugin(tmp_path, "filter/json", text)
    stage = Registry([tmp_path]).find("filter/json")
    assert stage.__module__.startswith("_vidstyle_plugin_json_")
    assert sys.modules["json"].__name__ == "json"


def test_nothing_of_a_plugin_runs_before_it_is_used(tmp_path: Path) -> None:
    plugin(tmp_path, "filter/bomb", "raise RuntimeError('ran')")
    registry = Registry([tmp_path])
    with pytest.raises(PluginError, match="ran"):
        registry.find("filter/bomb")


def test_the_current_folder_is_never_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, "filter/light", GOOD)
    plugin(tmp_path / "plugins", "filter/light", GOOD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(discovery.ENVIRONMENT, raising=False)
    assert folders_from_environment() == ()
    with pytest.raises(PipelineError, match="there is no stage filter/light"):
        Registry(folders_from_environment()).find("filter/light")


def test_folders_of_the_environment_are_separated_as_path_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(discovery.ENVIRONMENT, os.pathsep.join(["/a", "", "b"]))
    assert folders_from_environment() == (Path("/a"), Path("b"))


def test_a_missing_folder_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="is not a folder"):
        Registry([tmp_path / "nowhere"])


def test_a_folder_that_is_given_twice_is_one(tmp_path: Path) -> None:
    plugin(tmp_path, "filter/light", GOOD)
    (tmp_path / "link").symlink_to(tmp_path)
    assert Registry([tmp_path, tmp_path, tmp_path / "link"]).find("filter/light")


def test_private_files_and_tests_are_no_stages(tmp_path: Path) -> None:
    for name in ("filter/_shared", "filter/__init__", "filter/test_light", ".git/hook", "top"):
        plugin(tmp_path, name, "raise RuntimeError")
    plugin(tmp_path, "filter/light", GOOD)
    assert len(Registry([tmp_path]).list()) == len(Registry().list()) + 1


def test_a_folder_one_too_deep_is_answered_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, "my stages/filter/light", GOOD)
    monkeypatch.chdir(tmp_path)
    for given in (Path("my stages/filter"), tmp_path / "my stages" / "filter"):
        with pytest.raises(PluginError) as caught:
            Registry([given])
        assert str(caught.value) == (
            "my stages/filter: holds no kind/name.py, but light.py itself; name the folder above"
            " it: --plugins 'my stages'"
        )
    with pytest.raises(PluginError) as caught:
        Registry([Path("my stages/filter/light.py")])
    assert str(caught.value) == (
        "my stages/filter/light.py: is a file; name the folder above filter/light.py:"
        " --plugins 'my stages'"
    )
    monkeypatch.chdir("/")
    with pytest.raises(PluginError, match=r"above it: --plugins '\S+/my stages'$"):
        Registry([tmp_path / "my stages" / "filter"])


def test_a_name_of_two_owners_is_an_error_for_who_uses_it_alone(tmp_path: Path) -> None:
    first = plugin(tmp_path / "a", "filter/light", GOOD)
    second = plugin(tmp_path / "b", "filter/light", GOOD)
    plugin(tmp_path / "b", "filter/other", GOOD)
    registry = Registry([tmp_path / "a", tmp_path / "b"])
    assert registry.find("filter/other")
    lines = [line for line in registry.list() if line.name == "filter/light"]
    assert [line.owner for line in lines] == [str(first), str(second)]
    assert all(line.broken and "also claimed by" in line.broken for line in lines)
    with pytest.raises(PluginError) as caught:
        registry.find("filter/light", Where("p.yaml", 4, 10))
    assert str(caught.value) == (
        f"p.yaml:4:10: filter/light is claimed by {first} and by {second}; rename or remove one"
    )


def test_a_plugin_does_not_take_a_built_in_name_over(tmp_path: Path) -> None:
    plugin(tmp_path, "flow/dis", GOOD)
    with pytest.raises(PluginError, match=r"flow/dis is claimed by vidstyle and by .*dis\.py"):
        Registry([tmp_path]).find("flow/dis")


BROKEN = {
    "import nothing_of_this_name": (
        "ModuleNotFoundError: No module named 'nothing_of_this_name' ({path}:1)"
    ),
    "x = 1\n\nprint(y)": "NameError: name 'y' is not defined ({path}:3)",
    "def (": "SyntaxError: invalid syntax ({path}:1)",
    "raise SystemExit(3)": "SystemExit: 3 ({path}:1)",
    "raise GeneratorExit": "GeneratorExit: no message ({path}:1)",
    "raise ValueError('two\\nlines')": "ValueError: two lines",
    "stage = 1": "it has no STAGE; end the file with `STAGE = YourStage`",
    "STAGE = 3": "STAGE must be a class, got a int",
    "def STAGE(image): ...": "got a function; decorate it with @image_filter",
    "class STAGE: ...": "STAGE must have Options, a class derived from StageOptions",
    "from vidstyle.core import BaseStage\nclass STAGE(BaseStage): ...": (
        "STAGE lacks step, which a stage of kind filter has"
    ),
    "from vidstyle.core import image_filter\n"
    "@image_filter\ndef STAGE(image, *, use: int = 1): ...": "the option use is a key of pipe",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_plugin_is_listed_with_its_reason_and_disturbs_no_other(
    text: str, tmp_path: Path
) -> None:
    path = plugin(tmp_path, "filter/odd", text)
    plugin(tmp_path, "filter/light", GOOD)
    registry = Registry([tmp_path])
    line = listed(registry, "filter/odd")
    assert line.broken is not None
    assert BROKEN[text].replace("{path}", str(path)) in line.broken
    assert "\n" not in line.broken
    assert listed(registry, "filter/light").broken is None
    with pytest.raises(PluginError) as caught:
        registry.find("filter/odd", Where("p.yaml", 4, 10))
    assert str(caught.value).startswith(f"p.yaml:4:10: the stage filter/odd of {path} is broken: ")
    assert caught.value.exit_code == 5


def test_a_plugin_that_raises_leaves_no_module_behind(tmp_path: Path) -> None:
    plugin(tmp_path, "filter/raises", "raise RuntimeError")
    assert listed(Registry([tmp_path]), "filter/raises").broken
    assert not [name for name in sys.modules if name.startswith("_vidstyle_plugin_raises")]


def test_what_a_plugin_prints_does_not_reach_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(tmp_path, "filter/light", "print('hello')\n" + GOOD)
    Registry([tmp_path]).find("filter/light")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "filter/ligth",
            "there is no stage filter/ligth. Did you mean filter/light? Stages of the kind filter:"
            " filter/light, filter/compare, filter/follow-motion, filter/keep-colors, filter/mask,"
            " filter/repair. Name a folder of other stages with --plugins.",
        ),
        ("flow/mine", "there is no stage flow/mine. Stages of the kind flow: flow/dis, "),
        (
            "light",
            "there is no stage light. Did you mean filter/light? Available: blend/warped, ",
        ),
        ("a\nb" * 500, "there is no stage a\\nb"),
    ],
)
def test_an_unknown_stage_is_answered_with_what_there_is(
    name: str, says: str, tmp_path: Path
) -> None:
    plugin(tmp_path, "filter/light", GOOD)
    with pytest.raises(PipelineError) as caught:
        Registry([tmp_path]).find(name, Where("p.yaml", 2, 3))
    assert str(caught.value).startswith(f"p.yaml:2:3: {says}")
    assert "\n" not in str(caught.value)


def installed(folder: Path, package: str, entry: str, text: str = GOOD) -> None:
    """A package as pip would leave it, with one entry point."""
    (folder / f"{package}.py").write_text(text)
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[vidstyle.stages]\n{entry} = {package}:STAGE\n")


def test_installed_packages_offer_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "vidstyle_light", "filter/light")
    installed(tmp_path, "vidstyle_gone", "filter/gone", "import nothing_of_this_name")
    installed(tmp_path, "vidstyle_odd", "Light")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry()
    assert listed(registry, "filter/light").owner == "package vidstyle_light"
    assert listed(registry, "filter/light").summary == "Adds light."
    assert registry.find("filter/light").__module__ == "vidstyle_light"
    assert "nothing_of_this_name" in str(listed(registry, "filter/gone").broken)
    assert "kind/name" in str(listed(registry, "Light").broken)
    with pytest.raises(PluginError, match="package vidstyle_gone is broken"):
        registry.find("filter/gone")


def test_a_built_in_stage_that_is_not_there_is_broken_and_not_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(discovery.BUILT_IN, "filter/gone", "vidstyle.stages.filter.nowhere:STAGE")
    registry = Registry()
    assert "is missing" in str(listed(registry, "filter/gone").broken)
    with pytest.raises(PluginError, match="the stage filter/gone of vidstyle is broken"):
        registry.find("filter/gone")


def test_listing_built_in_stages_imports_neither_torch_nor_the_stages() -> None:
    code = (
        "import sys; from vidstyle.runner.config.discovery import Registry;"
        "lines = Registry().list();"
        "print(len(lines), 'torch' in sys.modules, 'cv2' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    count, *imported = done.stdout.split()
    assert int(count) >= len(BUILT_IN)
    assert imported == ["False", "False"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_stage_can_be_found_and_says_what_it_does(name: str) -> None:
    line = listed(Registry(), name)
    assert line.broken is None
    assert line.summary.endswith(".")
    assert Registry().find(name).Options.model_json_schema()
