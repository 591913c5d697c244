# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the collection against `ansible.builtin.uri` and decK: `make benchmark`.

Whole processes, the sides in turns (A B A B), medians of wall and processor seconds; then state
files, see `benchmark.state`, and rollouts to many sandboxes, see `benchmark.rollout`. Against a
sandbox, or the gateway that KONG_ADMIN_URL (and KONG_ADMIN_TOKEN) name, on which it makes entities
called irishtek-bench-* and removes them. Only ratios of one call can be compared.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmark import rollout, state
from benchmark.cases import Case, Work, cases
from benchmark.documents import shapes
from benchmark.measure import ONE, Budget, Failed, environment
from benchmark.state_report import tell
from harness.deck import MISSING, deck_program
from harness.gateway import Gateway, sandbox
from harness.processes import NotReady
from harness.program import run_program

ROUNDS = 3
# Seconds for everything, and of these for targets, after which state files take the rest.
ALL = 290.0
TARGETS = 120.0
# Seconds for rollouts to many gateways, which are sandboxes in any case.
ROLLOUTS = 180.0
# Upstreams and targets of each in the state files, and services of the mixed one.
POOLS = ((1, 1000), (50, 20), (200, 5))
SERVICES = 400


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds; `cpu` is user and system time of all its processes."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Bench:
    """The gateway, the folder of playbooks and the programs (bin/) that are measured."""

    gateway: Gateway
    folder: Path
    programs: Path

    def measure(self, work: Work) -> Cost:
        """Run `work` from an upstream without targets; raises Failed unless all of them came."""
        self._prepare(work)
        playbook = self.folder / "playbook.json"
        playbook.write_text(json.dumps([self._play(work)]))
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [self.programs / "ansible-playbook", playbook],
            env=environment(self.gateway, self.folder, self.programs),
            cwd=self.folder, timeout=ONE, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise Failed(f"ansible-playbook ended with status {done.returncode}:\n{done.stdout}")
        stored = len(self.gateway.entities(f"/upstreams/{work.upstream}/targets"))
        if stored != work.count:
            raise Failed(f"{work.upstream} has {stored} targets, not {work.count}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(wall, cpu)

    def _prepare(self, work: Work) -> None:
        self.gateway.call("DELETE", f"/upstreams/{work.upstream}")
        self.gateway.call("POST", "/upstreams", {"name": work.upstream})

    def _play(self, work: Work) -> dict[str, object]:
        head = {"name": "Targets", "hosts": "localhost", "gather_facts": False}
        return {**head, "tasks": work.tasks}

    def clean(self, compared: list[Case]) -> None:
        """Take away from a lasting gateway what the cases made on it."""
        if not self.gateway.is_sandbox:
            for upstream in sorted({w.upstream for case in compared for w in case.works}):
                self.gateway.call("DELETE", f"/upstreams/{upstream}")

    def about(self) -> str:
        """The versions of what is measured."""
        version = self.gateway.call("GET", "/")["version"]
        kind = "sandbox gateway" if self.gateway.is_sandbox else "gateway"
        core = subprocess.run(
            [self.programs / "python", "-c", "import ansible.release as r; print(r.__version__)"],
            capture_output=True, text=True, check=True, timeout=ONE,
        )
        return f"{kind} {version}, ansible-core {core.stdout.strip()}, {os.cpu_count()} processors"


def rounds(bench: Bench, compared: list[Case], budget: Budget) -> dict[int, list[Cost]]:
    """The costs of every work (by its id), one a round; works of two cases run once a round."""
    works = {id(work): work for case in compared for work in case.works}
    costs: dict[int, list[Cost]] = {key: [] for key in works}
    longest = 0.0
    for number in range(ROUNDS):
        if not budget.fits(longest):
            print(f"Only {number} of {ROUNDS} rounds fit into {budget.seconds:.0f} s.")
            break
        begin = time.monotonic()
        for key, work in works.items():
            costs[key].append(bench.measure(work))
        longest = max(longest, time.monotonic() - begin)
        print(f"Round {number + 1} of {ROUNDS} is done.", flush=True)
    return costs


def report(compared: list[Case], costs: dict[int, list[Cost]]) -> bool:
    """Print a paragraph for each case; whether every wanted ratio was met, by wall time."""
    good = True
    for case in compared:
        left, right = costs[id(case.left)], costs[id(case.right)]
        print(f"\n{case.name}")
        for unit in ("wall", "cpu"):
            ours = median(getattr(cost, unit) for cost in left)
            theirs = median(getattr(cost, unit) for cost in right)
            sides = f"irishtek.kong {ours:6.2f} s   uri {theirs:6.2f} s"
            print(f"   {unit:4}   {sides}   ratio {ours / theirs:.3f}")
        if case.wanted is not None:
            ratio = median(cost.wall for cost in left) / median(cost.wall for cost in right)
            met = ratio < case.wanted
            good = good and met
            print(f"   wanted: a ratio below {case.wanted:.2f}; {'met' if met else 'NOT MET'}")
    return good


@contextmanager
def _bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kong-bench-")))
        if admin_url := os.environ.get("KONG_ADMIN_URL", "").rstrip("/"):
            token = os.environ.get("KONG_ADMIN_TOKEN", "")
            gateway = Gateway(admin_url, proxy_url="", token=token, is_sandbox=False)
        else:
            modes = ("--mode", "database", "--version", "3.10", "--edition", "community")
            gateway = stack.enter_context(sandbox(*modes))
        yield Bench(gateway, folder, Path(os.environ["BENCHMARK_BIN"]))


def _targets(bench: Bench) -> bool:
    """Measure and tell what targets take; whether every wanted ratio was met."""
    compared = cases(token=bool(bench.gateway.token))
    try:
        costs = rounds(bench, compared, Budget(TARGETS))
    finally:
        bench.clean(compared)
    return report(compared, costs)


def _state_files(bench: Bench, budget: Budget) -> None:
    """Measure and tell what state files take."""
    rig = state.Rig(bench.gateway, bench.folder, bench.programs)
    delays = state.DELAYS
    if bench.gateway.admin_url.startswith("https:"):
        print("\nNo delays are added to a gateway behind TLS: its certificate is for its own name.")
        delays = ()
    print(f"\nState files; {'decK beside them' if deck_program() else MISSING}.", flush=True)
    try:
        costs = state.rounds(rig, state.works(shapes(POOLS, SERVICES), delays), budget)
    finally:
        state.empty(bench.gateway)
    tell(costs)


def _main() -> int:
    """Exit status: 0 every wanted ratio was met, 1 not, or nothing could be measured."""
    budget = Budget(ALL)
    try:
        with _bench() as bench:
            print(f"Whole ansible-playbook runs, medians; {bench.about()}.", flush=True)
            met = _targets(bench)
            _state_files(bench, budget)
            rollout.tell(bench.folder, bench.programs, ROLLOUTS)
    except (Failed, NotReady, httpx.HTTPError, subprocess.TimeoutExpired) as error:
        print(f"It was not measured to the end: {error}", file=sys.stderr)
        return 1
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(run_program(_main))
