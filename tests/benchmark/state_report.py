# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what state files took: medians, and ratios of one run."""

from __future__ import annotations

from statistics import median

from benchmark.state import PHASES, Costs, Work


def tell(costs: Costs) -> None:
    """Print a table for each state file and delay that was measured."""
    tables: dict[tuple[str, int], dict[str, Work]] = {}
    for work, found in costs.items():
        if found:
            tables.setdefault((work.shape.name, work.delay), {})[work.side] = work
    names = list(dict.fromkeys(name for name, delay in tables))
    for name, delay in sorted(tables, key=lambda table: (names.index(table[0]), table[1])):
        sides = tables[name, delay]
        runs = min(len(costs[work]) for work in sides.values())
        added = f"{delay} ms more a request" if delay else "no delay"
        print(f"\n{name}, {added}, medians of {runs}")
        print(f"   {'':26}" + "".join(f"{phase:>22}" for phase in PHASES))
        for side, work in sides.items():
            print(f"   {side:26}" + "".join(_cell(costs, work, phase) for phase in PHASES))
        for label, left, right in _pairs(costs, sides):
            ratios = (seconds(costs, left, each) / seconds(costs, right, each) for each in PHASES)
            print(f"   {label:26}" + "".join(f"{ratio:22.2f}" for ratio in ratios))


def seconds(costs: Costs, work: Work, phase: str) -> float:
    """The median time of a phase."""
    return median(spent[phase].seconds for spent in costs[work])


def _cell(costs: Costs, work: Work, phase: str) -> str:
    memory = max(spent[phase].memory for spent in costs[work]) / 1024
    return f"{seconds(costs, work, phase):10.2f} s {memory:6.0f} MiB"


def _pairs(costs: Costs, sides: dict[str, Work]) -> list[tuple[str, Work, Work]]:
    """What is compared: each side with decK, and the task with itself without a delay."""
    pairs = [
        (f"{side} : decK", work, sides["decK"])
        for side, work in sides.items()
        if side != "decK" and "decK" in sides
    ]
    task = sides["task"]
    if "ansible-playbook" in sides:
        pairs.append(("task : ansible-playbook", task, sides["ansible-playbook"]))
    for near in costs:
        if task.delay and near == Work(task.shape, "task", 0) and costs[near]:
            pairs.append(("with : without the delay", task, near))
    return pairs
