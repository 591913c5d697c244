# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a part of a state file stands and how its scalars are written, kept beside the values.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# Under this key the places of a document go along where it becomes the JSON of a module.
_PACKED = "_places"

# The text of a scalar by its key or position, or the texts of what lies below.
Texts = Mapping[Any, Any]


class Located(dict):  # type: ignore[type-arg]
    """A mapping of a state file that knows its place: ``kong.yaml:12``, or ``content``.

    :param places: those of its keys, as far as they are known.
    :param texts: what is written where the value alone does not tell it: ``007``, ``yes``.
    """

    def __init__(
        self,
        values: Any = (),
        where: str = "content",
        places: Mapping[str, str] | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(values)
        self.where = where
        self.places: dict[str, str] = dict(places or {})
        self.texts: dict[str, str] = dict(texts or {})

    def __deepcopy__(self, memo: Any) -> Located:
        """Itself: a document is only read, and those who validate options copy them."""
        return self


class Listed(list):  # type: ignore[type-arg]
    """A list of a state file with the texts of its scalars, by position."""

    def __init__(self, values: Any = (), texts: Mapping[int, str] | None = None) -> None:
        super().__init__(values)
        self.texts: dict[int, str] = dict(texts or {})


def where_of(value: Any) -> str:
    """The place of a mapping, ``content`` where it does not know it."""
    return getattr(value, "where", "content")


def place_of(mapping: Mapping[str, Any], key: str) -> str:
    """The place of a key of a mapping."""
    places: Mapping[str, str] = getattr(mapping, "places", {})
    return places.get(key, where_of(mapping))


def texts_of(value: Any) -> Texts:
    """The texts of all scalars in a mapping or a list whose values do not tell them."""
    found: dict[Any, Any] = dict(getattr(value, "texts", ()))
    for key, item in _items(value):
        if isinstance(item, (Mapping, list)) and key not in found:
            below = texts_of(item)
            if below:
                found[key] = below
    return found


def rebuilt(original: Any, values: Any) -> Any:
    """``values``, a copy of what ``original`` holds, with the places and texts of that."""
    if isinstance(original, Located):
        return Located(values, original.where, original.places, original.texts)
    return Listed(values, original.texts) if isinstance(original, Listed) else values


def joined(first: list[Any], second: list[Any]) -> list[Any]:
    """One list after the other, with their texts."""
    texts = dict(getattr(first, "texts", ()))
    later = getattr(second, "texts", {})
    texts.update((len(first) + position, text) for position, text in later.items())
    return Listed([*first, *second], texts) if texts else [*first, *second]


def packed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its places and texts in a form that outlives JSON."""
    return {**document, _PACKED: list(_marks(document))}


def unpacked(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document that was packed; any other one as it is."""
    marks = document.get(_PACKED)
    if not isinstance(marks, list):
        return document
    own = {key: value for key, value in document.items() if key != _PACKED}
    return _marked(own, iter(marks))  # type: ignore[no-any-return]


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _marks(value: Any) -> Iterator[list[Any]]:
    """What mappings and lists know, in an order that does not depend on that of the keys."""
    if isinstance(value, Mapping):
        yield [where_of(value), getattr(value, "places", {}), getattr(value, "texts", {})]
        for key in sorted(value):
            yield from _marks(value[key])
    elif isinstance(value, list):
        # JSON has no numbers as keys.
        yield [[position, text] for position, text in getattr(value, "texts", {}).items()]
        for item in value:
            yield from _marks(item)


def _marked(value: Any, marks: Iterator[list[Any]]) -> Any:
    if isinstance(value, Mapping):
        mark = next(marks)
        inside = {key: _marked(value[key], marks) for key in sorted(value)}
        return Located({key: inside[key] for key in value}, *mark)
    if isinstance(value, list):
        texts = dict(next(marks))
        items = [_marked(item, marks) for item in value]
        return Listed(items, texts) if texts else items
    return value
