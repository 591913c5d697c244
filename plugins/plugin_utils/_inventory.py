# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share: the gateway behind their options, cache, and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._connection_options import (
    CONNECTION,
    connection_from,
    with_environment,
)
from ..module_utils._errors import KongError, refused_by
from ..module_utils._gateway._protocol import Gateway
from ..module_utils._transport import HTTPX_IMPORT_ERROR
from ._action import plain
from ._session import worker_session

Record = dict[str, Any]


class KongInventory(BaseInventoryPlugin, Constructable, Cacheable):
    """Base of the inventory plugins: ``found`` reads, ``add`` makes a host of each record."""

    NAME = ""
    # Whether it reads Konnect's control planes, and not the entities of one.
    of_account = False

    def verify_file(self, path: str) -> bool:
        name = self.NAME.rpartition(".")[2]
        return bool(super().verify_file(path)) and path.endswith((f"{name}.yml", f"{name}.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path)
        self._read_config_data(path)
        if HTTPX_IMPORT_ERROR is not None:
            raise AnsibleParserError(missing_required_lib("httpx"))
        try:
            records = self._records(path, cache)
        except KongError as exc:
            raise AnsibleParserError(exc.message) from exc
        for record in records:
            self.add(record)

    def found(self, gateway: Gateway) -> list[Record]:
        """What the hosts are made of, as plain values without secrets."""
        raise NotImplementedError

    def add(self, record: Record) -> None:
        """Add the host (and the groups) of a record."""
        raise NotImplementedError

    def _records(self, path: str, cache: bool) -> list[Record]:
        key = self.get_cache_key(path)
        use = cache and self.get_option("cache")
        if use and key in self._cache:
            kept: list[Record] = self._cache[key]
            return kept
        written = {name: plain(self.get_option(name)) for name in CONNECTION}
        connection = connection_from(with_environment(written))
        connection = connection.account() if self.of_account else connection
        gateway = worker_session().gateway(connection)
        with refused_by(gateway.url):
            records = self.found(gateway)
        if self.get_option("cache"):
            self._cache[key] = records
        return records

    def add_host(self, name: str, variables: Mapping[str, Any]) -> str:
        """Add a host with its variables, and what the options of constructed groups make of it."""
        host: str = self.inventory.add_host(name) or name
        for key, value in variables.items():
            self.inventory.set_variable(host, key, value)
        strict = self.get_option("strict")
        known = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)
        return host

    def add_to_group(self, host: str, name: str) -> None:
        """Add a host to a group whose name may have to be made one."""
        group = self.inventory.add_group(self._sanitize_group_name(name))
        self.inventory.add_child(group, host)
