# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_target_address``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.irishtek.kong.plugins.module_utils._address import (
    address_warnings,
    normalise_address,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError


def kong_target_address(address: Any) -> str:
    """An address in the form in which a gateway stores it.

    :raises AnsibleFilterError: it is none.
    """
    if not isinstance(address, str):
        raise AnsibleFilterError(
            f"kong_target_address takes a text with the address of one target, not {address!r}"
        )
    try:
        target = normalise_address(address)
    except InputError as exc:
        raise AnsibleFilterError(exc.message) from exc
    for warning in address_warnings(address):
        Display().warning(warning)
    return target


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_target_address": kong_target_address}
