# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shifts and drains of many gateways: under the lock, and back on all where one fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.fleet import fleet
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player, Run

LOCK = "irishtek.kong.lock"
TOKEN = "shown-nowhere-2718281828"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Echo, Echo]]:
    """The servers of the blue set and of the green one."""
    with echo_server("blue") as blue, echo_server("green") as green:
        yield blue, green


@pytest.fixture(scope="module")
def _gateways() -> Iterator[list[Gateway]]:
    with fleet(3, "--health-delay", "0", "--propagation", "0.05") as started:
        yield started


@pytest.fixture
def gateways(_gateways: list[Gateway], servers: tuple[Echo, Echo]) -> list[Gateway]:
    """Three gateways with a route to the blue set."""
    for gateway in _gateways:
        gateway.reset()
        engine = Engine(gateway)
        engine.ok("kong_upstream", name="shop", targets=[{"target": servers[0].target}])
        engine.ok("kong_service", name="shop", host="shop")
        engine.ok("kong_route", name="shop", service="shop", paths=["/shop"])
        engine.ok("kong_probe", url=f"{gateway.proxy_url}/shop", wait_timeout=60)
        gateway.reset_requests()
    return _gateways


class Shift:
    """Runs the two playbooks on gateways kong-1, kong-2, …"""

    def __init__(self, play: Player, gateways: list[Gateway], servers: tuple[Echo, Echo]) -> None:
        self.play, self.gateways = play, gateways
        hosts = {
            f"kong-{number}": {
                "kong_admin_url": gateway.admin_url, "kong_proxy_url": gateway.proxy_url,
                "kong_admin_token": TOKEN,
            }
            for number, gateway in enumerate(gateways, 1)
        }  # fmt: skip
        self.inventory: dict[str, Any] = {"kong_gateways": {"hosts": hosts}}
        for each in servers:
            where = {"ansible_host": each.target.rpartition(":")[0], "server_port": each.port}
            self.inventory[each.name] = {"hosts": {each.name: {**LOCAL, **where}}}

    def blue_green(self, **options: Any) -> Run:
        return self._run(
            "irishtek.kong.blue_green", blue_green_upstream="shop", blue_green_blue="blue",
            blue_green_green="green", blue_green_port="server_port", blue_green_path="/shop",
            blue_green_steps=[50, 100], blue_green_requests=2, blue_green_timeout=5,
            blue_green_serial=1, **options,
        )  # fmt: skip

    def drain(self, work: list[dict[str, Any]], **options: Any) -> Run:
        path = self.play.folder / "work.yml"
        path.write_text(json.dumps(work))
        return self._run(
            "irishtek.kong.drain", drain_hosts="blue", drain_upstream="shop",
            drain_port="server_port", drain_tasks=str(path), drain_seconds=0, drain_force=True,
            **options,
        )  # fmt: skip

    def _run(self, playbook: str, **options: Any) -> Run:
        check = options.pop("check", False)
        run = self.play(
            playbook, inventory=self.inventory, extra_vars=options, check=check,
            environment={"ANSIBLE_VERBOSITY": "2"},
        )  # fmt: skip
        assert TOKEN not in run.stdout
        return run

    def weights(self) -> list[list[int]]:
        """Of each gateway the weights of the sets that it has, the blue one first."""
        found = []
        for gateway in self.gateways:
            listed = gateway.entities("/upstreams/shop/targets")
            weights = {each["target"]: each["weight"] for each in listed}
            found.append([weights[target] for target in sorted(weights, key=self._is_green)])
        return found

    def _is_green(self, target: str) -> bool:
        (host,) = self.inventory["green"]["hosts"].values()
        return target.endswith(f":{host['server_port']}")

    def locks(self) -> list[bool]:
        return [gateway.call("GET", f"/upstreams/{LOCK}") is not None for gateway in self.gateways]


@pytest.fixture
def shift(
    playbook: Player, gateways: list[Gateway], servers: tuple[Echo, Echo]
) -> Shift:
    return Shift(playbook, gateways, servers)


def test_all_gateways_are_shifted_under_the_lock(shift: Shift) -> None:
    shift.blue_green().ok()
    assert shift.weights() == [[0, 100]] * 3
    for gateway in shift.gateways:
        writes = gateway.writes()
        assert writes[0] == "POST /upstreams" and writes[-1].startswith("DELETE /upstreams/")
    assert not any(shift.locks())


def test_where_a_gateway_fails_all_are_shifted_back(shift: Shift) -> None:
    two = shift.gateways[1]
    two.call("DELETE", "/routes/shop")
    two.reset_requests()
    run = shift.blue_green()
    assert run.rc != 0
    # Whoever was shifted has the green set with no weight.
    assert shift.weights() == [[100, 0], [100, 0], [100]]
    assert not any(shift.locks())
    assert shift.gateways[2].writes() == []
    end = "Fail if the gateway failed or was shifted back"
    one, failed = (str(run.result(end, host)["msg"]) for host in ("kong-1", "kong-2"))
    assert one.startswith("another gateway failed: kong-2: ")
    assert one.endswith("; the weights are as they were before")
    # Its proof cannot hold on the way back either.
    assert "404" in failed and "; the way back failed: " in failed
    assert run.stats["kong-3"]["failures"] == 0


def test_who_has_the_lock_is_named_and_nothing_is_shifted(shift: Shift) -> None:
    Engine(shift.gateways[1]).ok("kong_lock", owner="bob")
    run = shift.blue_green()
    assert "bob holds it since" in str(run.result("was shifted back", "kong-2")["msg"])
    assert shift.weights() == [[100, 0], [100], [100]]
    assert shift.locks() == [False, True, False]


def test_check_mode_of_both_writes_nothing(shift: Shift) -> None:
    shift.blue_green(check=True).ok()
    shift.drain([], check=True).ok()
    assert [gateway.writes() for gateway in shift.gateways] == [[]] * 3


def test_a_server_is_worked_on_under_the_lock(shift: Shift) -> None:
    seen = {"name": "Look", "delegate_to": "localhost", "ansible.builtin.uri": {
        "url": f"{shift.gateways[1].admin_url}/upstreams/{LOCK}"}}  # fmt: skip
    shift.drain([seen]).ok()
    assert shift.weights() == [[100]] * 3
    assert not any(shift.locks())


def test_a_server_whose_work_fails_stays_drained_and_the_lock_is_released(shift: Shift) -> None:
    run = shift.drain([{"name": "Work", "ansible.builtin.fail": {"msg": "the disk is full"}}])
    assert run.rc != 0 and "the disk is full" in run.stdout
    assert shift.weights() == [[0]] * 3
    assert not any(shift.locks())


def test_no_server_is_drained_while_somebody_has_the_lock_of_a_gateway(shift: Shift) -> None:
    Engine(shift.gateways[1]).ok("kong_lock", owner="bob")
    run = shift.drain([])
    assert run.rc != 0 and "bob holds it since" in run.stdout
    assert shift.weights() == [[100]] * 3
    assert shift.locks() == [False, True, False]
