# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation's site is whole, in order and readable, and answers are two clicks away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.paths import ROOT
from site_tests.pages import Page, browser, measure, pages, screenshot

START = "index.html"
GUIDES = "docsite/guide_{}.html"
# What newcomers look for, and words of the place that has it.
QUESTIONS = {
    "drain a server": (GUIDES.format("basics"), "state: drained"),
    "purge safely": (GUIDES.format("basics"), "max_deletes"),
    "run against Konnect": (GUIDES.format("connection"), "konnect_token"),
    "roll out to ten gateways": (GUIDES.format("many_gateways"), "kong_gateways"),
    "what a token needs": (GUIDES.format("security"), "/upstreams/*/targets"),
}
LOOKED_AT = {
    "start": START,
    "guide": GUIDES.format("first_steps"),
    "module": "kong_upstream_module.html",
    "role": "gateway_role.html",
    "plugin": "kong_targets_filter.html",
}
WIDTHS = (1280, 400)


@pytest.fixture(scope="module")
def site() -> dict[str, Page]:
    """All pages of the built site."""
    return pages()


def _guides() -> list[str]:
    listed = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())
    return [f"docsite/{name}.html" for each in listed["sections"] for name in each["toctree"]]


def test_each_link_leads_to_a_page_and_to_a_place_in_it(site: dict[str, Page]) -> None:
    broken = [
        (path, target, anchor)
        for path, page in site.items()
        for target, anchor in page.links
        if target not in site or (anchor and anchor not in site[target].anchors)
    ]
    assert broken == []


def test_guides_come_in_the_order_of_the_collections_list(site: dict[str, Page]) -> None:
    menu = site[START].text.partition('class="wy-menu')[2].partition("</nav>")[0]
    places = [menu.find(f'href="{guide}"') for guide in _guides()]
    assert -1 not in places
    assert places == sorted(places)
    written = {f"docsite/{path.stem}.html" for path in (ROOT / "docs/docsite/rst").glob("*.rst")}
    assert written == set(_guides())


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_newcomers_question_is_answered_within_two_clicks(
    site: dict[str, Page], question: str
) -> None:
    answer, words = QUESTIONS[question]
    first = {target for target, anchor in site[START].links}
    second = {target for page in first for target, anchor in site[page].links}
    assert answer in first | second
    assert words in re.sub("<[^>]+>", "", site[answer].text)


def test_each_module_role_and_plugin_has_a_page(site: dict[str, Page]) -> None:
    wanted = {f"{path.name}_role.html" for path in (ROOT / "roles").iterdir() if path.is_dir()}
    for kind, suffix in (("modules", "module"), ("lookup", "lookup"), ("inventory", "inventory")):
        wanted |= {f"{path.stem}_{suffix}.html" for path in (ROOT / f"plugins/{kind}").glob("*.py")}
    wanted |= {f"{path.stem}_filter.html" for path in (ROOT / "plugins/filter").glob("*.yml")}
    assert wanted <= set(site)
    reachable = {target for target, anchor in site["reference.html"].links}
    assert wanted <= reachable


def test_a_browser_shows_pages_that_fit_wide_and_narrow_windows(tmp_path: Path) -> None:
    if not browser():
        pytest.skip("no Chromium is installed, so nobody looks at the pages")
    wanted = [(page, width) for page in LOOKED_AT.values() for width in WIDTHS]
    seen = measure(tmp_path, wanted)
    assert {(each["page"], each["width"]) for each in seen} == set(wanted)
    assert all(each["title"] for each in seen)
    assert [each for each in seen if each["wide"] > each["width"]] == []


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_browser_shows_the_page(tmp_path: Path, name: str) -> None:
    if not browser():
        pytest.skip("no Chromium is installed, so nobody looks at the pages")
    shot = screenshot(tmp_path, name, LOOKED_AT[name])
    # A page without text or without its style compresses to a few kilobytes.
    assert shot.stat().st_size > 40_000
