# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_settings``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.plugin_utils._settings import text_of


def kong_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings as texts, in alphabetical order and without those that are null.

    :raises AnsibleFilterError: they are no dictionary.
    """
    if not isinstance(settings, Mapping):
        raise AnsibleFilterError(
            f"kong_settings takes a dictionary of settings, not {type(settings).__name__}"
        )
    written = {str(key): value for key, value in settings.items() if value is not None}
    return {key: text_of(written[key]) for key in sorted(written)}


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_settings": kong_settings}
