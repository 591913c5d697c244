# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands where in a state file: sections, and what nests in what.

Private to the collection.

The format is decK's 3.0; the flat sections of a gateway without a database are read, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from .._entities._consumer import WORKSPACE
from .._entities._kind import TIMESTAMPS
from .._entities._registry import KINDS, LEVELS

# The kinds of a document, in the order in which they can be written.
ORDER: tuple[str, ...] = tuple(
    sorted((name for name in KINDS if name != WORKSPACE.name), key=LEVELS.__getitem__)
)

# Sections at the top of a document, and the kind of what they list.
SECTIONS: Mapping[str, str] = {KINDS[name].schema_name: name for name in ORDER}

# Lists inside an entity: the kind of what they list, and the field by which that points back.
NESTED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    owner: {
        KINDS[name].schema_name: (name, field.name)
        for name in ORDER
        for field in KINDS[name].references
        if field.nested and field.reference == owner
    }
    for owner in ORDER
}

# Parts of decK's format that the collection does not manage.
FOREIGN_SECTIONS = (
    "filter_chains",
    "rbac_roles",
    "licenses",
    "custom_entities",
    "ai_models",
    "cloned_plugins",
    "custom_plugins",
    "service_packages",
)
# What decK's format wants written, though gateways have a default for it, or decide it.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "certificate": ("id",),
    "jwt": ("algorithm",),
    "mtls_auth": ("id",),
}
# Kinds whose fields can have defaults of the document's own.
DEFAULTED = ("service", "route", "upstream", "target")
# Notes, which the gateway's own format takes at the top and in each entity.
NOTES = ("_comment", "_ignore")
# What a document says about itself.
META = (
    *("_format_version", "_transform", "_info", "_workspace", "_konnect", "_plugin_configs"),
    *NOTES,
)
# Who is in which consumer group: a section, or a list in either of the two.
MEMBERS = "consumer_group_consumers"
# What gateways answer and nobody writes; dumps of others can hold it.
ANSWERED = (*TIMESTAMPS, "cert_digest")


def section_of(kind: str) -> str:
    """The top-level section that lists a kind."""
    return KINDS[kind].schema_name
