# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work on a sandbox gateway, in named steps: `make demo`.

Each step proves what it says and the program ends with status 1 where one does not. All processes
are its own children on free ports of the loopback interface; none survives it, however it ends.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.display import changes
from demo.stage import alternates, answers, demonstrate, prove, say, say_command, succeeded
from harness.echo import Echo, echo_server
from harness.gateway import Gateway, sandbox
from harness.paths import ROOT
from harness.playbook import Player, Run
from harness.program import DIRECT, run_program

PLAYBOOK = "irishtek.kong.first_upstream_target"
# Written out, so that no variable of the environment makes it another gateway.
SANDBOX = ("--mode", "database", "--version", "3.10", "--edition", "community")
KINDS = ("upstreams", "services", "routes")


@dataclass(frozen=True)
class Stage:
    """The running gateway, the two echo servers behind it, and what runs playbooks."""

    gateway: Gateway
    first: Echo
    second: Echo
    player: Player

    def play(self, playbook: str | Path, *options: str, **variables: Any) -> Run:
        """Run a playbook as a user would, and return the run, which has to succeed."""
        say_command(playbook, *options)
        self.gateway.reset_requests()
        return succeeded(self.player(
            playbook,
            inventory={"kong_gateways": {"hosts": {"kong": self._variables(variables)}}},
            check="--check" in options,
            diff="--diff" in options,
        ))  # fmt: skip

    def _variables(self, more: dict[str, Any]) -> dict[str, Any]:
        return {
            "kong_admin_url": self.gateway.admin_url,
            "kong_proxy_url": self.gateway.proxy_url,
            "first_upstream_target_statuses": [200],
            **more,
        }

    def targets(self, first: int, second: int) -> list[dict[str, Any]]:
        """The two echo servers as targets with these weights."""
        return [
            {"target": self.first.target, "weight": first},
            {"target": self.second.target, "weight": second},
        ]

    def is_empty(self) -> bool:
        """Whether the gateway holds none of the tutorial's kinds of entities."""
        return not any(self.gateway.entities(f"/{kind}") for kind in KINDS)


def ping(stage: Stage) -> None:
    """Ping the gateway"""
    run = stage.play(ROOT / "tests/demo/ping.yml")
    said = run.result("Ping")["msg"]
    prove(stage.gateway.admin_url in said, said)
    say(said)


def dry_run(stage: Stage) -> None:
    """See what would be done to the empty gateway"""
    prove(stage.is_empty(), "the gateway is not empty")
    run = stage.play(
        PLAYBOOK, "--check", "--diff", first_upstream_target_targets=stage.targets(100, 100)
    )
    lines = changes(run)
    for line in lines:
        say(line)
    prove(len(lines) == 5, f"not five new entities but {len(lines)}")
    prove(not stage.gateway.writes(), f"check mode wrote: {stage.gateway.writes()}")
    prove(stage.is_empty(), "check mode left something on the gateway")
    say(f"changed={run.total('changed')}, and the gateway is still empty: no write was sent.")


def run_it(stage: Stage) -> None:
    """Do it"""
    run = stage.play(PLAYBOOK, first_upstream_target_targets=stage.targets(100, 100))
    writes = stage.gateway.writes()
    prove(len(writes) == 5, f"not five writes: {writes}")
    say(f"changed={run.total('changed')}: upstream with two targets, service, route; five writes.")


def alternate(stage: Stage) -> None:
    """Ask through the proxy: the two targets take turns"""
    alternates(stage.gateway.proxy_url, {stage.first.name, stage.second.name})


def run_again(stage: Stage) -> None:
    """Run it again: nothing changes"""
    run = stage.play(PLAYBOOK, first_upstream_target_targets=stage.targets(100, 100))
    prove(run.total("changed") == 0, f"the second run changed: {run.changed()}")
    prove(not stage.gateway.writes(), f"the second run wrote: {stage.gateway.writes()}")
    say("changed=0, and no write was sent.")


def change_weight(stage: Stage) -> None:
    """Change the weights to 3:1 in the inventory and run it again"""
    ids = _ids(stage.gateway)
    run = stage.play(PLAYBOOK, "--diff", first_upstream_target_targets=stage.targets(300, 100))
    for line in changes(run):
        say(line)
    writes = stage.gateway.writes()
    prove(len(writes) == 1 and writes[0].startswith("PATCH "), f"not one PATCH: {writes}")
    prove(_ids(stage.gateway) == ids, "the target was replaced")
    say(f"changed={run.total('changed')}: one PATCH, the target keeps its id.")
    answers(
        stage.gateway.proxy_url,
        12,
        lambda seen: (seen.count(stage.first.name), seen.count(stage.second.name)) == (9, 3),
        "three to one",
    )
    say(f"{stage.first.name} 9 times, {stage.second.name} 3 times.")


def drain(stage: Stage) -> None:
    """Drain the first server before work on it"""
    run = stage.play(ROOT / "tests/demo/drain.yml", "--diff", drained_target=stage.first.target)
    for line in changes(run):
        say(line)
    stored = {
        target["target"]: target["weight"]
        for target in stage.gateway.entities("/upstreams/upstream-example/targets")
    }
    wanted = {stage.first.target: 0, stage.second.target: 100}
    prove(stored == wanted, f"the gateway has {stored}")
    only_second = {stage.second.name}
    answers(stage.gateway.proxy_url, 8, lambda seen: set(seen) == only_second, "drained")
    say(f"{stage.first.name} gets no request any more, and stays known with weight 0.")


STEPS = (ping, dry_run, run_it, alternate, run_again, change_weight, drain)


def _ids(gateway: Gateway) -> dict[str, str]:
    targets = gateway.entities("/upstreams/upstream-example/targets")
    return {target["target"]: target["id"] for target in targets}


@contextmanager
def _stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kong-demo-")))
        first, second = (stack.enter_context(echo_server(name)) for name in ("echo-a", "echo-b"))
        gateway = stack.enter_context(sandbox(*SANDBOX))
        environment = {**DIRECT, "ANSIBLE_REMOTE_TMP": str(folder / "remote")}
        stage = Stage(gateway, first, second, Player(folder, environment))
        say(f"gateway  Admin API {stage.gateway.admin_url}, proxy {stage.gateway.proxy_url}")
        for echo in (stage.first, stage.second):
            say(f"target   {echo.name} at {echo.target}")
        say("Ansible's inventory is this one gateway with these two targets.")
        yield stage


def _main() -> int:
    title = "The first upstream and its targets, on a sandbox gateway on this machine."
    return demonstrate(title, _stage, STEPS)


if __name__ == "__main__":
    sys.exit(run_program(_main))
