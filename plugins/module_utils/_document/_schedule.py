# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which step comes after which, and the threads that take each one as soon as it can be done.

Private to the collection.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from .._entities._plugin import PLUGIN
from .._errors import InputError
from .._plan import CREATE
from ._match import Step
from ._reconcile import ChangeSet


class Schedule:
    """Steps in an order in which they can be done one by one.

    :ivar after: for each step the positions of those that must have ended before it begins.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """:raises InputError: two entities swap a value that only one can have."""
        before = _needed(steps)
        self.steps: list[Step] = []
        places: dict[int, int] = {}

        def keep(at: int) -> None:
            places[at] = len(self.steps)
            self.steps.append(steps[at])

        # A plugin limits what it belongs to, and so follows it at once.
        ranks = [(step.plan.kind.name != PLUGIN.name, at) for at, step in enumerate(steps)]
        _Turns(before, ranks).run(keep)
        if len(self.steps) < len(steps):
            names = ", ".join(
                step.plan.description for at, step in enumerate(steps) if at not in places
            )
            raise InputError(
                f"unique values cannot be swapped in one run: {names}; change one of them first"
            )
        self.after: list[set[int]] = [set() for step in steps]
        for at, place in places.items():
            self.after[place] = {places[each] for each in before[at]}

    def run(self, work: Callable[[Step], None], workers: int) -> None:
        """Do the work for each step, ``workers`` at a time, and those that can be done in order."""
        turns = _Turns(self.after, range(len(self.steps)))
        turns.run(lambda at: work(self.steps[at]), min(workers, len(self.steps)))


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
        self._waits_for = [len(each) for each in before]
        self._followers: list[list[int]] = [[] for each in before]
        for at, each in enumerate(before):
            for other in each:
                self._followers[other].append(at)
        self._ready = [(ranks[at], at) for at, count in enumerate(self._waits_for) if not count]
        heapq.heapify(self._ready)
        self._running = 0
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
                self._end(ended)
            while not self._ready and self._running:
                self._condition.wait()
            if not self._ready:
                self._condition.notify_all()
                return None
            self._running += 1
            return heapq.heappop(self._ready)[1]

    def _end(self, ended: int) -> None:
        self._running -= 1
        begun = 0
        for at in self._followers[ended]:
            self._waits_for[at] -= 1
            if not self._waits_for[at]:
                heapq.heappush(self._ready, (self._ranks[at], at))
                begun += 1
        # This thread takes one of them itself.
        if begun > 1:
            self._condition.notify(begun - 1)

    def _stop(self) -> None:
        """Begin nothing more."""
        with self._condition:
            self._ready.clear()
            self._followers = [[] for each in self._followers]
            self._running = 0
            self._condition.notify_all()
