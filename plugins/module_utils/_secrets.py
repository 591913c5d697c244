# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secret values out of results, diffs and errors.

PRIVATE to the collection: it can change in any release.

What is secret stands in the declarations (``Field.sensitive``). A reference to a vault is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
)

MASKED = "********"
MASKED_CHANGED = "******** (changed)"


def mask(kind: Kind, before: Entity | None, after: Entity | None) -> dict[str, Any]:
    """Both sides of a diff, masked; a secret that differs shows that it does, and no more.

    An entity that is not there is ``''``: Ansible shows ``{}`` as a line.
    """
    masked_before, masked_after = _mask_pair(kind.fields, before or {}, after or {})
    return {
        "before": "" if before is None else masked_before,
        "after": "" if after is None else masked_after,
    }


def mask_entity(kind: Kind, entity: Entity) -> Entity:
    """One entity as a result may show it."""
    return _mask_pair(kind.fields, entity, entity)[0]


def mask_fields(fields: Iterable[Field], params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as a log may show them."""
    return _mask_pair(fields, dict(params), dict(params))[0]


def _mask_pair(fields: Iterable[Field], before: Entity, after: Entity) -> tuple[Entity, Entity]:
    before, after = dict(before), dict(after)
    for field in fields:
        old, new = before.get(field.name), after.get(field.name)
        if field.is_record:
            old, new = _mask_pair(field.fields, old or {}, new or {})
        elif field.sensitive is not None:
            old, new = _mask_map(field, old, new)
        else:
            continue
        for side, value in ((before, old), (after, new)):
            if side.get(field.name) is not None:
                side[field.name] = value
    return before, after


def _mask_map(field: Field, old: Any, new: Any) -> tuple[Any, Any]:
    old, new = dict(old or {}), dict(new or {})
    for name in set(old) | set(new):
        if field.sensitive is None or not field.sensitive(name):
            continue
        replaced = name in old and name in new and old[name] != new[name]
        if _is_secret(old.get(name)):
            old[name] = MASKED
        if _is_secret(new.get(name)):
            new[name] = MASKED_CHANGED if replaced else MASKED
    return old, new


def _is_secret(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(item is not None and not str(item).startswith("{vault://") for item in values)
