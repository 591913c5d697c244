# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks, run by ansible-rulebook: what they report, and what they do to a gateway."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from events.conftest import UPSTREAM, until
from harness.cluster import Pod, StandIn, stand_in
from harness.examples import of
from harness.gateway import Gateway
from harness.paths import COLLECTIONS

BINARIES = Path(sys.executable).parent
pytestmark = pytest.mark.skipif(
    not (BINARIES / "ansible-rulebook").exists() or shutil.which("java") is None,
    reason="ansible-rulebook, which needs Java, is not at hand",
)
TOKEN = "kong-admin-token-5772156649"
LIMIT = 240.0
# Rulebooks with events of their own; the last one runs a playbook.
OWN = [
    *of("guide_events", "Watch two gateways"), *of("upstream_health"), *of("drift"),
    *of("guide_events", "Apply the files again"),
]  # fmt: skip
(INVENTORY,) = of("guide_events", "inventory.yml")
SHIPPED = of("guide_events", "ansible-rulebook", "kong_gateways", "follow_service_name")
EXAMPLES = [INVENTORY, *OWN, *SHIPPED]
APPLY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - irishtek.kong.kong_state:
        src: kong.yaml
        state: synced
        select_tags: [team-orders]
"""


class Rulebook:
    """A running ansible-rulebook and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.said = ""
        self._process = process
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self.said += line
                self._more.notify_all()
        with self._more:
            self.said += "[ended]"
            self._more.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._more:
            self._more.wait_for(
                lambda: self.said.count(text) >= times or self.said.endswith("[ended]"), LIMIT
            )
            assert self.said.count(text) >= times, self.said


@contextmanager
def running(
    folder: Path,
    command: str,
    variables: Mapping[str, Any],
    *more: str | Path,
    inventory: Mapping[str, Any] = INVENTORY.loaded(),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Rulebook]:
    """Run a command of the guide, with the files that it names, until the block ends."""
    program, *words = shlex.split(command)
    named = dict(zip(words[::2], words[1::2], strict=True))
    (folder / named["--vars"]).write_text(json.dumps(variables))
    (folder / named["-i"]).write_text(json.dumps(inventory))
    around = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
    }
    process = subprocess.Popen(
        [BINARIES / program, *words, *more], cwd=folder, env=around, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Rulebook(process)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _marker(gateway: Gateway, health: str) -> Callable[[], None]:
    def mark() -> None:
        gateway.call("PUT", f"/upstreams/orders/targets/127.0.0.1:1/{health}")
        until(gateway, lambda seen: seen["127.0.0.1:1"] == health.upper())

    return mark


def _command(rulebook: str) -> str:
    """The guide's command that runs a rulebook."""
    (found,) = of("guide_events", f"ansible-rulebook --rulebook irishtek.kong.{rulebook} ")
    return found.text


def _variables(gateway: Gateway, title: str, **more: Any) -> dict[str, Any]:
    """The variables of the guide that begin so, for a gateway at hand."""
    (found,) = (each for each in of("guide_events", title) if each.title == title)
    replaced = {f"https://kong-{number}.example:8444": gateway.admin_url for number in (1, 2)}
    return {**found.on(replaced).loaded(), **more}


def test_a_target_that_failed_three_times_is_drained(gateway: Gateway, tmp_path: Path) -> None:
    quick = {"kong_admin_token": TOKEN, "kong_interval": 0.1}
    variables = _variables(gateway, "kong_gateways:", **quick)
    report = "kong-1: target 127.0.0.1:1 of orders is"
    with running(tmp_path, _command("drain_unhealthy_targets"), variables) as rulebook:
        # The source has looked once the sandbox has been asked.
        until(gateway, lambda seen: any(
            request["path"].endswith("/health") and request["query"]
            for request in gateway.requests()
        ))  # fmt: skip
        for round_ in (1, 2, 3):
            _marker(gateway, "unhealthy")()
            rulebook.wait_for(f"{report} unhealthy", round_)
            weight = gateway.call("GET", "/upstreams/orders/targets/127.0.0.1:1")["weight"]
            if round_ < 3:
                assert weight == 100
                _marker(gateway, "healthy")()
                rulebook.wait_for(f"{report} healthy", round_)
        rulebook.wait_for(f"{report} drained")
    targets = gateway.entities("/upstreams/orders/targets")
    weights = {each["target"]: each["weight"] for each in targets}
    assert weights == {"127.0.0.1:1": 0, "127.0.0.1:2": 100}
    assert TOKEN not in rulebook.said


def _write_state_file(gateway: Gateway, folder: Path) -> None:
    """A file that owns what has a tag, and gives one target another weight."""
    tags = {"tags": ["team-orders"]}
    gateway.call("PATCH", "/upstreams/orders", tags)
    gateway.call("PATCH", "/upstreams/orders/targets/127.0.0.1:1", tags)
    (folder / "kong.yaml").write_text(json.dumps({
        "_format_version": "3.0",
        "upstreams": [{**UPSTREAM, "targets": [{"target": "127.0.0.1:1", "weight": 7}]}],
    }))  # fmt: skip


def test_an_entity_that_differs_from_the_files_is_reported(
    gateway: Gateway, tmp_path: Path
) -> None:
    _write_state_file(gateway, tmp_path)
    quick = {"kong_admin_token": TOKEN, "kong_interval": 0.2}
    variables = _variables(gateway, "kong_gateways: (2)", **quick)
    target = "target 127.0.0.1:1 of upstream orders"
    with running(tmp_path, _command("drift"), variables) as rulebook:
        rulebook.wait_for(f"kong-1: update {target}: weight 100 -> 7")
        gateway.call("PATCH", "/upstreams/orders/targets/127.0.0.1:1", {"weight": 7})
        rulebook.wait_for(f"kong-1: {target} is as in the files")
        gateway.faults(kind="answer", status=400, body="out of order", times=1000)
        rulebook.wait_for("kong-1 cannot be compared: ")
        gateway.clear_faults()
        rulebook.wait_for("kong-1 can be compared again")
    assert TOKEN not in rulebook.said


def test_an_upstream_follows_the_pods_of_a_service(gateway: Gateway, tmp_path: Path) -> None:
    pods = [Pod(f"10.1.0.{number}") for number in (11, 12, 13)]
    events = tmp_path / "events"
    events.write_text("")
    with stand_in(tmp_path, "shop") as cluster:
        found = {"follow_service_kubeconfig": cluster.kubeconfig}
        variables = _variables(gateway, "follow_service_name: orders", **found)
        host = {"ansible_connection": "local", "kong_admin_url": gateway.admin_url}
        folder = Path(__file__).parent / "sources"
        cluster.scale("orders", pods[0])
        with running(
            tmp_path, _command("follow_service"), variables, "-S", folder,
            inventory={"kong_gateways": {"hosts": {"kong-1": host}}},
            environment={"EVENTS": str(events)},
        ) as rulebook:  # fmt: skip
            rulebook.wait_for("PLAY RECAP")
            assert _weights(gateway) == {"10.1.0.11:8080": 100}, rulebook.said
            _scale(cluster, events, *pods)
            rulebook.wait_for("PLAY RECAP", 2)
            assert _weights(gateway) == {pod.target: 100 for pod in pods}
            leaving = Pod("10.1.0.13", terminating=True)
            _scale(cluster, events, *pods[:2], leaving)
            rulebook.wait_for("PLAY RECAP", 3)
            assert _weights(gateway) == {
                "10.1.0.11:8080": 100, "10.1.0.12:8080": 100, "10.1.0.13:8080": 0,
            }  # fmt: skip
            # Nothing is left: the upstream keeps its targets, and the run fails.
            _scale(cluster, events)
            rulebook.wait_for("allow_empty")
            assert len(_weights(gateway)) == 3


def _scale(cluster: StandIn, events: Path, *pods: Pod) -> None:
    """Let the Service have these pods, and the source emit an event for each slice."""
    cluster.scale("orders", *pods)
    with events.open("a") as file:
        file.write("orders-x\n" * 3)


def _weights(gateway: Gateway) -> dict[str, int]:
    targets = gateway.entities("/upstreams/orders/targets")
    return {each["target"]: each["weight"] for each in targets}


def test_rulebooks_of_ones_own_run_as_they_stand(gateway: Gateway, tmp_path: Path) -> None:
    _write_state_file(gateway, tmp_path)
    (tmp_path / "apply.yml").write_text(APPLY)
    replaced = {
        **{f"https://kong-{number}.example:8444": gateway.admin_url for number in (1, 2)},
        "interval: 300": "interval: 1",
        "interval: 5": "interval: 0.1",
    }
    rulesets = [each for example in OWN for each in example.on(replaced).loaded()]
    (tmp_path / "own.yml").write_text(json.dumps(rulesets))
    command = "ansible-rulebook --rulebook own.yml -i inventory.yml --vars vars.yml"
    variables = {
        "kong_admin_token": TOKEN,
        "kong_gateways": [{"name": "kong-3", "admin_url": gateway.admin_url}],
    }
    around = {"KONG_ADMIN_URL": gateway.admin_url}
    with running(tmp_path, command, variables, environment=around) as rulebook:
        rulebook.wait_for("kong-1: update target 127.0.0.1:1 of upstream orders: weight 100 -> 7")
        rulebook.wait_for("PLAY RECAP")
        assert _weights(gateway)["127.0.0.1:1"] == 7, rulebook.said
        _marker(gateway, "unhealthy")()
        # Of both gateways of the guide, and of the one in the page of the source.
        rulebook.wait_for("127.0.0.1:1 of orders is down", 3)
    assert TOKEN not in rulebook.said
