# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a part of a state file stands, kept beside its values.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from typing import Any


class Located(dict):  # type: ignore[type-arg]
    """A mapping of a state file that knows its place: ``kong.yaml:12``, or ``content``."""

    def __init__(self, values: Any = (), where: str = "content") -> None:
        super().__init__(values)
        self.where = where


def where_of(value: Any) -> str:
    """The place of a mapping, ``content`` where it does not know it."""
    return getattr(value, "where", "content")
