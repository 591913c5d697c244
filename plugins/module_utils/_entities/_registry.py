# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds that the collection knows, by name.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from . import (
    _certificate,
    _consumer,
    _credential,
    _keys,
    _plugin,
    _route,
    _service,
    _target,
    _upstream,
)
from ._kind import Kind

# A file of declarations names its own kinds, so a new one beside others is known at once.
_FILES = (
    _upstream,
    _target,
    _service,
    _route,
    _plugin,
    _consumer,
    _credential,
    _certificate,
    _keys,
)

KINDS: dict[str, Kind] = {kind.name: kind for file in _FILES for kind in file.KINDS}


def kind_named(name: str) -> Kind:
    """The declaration of a kind; a KeyError is a mistake in the collection."""
    return KINDS[name]
