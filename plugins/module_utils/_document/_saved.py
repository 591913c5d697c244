# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved plans: what a document would change, in a form that can be kept and compared.

A saved plan holds no secret. A digest stands for each one: with a new salt for each plan, so that
nobody can look it up, bound to its entity and field, so that nobody sees that two are the same, and
slow to compute, so that nobody can try many values. The fingerprint of the document, which covers
secrets, too, is a digest of the same kind.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._entities._kind import Entity
from .._errors import MASKED, InputError
from .._plan import CREATE, Plan
from .._secrets import replace_secrets
from .._values import map_strings
from ._changes import ChangeSet
from ._parse import Document, Item

_FORMAT = 1
_ROUNDS_OF_SECRET = 10_000
_ROUNDS_OF_DOCUMENT = 100_000
_SHOWN_DIFFERENCES = 5
# What makes another gateway of it.
_PLACE = ("url", "workspace", "control_plane")

Saved = dict[str, Any]


def text_of_document(document: Document) -> str:
    """The same text for documents that want the same, whatever their order and form."""
    return _json([sorted(_json(_parts(item)) for item in document.items), document.select_tags])


def save(
    origin: Saved, text: str, changes: ChangeSet, salt: str | None = None, *, brief: bool = False
) -> Saved:
    """The plan as it is kept.

    :param origin: the gateway, and the options that decide what is planned.
    :param text: the canonical text of the document, with its secrets.
    :param salt: that of the plan with which this one is to be compared; a new one else.
    :param brief: leaves out the digest of the document, which is slow, where nothing is planned.
    """
    salt = salt or secrets.token_hex(16)
    entries = list(_entries(changes, salt))
    document = None
    if entries or not brief:
        document = _digest(salt, "document", text, _ROUNDS_OF_DOCUMENT)
    return {
        "format": _FORMAT,
        **origin,
        "salt": salt,
        "document": document,
        "fingerprint": hashlib.sha256(_json(entries).encode()).hexdigest(),
        "changes": entries,
        "protected": [each.summary() for each in changes.protected],
    }


def differences(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What became different since a plan was saved, in sentences; nothing if it still holds.

    :param now: the new plan, with the salt of the saved one.
    """
    then, here = saved["gateway"], now["gateway"]
    if any(then.get(name) != here[name] for name in _PLACE):
        return [f"it is for another gateway: {_place(then)}, and this is {_place(here)}"]
    found = [
        f"the option {name} changed: it was {_json(value)}, and is {_json(now['options'][name])}"
        for name, value in saved["options"].items()
        if now["options"].get(name) != value
    ]
    if saved["document"] not in (None, now["document"]):
        found.append("the document changed")
    found += [
        f"the gateway changed: its {name} was {then.get(name)}, and is {here[name]}"
        for name in ("version", "edition")
        if then.get(name) != here[name]
    ]
    if not found and not now["changes"]:
        # It was carried out already: a task that is run again has nothing to do.
        return []
    entities = list(_changed_entities(saved["changes"], now["changes"], whole=not found))
    if entities:
        more = len(entities) - _SHOWN_DIFFERENCES
        rest = [f"{more} more"] if more > 0 else []
        listed = "; ".join([*entities[:_SHOWN_DIFFERENCES], *rest])
        found.append(f"the gateway changed: {listed}")
    if not found and saved["fingerprint"] != now["fingerprint"]:
        found.append("the file of the plan was changed")
    return found


def _changed_entities(
    saved: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], whole: bool
) -> Iterator[str]:
    """Entities that are not what they were.

    :param whole: the document is the same, so what is planned differently is due to them.
    """
    old, new = _by_entity(saved), _by_entity(now)
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before is None or after is None:
            known = before or after or {}
            when = "is no longer planned" if after is None else "is planned, too"
            if whole:
                yield f"{known['operation']} of {known['entity']} {when}"
        elif before["operation"] != after["operation"]:
            yield (
                f"{before['entity']} was planned to be {before['operation']}d, "
                f"and now to be {after['operation']}d"
            )
        elif (before["id"], before["before"]) != (after["id"], after["before"]):
            yield f"{before['entity']} has changed"
        elif whole and before != after:
            yield f"{before['entity']} would get other values"


def _by_entity(
    entries: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Entries by the name of their entity; several plugins can have one."""
    number: Counter[str] = Counter()
    found = {}
    for entry in entries:
        number[entry["entity"]] += 1
        found[entry["entity"], number[entry["entity"]]] = entry
    return found


def _place(gateway: Mapping[str, Any]) -> str:
    more = [
        f", {name.replace('_', ' ')} {gateway[name]}" for name in _PLACE[1:] if gateway.get(name)
    ]
    return "".join([str(gateway.get("url")), *more])


def _parts(item: Item) -> list[Any]:
    links = {
        name: [link.kind.name, link.label] if isinstance(link, Item) else link
        for name, link in item.links.items()
    }
    return [item.kind.name, item.written, links, item.partials, item.strings]


def _entries(changes: ChangeSet, salt: str) -> Iterator[dict[str, Any]]:
    """One entry for each change, in an order that does not depend on the gateway's lists."""
    # IDs are made up for each plan.
    created = (step for step in changes.writes if step.plan.operation == CREATE)
    names = {step.id: f"(ID of {_description(step.plan)})" for step in created}
    entries = [_entry(plan, names, salt) for plan in changes.plans if plan.changed]
    return iter(sorted(entries, key=lambda each: (each["kind"], each["entity"], _json(each))))


def _entry(plan: Plan, names: Mapping[str, str], salt: str) -> dict[str, Any]:
    # References to what is created by name, as each plan makes up new IDs.
    def named(text: str) -> str:
        return names.get(text, text)

    before, after = (map_strings(each, named) for each in (plan.before, plan.after))
    described = replace(plan, before=before, after=after)
    entity = _description(plan)

    def digested(side: str, found: Entity | None) -> Any:
        def digest(path: Sequence[Any], value: Any) -> str:
            place = "/".join(map(str, (entity, side, *path)))
            text = value if isinstance(value, str) else _json(value)
            return f"{MASKED} ({_digest(salt, place, text, _ROUNDS_OF_SECRET)})"

        return "" if found is None else replace_secrets(plan.kind.fields, found, digest)

    sides = zip(("before", "after"), described.sides)
    return {
        "operation": plan.operation,
        "kind": plan.kind.name,
        "entity": entity,
        "id": plan.stored.get("id"),
        **{side: digested(side, found) for side, found in sides},
    }


def _description(plan: Plan) -> str:
    """What an entity is called; some have no other name than an ID, which each plan makes up."""
    if plan.operation == CREATE:
        return plan.kind.describe({**plan.entity, "id": "(new)"}, plan.parent)
    return plan.description


def _digest(salt: str, path: str, text: str, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", text.encode(), f"{salt}{path}".encode(), rounds)
    return digest.hex()[:32]


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def read_plan(path: str) -> Saved | None:
    """The plan in a file, None where there is no such file.

    :raises InputError: it cannot be read, or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            saved: Any = json.load(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise InputError(f"plan {path} cannot be read: {exc}") from exc
    if not (isinstance(saved, dict) and {"format", "changes"} <= saved.keys()):
        raise InputError(f"{path} is not a plan that kong_plan saved")
    if saved["format"] != _FORMAT:
        raise InputError(
            f"plan {path} has the format {saved['format']}, and this release reads {_FORMAT}: "
            "create it again with kong_plan"
        )
    if not _is_complete(saved):
        raise InputError(f"plan {path} is not complete; create it again with kong_plan")
    return saved


def _is_complete(saved: Entity) -> bool:
    """Whether a saved plan has all parts that a comparison needs."""
    parts = {"gateway": dict, "options": dict, "salt": str, "changes": list}
    entry = {"operation", "entity", "id", "before", "after"}
    return (
        saved.keys() >= {"document", "fingerprint"}
        and all(isinstance(saved.get(name), kind) for name, kind in parts.items())
        and all(isinstance(each, dict) and each.keys() >= entry for each in saved["changes"])
    )
