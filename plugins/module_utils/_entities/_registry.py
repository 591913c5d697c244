# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds that the collection knows, by name.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import (
    CA_CERTIFICATE,
    CERTIFICATE,
    SNI,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._consumer import (
    CONSUMER,
    CONSUMER_GROUP,
    WORKSPACE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._credential import CREDENTIALS
from ansible_collections.irishtek.kong.plugins.module_utils._entities._keys import (
    KEY,
    KEY_SET,
    VAULT,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._plugin import PLUGIN
from ansible_collections.irishtek.kong.plugins.module_utils._entities._route import ROUTE
from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import SERVICE
from ansible_collections.irishtek.kong.plugins.module_utils._entities._target import TARGET
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import UPSTREAM

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        UPSTREAM,
        TARGET,
        SERVICE,
        ROUTE,
        PLUGIN,
        CONSUMER,
        *CREDENTIALS.values(),
        CONSUMER_GROUP,
        CERTIFICATE,
        SNI,
        CA_CERTIFICATE,
        VAULT,
        KEY_SET,
        KEY,
        WORKSPACE,
    )
}


def kind_named(name: str) -> Kind:
    """The declaration of a kind; a KeyError is a mistake in the collection."""
    return KINDS[name]
