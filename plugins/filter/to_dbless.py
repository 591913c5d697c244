# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``to_dbless``; its documentation is the YAML file of the same name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.module_utils._document._dbless import (
    to_dbless as converted,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import (
    check_format,
    parse_state,
)


def to_dbless(document: Any) -> dict[str, Any]:
    """A state file in the format of a gateway without a database.

    :param document: a mapping, or the text of a state file, placeholders included.
    :raises AnsibleFilterError: it is none.
    """
    try:
        if isinstance(document, str):
            return converted(parse_state([("document", document)], os.environ, _refuse))
        if not isinstance(document, Mapping):
            raise InputError("to_dbless takes a state file, as a mapping or as a text")
        check_format(document)
        return converted(document)
    except InputError as exc:
        raise AnsibleFilterError(exc.message) from exc


def _refuse(text: str) -> str:
    """Filters know no vault passwords."""
    raise InputError("a filter cannot read !vault: encrypt the whole file, or use a variable")


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"to_dbless": to_dbless}
