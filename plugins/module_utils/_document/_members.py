# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which consumers are members of which consumer groups, as a document wants it.

PRIVATE to the collection: it can change in any release.

A membership is no entity of its own: it has no id and nothing to change, so it is added or removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._entities._consumer import CONSUMER
from .._entities._kind import Entity
from .._errors import KongError
from .._gateway import Gateway
from .._parallel import for_each


@dataclass(frozen=True)
class Membership:
    """A consumer and its group, both by id; the names are for people."""

    group: str
    consumer: str
    group_name: str
    consumer_name: str
    adding: bool = True

    @property
    def description(self) -> str:
        return f"consumer_group_member {self.consumer_name} of consumer_group {self.group_name}"

    def summary(self) -> dict[str, Any]:
        """The entry of a result's ``changes``."""
        return {
            "operation": "create" if self.adding else "delete",
            "kind": "consumer_group_member",
            "consumer": self.consumer_name,
            "consumer_group": self.group_name,
        }

    def diff(self, gateway: str) -> dict[str, Any]:
        """The pair that ``--diff`` shows."""
        header = f"{self.description} ({gateway})"
        shown = {"consumer": self.consumer_name, "consumer_group": self.group_name}
        before, after = ("", shown) if self.adding else (shown, "")
        return {
            "before_header": header, "after_header": header, "before": before, "after": after,
        }  # fmt: skip

    @property
    def opposite(self) -> Membership:
        """What puts it back."""
        return replace(self, adding=not self.adding)

    def carry_out(self, gateway: Gateway) -> None:
        """Add or remove; doing it twice is as good as once."""
        try:
            if self.adding:
                gateway.add_member(self.group, self.consumer)
            else:
                gateway.remove_member(self.group, self.consumer)
        except KongError as exc:
            verb = "create" if self.adding else "delete"
            exc.within(f"Could not {verb} {self.description} at {gateway.url}")
            raise


def read_members(gateway: Gateway, groups: Iterable[str]) -> dict[str, list[Entity]]:
    """The consumers of stored groups, which are given by their ids, side by side."""
    wanted = list(dict.fromkeys(groups))
    return dict(zip(wanted, for_each(gateway.members, wanted)))


def plan_members(
    groups: Mapping[str, str],
    wanted: Sequence[Membership],
    present: Mapping[str, Sequence[Entity]],
    synced: bool,
) -> list[Membership]:
    """What has to be added and, where everything is to be as written, removed.

    :param groups: the names by id of the document's groups.
    :param present: the stored groups' members.
    """
    ids = {group: {member["id"] for member in members} for group, members in present.items()}
    todo = [each for each in wanted if each.consumer not in ids.get(each.group, ())]
    if synced:
        kept = {(each.group, each.consumer) for each in wanted}
        todo += [
            Membership(group, member["id"], name, CONSUMER.label(member), adding=False)
            for group, name in groups.items()
            for member in present.get(group, ())
            if (group, member["id"]) not in kept
        ]
    return list(dict.fromkeys(todo))
