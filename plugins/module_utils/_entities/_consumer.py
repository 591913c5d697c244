# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Consumers, their groups, and the workspaces that all entities live in.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from ._kind import Field, Kind, tags_field

CONSUMER = Kind(
    name="consumer",
    path="consumers",
    identity="username",
    named_by=("username", "custom_id"),
    unique=("custom_id",),
    fields=(Field("username"), Field("custom_id"), tags_field()),
)

CONSUMER_GROUP = Kind(
    name="consumer_group",
    path="consumer_groups",
    identity="name",
    enterprise=True,
    fields=(Field("name", nullable=False), tags_field()),
)

WORKSPACE = Kind(
    name="workspace",
    path="workspaces",
    identity="name",
    enterprise=True,
    fields=(
        Field("name", nullable=False),
        Field("comment"),
        Field("config", "dict", open=True),
        Field("meta", "dict", open=True),
    ),
)

KINDS = (CONSUMER, CONSUMER_GROUP, WORKSPACE)
