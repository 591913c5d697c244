# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files, measured: the task alone, a whole `ansible-playbook` run, and decK beside them.

Each side brings a gateway without entities to a file (first), to the same file again (unchanged)
and to one that differs in one field (one change); the sides take turns on one gateway.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped, unused-ignore]

from benchmark.documents import TAG, Document, Shape
from benchmark.measure import Budget, Failed, Spent, environment, timed
from harness.deck import deck_command, deck_environment, deck_program
from harness.engine import Engine
from harness.gateway import Gateway
from harness.paths import COLLECTIONS, ROOT
from harness.processes import server

ROUNDS = 3
PHASES = ("first", "unchanged", "one change")
# Milliseconds that every request takes longer.
DELAYS: tuple[int, ...] = (20, 50)
# Kinds whose deletion takes all the rest along; routes hold their services.
EMPTIED = ("/routes", "/services", "/upstreams", "/consumers")

# Runs a side on a gateway that may be far away.
Run = Callable[["Rig", Gateway, Path], Spent]


@dataclass(frozen=True)
class Rig:
    """The gateway, a folder for files, and the bin/ of the Ansible that is measured."""

    gateway: Gateway
    folder: Path
    programs: Path


@dataclass(frozen=True)
class Work:
    """One side with one state file, at one delay in milliseconds."""

    shape: Shape
    side: str
    delay: int


Costs = dict[Work, list[dict[str, Spent]]]


def run_task(rig: Rig, gateway: Gateway, file: Path) -> Spent:
    """The task alone, in the process of the engine."""
    paths = os.pathsep.join([str(ROOT / "tests"), str(COLLECTIONS)])
    there = {**environment(gateway, rig.folder, rig.programs), "PYTHONPATH": paths}
    program = [str(rig.programs / "python"), "-m", "benchmark.one_task"]
    command = [*program, gateway.admin_url, str(file)]
    spent, told = timed(command, there, rig.folder)
    return replace(spent, seconds=float(told.splitlines()[-1]))


def run_playbook(rig: Rig, gateway: Gateway, file: Path) -> Spent:
    """A whole run of a playbook with that task."""
    options = {"src": [str(file)], "state": "synced"}
    task = {"name": "State", "irishtek.kong.kong_state": options}
    play = {"name": "State", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
    playbook = rig.folder / "state.json"
    playbook.write_text(json.dumps([play]))
    there = environment(gateway, rig.folder, rig.programs)
    return timed([rig.programs / "ansible-playbook", playbook], there, rig.folder)[0]


def run_deck(rig: Rig, gateway: Gateway, file: Path) -> Spent:
    """A whole run of decK, which has to be there."""
    command = deck_command(deck_program() or "deck", "sync", file, gateway, "--silence-events")
    return timed(command, deck_environment(gateway, rig.folder), rig.folder)[0]


SIDES: dict[str, Run] = {"task": run_task, "ansible-playbook": run_playbook, "decK": run_deck}


def works(shapes: list[Shape], delays: tuple[int, ...] = DELAYS) -> list[list[Work]]:
    """The blocks of a round: without delay, then with it, where the start of a program is told."""
    others = ["decK"] if deck_program() else []
    near = ["task", "ansible-playbook", *others]
    return [
        [Work(shape, side, 0) for shape in shapes for side in near],
        [
            Work(shape, side, delay)
            for shape in shapes for delay in delays for side in ["task", *others]
        ],
    ]  # fmt: skip


def empty(gateway: Gateway) -> None:
    """Take away what state files made; of a lasting gateway only what carries their tag."""
    if gateway.is_sandbox:
        gateway.reset()
        return
    for path in EMPTIED:
        while found := gateway.call("GET", f"{path}?size=1000&tags={TAG}")["data"]:
            for entity in found:
                gateway.call("DELETE", f"{path}/{entity['id']}")


@contextmanager
def delayed(gateway: Gateway, delay: int) -> Iterator[Gateway]:
    """The gateway, answering each request `delay` milliseconds later."""
    if not delay:
        yield gateway
        return
    url = urlsplit(gateway.admin_url)
    options = [str(url.hostname), str(url.port or 80), str(delay / 1000)]
    paths = {"PYTHONPATH": str(ROOT / "tests")}
    with server(["-m", "benchmark.delay", *options], r"^delay ready (\d+)", paths) as found:
        near = url._replace(netloc=f"127.0.0.1:{found[1]}")
        yield replace(gateway, admin_url=near.geturl())


def measure(rig: Rig, work: Work) -> dict[str, Spent]:
    """What each phase took, from a gateway without entities; Failed unless the work was done."""
    empty(rig.gateway)
    before, after = work.shape.document, work.shape.changed
    spent = {}
    for phase, document in zip(PHASES, (before, before, after), strict=True):
        file = rig.folder / "kong.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        with delayed(rig.gateway, work.delay) as gateway:
            spent[phase] = SIDES[work.side](rig, gateway, file)
        _check(rig.gateway, document, work)
    return spent


def _check(gateway: Gateway, document: Document, work: Work) -> None:
    left = Engine(gateway)("kong_state", content=document, state="synced", check=True, diff=False)
    if left.get("failed") or left["changed"]:
        raise Failed(f"{work.side} left {work.shape.name} undone: {left.get('msg', left)}")


def rounds(rig: Rig, blocks: list[list[Work]], budget: Budget) -> Costs:
    """The costs of every work, one a round; a block that no longer fits is left out."""
    costs: Costs = {work: [] for block in blocks for work in block}
    longest = dict.fromkeys(range(len(blocks)), 0.0)
    for number in range(ROUNDS):
        for index, block in enumerate(blocks):
            if not budget.fits(longest[index]):
                continue
            begin = time.monotonic()
            for work in block:
                costs[work].append(measure(rig, work))
            longest[index] = max(longest[index], time.monotonic() - begin)
            print(f"State files: block {index + 1} of round {number + 1} is done.", flush=True)
    return costs
