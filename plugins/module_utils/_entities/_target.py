# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets: an address and a weight in the pool of an upstream. Private to the collection."""

from __future__ import annotations

from .._address import address_warnings, normalise_address
from ._identity import Identity
from ._kind import Field, Kind, tags_field

TARGET = Kind(
    name="target",
    path="targets",
    identity=Identity("target"),
    parent="upstream",
    fields=(
        Field(
            "target", required=True, nullable=False, normalise=normalise_address,
            warnings=address_warnings,
        ),
        Field("weight", "int", between=(0, 65535)),
        Field("failover", "bool"),
        tags_field(),
    ),
)

KINDS = (TARGET,)
