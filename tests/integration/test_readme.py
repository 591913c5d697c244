# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README keeps its word: its playbook runs as it stands, and what it names is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from harness.gateway import Gateway, sandbox
from harness.paths import COLLECTION, ROOT
from harness.playbook import Player

README = (ROOT / "README.md").read_text(encoding="utf-8")
PLAYBOOK, DRAIN = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PATHS = ("/routes/orders", "/services/orders", "/upstreams/orders.pool")
HEAD = "- name: Tasks of the README\n  hosts: localhost\n  gather_facts: false\n  tasks:\n"


@pytest.fixture
def orders_gateway(gateway: Gateway) -> Iterator[Gateway]:
    """A gateway without the entities of the README's playbook, before and after."""
    if any(gateway.call("GET", path) for path in PATHS):
        pytest.skip("the gateway has entities of the README's names, which are left alone")
    yield gateway
    for path in PATHS:
        gateway.call("DELETE", path)


def _weights(gateway: Gateway) -> dict[str, int]:
    targets = gateway.entities("/upstreams/orders.pool/targets")
    return {target["target"]: target["weight"] for target in targets}


def _indented(tasks: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in tasks.splitlines(True))


def test_its_playbook_runs_as_it_stands_and_a_second_time_without_change(
    playbook: Player, orders_gateway: Gateway
) -> None:
    assert 25 <= len(PLAYBOOK.splitlines()) <= 35
    predicted = playbook(PLAYBOOK, check=True, diff=True).ok()
    assert predicted.total("changed") == 3
    assert all(orders_gateway.call("GET", path) is None for path in PATHS)
    assert playbook(PLAYBOOK).ok().total("changed") == 3
    assert _weights(orders_gateway) == {"127.0.0.1:8081": 100, "127.0.0.1:8082": 50}
    route, service, upstream = (orders_gateway.call("GET", path) for path in PATHS)
    assert route["service"]["id"] == service["id"]
    assert service["host"] == upstream["name"]
    assert playbook(PLAYBOOK).ok().total("changed") == 0


@pytest.mark.parametrize("version", ["3.4", "3.5", "3.9"])
def test_its_playbook_runs_on_the_older_versions_that_it_names(
    playbook: Player, version: str
) -> None:
    support = README.partition("## Support")[2]
    assert f"{version}," in support or f"{version} and" in support
    with sandbox("--version", version) as older:
        environment = {"KONG_ADMIN_URL": older.admin_url}
        assert playbook(PLAYBOOK, environment=environment).ok().total("changed") == 3
        assert playbook(PLAYBOOK, environment=environment).ok().total("changed") == 0
        assert older.call("GET", "/")["version"].startswith(f"{version}.")


def test_its_drain_and_return_run_as_they_stand(
    playbook: Player, orders_gateway: Gateway
) -> None:
    playbook(PLAYBOOK).ok()
    run = playbook(HEAD + _indented(DRAIN)).ok()
    assert run.changed() == ["Take a server out of use", "Bring it back"]
    assert run.result("Take a server out of use")["target"]["weight"] == 0
    assert _weights(orders_gateway) == {"127.0.0.1:8081": 100, "127.0.0.1:8082": 50}


def test_its_commands_are_the_makefiles() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"demo", "test"} <= named
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_the_two_commands_stand_on_the_first_screen() -> None:
    first_screen = "\n".join(README.splitlines()[:25])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_its_modules_are_all_modules_and_its_links_lead_somewhere() -> None:
    modules = {path.stem for path in (COLLECTION / "plugins/modules").glob("kong_*.py")}
    listed = README.partition("## What there is")[2].partition("##")[0]
    assert set(re.findall(r"`(kong_[a-z_]+)`", listed)) == modules
    filters = {path.stem for path in (COLLECTION / "plugins/filter").glob("kong_*.py")}
    assert set(re.findall(r"\b(kong_[a-z]+)\b", README)) <= modules | filters
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
