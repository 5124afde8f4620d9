"""The page lets nothing in, and its colors can be read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.resources import as_file, files

import jinja2
import numpy as np
import pytest
from markupsafe import Markup

from tests.report.page_reader import PageReader
from vidstyle.report.page import jpeg_uri, png_uri, render, render_page

PARTS = files("vidstyle.report") / "templates"
CSS = PARTS.joinpath("page.css").read_text("utf-8")


def policy_of(text: str) -> dict[str, list[str]]:
    (meta,) = (e for e in PageReader(text).named("meta") if "http-equiv" in e.attributes)
    assert meta.attributes["http-equiv"] == "Content-Security-Policy"
    rules = (rule.split() for rule in (meta.attributes["content"] or "").split(";"))
    return {name: sources for name, *sources in rules}


def simple(name: str = "a") -> str:
    return render_page(name, Markup("<p>{}</p>").format(name), {"first": 0})


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


def gallery(clip: str) -> str:
    """A template that has a clip's name as text and in an attribute."""
    view = {"caption": "a", "alt": "b", "width": 1, "height": 1, "source": Markup("data:,")}
    pair = {"index": 1, "later": 1, "value": "0", "views": [view]}
    return render("gallery.html", reduced=False, clips={clip: [pair]})


def test_text_is_escaped_in_content_and_attributes() -> None:
    hostile = "\"><script>'&amp;"
    reader = PageReader(gallery(hostile))
    assert reader.text_of("bdi") == hostile
    (image,) = reader.named("img")
    assert image.attributes["alt"] == f"b, frames 0 and 1 of {hostile}"
    assert not reader.named("script")


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x85", "\udcff", "\uffff"])
def test_what_html_cannot_store_is_replaced(letter: str) -> None:
    text = gallery(f"a{letter}b")
    text.encode()
    assert text.count("a\N{REPLACEMENT CHARACTER}b") == 2
    assert letter not in text


def test_a_name_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("gallery.html")


def test_data_cannot_end_its_script() -> None:
    value = {"name": "</script><!--"}
    reader = PageReader(render_page("a", Markup(), value))
    (data,) = (text for tag, text in reader.texts if tag == "script" and text.startswith("{"))
    assert json.loads(data) == value
    assert "<" not in data


def test_images_are_their_own_addresses() -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    assert png_uri(image).startswith("data:image/png;base64,iVBOR")
    assert jpeg_uri(image, 80).startswith("data:image/jpeg;base64,/9j/")


def test_elements_that_the_script_asks_for_are_in_the_templates() -> None:
    script = PARTS.joinpath("page.js").read_text("utf-8")
    html = "".join(p.read_text("utf-8") for p in PARTS.iterdir() if p.name.endswith(".html"))
    identities = set(re.findall(r'byId\("([\w-]+)"\)', script)) - {"left", "right"}
    assert len(identities) > 5
    assert {one for one in identities if f'id="{one}"' not in html} == set()
    assert 'for side, chosen in [("left"' in html


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
    lines = [name for name in colors if re.fullmatch(r"c\d|floor|baseline|focus", name)]
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
