# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entities drawn from declarations: whatever fits the declared fields, nulls included."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._address import normalise_address
from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import same_text
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from unit.recordings import plugin

# Typed plugins: among them are records in lists and maps, old spellings and all forms of secrets.
TYPED = ("acme", "http-log", "pre-function", "rate-limiting", "request-transformer", "session",
         "statsd", "opentelemetry", "ai-proxy")  # fmt: skip
ANY_KIND: st.SearchStrategy[Kind] = st.sampled_from([*KINDS.values(), *map(plugin, TYPED)])

_TEXT = st.text("abc", max_size=3)
# What only a gateway knows, secrets by name among it.
_OPEN = st.dictionaries(
    st.sampled_from(["a", "token"]), _TEXT | st.dictionaries(st.just("key"), _TEXT), max_size=2
)
_OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": _TEXT,
    "bool": st.booleans(),
    "dict": st.dictionaries(_TEXT, st.lists(_TEXT, max_size=3), max_size=2),
    # Equal as keys, different as texts; and a text that is no JSON.
    "json": st.sampled_from(['{"kty": "oct", "k": "a"}', '{"k":"a","kty":"oct"}', "{}", "a"]),
}
_PEM = st.sampled_from(["a b", "a\nb\n", "c"])


def _number(field: Field, kind: str) -> st.SearchStrategy[Any]:
    lowest, highest = field.between or (0, 100)
    if kind == "int":
        return st.integers(int(lowest), int(highest))
    return st.floats(lowest, highest, allow_subnormal=False)


def _single(field: Field, kind: str) -> st.SearchStrategy[Any]:
    if field.normalise is normalise_address:
        return st.sampled_from(["a.test", "a.test:1", "10.0.0.1:80", "::1"]).map(normalise_address)
    if field.compare_as is same_text:
        return _PEM
    if field.choices:
        return st.sampled_from(field.choices)
    return _number(field, kind) if kind in ("int", "float") else _OF_TYPE[kind]


def _value(field: Field, whole: bool) -> st.SearchStrategy[Any]:
    if field.is_record and not field.fields:
        return _OPEN
    if field.is_record:
        return entities(field.fields) if whole else partial(field.fields)
    if field.is_list_of_records:
        return st.lists(entities(field.fields), max_size=3)
    if field.element is not None:
        items = _value(field.element, True)
        of_map = st.dictionaries(_TEXT, items, max_size=2)
        return st.lists(items, max_size=3) if field.type == "list" else of_map
    if field.type == "list":
        return st.lists(_single(field, field.elements or "str"), max_size=3)
    return _single(field, field.type)


def _maybe_null(field: Field, whole: bool) -> st.SearchStrategy[Any]:
    value = _value(field, whole)
    # A gateway never answers null for a record.
    return value if field.is_record or not field.nullable else st.none() | value


@lru_cache  # building a strategy takes longer than drawing from it
def entities(fields: tuple[Field, ...]) -> st.SearchStrategy[Entity]:
    """Whole entities, as a gateway answers them."""
    return st.fixed_dictionaries({field.name: _maybe_null(field, True) for field in fields})


@lru_cache
def partial(fields: tuple[Field, ...]) -> st.SearchStrategy[Entity]:
    """What a user may write of an entity."""
    return st.fixed_dictionaries(
        {}, optional={field.name: _maybe_null(field, False) for field in fields}
    )
