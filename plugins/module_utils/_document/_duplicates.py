# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entity written twice in a document: nested and at the top, by its name and by its id. Pure.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._entities._kind import Kind
from .._errors import InputError

if TYPE_CHECKING:
    from ._parse import Item

_Named = Mapping[tuple[str, str], "Item"]


def refuse_duplicates(items: Sequence[Item]) -> None:
    """:raises InputError: two items are one entity; with both places."""
    named: dict[tuple[str, str], Item] = {}
    for item in items:
        for name in (item.written.get("id"), item.written.get(item.kind.identity.field)):
            if isinstance(name, str):
                named.setdefault((item.kind.name, name), item)
    seen: dict[Any, Item] = {}
    for item in items:
        for key in _keys_of(item, named):
            if key in seen:
                raise InputError(
                    f"{item.where}: {item.describe()} is already defined at {seen[key].where}"
                )
            seen[key] = item


def _keys_of(item: Item, named: _Named) -> Iterator[tuple[Any, ...]]:
    """What no two items of a document may share."""
    kind = item.kind
    if item.written.get("id"):
        yield kind.name, "id", item.written["id"]
    identity = item.written.get(kind.identity.field)
    if identity is None:
        return
    if kind.identity.scope:
        scopes = (
            (field, _end_of(kind, field, link, named)) for field, link in sorted(item.links.items())
        )
        yield kind.name, identity, tuple(scopes)
    else:
        owner = item.owner
        yield kind.name, identity, owner and _end_of(kind, str(kind.parent), owner, named)


def _end_of(kind: Kind, field: str, link: Item | str, named: _Named) -> Any:
    """What a reference leads to: an item of the document by any of its names, else the name."""
    if isinstance(link, str):
        target = kind.parent if field == kind.parent else kind.field(field).reference
        by = getattr(link, "field", "")
        found = None if by else named.get((str(target), link))
        return (by, str(link)) if found is None else id(found)
    return id(link)
