# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: its data, the page that is rendered from it, and how that looks in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.kong_report import FilterModule, kong_report
from harness.paths import ROOT

TEMPLATE = ROOT / "playbooks/templates/report.html.j2"
SECRET = "never-shown-1618033988"


def gateway(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def info(**pools: list[tuple[str, int, str | None]]) -> dict[str, Any]:
    """A result of kong_info: an upstream's targets with weight and health."""
    targets = [
        {"target": target, "weight": weight, "health": health, "upstream": {"name": name}}
        for name, pool in pools.items()
        for target, weight, health in pool
    ]
    upstreams = [{"name": name} for name in pools]
    listed = [{"kind": "upstream", "entities": upstreams}, {"kind": "target", "entities": targets}]
    return {"version": "3.9.1", "edition": "community", "entities": listed}


GATEWAYS: list[dict[str, Any]] = [
    gateway(
        "kong-1",
        url=f"https://admin:{SECRET}@kong-1.example:8444/x?token={SECRET}",
        status="changed",
        changes=[
            {
                "operation": "update", "kind": "target", "target": "10.0.0.1:80",
                "upstream": "orders", "fields": ["weight", "tags"],
            },
            {"operation": "create", "kind": "route", "name": "orders"},
        ],
        info=info(
            orders=[("10.0.0.1:80", 50, "HEALTHY"), ("10.0.0.2:80", 0, None)],
            carts=[("10.0.1.1:80", 100, "UNHEALTHY"), ("10.0.1.2:80", 100, "HEALTHY")],
        ),
        seconds={"preflight": 0.2, "plan": 0.5, "apply": 1.25, "prove": 2.0},
    ),
    gateway(
        "kong-2",
        status="undone",
        reason="<b>3 of 10 requests</b> got status 503",
        info=info(
            orders=[("10.0.0.1:80", 100, "HEALTHCHECKS_OFF")],
            carts=[("10.0.1.1:80", 100, "DNS_ERROR")],
            empty=[],
        ),
        seconds={"plan": 0.5, "apply": 0.5, "undo": 0.5, "elsewhere": 9},
    ),
    gateway("kong-3", status="not reached"),
]  # fmt: skip


def page(model: dict[str, Any]) -> str:
    source = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)
    return source.from_string(TEMPLATE.read_text()).render(report=model)


def test_the_file_offers_its_filter() -> None:
    assert FilterModule().filters() == {"kong_report": kong_report}


def test_a_gateways_row_has_what_is_shown_and_no_more() -> None:
    row = kong_report(GATEWAYS)["gateways"][0]
    assert row["url"] == "https://kong-1.example:8444"
    assert row["changes"] == [
        {
            "operation": "update", "kind": "target", "name": "10.0.0.1:80", "parent": "orders",
            "fields": ["tags", "weight"],
        },
        {"operation": "create", "kind": "route", "name": "orders", "parent": "", "fields": []},
    ]  # fmt: skip
    assert row["seconds"] == pytest.approx(3.95)


def test_each_status_is_counted_in_one_order() -> None:
    assert kong_report(GATEWAYS)["statuses"] == [
        {"name": "changed", "count": 1},
        {"name": "undone", "count": 1},
        {"name": "not reached", "count": 1},
    ]


def test_each_upstream_has_a_cell_for_each_gateway() -> None:
    cells = {
        row["name"]: [(cell["state"], cell["text"]) for cell in row["cells"]]
        for row in kong_report(GATEWAYS)["upstreams"]
    }
    missing, unread = ("missing", "missing"), ("unread", "not read")
    assert cells == {
        "carts": [("degraded", "1 of 2, 1 down"), ("down", "0 of 1, 1 down"), unread],
        "empty": [missing, ("empty", "no targets"), unread],
        "orders": [("well", "1 of 2, 1 drained"), ("well", "1 of 1"), unread],
    }


def test_targets_that_differ_between_gateways_are_told_with_their_weights() -> None:
    found = {
        (each["upstream"], each["target"]): [one["weight"] for one in each["weights"]]
        for each in kong_report(GATEWAYS)["differences"]
    }
    assert found == {
        ("carts", "10.0.1.2:80"): [100, None],
        ("orders", "10.0.0.1:80"): [50, 100],
        ("orders", "10.0.0.2:80"): [0, None],
    }


def test_bars_are_as_wide_as_the_times_and_only_of_known_phases() -> None:
    first, second, third = (row["bars"] for row in kong_report(GATEWAYS)["gateways"])
    assert [each["phase"] for each in first] == ["preflight", "plan", "apply", "prove"]
    assert sum(each["width"] for each in first) == pytest.approx(1000, abs=0.5)
    assert [each["phase"] for each in second] == ["plan", "apply", "undo"]
    assert third == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "needs a name"),
        ({"name": "a", "status": "fine"}, "gateway a: status must be one of unchanged, changed,"),
    ],
)
def test_what_is_no_gateway_of_a_run_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        kong_report([given])
    assert message in str(caught.value)


def test_no_secret_gets_into_a_report_whatever_is_handed_over() -> None:
    poisoned = [
        {
            **each,
            "token": SECRET,
            "admin_headers": {"X": SECRET},
            "changes": [
                {
                    "operation": "update", "kind": "consumer", "name": "alice",
                    "fields": ["custom_id"], "before": {"key": SECRET}, "after": {"key": SECRET},
                }
            ],
            "info": {**info(orders=[("10.0.0.1:80", 1, "HEALTHY")]), "configuration": SECRET},
        }
        for each in GATEWAYS
    ]  # fmt: skip
    model = kong_report(poisoned)
    assert SECRET not in json.dumps(model) + page(model)


class _Outline(HTMLParser):
    """What is checked of the page's structure."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_stands_alone_and_is_marked_up_for_all_readers() -> None:
    text = page(kong_report(GATEWAYS, title="Rollout <1>", time="2026-11-30 14:00"))
    outline = _Outline()
    outline.feed(text)
    assert outline.open == []
    assert not outline.attributes("script") and not outline.attributes("link")
    assert "url(" not in text and 'src="' not in text
    (html,) = outline.attributes("html")
    assert html["lang"] == "en"
    assert all(each.get("scope") in ("row", "col") for each in outline.attributes("th"))
    assert len(outline.attributes("caption")) == len(outline.attributes("table")) == 4
    assert all(each["role"] == "img" and each["aria-label"] for each in outline.attributes("svg"))
    regions = [each for each in outline.attributes("div") if each.get("role") == "region"]
    assert len(regions) == 4 and all(each["tabindex"] == "0" for each in regions)
    # What stands in data is text, whatever it looks like.
    assert "Rollout &lt;1&gt;" in text and "&lt;b&gt;3 of 10 requests&lt;/b&gt;" in text
    assert "<b>" not in text


@pytest.mark.parametrize("gateways", [[], [gateway("one")], [gateway("a"), gateway("b")]])
def test_a_page_of_little_is_a_page(gateways: list[dict[str, Any]]) -> None:
    outline = _Outline()
    outline.feed(page(kong_report(gateways)))
    assert outline.open == []
    assert f"{len(gateways)} gateway" in page(kong_report(gateways))


SIZES = {"desktop": (1280, 1600), "phone": (390, 1600)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn_by_a_browser(tmp_path: Path, size: str, scheme: str) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("there is no chromium here to look at the page with")
    source = tmp_path / "report.html"
    source.write_text(page(kong_report(GATEWAYS, title="Rollout of orders", time="2026-11-30")))
    folder = ROOT / ".build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"report-{size}-{scheme}.png"
    picture.unlink(missing_ok=True)
    width, height = SIZES[size]
    dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-sync", "--disable-component-update", *dark,
        f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},{height}",
        "--hide-scrollbars", f"--screenshot={picture}", source.as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000
