# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of lists: sizes, offsets and tags as the Admin API reads them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from . import errors
from .store import Entity

Query = dict[str, str]

DEFAULT_SIZE = 100
MAXIMUM_SIZE = 1000

TAG = r"[\x20-\x2b\x2d\x2e\x30-\x7e\u0080-\U0010ffff]+"
ALL_TAGS = re.compile(rf"{TAG}(,{TAG})*,?")
ANY_TAG = re.compile(rf"{TAG}(/{TAG})*/?")


def requested_size(query: Query) -> int | float:
    """The page size of a request, of whatever size; refused where it is no number."""
    try:
        size = float(query.get("size", DEFAULT_SIZE))
    except ValueError as error:
        raise errors.invalid_size("size must be a number") from error
    return int(size) if size.is_integer() else size


def page_size(query: Query) -> int:
    """The page size of a list that the database pages."""
    size = requested_size(query)
    if not isinstance(size, int) or not 1 <= size <= MAXIMUM_SIZE:
        raise errors.invalid_size(f"size must be an integer between 1 and {MAXIMUM_SIZE}")
    return size


def has_tags(query: Query) -> Callable[[Entity], bool]:
    """The filter that `tags=a,b` (both) or `tags=a/b` (either) asks for."""
    text = query.get("tags")
    if text is None:
        return lambda entity: True
    if text == "":
        raise errors.invalid_option("tags", "cannot be null")
    if ALL_TAGS.fullmatch(text):
        wanted = set(text.split(","))
        return lambda entity: wanted <= set(entity.get("tags") or ())
    if ANY_TAG.fullmatch(text):
        wanted = set(text.rstrip("/").split("/"))
        return lambda entity: bool(wanted & set(entity.get("tags") or ()))
    raise errors.invalid_option("tags", "invalid filter syntax")


def _encoded(place: list[str]) -> str:
    return base64.b64encode(json.dumps(place).encode()).decode()


def _decoded(offset: str) -> list[str]:
    try:
        raw = base64.b64decode(offset + "=" * (-len(offset) % 4))
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_offset(offset, "bad base64 encoding") from error
    try:
        place = json.loads(raw)
    except ValueError as error:
        raise errors.invalid_offset(offset, "bad json encoding") from error
    if not isinstance(place, list) or not all(isinstance(part, str) for part in place):
        raise errors.invalid_offset(offset, "bad json encoding")
    return place


def by_key(
    items: list[Entity], key: Callable[[Entity], list[str]], query: Query, path: str
) -> dict[str, Any]:
    """One page of items in the order of their keys; `next` drops `size`, as the gateway does.

    It keeps `tags` in lists of a whole kind only.
    """
    size = page_size(query)
    items = sorted(items, key=key)
    if "offset" in query:
        after = _decoded(query["offset"])
        items = [item for item in items if key(item) >= after]
    page: dict[str, Any] = {"data": items[:size], "next": None}
    if len(items) > size:
        page["offset"] = _encoded(key(items[size]))
        page["next"] = f"{path}?offset={urllib.parse.quote(page['offset'], safe='')}"
        if "tags" in query and path.count("/") == 1:
            page["next"] += f"&tags={urllib.parse.quote(query['tags'])}"
    return page


def by_number(items: list[Entity], query: Query, path: str) -> dict[str, Any]:
    """One page of items in their own order with a plain number as offset (targets only)."""
    size = requested_size(query)
    if "offset" in query and not query["offset"].isdigit():
        raise errors.unexpected()
    start = int(query.get("offset", 0))
    end = start + min(int(size), MAXIMUM_SIZE)
    page: dict[str, Any] = {"data": items[start:end], "next": None}
    if end < len(items):
        page["offset"] = str(end)
        page["next"] = f"{path}?offset={end}"
    return page
