# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a gateway: an upstream of a reserved name, whose tags say who holds it. Pure.

Names of upstreams are unique, so only one of two that create it at once succeeds. It has no
targets, and nothing leads to it. Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from ._kind import Entity

# Lists leave out this upstream, so that it is not dumped, compared or purged.
LOCK_NAME = "irishtek.kong.lock"
_OWNER, _RUN, _SINCE = "owner:", "run:", "since:"
# A tag may have any printable character but a comma and a slash.
_PRINTED = "@:. ()-_"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    :param run: the run that holds it, empty where the owner was written.
    :param since: Unix time, None where the tag with it is missing.
    """

    owner: str
    run: str = ""
    since: int | None = None


def lock_of(holder: Holder) -> Entity:
    """The upstream that says who holds the lock."""
    run = [_RUN + quote(holder.run, safe=_PRINTED)] if holder.run else []
    owner = _OWNER + quote(holder.owner, safe=_PRINTED)
    return {"name": LOCK_NAME, "tags": [LOCK_NAME, owner, *run, f"{_SINCE}{holder.since}"]}


def holder_of(lock: Entity) -> Holder:
    tags = lock.get("tags") or ()
    values = {
        prefix: unquote(tag.removeprefix(prefix))
        for tag in tags
        for prefix in (_OWNER, _RUN, _SINCE)
        if tag.startswith(prefix)
    }
    since = values.get(_SINCE, "")
    return Holder(
        values.get(_OWNER, "unknown"),
        values.get(_RUN, ""),
        int(since) if since.isdecimal() else None,
    )
