# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a gateway refused, in words that all dialects share. Private to the collection.

A dialect makes these from the client's ``Refused``; nobody else reads a status or an error text.
"""

from __future__ import annotations

from typing import Any

from .._errors import Refused


class Rejection(Refused):
    """Base: what the client said, with the message that a dialect may have made clearer."""

    def __init__(self, cause: Refused, message: str = "") -> None:
        super().__init__(message or cause.message, **cause.failure)


class UniqueViolation(Rejection):
    """Another entity has a value that only one can have.

    :param taken: the fields with the values that are taken, as far as the gateway names them.
    """

    def __init__(self, cause: Refused, taken: dict[str, Any]) -> None:
        super().__init__(cause)
        self.taken = taken


class ParentMissing(Rejection):
    """The entity in whose collection another one was to be written does not exist."""


class NotOffered(Rejection):
    """The gateway does not have the kind, or the account must not see it (``forbidden``)."""

    def __init__(self, cause: Refused, message: str, forbidden: bool = False) -> None:
        super().__init__(cause, message)
        self.forbidden = forbidden


class NoBalancer(Rejection):
    """The upstream has no balancer, as it has for some seconds after it was created."""
