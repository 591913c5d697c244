# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a part of a state file stands, kept beside its values.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Under this key the places of a document go along where it becomes the JSON of a module.
_PACKED = "_places"


class Located(dict):  # type: ignore[type-arg]
    """A mapping of a state file that knows its place: ``kong.yaml:12``, or ``content``.

    :param places: those of its keys, as far as they are known.
    """

    def __init__(
        self, values: Any = (), where: str = "content", places: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(values)
        self.where = where
        self.places: dict[str, str] = dict(places or {})


def where_of(value: Any) -> str:
    """The place of a mapping, ``content`` where it does not know it."""
    return getattr(value, "where", "content")


def place_of(mapping: Mapping[str, Any], key: str) -> str:
    """The place of a key of a mapping."""
    places: Mapping[str, str] = getattr(mapping, "places", {})
    return places.get(key, where_of(mapping))


def packed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its places in a form that outlives JSON."""
    places = {"keys": getattr(document, "places", {}), "mappings": list(_wheres(document))}
    return {**document, _PACKED: places}


def unpacked(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document that was packed; any other one as it is."""
    places = document.get(_PACKED)
    if not isinstance(places, Mapping):
        return document
    wheres = iter(places["mappings"])
    own = {key: value for key, value in document.items() if key != _PACKED}
    found: Located = _placed(own, wheres)
    found.places = dict(places["keys"])
    return found


def _wheres(value: Any) -> Iterator[str]:
    """The places of all mappings, in an order that does not depend on that of the keys."""
    if isinstance(value, Mapping):
        yield where_of(value)
        for key in sorted(value):
            yield from _wheres(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from _wheres(item)


def _placed(value: Any, wheres: Iterator[str]) -> Any:
    if isinstance(value, Mapping):
        where = next(wheres)
        inside = {key: _placed(value[key], wheres) for key in sorted(value)}
        return Located({key: inside[key] for key in value}, where)
    return [_placed(item, wheres) for item in value] if isinstance(value, list) else value
