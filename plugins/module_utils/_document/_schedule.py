# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which step comes after which, and the threads that take each one as soon as it can be done."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from graphlib import CycleError, TopologicalSorter

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
            names = ", ".join(step.plan.description for step in steps if id(step) not in known)
            raise InputError(
                f"unique values cannot be swapped in one run: {names}; change one of them first"
            )

    def run(self, work: Callable[[Step], None], workers: int = 1) -> None:
        """Do the work for each step, ``workers`` at a time, and those that can be done in order."""
        steps = self._unordered
        # A plugin limits what it belongs to, and so follows it at once.
        ranks = [(step.plan.kind.name != PLUGIN.name, at) for at, step in enumerate(steps)]
        turns = _Turns(self._before, ranks)
        turns.run(lambda at: work(steps[at]), min(workers, len(steps)))


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
    ids = {key for step in steps for key in step.ids}
    grows = True
    while grows:
        more = [step for step in others if id(step) not in found and step.after & ids]
        found |= {id(step) for step in more}
        ids |= {key for step in more for key in step.ids}
        grows = bool(more)
    return [step for step in others if id(step) in found]


def _needed(steps: Sequence[Step]) -> list[set[int]]:
    """For each step the positions of those that must be done before."""
    places = {key: at for at, step in enumerate(steps) for key in step.ids}
    created = {step.id for step in steps if step.plan.operation == CREATE}
    return [
        {places[key] for key in (*step.after, *(step.needs & created)) if key in places} - {at}
        for at, step in enumerate(steps)
    ]


class _Turns:
    """Positions as they can have their turn: the lowest rank first of those that are ready."""

    def __init__(self, before: Sequence[Collection[int]], ranks: Sequence[object]) -> None:
        self._ranks = ranks
        self._sorter = TopologicalSorter(dict(enumerate(before)))
        with suppress(CycleError):
            self._sorter.prepare()
        self._ready: list[tuple[object, int]] = []
        self._running = 0
        self._stopped = False
        self._condition = threading.Condition()

    def run(self, work: Callable[[int], None], workers: int = 1) -> None:
        """Give each its turn; those that wait for each other get none."""
        if workers == 1:
            self._take(work)
            return
        # A deadline of the caller holds in the threads, too.
        contexts = [copy_context() for number in range(workers)]
        with ThreadPoolExecutor(max_workers=workers) as pool:
            running = [pool.submit(context.run, self._take, work) for context in contexts]
            try:
                for each in running:
                    each.result()
            finally:
                self._stop()

    def _take(self, work: Callable[[int], None]) -> None:
        at = self._next()
        while at is not None:
            try:
                work(at)
            except BaseException:
                self._stop()
                raise
            at = self._next(at)

    def _next(self, ended: int | None = None) -> int | None:
        """The next position, None where there is no further one."""
        with self._condition:
            if ended is not None:
                self._running -= 1
                self._sorter.done(ended)
            begun = () if self._stopped else self._sorter.get_ready()
            for at in begun:
                heapq.heappush(self._ready, (self._ranks[at], at))
            # This thread takes one of them itself.
            self._condition.notify(max(0, len(begun) - 1))
            while not self._ready and self._running and not self._stopped:
                self._condition.wait()
            if not self._ready:
                self._condition.notify_all()
                return None
            self._running += 1
            return heapq.heappop(self._ready)[1]

    def _stop(self) -> None:
        """Begin nothing more."""
        with self._condition:
            self._stopped = True
            self._ready.clear()
            self._condition.notify_all()
