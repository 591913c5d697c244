# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a part of a state file stands and how its scalars are written, kept beside the values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._values import items_of

# The key of the places of a document in the JSON of a module.
_PACKED = "_places"

# A scalar as it is written, by its key or position, or the strings of what is nested there.
Strings = Mapping[Any, Any]


class Located(dict):  # type: ignore[type-arg]
    """A mapping of a state file that knows its place: ``kong.yaml:12``, or ``content``.

    :param places: those of its keys, as far as they are known.
    :param strings: its scalars as they are written, where their values do not say it: ``007``.
    """

    def __init__(
        self,
        values: Any = (),
        where: str = "content",
        places: Mapping[str, str] | None = None,
        strings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(values)
        self.where = where
        self.places: dict[str, str] = dict(places or {})
        self.strings: dict[str, str] = dict(strings or {})

    def __deepcopy__(self, memo: Any) -> Located:
        """Itself: a document is only read, and those who validate options copy them."""
        return self


class Listed(list):  # type: ignore[type-arg]
    """A list of a state file with its scalars as they are written, by position."""

    def __init__(self, values: Any = (), strings: Mapping[int, str] | None = None) -> None:
        super().__init__(values)
        self.strings: dict[int, str] = dict(strings or {})


def where_of(value: Any) -> str:
    """The place of a mapping, ``content`` where it does not know it."""
    return getattr(value, "where", "content")


def place_of(mapping: Mapping[str, Any], key: str) -> str:
    """The place of a key of a mapping."""
    places: Mapping[str, str] = getattr(mapping, "places", {})
    return places.get(key, where_of(mapping))


def strings_of(value: Any) -> Strings:
    """All scalars in a mapping or a list as they are written, where their values do not say it."""
    found: dict[Any, Any] = dict(getattr(value, "strings", ()))
    for key, item in items_of(value):
        if isinstance(item, (Mapping, list)) and key not in found:
            below = strings_of(item)
            if below:
                found[key] = below
    return found


def rebuilt(original: Any, values: Any) -> Any:
    """``values``, a copy of what ``original`` holds, with the places and strings of that."""
    if isinstance(original, Located):
        return Located(values, original.where, original.places, original.strings)
    return Listed(values, original.strings) if isinstance(original, Listed) else values


def joined(first: list[Any], second: list[Any]) -> list[Any]:
    """One list after the other, with their strings."""
    strings = dict(getattr(first, "strings", ()))
    later = getattr(second, "strings", {})
    strings.update((len(first) + position, text) for position, text in later.items())
    return Listed([*first, *second], strings) if strings else [*first, *second]


def packed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its places and strings in a form that JSON can hold."""
    return {**document, _PACKED: list(_marks(document))}


def unpacked(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document that was packed; any other one as it is."""
    marks = document.get(_PACKED)
    if not isinstance(marks, list):
        return document
    own = {key: value for key, value in document.items() if key != _PACKED}
    return _marked(own, iter(marks))  # type: ignore[no-any-return]


def _marks(value: Any) -> Iterator[list[Any]]:
    """What mappings and lists know, in an order that does not depend on that of the keys."""
    if isinstance(value, Mapping):
        yield [where_of(value), getattr(value, "places", {}), getattr(value, "strings", {})]
        for key in sorted(value):
            yield from _marks(value[key])
    elif isinstance(value, list):
        # JSON has no numbers as keys.
        yield [[position, text] for position, text in getattr(value, "strings", {}).items()]
        for item in value:
            yield from _marks(item)


def _marked(value: Any, marks: Iterator[list[Any]]) -> Any:
    if isinstance(value, Mapping):
        mark = next(marks)
        inside = {key: _marked(value[key], marks) for key in sorted(value)}
        return Located({key: inside[key] for key in value}, *mark)
    if isinstance(value, list):
        strings = dict(next(marks))
        items = [_marked(item, marks) for item in value]
        return Listed(items, strings) if strings else items
    return value
