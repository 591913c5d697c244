# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which consumers are members of which consumer groups, as a document wants it.

PRIVATE to the collection: it can change in any release.

A membership is no entity of its own: it has no id and nothing to change, so it is added or removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._consumer import CONSUMER
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import PLACEHOLDER
from ansible_collections.irishtek.kong.plugins.module_utils._gateway import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._parallel import for_each


@dataclass(frozen=True)
class Membership:
    """A consumer and its group, both by id; the names are for people."""

    group: str
    consumer: str
    group_name: str
    consumer_name: str
    adding: bool = True

    def summary(self) -> dict[str, Any]:
        """The entry of a result's ``changes``."""
        return {
            "operation": "create" if self.adding else "delete",
            "kind": "consumer_group_member",
            "consumer": self.consumer_name,
            "consumer_group": self.group_name,
        }


def plan_members(
    gateway: Gateway,
    groups: Sequence[tuple[str, str]],
    wanted: Sequence[Membership],
    synced: bool,
) -> list[Membership]:
    """What has to be added and, where everything is to be as written, removed.

    :param groups: ids and names of the document's groups.
    """
    stored = [group for group in groups if not group[0].startswith(PLACEHOLDER)]
    # A consumer may be in a group that the document itself does not have.
    asked = [*dict.fromkeys(key for key, _name in stored)]
    asked += dict.fromkeys(
        each.group
        for each in wanted
        if each.group not in asked and not each.group.startswith(PLACEHOLDER)
    )
    present = dict(zip(asked, for_each(gateway.members, asked)))
    ids = {group: {member["id"] for member in members} for group, members in present.items()}
    todo = [each for each in wanted if each.consumer not in ids.get(each.group, ())]
    if synced:
        kept = {(each.group, each.consumer) for each in wanted}
        todo += [
            Membership(group, member["id"], name, CONSUMER.label(member), adding=False)
            for group, name in stored
            for member in present[group]
            if (group, member["id"]) not in kept
        ]
    return todo


def carry_out_members(gateway: Gateway, todo: Sequence[Membership], workers: int) -> None:
    """Add and remove; doing it twice is as good as once."""

    def change(each: Membership) -> None:
        if each.adding:
            gateway.add_member(each.group, each.consumer)
        else:
            gateway.remove_member(each.group, each.consumer)

    for_each(change, todo, workers)
