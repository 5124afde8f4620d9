"""The page lets nothing in, and its colors can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.resources import as_file, files

import pytest

from tests.report.page_reader import PageReader
from vidstyle.report.markup import EMPTY, element
from vidstyle.report.page import Section, page

PARTS = files("vidstyle.report")
CSS = PARTS.joinpath("page.css").read_text("utf-8")


def policy_of(text: str) -> dict[str, list[str]]:
    (meta,) = (e for e in PageReader(text).named("meta") if "http-equiv" in e.attributes)
    assert meta.attributes["http-equiv"] == "Content-Security-Policy"
    rules = (rule.split() for rule in (meta.attributes["content"] or "").split(";"))
    return {name: sources for name, *sources in rules}


def simple(name: str = "a") -> str:
    return page(name, EMPTY, (Section("One", element("p", {}, name)),), {"first": 0})


def test_policy_allows_our_script_alone() -> None:
    text = simple()
    policy = policy_of(text)
    assert policy["default-src"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    assert policy["media-src"] == ["data:", "blob:"]
    reader = PageReader(text)
    scripts = [e for e in reader.named("script") if "type" not in e.attributes]
    for elements, rule in ((scripts, "script-src"), (reader.named("style"), "style-src")):
        (one,) = elements
        assert policy[rule] == [f"'nonce-{one.attributes['nonce']}'"]
    assert all("style" not in e.attributes for e in reader.elements)
    assert not any(key.startswith("on") for e in reader.elements for key in e.attributes)


def test_nonce_follows_the_content() -> None:
    assert policy_of(simple("a")) != policy_of(simple("b"))
    assert simple("a") == simple("a")


def test_policy_comes_before_what_it_governs() -> None:
    text = simple()
    assert text.index("Content-Security-Policy") < min(text.index("<style"), text.index("<script"))


def test_sections_without_content_are_left_out() -> None:
    sections = (Section("Full", element("p", {}, "x")), Section("Empty", EMPTY))
    assert PageReader(page("a", EMPTY, sections, {})).text_of("h2") == "Full"


def test_elements_that_the_script_asks_for_are_named_in_the_package() -> None:
    script = PARTS.joinpath("page.js").read_text("utf-8")
    made = "".join(part.read_text("utf-8") for part in PARTS.iterdir() if part.name.endswith(".py"))
    identities = set(re.findall(r'byId\("([\w-]+)"\)', script))
    assert len(identities) > 5
    assert {one for one in identities if f'"{one}"' not in made} == set()


def test_script_is_javascript() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to check the script with")
    with as_file(PARTS.joinpath("page.js")) as script:
        subprocess.run([node, "--check", script], check=True, timeout=60)


def schemes() -> dict[str, dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    return {"light": light, "dark": dark}


def contrast(one: str, other: str) -> float:
    """Of WCAG 2.2, 1 to 21."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_have_contrast(scheme: str) -> None:
    colors = schemes()[scheme]
    for ground in ("paper", "good"):
        assert contrast(colors["ink"], colors[ground]) >= 7
    for text in ("ink", "faint"):
        assert contrast(colors[text], colors["paper"]) >= 4.5
        assert contrast(colors["ink"], colors["rule"]) >= 4.5
    lines = [name for name in colors if re.fullmatch(r"c\d|floor|alone|focus", name)]
    assert len(lines) == 11
    for line in lines:
        assert contrast(colors[line], colors["paper"]) >= 3


def test_both_schemes_have_all_colors_and_print_is_light() -> None:
    light, dark = schemes().values()
    assert light.keys() == dark.keys()
    assert "@media screen and (prefers-color-scheme: dark)" in CSS
    assert "@media print" in CSS


def test_parts_fetch_nothing() -> None:
    for name in ("page.css", "page.js"):
        text = PARTS.joinpath(name).read_text("utf-8")
        assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|</", text)
