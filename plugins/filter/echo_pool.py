# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``echo_pool``; its documentation is the YAML file of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

_WEIGHT = 100


def echo_pool(
    hosts: Sequence[str],
    hostvars: Mapping[str, Any],
    *,
    targets: Sequence[Mapping[str, Any]] = (),
    group: str = "",
    tags: Sequence[str] = (),
    address: str = "ansible_host",
    weight: str = "echo_upstream_weight",
    port: int | str = 8080,
) -> dict[str, list[dict[str, Any]]]:
    """The options ``targets`` of ``kong_upstream`` and ``expected`` of ``kong_probe``.

    :param hosts: those of the inventory group.
    :param targets: written targets, in place of a group.
    :param address: the host variable that holds the address; so ``weight``.
    :raises AnsibleFilterError: nothing gives targets, or a host lacks its address.
    """
    if bool(group) == bool(targets):
        raise AnsibleFilterError("Give either echo_upstream_targets or echo_upstream_group.")
    if targets:
        servers = [_of_target(target, tags) for target in targets]
    else:
        _refuse_unusable(hosts, hostvars, group, address)
        servers = [
            server
            for host in hosts
            for server in _of_host(
                host, hostvars[host], tags, address=address, weight=weight, port=port
            )
        ]
    expected = [
        {"weight": server["weight"], **({"name": name} if name else {})} for name, server in servers
    ]
    return {"targets": [server for _name, server in servers], "expected": expected}


def _of_target(target: Mapping[str, Any], tags: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The name of the server, if it is known, and the target."""
    weight = target.get("weight")
    return str(target.get("server") or ""), {
        "target": target["target"],
        "weight": _WEIGHT if weight is None else int(weight),
        "tags": list(target.get("tags") or tags),
    }


def _of_host(
    host: str,
    variables: Mapping[str, Any],
    tags: Sequence[str],
    *,
    address: str,
    weight: str,
    port: int | str,
) -> list[tuple[str, dict[str, Any]]]:
    """Each server of a host, or the one that runs where none is listed."""
    where = str(variables.get(address, host))
    one = {"name": host, "port": variables.get("echo_upstream_port", port)}
    bracketed = f"[{where}]" if ":" in where and not where.startswith("[") else where
    return [
        (
            str(server["name"]),
            {
                "target": f"{bracketed}:{server['port']}",
                "weight": int(variables.get(weight, _WEIGHT)),
                "tags": list(tags),
            },
        )
        for server in variables.get("echo_upstream_servers", [one])
    ]


def _refuse_unusable(
    hosts: Sequence[str], hostvars: Mapping[str, Any], group: str, address: str
) -> None:
    if not hosts:
        raise AnsibleFilterError(
            f"The group {group} has no hosts: the upstream would lose all targets."
        )
    lost = [host for host in hosts if address not in hostvars[host]]
    if lost and address != "ansible_host":
        raise AnsibleFilterError(
            f"{', '.join(lost)} of the group {group} lack the variable {address} "
            "(echo_upstream_address_variable)."
        )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"echo_pool": echo_pool}
