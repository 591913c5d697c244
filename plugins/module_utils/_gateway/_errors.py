# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a gateway refused a request, in terms that all dialects share.

A dialect makes these from the client's ``Refused``; only it reads a status or an error message.
"""

from __future__ import annotations

from .._errors import Refused


class Rejection(Refused):
    """Base: the client's error, with the message that a dialect may have made clearer."""

    def __init__(self, cause: Refused, message: str = "") -> None:
        super().__init__(message or cause.message, **cause.failure)


class UniqueViolation(Rejection):
    """Another entity has a value that only one can have: of ``fields``, if the gateway says."""


class ParentMissing(Rejection):
    """The parent of the entity to write does not exist."""


class StillReferenced(Rejection):
    """Other entities refer to the one to delete."""


class NotOffered(Rejection):
    """The gateway does not have the kind, or the account may not read it (``forbidden``)."""

    def __init__(self, cause: Refused, message: str, forbidden: bool = False) -> None:
        super().__init__(cause, message)
        self.forbidden = forbidden


class NoBalancer(Rejection):
    """The upstream has no balancer, as for some seconds after its creation."""
