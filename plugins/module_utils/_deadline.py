# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long work may take: one kind of deadline for requests, retries and waits.

Private to the collection.

The only part of the engine that reads the clock or sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Callable, TypeVar

from ._errors import KongError

T = TypeVar("T")


class Deadline:
    """The end of some work, ``seconds`` from now, and never later than the one around it."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._outer = _running.get()

    def left(self) -> float:
        """Seconds until then; 0 when it has passed."""
        left = max(0.0, self._end - time.monotonic())
        return left if self._outer is None else min(left, self._outer.left())

    def extend(self, seconds: float) -> None:
        """Move the end; the deadline around it stays."""
        self._end += seconds

    def pause(self, seconds: float) -> bool:
        """Sleep, where that leaves time to try again.

        :returns: whether there is time left; without it nothing is slept.
        """
        if seconds >= self.left():
            return False
        time.sleep(seconds)
        return self.left() > 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Whatever this thread (and what :mod:`_parallel` starts) does inside ends by then."""
        token = _running.set(self)
        try:
            yield
        finally:
            _running.reset(token)


_running: ContextVar[Deadline | None] = ContextVar("irishtek_kong_deadline", default=None)


def seconds_left(most: float | None = None) -> float | None:
    """Seconds until the running deadline, ``most`` at most; None where nothing limits them."""
    deadline = _running.get()
    if deadline is None:
        return most
    return deadline.left() if most is None else min(most, deadline.left())


def stopwatch() -> Callable[[], float]:
    """A function that returns the seconds since now."""
    started = time.monotonic()
    return lambda: time.monotonic() - started


def seconds_until(timestamp: float) -> float:
    """Seconds from now until a Unix time; negative when it has passed."""
    return timestamp - time.time()


class NotYet(KongError):
    """What is waited for has not come about; the message says what is there instead."""


def is_passing(exc: KongError) -> bool:
    """Whether waiting goes on after it: a gateway that restarts loses connections."""
    return isinstance(exc, NotYet) or exc.transient


def poll(
    look: Callable[[], T],
    deadline: Deadline,
    passing: Callable[[KongError], bool] = is_passing,
    pause: float = 0.2,
    longest_pause: float = 2.0,
) -> T:
    """Look until that raises nothing any more, and return what was seen.

    A deadline of 0 seconds looks once, and does not cut that short.

    :raises KongError: the last one, when the time is over or nothing will change it.
    """
    last: KongError | None = None
    while True:
        limit = deadline.running() if deadline.left() or last else nullcontext()
        try:
            with limit:
                return look()
        except KongError as exc:
            if not passing(exc):
                raise
            # What the deadline cut short says less than what was seen before.
            if last is None or deadline.left():
                last = exc
        if not deadline.pause(pause):
            raise last
        pause = max(pause, min(longest_pause, pause * 1.5))
