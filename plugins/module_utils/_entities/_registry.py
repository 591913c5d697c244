# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds that the collection knows, by name."""

from __future__ import annotations

from functools import cache

from . import (
    _certificate,
    _consumer,
    _credential,
    _keys,
    _plugin,
    _route,
    _service,
    _upstream,
)
from ._kind import Kind

# Each file of declarations lists its own kinds.
# Their order is that of the sections in a dump, as far as the levels below leave it open.
_FILES = (
    _certificate,
    _keys,
    _plugin,
    _consumer,
    _upstream,
    _service,
    _credential,
    _route,
)

KINDS: dict[str, Kind] = {kind.name: kind for file in _FILES for kind in file.KINDS}


def _level(kind: Kind) -> int:
    """How many kinds must be written before, one after the other."""
    return max((1 + _level(KINDS[str(each.reference)]) for each in kind.references), default=0)


# The kinds in the order in which they can be written; those of one level do not need each other.
LEVELS: dict[str, int] = {name: _level(kind) for name, kind in KINDS.items()}


def parent_of(kind: Kind) -> Kind:
    """The kind in the path before a collection that has one."""
    return kind.parent_kind or KINDS[str(kind.parent)]


@cache
def kinds_referring_to(name: str, on_delete: str) -> list[tuple[Kind, str]]:
    """Kinds with a foreign key to a kind, and its name, by what a delete does."""
    return [
        (kind, field.name)
        for kind in KINDS.values()
        for field in kind.references
        if field.reference == name and field.on_delete == on_delete
    ]


@cache
def kinds_listing(name: str) -> list[tuple[Kind, str]]:
    """Kinds with a field that lists IDs of a kind, and its name."""
    return [
        (kind, field.name)
        for kind in KINDS.values()
        for field in kind.fields
        if field.lists == name
    ]
