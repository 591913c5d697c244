# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_targets``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.irishtek.kong.plugins.module_utils._address import (
    address_warnings,
    normalise_address,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError

_HIGHEST = 65535


def kong_targets(
    hosts: Sequence[str],
    hostvars: Mapping[str, Any],
    *,
    port: int | str | None = None,
    address: str = "ansible_host",
    weight: int | str | None = None,
    tags: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Targets in the form of the option ``targets``, one for each host, in that order.

    :param port: a number, or the name of the variable of each host that holds one; so ``weight``.
    :raises AnsibleFilterError: names the host that lacks a variable or has an unusable value.
    """
    if isinstance(hosts, str) or not isinstance(hosts, Sequence):
        raise AnsibleFilterError(f"kong_targets takes a list of hosts, not {hosts!r}")
    targets: dict[str, dict[str, Any]] = {}
    owners: dict[str, str] = {}
    for host in hosts:
        target = _address(hostvars, host, address, port)
        if target in targets:
            raise AnsibleFilterError(f"hosts {owners[target]} and {host} are one target: {target}")
        owners[target] = host
        targets[target] = {"target": target}
        if weight is not None:
            targets[target]["weight"] = _number(hostvars, host, "weight", weight)
        if tags is not None:
            targets[target]["tags"] = list(tags)
    return list(targets.values())


def _address(hostvars: Mapping[str, Any], host: str, name: str, port: int | str | None) -> str:
    written = str(_variable(hostvars, host, name))
    bracketed = f"[{written}]" if written.count(":") > 1 and "[" not in written else written
    if port is not None:
        if ":" in bracketed.rpartition("]")[2]:
            raise AnsibleFilterError(
                f"host {host}: {name} {written} has a port, so port must not be written"
            )
        bracketed = f"{bracketed}:{_number(hostvars, host, 'port', port)}"
    try:
        target = normalise_address(bracketed)
    except InputError as exc:
        raise AnsibleFilterError(f"host {host}: {name}: {exc.message}") from exc
    for warning in address_warnings(written) if port is None else ():
        Display().warning(f"host {host}: {name} {warning}")
    return target


def _number(hostvars: Mapping[str, Any], host: str, what: str, written: int | str) -> int:
    """The written number, or that in the host's variable of the written name."""
    value, source = written, what
    if isinstance(written, str) and not written.isdecimal():
        value, source = _variable(hostvars, host, written), f"{what} {written}"
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if isinstance(value, (bool, float)) or not 0 <= number <= _HIGHEST:
        raise AnsibleFilterError(
            f"host {host}: {source} is {value!r}, and must be a whole number up to {_HIGHEST}"
        )
    return number


def _variable(hostvars: Mapping[str, Any], host: str, name: str) -> Any:
    if host not in hostvars:
        raise AnsibleFilterError(f"host {host} is not in the inventory")
    variables = hostvars[host]
    if name not in variables or variables[name] in (None, ""):
        hint = "; set address to inventory_hostname to use the name of the host"
        shown = f"{name}{hint if name == 'ansible_host' else ''}"
        raise AnsibleFilterError(f"host {host} has no variable {shown}")
    return variables[name]


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_targets": kong_targets}
