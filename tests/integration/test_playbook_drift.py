# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook drift: which gateways differ from their state files, how, and nothing is written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.paths import BINARIES, ROOT
from harness.playbook import Player, Run

PLAYBOOK = "irishtek.kong.drift"
SECRET = "opens-alice-2718281828"
DOCUMENT: dict[str, Any] = {
    "_format_version": "3.0",
    "_info": {"select_tags": ["drift"]},
    "upstreams": [
        {"name": "web", "targets": [{"target": "10.0.0.1:80"}, {"target": "10.0.0.2:80"}]},
    ],
    "services": [{"name": "web", "host": "web", "routes": [{"name": "web", "paths": ["/web"]}]}],
    "consumers": [{"username": "alice", "keyauth_credentials": [{"key": SECRET}]}],
}


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """The file that both gateways are compared with."""
    path = tmp_path / "kong.yaml"
    path.write_text(yaml.safe_dump(DOCUMENT))
    return path


@pytest.fixture
def gateways(
    empty_gateway: Gateway, second_gateway: Gateway
) -> tuple[Gateway, Gateway]:
    """Two gateways that are as in the file."""
    for gateway in (empty_gateway, second_gateway):
        Engine(gateway).ok("kong_state", content=DOCUMENT, state="synced")
        gateway.reset_requests()
    return empty_gateway, second_gateway


def _inventory(state_file: Path, *gateways: Gateway, **variables: Any) -> dict[str, Any]:
    hosts = {
        f"gateway-{number}": {"kong_admin_url": gateway.admin_url}
        for number, gateway in enumerate(gateways, 1)
    }
    shared = {"kong_state_src": [str(state_file)], **variables}
    return {"kong_gateways": {"hosts": hosts, "vars": shared}}


def _change(gateway: Gateway) -> None:
    """An update, a deletion, an addition and a changed secret behind the file's back."""
    gateway.call("PATCH", "/upstreams/web/targets/10.0.0.1:80", {"weight": 300})
    gateway.call("DELETE", "/routes/web")
    gateway.call("POST", "/services", {"name": "old", "host": "old", "tags": ["drift"]})
    (key,) = gateway.entities("/consumers/alice/key-auth")
    path = f"/consumers/alice/key-auth/{key['id']}"
    gateway.call("PATCH", path, {"key": "another-key-3141592653"})
    gateway.reset_requests()


def _lines(run: Run, host: str) -> list[str]:
    return list(run.result("Differences", host)["msg"])


def _summary(run: Run) -> list[str]:
    return list(run.result("Summary")["msg"])


def test_gateways_as_in_their_files_are_told_so_and_asked_no_write(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway]
) -> None:
    inventory = _inventory(state_file, *gateways, drift_fail=True)
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert run.total("changed") == 0
    assert _summary(run) == ["gateway-1: as in its files", "gateway-2: as in its files"]
    assert [gateway.writes() for gateway in gateways] == [[], []]


def test_each_difference_of_the_drifted_gateway_is_a_line(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway]
) -> None:
    _change(gateways[1])
    run = playbook(PLAYBOOK, inventory=_inventory(state_file, *gateways)).ok()
    lines = _lines(run, "gateway-2")
    for line in (
        "gateway-2: update target 10.0.0.1:80 of upstream web: weight 300 -> 100",
        "gateway-2: create route web",
        "gateway-2: delete service old",
    ):
        assert line in lines
        assert line in run.stdout
    assert len(lines) == len([line for line in lines if line.startswith("gateway-2: ")])
    assert _summary(run) == ["gateway-1: as in its files", f"gateway-2: {len(lines)} differences"]
    assert [run.stats[host]["changed"] for host in ("gateway-1", "gateway-2")] == [0, 1]
    assert [gateway.writes() for gateway in gateways] == [[], []]
    shown = run.stdout + json.dumps(run.tasks)
    assert SECRET not in shown and "another-key" not in shown


def test_applied_compares_only_what_the_files_write(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway]
) -> None:
    gateways[0].call("POST", "/services", {"name": "old", "host": "old", "tags": ["drift"]})
    gateways[0].call("PATCH", "/services/web", {"retries": 1})
    inventory = _inventory(state_file, *gateways, kong_state_state="applied")
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert run.total("changed") == 0


def test_tags_of_the_inventory_say_what_files_without_tags_own(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway]
) -> None:
    untagged = {name: value for name, value in DOCUMENT.items() if name != "_info"}
    state_file.write_text(json.dumps(untagged))
    gateways[0].call("POST", "/services", {"name": "old", "host": "old", "tags": ["drift"]})
    gateways[0].call("POST", "/services", {"name": "of-others", "host": "old"})
    inventory = _inventory(state_file, gateways[0], kong_state_select_tags=["drift"])
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert _lines(run, "gateway-1") == ["gateway-1: delete service old"]
    assert _summary(run) == ["gateway-1: 1 difference"]


def test_it_fails_on_request_where_gateways_differ(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway]
) -> None:
    gateways[0].call("PATCH", "/services/web", {"retries": 1})
    inventory = _inventory(state_file, *gateways, drift_fail=True)
    run = playbook(PLAYBOOK, inventory=inventory)
    assert run.rc != 0
    assert [run.stats[host]["failures"] for host in ("gateway-1", "gateway-2")] == [1, 0]
    assert _lines(run, "gateway-1") == ["gateway-1: update service web: retries 1 -> 5"]
    assert "entities that differ from the files: 1" in run.stdout


@contextmanager
def _guarded() -> Iterator[tuple[Gateway, str]]:
    with sandbox("--admin-token", "opens-kong-3141592653") as guarded:
        yield guarded, "401"


@contextmanager
def _gone() -> Iterator[tuple[Gateway, str]]:
    """Nobody listens there any more."""
    with sandbox() as stopped:
        pass
    yield stopped, "no response from"


@pytest.mark.parametrize("other", [_guarded, _gone])
def test_a_gateway_that_cannot_be_compared_hides_no_other_and_fails(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway], other: Any
) -> None:
    _change(gateways[1])
    with other() as (silent, reason):
        inventory = _inventory(state_file, silent, gateways[1])
        run = playbook(PLAYBOOK, inventory=inventory)
    assert run.rc != 0
    first, second = _summary(run)
    assert first.startswith("gateway-1: not compared: ") and reason in first
    assert second.startswith("gateway-2: ") and second.endswith(" differences")
    assert [run.stats[host]["failures"] for host in ("gateway-1", "gateway-2")] == [1, 0]
    assert "gateway-2: create route web" in run.stdout


def test_the_example_inventory_gives_each_gateway_files_and_what_they_own() -> None:
    path = ROOT / "playbooks/inventories/drift.yml"
    done = subprocess.run(
        [BINARIES / "ansible-inventory", "--inventory", path, "--list"],
        capture_output=True, text=True, check=True, timeout=60, env=dict(os.environ),
    )
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert len(hosts) == 3
    for variables in hosts.values():
        assert variables["kong_admin_url"] and variables["kong_state_src"]
        owned = [name for name in variables if name.endswith(("select_tags", "purge_kinds"))]
        assert len(owned) == 1


def test_a_report_shows_all_gateways_on_one_page(
    playbook: Player, state_file: Path, gateways: tuple[Gateway, Gateway], tmp_path: Path
) -> None:
    _change(gateways[1])
    page, data = tmp_path / "report.html", tmp_path / "report.json"
    inventory = _inventory(state_file, *gateways, drift_report=str(page))
    run = playbook(PLAYBOOK, inventory=inventory, check=True).ok()
    assert [gateway.writes() for gateway in gateways] == [[], []]
    model = json.loads(data.read_text())
    rows = {each["name"]: each for each in model["gateways"]}
    assert {name: row["status"] for name, row in rows.items()} == {
        "gateway-1": "unchanged",
        "gateway-2": "planned",
    }
    assert len(rows["gateway-2"]["changes"]) == len(_lines(run, "gateway-2"))
    weights = {each["gateway"]: each["weight"] for each in model["differences"][0]["weights"]}
    assert weights == {"gateway-1": 100, "gateway-2": 300}
    text = page.read_text()
    assert "Drift of Kong gateways" in text and "10.0.0.1:80" in text
    assert SECRET not in text + data.read_text() and "another-key" not in text
