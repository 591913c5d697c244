# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_listeners``; its documentation is the YAML file of the same name.

What a listener may be is said in the gateway's reference of its configuration (``proxy_listen``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

# What an engine publishes on a port that is known before it runs: one TCP port, and no range.
_PUBLISHED = re.compile(r"(?:(\[[^]]+\]|[^:]*):)?([0-9]+):([0-9]+)(?:/tcp)?")
# Addresses that mean each of the host's, and the one under which the host reaches itself.
_EVERY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


def kong_listeners(
    settings: Mapping[str, str], *, publish: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """TCP addresses that a gateway with these settings takes on its host.

    :param publish: what a container publishes (``[ADDRESS:]PORT:PORT``); None: the host's network.
    :raises AnsibleFilterError: the settings are no dictionary of texts.
    """
    if not isinstance(settings, Mapping):
        raise AnsibleFilterError(f"kong_listeners takes a dictionary of settings, not {settings!r}")
    inside = [row for key, text in settings.items() for row in _listeners(key, text)]
    if publish is None:
        return [_row(setting, address, tls) for setting, address, tls in inside]
    by_port = {_port(address): (setting, tls) for setting, address, tls in reversed(inside)}
    return [
        _row(*_named(by_port.get(port, ("", False)), address))
        for address, port in _published(publish)
    ]


def _listeners(setting: str, text: Any) -> Iterator[tuple[str, str, bool]]:
    """Setting, address and whether it speaks TLS, of each TCP listener."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"kong_listeners: {setting} is no text: {text!r}")
    for entry in text.split(","):
        address, *flags = entry.split() or [""]
        if ":" in address and not address.startswith("unix:") and "udp" not in flags:
            yield setting, address, "ssl" in flags


def _published(publish: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Address on the host and port in the container, of what has a fixed one."""
    for entry in publish:
        if found := _PUBLISHED.fullmatch(str(entry)):
            host, outside, port = found.groups()
            yield f"{host or '0.0.0.0'}:{outside}", port


def _named(found: tuple[str, bool], address: str) -> tuple[str, str, bool]:
    setting, tls = found
    return setting, address, tls


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _row(setting: str, address: str, tls: bool) -> dict[str, Any]:
    host, _colon, port = address.rpartition(":")
    scheme = "https" if tls else "http"
    url = f"{scheme}://{_EVERY.get(host, host)}:{port}"
    return {"setting": setting, "address": address, "url": url if setting else ""}


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_listeners": kong_listeners}
