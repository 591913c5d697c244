# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which step comes after which, and the threads that take each one as soon as it can be done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from graphlib import CycleError, TopologicalSorter
from queue import PriorityQueue

from .._entities._plugin import PLUGIN
from .._errors import InputError
from .._plan import CREATE
from ._changes import ChangeSet, Step


class Schedule:
    """Steps in an order in which they can be done one by one."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """:raises InputError: two entities swap a value that only one can have."""
        self._unordered, self._before = steps, _needed(steps)
        self.steps: list[Step] = []
        self.run(self.steps.append)
        if len(self.steps) < len(steps):
            known = set(map(id, self.steps))
            names = ", ".join(_placed(step) for step in steps if id(step) not in known)
            raise InputError(
                f"unique values cannot be swapped in one run: {names}; change one of them first"
            )

    def run(self, work: Callable[[Step], None], workers: int = 1) -> None:
        """Do the work for each step, ``workers`` at a time, and those that can be done in order."""
        steps = self._unordered
        # A plugin limits what it belongs to, and so follows it at once.
        ranks = [(step.plan.kind.name != PLUGIN.name, at) for at, step in enumerate(steps)]
        turns = _Turns(self._before, ranks, min(workers, len(steps)))
        turns.run(lambda at: work(steps[at]))


def _placed(step: Step) -> str:
    """What a step is about, with its place in the file, as plugins can have the same name."""
    return step.plan.description + (f" ({step.where})" if step.where else "")


def schedules(changes: ChangeSet) -> list[Schedule]:
    """All that has to be done; one schedule begins when the one before has ended.

    What cannot be put back is deleted last, once everything else has gone well.
    """
    writes = [step for step in (*changes.early, *changes.writes) if step.plan.changed]
    last = _with_dependent([step for step in changes.deletes if step.is_final], changes.deletes)
    lasting = {id(step) for step in last}
    deletes = [step for step in changes.deletes if id(step) not in lasting]
    return [Schedule(steps) for steps in (writes, deletes, last) if steps]


def _with_dependent(steps: Sequence[Step], others: Sequence[Step]) -> list[Step]:
    """Steps with all that must come after one of them, in the order of ``others``."""
    found = {id(step) for step in steps}
    keys = {key for step in steps for key in step.keys}
    grows = True
    while grows:
        more = [step for step in others if id(step) not in found and step.after & keys]
        found |= {id(step) for step in more}
        keys |= {key for step in more for key in step.keys}
        grows = bool(more)
    return [step for step in others if id(step) in found]


def _needed(steps: Sequence[Step]) -> list[set[int]]:
    """For each step the positions of those that must be done before."""
    places = {key: at for at, step in enumerate(steps) for key in step.keys}
    created = {step.key for step in steps if step.plan.operation == CREATE}
    return [
        {places[key] for key in (*step.after, *(step.needs & created)) if key in places} - {at}
        for at, step in enumerate(steps)
    ]


class _Turns:
    """Positions as they can have their turn: the lowest rank first of those that are ready.

    :param ranks: pairs that end with the position.
    """

    def __init__(
        self, before: Sequence[Collection[int]], ranks: Sequence[tuple[bool, int]], workers: int
    ) -> None:
        self._ranks, self._workers = ranks, workers
        self._sorter = TopologicalSorter(dict(enumerate(before)))
        with suppress(CycleError):
            self._sorter.prepare()
        self._ready: PriorityQueue[tuple[bool, int]] = PriorityQueue()
        self._lock = threading.Lock()
        # Those that are ready or have their turn.
        self._pending = 0

    def run(self, work: Callable[[int], None]) -> None:
        """Give each its turn; those that wait for each other get none."""
        self._go_on()
        if self._workers == 1:
            self._take(work)
            return
        # A deadline of the caller holds in the threads, too.
        contexts = [copy_context() for number in range(self._workers)]
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            running = [pool.submit(context.run, self._take, work) for context in contexts]
            try:
                for each in running:
                    each.result()
            finally:
                self._stop()

    def _take(self, work: Callable[[int], None]) -> None:
        while (turn := self._ready.get()) != _END:
            try:
                work(turn[1])
            except BaseException:
                self._stop()
                raise
            self._go_on(turn[1])

    def _go_on(self, *ended: int) -> None:
        with self._lock:
            self._sorter.done(*ended)
            begun = self._sorter.get_ready()
            self._pending += len(begun) - len(ended)
            for at in begun:
                self._ready.put(self._ranks[at])
            if not self._pending:
                self._stop()

    def _stop(self) -> None:
        """Begin nothing more: each thread takes an end next."""
        for _thread in range(self._workers):
            self._ready.put(_END)


# Comes before all ranks.
_END = (False, -1)
