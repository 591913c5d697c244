# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document of decK as the one that a gateway without a database takes.

Both formats carry the version 3.0 and mostly agree (conformance case dbless_config). The gateway
takes nested entities, strings as references, and refuses every key that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._entities._certificate import SNI
from .._entities._consumer import CONSUMER, MEMBER
from .._entities._identity import looks_like_id
from .._entities._kind import Field
from .._entities._registry import KINDS
from .._errors import InputError, flat_reasons
from .._values import map_strings, without_nulls
from ._format import META, SECTIONS, section_of
from ._parse import CustomId, Item, parse, reference_to
from ._typed import refuse_unclear, typed

Record = dict[str, Any]
# The fields of a plugin's settings by its name.
ConfigFields = Callable[[str], Sequence[Field]]

_VERSION = {"_format_version": "3.0"}
_REFERENCES = {field.name for kind in KINDS.values() for field in kind.references}
# What says nothing to a gateway, or becomes something else.
_DROPPED = frozenset((*META, *SECTIONS, "custom_entities")) - {"_transform"}


def to_dbless(content: Mapping[str, Any]) -> Record:
    """The document for ``POST /config`` or ``declarative_config``; the given one stays as it is.

    What the collection does not manage is kept as it is.

    :raises InputError: the document is not valid, or an entity cannot be expressed.
    """
    result = dbless_of(parse(content, foreign=True).items)
    result.update((name, value) for name, value in content.items() if name not in _DROPPED)
    for each in content.get("custom_entities") or ():
        kind, fields = each.get("type"), each.get("fields") or {}
        if not isinstance(kind, str):
            raise InputError("a custom entity must have a type")
        own = {key: value for key, value in each.items() if key not in ("type", "fields")}
        # Nothing is known of these kinds, not even that they have tags.
        entity = {
            name: str(reference_to(name, value)) if name in _REFERENCES else value
            for name, value in {**own, **fields}.items()
        }
        result.setdefault(kind, []).append(entity)
    # Without places: Ansible keeps plain values only.
    plain: Record = map_strings(result, str)
    return plain


def dbless_of(
    items: Iterable[Item],
    config_fields: ConfigFields | None = None,
    origins: dict[int, Item] | None = None,
) -> Record:
    """The entities of a document, nested as they are there.

    :param config_fields: what tells strings from numbers in the settings of plugins.
    :param origins: gets the item of each record, by the record's ``id()``.
    """
    result: Record = dict(_VERSION)
    records: dict[int, Record] = {}
    known = list(items)
    # What a reference can call a consumer by, and a gateway cannot look up.
    consumers = {each.written.get("custom_id"): each for each in known if each.kind is CONSUMER}
    for item in known:
        try:
            record = records[id(item)] = _record(item, config_fields)
            above = result
            for name, link in item.links.items():
                if isinstance(link, Item) and not _stands_apart(item, link):
                    above = records[id(link)]
                else:
                    by_name = consumers.get(link, link) if isinstance(link, CustomId) else link
                    record[name] = _reference(by_name)
        except InputError as exc:
            raise InputError(f"{item.where}: {item.describe()}: {exc.message}") from exc
        if origins is not None:
            origins[id(record)] = item
        listed = above.setdefault(section_of(item.kind.name), [])
        # A consumer and a group may name each other.
        if item.kind is not MEMBER or record not in listed:
            listed.append(record)
    return result


def refusals(
    fields: Any, record: Record, origins: Mapping[int, Item]
) -> Iterator[tuple[Item | None, Any]]:
    """Which items of a configuration a gateway refuses, and what its response says of each.

    :param fields: the part of the gateway's response about ``record``.
    """
    item, own, inner = origins.get(id(record)), fields, {}
    if isinstance(fields, Mapping):
        listed = {name: each for name, each in record.items() if _holds_any(each, origins)}
        inner = {name: fields[name] for name in listed if name in fields}
        own = {name: reason for name, reason in fields.items() if name not in inner}
    if any(flat_reasons(own)):
        yield item, own
    for name, found in inner.items():
        for position, entity in enumerate(record[name]):
            # A list with many gaps comes as a mapping with positions as keys.
            at = position if isinstance(found, list) else str(position + 1)
            known = position < len(found) if isinstance(found, list) else at in found
            if known and found[at] is not None:
                yield from refusals(found[at], entity, origins)


def _holds_any(value: Any, origins: Mapping[int, Item]) -> bool:
    return isinstance(value, list) and any(id(each) in origins for each in value)


def _stands_apart(item: Item, owner: Item) -> bool:
    """Whether an entity is listed beside what it belongs to, and not in it.

    3.9 refuses the SNIs in a certificate once any consumer has a credential of basic-auth.
    """
    return item.kind is MEMBER or (item.kind is SNI and bool(owner.written.get("id")))


def _record(item: Item, config_fields: ConfigFields | None) -> Record:
    written = dict(item.written)
    for each in item.kind.fields:
        if each.counts_down and written.get(each.name) is not None:
            # Conformance case dbless_ttl.
            raise InputError(
                f"{each.name} needs a gateway with a database: without one the seconds are taken "
                "for a date, which is long past"
            )
    config = written.get("config")
    if item.kind.typed_by_name and isinstance(config, dict):
        if config_fields is None:
            refuse_unclear(config, item.strings, "config")
        else:
            fields = config_fields(str(written["name"]))
            written["config"] = typed(fields, config, item.strings, "config.")
    if item.partials is not None:
        written["partials"] = [
            {"id" if looks_like_id(key) else "name": key, **({"path": path} if path else {})}
            for key, path in item.partials
        ]
    free_form = [each.name for each in item.kind.fields if each.open]
    return without_nulls(written, free_form, in_lists=True)


def _reference(link: Item | str) -> str:
    """The name or ID of an entity: only these can be looked up in a document."""
    if isinstance(link, Item):
        names = (link.written.get(name) for name in (link.kind.path_key, "id"))
        found = next(filter(None, names), None)
    else:
        found = None if isinstance(link, CustomId) else link
    if found is None:
        named = link.describe() if isinstance(link, Item) else f"consumer {link}"
        raise InputError(f"{named} must have a name or an id, so that others can refer to it")
    return str(found)
