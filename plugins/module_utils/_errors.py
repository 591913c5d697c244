# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as one tree of exceptions.

The message of each is the sentence that the user reads; ``failure`` is the structured rest. Both
are put into the task's result in one place, the edge in ``_module``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Callable

MASKED = "********"
# What an Admin API calls a value, or an ID, that another entity has.
UNIQUE = "unique constraint violation"
_TAKEN = (UNIQUE, "primary key violation")


class KongError(Exception):
    """Base of all errors that end a task with a sentence.

    :param message: one sentence for the user.
    :param failure: structured details for ``register``: plain JSON values only.
    """

    # Whether the same may work a little later.
    transient = False
    # Whether what it ended may have been done all the same.
    uncertain = False

    def __init__(self, message: str, **failure: Any) -> None:
        super().__init__(message)
        self.message = message
        self.failure = failure
        # What the task did before it failed, in the form of its result.
        self.partial: dict[str, Any] = {}
        # Pauses before the same is tried again, and returns its deadline; None: it must end.
        self.try_again: Callable[[], AbstractContextManager[None] | None] = lambda: None

    def __str__(self) -> str:
        return self.message

    def within(self, context: str) -> None:
        """Put what was being done in front of the message, once."""
        if not self.failure.get("context"):
            self.failure["context"] = context
            self.message = f"{context}: {self.message}"

    def add(self, text: str) -> None:
        """Append to the message."""
        self.message += text

    def redact(self, secrets: Iterable[str], names: Container[str] = ()) -> None:
        """Remove secret values from all strings: gateways repeat what they refuse.

        :param names: of fields, which are kept as keys of ``failure``.
        """
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            self.message = self.message.replace(secret, MASKED)
            self.failure = {
                key: _replaced(value, secret, names) for key, value in self.failure.items()
            }


def _replaced(value: Any, secret: str, names: Container[str]) -> Any:
    if isinstance(value, dict):
        return {
            key if key in names else _replaced(key, secret, names): _replaced(item, secret, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_replaced(item, secret, names) for item in value]
    return value.replace(secret, MASKED) if isinstance(value, str) else value


def flat_reasons(fields: Any, at: str = "") -> Iterator[str]:
    """The leaves of an error body's ``fields`` as ``path: reason``; those of ``@entity`` bare."""
    if isinstance(fields, dict):
        for key in sorted(fields):
            where = at if key == "@entity" else f"{at}.{key}" if at else str(key)
            yield from flat_reasons(fields[key], where)
    elif isinstance(fields, list):
        for reason in fields:
            yield from flat_reasons(reason, at)
    elif fields is not None:
        yield f"{at}: {fields}" if at else str(fields)


@contextmanager
def error_context(context: str) -> Iterator[None]:
    """Errors raised inside say what was being done."""
    try:
        yield
    except KongError as exc:
        exc.within(context)
        raise


@contextmanager
def refused_by(url: str) -> Iterator[None]:
    """Refusals raised inside name the gateway, if they say neither it nor what was being done."""
    try:
        yield
    except KongError as exc:
        if "status" in exc.failure and url not in exc.message:
            exc.within(url)
        raise


class InputError(KongError):
    """What the user wrote is not valid or not possible; nothing was changed."""


class Unreachable(KongError):
    """The gateway did not respond: refused, timed out, TLS failed, connection lost.

    ``sent``: whether the request may have reached the gateway.
    """

    def __init__(self, message: str, sent: bool, **failure: Any) -> None:
        super().__init__(message, **failure)
        self.sent = self.uncertain = sent
        self.transient = not failure.get("final")


class UnexpectedAnswer(KongError):
    """The response is not that of an Admin API (HTML, no JSON)."""


class Refused(KongError):
    """The gateway responded with an error status.

    ``code``, ``name`` and ``fields`` are those of the Admin API's error body, where it has them.
    """

    def __init__(self, message: str, status: int, **failure: Any) -> None:
        super().__init__(message, status=status, **failure)
        self.status = status
        self.transient = status in (429, 500, 502, 503, 504)
        # An error of something between us and the gateway says nothing about the write itself.
        self.uncertain = status in (502, 503, 504)

    @property
    def fields(self) -> dict[str, Any]:
        fields = self.failure.get("fields")
        return fields if isinstance(fields, dict) else {}

    @property
    def is_unique_violation(self) -> bool:
        """409 (conformance case target_crud), 400 for an ID, or what a dialect calls so."""
        return self.status == 409 or self.failure.get("name") in _TAKEN
