# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a request is sent again, and after which pause."""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Callable

from ._connection import Connection
from ._deadline import Deadline, seconds_until
from ._errors import KongError, Refused, Unreachable

# The pauses of three retries outlast a gateway that restarts its workers.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.4, 5.0
_MOST_THROTTLED, _LONGEST_THROTTLED = 10, 60.0
_SECONDS_BETWEEN_LINES = 5.0


class RetryBudget:
    """The attempts of one request.

    Pauses that a gateway asks for by HTTP 429 are not part of the limits: it says itself when to
    send the request again, and nothing was done.
    """

    def __init__(self, connection: Connection, progress: Callable[[str], None]) -> None:
        self.deadline = Deadline(connection.timeout * (connection.retries + 1))
        self.attempts = 1
        self._failed = self._throttled = 0
        self._connection = connection
        self._progress = progress

    def pause(self, exc: KongError) -> bool:
        """Count a failure and pause before the next attempt; False when no attempt is left."""
        throttled = isinstance(exc, Refused) and exc.status == 429
        seconds = self._throttled_pause(exc) if throttled else self._pause(exc)
        if seconds is None or not self._sleep(seconds, announced=throttled):
            return False
        self.attempts += 1
        return True

    def next_deadline(self, exc: KongError) -> AbstractContextManager[None] | None:
        """The deadline of the next attempt after a pause; None when no attempt is left."""
        return self.deadline.running() if self.pause(exc) else None

    def _pause(self, exc: KongError) -> float | None:
        self._failed += 1
        if self._failed > self._connection.retries:
            return None
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 3.0 ** (self._failed - 1))
        return exc.failure.get("retry_after") or _with_jitter(longest)

    def _throttled_pause(self, exc: KongError) -> float | None:
        self._throttled += 1
        pause: float | None = exc.failure.get("retry_after")
        if pause is None:
            pause = _with_jitter(min(_LONGEST_THROTTLED, 2.0 ** (self._throttled - 1)))
        if self._throttled > _MOST_THROTTLED or pause > _LONGEST_THROTTLED:
            return None
        self.deadline.extend(pause)
        return pause

    def _sleep(self, seconds: float, announced: bool) -> bool:
        if seconds >= self.deadline.left():
            return False
        while announced and seconds > _SECONDS_BETWEEN_LINES:
            self._progress(f"{self._connection.url} limits requests: waiting {seconds:.0f} s")
            if not self.deadline.pause(_SECONDS_BETWEEN_LINES):
                return False
            seconds -= _SECONDS_BETWEEN_LINES
        return self.deadline.pause(seconds)


def _with_jitter(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.0)


def may_repeat(exc: KongError, method: str, repeatable: bool) -> bool:
    """Whether a request that failed can be sent again without harm."""
    if not exc.transient:
        return False
    if isinstance(exc, Unreachable):
        return repeatable or not exc.sent
    if isinstance(exc, Refused) and exc.status == 500:
        return repeatable and method != "PATCH"
    return repeatable or (isinstance(exc, Refused) and exc.status == 429)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, which servers send as such (also with a fraction) or as a date."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        date, now = _timestamp(text), _timestamp(headers.get("date", ""))
        if date is None:
            return None
        # By the server's clock, if it sends its time: ours may differ.
        seconds = seconds_until(date) if now is None else date - now
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _timestamp(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
