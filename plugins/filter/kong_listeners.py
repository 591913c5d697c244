# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_listeners``; its documentation is the YAML file of the same name.

What a listener may be is said in the gateway's reference of its configuration (``proxy_listen``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible.errors import AnsibleFilterError

_SETTING = "_listen"
_ADDRESS = re.compile(r".*:([0-9]+)")
# What an engine publishes on a port that is known before it runs: one TCP port, and no range.
_PUBLISHED = re.compile(r"(?:(\[[^]]+\]|[^:]*):)?([0-9]+):([0-9]+)(?:/tcp)?")
# Addresses that mean each of the host's, and the one under which the host reaches itself.
_EVERY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


class _Listener(NamedTuple):
    setting: str
    address: str
    port: str
    tls: bool


def kong_listeners(
    settings: Mapping[str, str], *, publish: Sequence[str] | None = None
) -> list[dict[str, str]]:
    """TCP addresses that a gateway with these settings takes on its host.

    :param publish: what a container publishes (``[ADDRESS:]PORT:PORT``); None: the host's network.
    :raises AnsibleFilterError: the settings are no dictionary of texts.
    """
    if not isinstance(settings, Mapping):
        raise AnsibleFilterError(
            f"kong_listeners takes a dictionary of settings, not {type(settings).__name__}"
        )
    inside = [
        listener
        for setting, text in settings.items()
        if setting.endswith(_SETTING)
        for listener in _listeners(setting, text)
    ]
    if publish is None:
        return [_row(listener, listener.address) for listener in inside]
    return _outside(inside, list(_published(publish)))


def _listeners(setting: str, text: Any) -> Iterator[_Listener]:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"kong_listeners: {setting} is no text but {type(text).__name__}")
    for entry in text.split(","):
        address, *flags = entry.split() or [""]
        found = _ADDRESS.fullmatch(address)
        if found and not address.startswith("unix:") and "udp" not in flags:
            yield _Listener(setting, address, found.group(1), "ssl" in flags)


def _published(publish: Any) -> Iterator[tuple[str, str]]:
    """Address on the host and port in the container, of what has a fixed one."""
    for entry in publish if isinstance(publish, (list, tuple)) else []:
        if found := _PUBLISHED.fullmatch(str(entry)):
            host, outside, port = found.groups()
            yield f"{host or '0.0.0.0'}:{outside}", port


def _outside(
    inside: Sequence[_Listener], published: Sequence[tuple[str, str]]
) -> list[dict[str, str]]:
    """What is published, in the order of the listeners; then what nobody listens on inside."""
    firsts: dict[str, _Listener] = {}
    for listener in inside:
        firsts.setdefault(listener.port, listener)
    rows = [
        _row(listener, address)
        for listener in firsts.values()
        for address, port in published
        if port == listener.port
    ]
    return rows + [_row(None, address) for address, port in published if port not in firsts]


def _row(listener: _Listener | None, address: str) -> dict[str, str]:
    if listener is None:
        return {"setting": "", "address": address, "url": ""}
    host, _colon, port = address.rpartition(":")
    scheme = "https" if listener.tls else "http"
    url = f"{scheme}://{_EVERY.get(host, host)}:{port}"
    return {"setting": listener.setting, "address": address, "url": url}


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_listeners": kong_listeners}
