# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deadlines for requests, retries and waits.

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
        """Sleep, if that leaves time to try again.

        :returns: whether there is time left; if not, it does not sleep.
        """
        if seconds >= self.left():
            return False
        time.sleep(seconds)
        return self.left() > 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """All that this thread (and what :mod:`_parallel` starts) does inside ends by then."""
        token = _running.set(self)
        try:
            yield
        finally:
            _running.reset(token)


_running: ContextVar[Deadline | None] = ContextVar("irishtek_kong_deadline", default=None)


def seconds_left(most: float | None = None) -> float | None:
    """Seconds until the running deadline, at most ``most``; None if neither is set."""
    deadline = _running.get()
    if deadline is None:
        return most
    return deadline.left() if most is None else min(most, deadline.left())


def stopwatch() -> Callable[[], float]:
    """A function that returns the seconds since now."""
    started = time.monotonic()
    return lambda: time.monotonic() - started


def unix_time() -> int:
    return int(time.time())


def seconds_until(timestamp: float) -> float:
    """Seconds from now until a Unix time; negative when it has passed."""
    return timestamp - time.time()


class NotYet(KongError):
    """The expected state is not reached; the message says what the state is."""


def is_temporary(exc: KongError) -> bool:
    """Whether to wait longer: a gateway that restarts loses connections."""
    return isinstance(exc, NotYet) or exc.transient


def poll(
    look: Callable[[], T],
    deadline: Deadline,
    temporary: Callable[[KongError], bool] = is_temporary,
    pause: float = 0.2,
    longest_pause: float = 2.0,
) -> T:
    """Call ``look`` until it raises no temporary error, and return its result.

    A deadline of 0 seconds means one call, which it does not limit.

    :raises KongError: the last error, when the time is over or it is not temporary.
    """
    last: KongError | None = None
    while True:
        limit = deadline.running() if deadline.left() or last else nullcontext()
        try:
            with limit:
                return look()
        except KongError as exc:
            if not temporary(exc):
                raise
            # An error because of the deadline says less than the one before it.
            if last is None or deadline.left():
                last = exc
        if not deadline.pause(pause):
            raise last
        pause = max(pause, min(longest_pause, pause * 1.5))
