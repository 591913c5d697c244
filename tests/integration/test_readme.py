# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README keeps its word: what it names is there, and its play runs on the versions it names."""

from __future__ import annotations

import re

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.engine import Engine
from harness.gateway import sandbox
from harness.paths import ROOT
from sandbox.schema import VERSIONS
from tools import sanity

README = (ROOT / "README.md").read_text(encoding="utf-8")
(PLAY,) = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
SUPPORT = README.partition("## Support")[2].partition("## ")[0]


def test_it_is_a_screen_and_a_half_with_a_play_of_ten_lines() -> None:
    assert len(README.splitlines()) <= 82
    assert len(PLAY.splitlines()) == 10


@pytest.mark.parametrize("version", VERSIONS)
def test_its_play_changes_nothing_the_second_time_on_each_version_of_the_table(
    version: str,
) -> None:
    assert f"{version}," in SUPPORT or f"{version} " in SUPPORT
    (task,) = yaml.safe_load(PLAY)[0]["tasks"]
    options = task["irishtek.kong.kong_upstream"]
    with sandbox("--version", version) as gateway:
        engine = Engine(gateway)
        wanted = {**options, "admin_url": gateway.admin_url}
        assert engine.ok("kong_upstream", **wanted)["changed"]
        assert not engine.ok("kong_upstream", **wanted)["changed"]


def test_its_commands_are_the_makefiles() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"demo", "test", "sandbox", "docs", "collection"} <= named
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_installation_stands_on_the_first_screen_and_the_two_commands_on_the_second() -> None:
    lines = README.splitlines()
    assert "ansible-galaxy collection install irishtek.kong" in "\n".join(lines[:10])
    assert {"make demo", "make test"} <= {line[:9] for line in lines[:60]}


def test_its_links_lead_somewhere_and_to_the_guides() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert "docs/docsite/rst" in links


def test_its_table_names_what_checks_each_ansible_core() -> None:
    legs = {leg.requirements for leg in (*sanity.LEGS, *sanity.RELEASE_LEGS)}
    assert "2.17–2.21" in SUPPORT
    assert {f"sanity-{version}" for version in ("2.17", "2.18", "2.19", "2.20")} <= legs
