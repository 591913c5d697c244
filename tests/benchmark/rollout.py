# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an unchanged rollout costs, from one gateway to many, beside a play that does nothing."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.measure import ONE, Budget, Failed
from harness.engine import Engine
from harness.fleet import fleet
from harness.gateway import Gateway
from harness.paths import COLLECTIONS

NUMBERS = (1, 5, 20, 50, 100)
FORKS = "10"
# Entities of each gateway: upstreams with their targets, and services.
POOLS, TARGETS, SERVICES = 5, 10, 45
PLAY = "irishtek.kong.rollout"


def document() -> dict[str, Any]:
    """A hundred entities."""
    pools = [
        {
            "name": f"pool-{pool}",
            "targets": [{"target": f"10.0.{pool}.{number}:80"} for number in range(TARGETS)],
        }
        for pool in range(POOLS)
    ]
    services = [{"name": f"service-{n}", "host": f"pool-{n % POOLS}"} for n in range(SERVICES)]
    return {
        "_format_version": "3.0", "_info": {"select_tags": ["bench"]},
        "upstreams": pools, "services": services,
    }  # fmt: skip


def empty_play() -> list[dict[str, Any]]:
    """The same hosts, batches and number of tasks, and nothing to do."""
    nothing = {"ansible.builtin.debug": {"msg": "nothing"}, "delegate_to": "localhost"}
    # The check of the role's options, the plan, and an include that is left out.
    tasks = [{"name": "Nothing", **nothing} for _number in range(3)]
    head = {"name": "Empty", "hosts": "kong_gateways", "gather_facts": False, "become": False}
    return [{**head, "serial": [1, "25%", "100%"], "max_fail_percentage": 0, "tasks": tasks}]


def _inventory(gateways: Sequence[Gateway], folder: Path) -> dict[str, Any]:
    hosts = {
        f"kong-{number}": {"kong_admin_url": gateway.admin_url}
        for number, gateway in enumerate(gateways, 1)
    }
    variables = {"rollout_src": [str(folder / "kong.json")], "rollout_directory": str(folder / "s")}
    return {"kong_gateways": {"hosts": hosts, "vars": variables}}


def _cost(playbook: str | Path, folder: Path, programs: Path) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("ANSIBLE_", "KONG_"))}
    environment = {
        **kept, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_FORKS": FORKS,
        "ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_LOCALHOST_WARNING": "0",
    }  # fmt: skip
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [programs / "ansible-playbook", "-i", folder / "inventory.json", playbook],
        env=environment, cwd=folder, timeout=ONE, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Failed(f"ansible-playbook ended with status {done.returncode}:\n{done.stdout}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def measure(
    folder: Path, programs: Path, budget: Budget, numbers: Sequence[int] = NUMBERS
) -> list[str]:
    """A line for each number of gateways that there is time for."""
    lines, longest = [], 0.0
    (folder / "kong.json").write_text(json.dumps(document()))
    (folder / "empty.json").write_text(json.dumps(empty_play()))
    with fleet(numbers[-1]) as gateways:
        for number, last in zip(numbers, (0, *numbers[:-1]), strict=True):
            for gateway in gateways[last:number]:
                Engine(gateway).ok("kong_state", content=document(), state="synced")
        for number in numbers:
            if not budget.fits(longest * 2.5):
                lines.append(f"   {number:4}   no time left")
                break
            begin = time.monotonic()
            inventory = _inventory(gateways[:number], folder)
            (folder / "inventory.json").write_text(json.dumps(inventory))
            empty, ours = (
                _cost(playbook, folder, programs) for playbook in (folder / "empty.json", PLAY)
            )
            more = (ours[1] - empty[1]) / number
            lines.append(
                f"   {number:4}   wall {ours[0]:6.2f} s (empty {empty[0]:6.2f} s)   "
                f"cpu {ours[1]:6.2f} s (empty {empty[1]:6.2f} s)   cpu a gateway more {more:.3f} s"
            )
            longest = time.monotonic() - begin
    return lines


def tell(folder: Path, programs: Path, seconds: float) -> None:
    """Print how the cost of an unchanged rollout grows; nothing is asserted."""
    print(f"\nAn unchanged rollout to gateways with 100 entities each, {FORKS} forks", flush=True)
    for line in measure(folder, programs, Budget(seconds)):
        print(line, flush=True)
