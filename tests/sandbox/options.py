# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the sandbox on its command line and in its environment."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import link
from .schema import VERSIONS

MODES = ("database", "dbless", "control_plane", "data_plane", "konnect")
EDITIONS = ("community", "enterprise")

#: The name of Konnect's organization.
ORGANIZATION = "Kong"


class Refused(Exception):
    """A sandbox that is not built; the message is one sentence."""


class Unloadable(Refused):
    """A document with which it cannot start: its `path`, and the gateway's words as `reason`."""

    def __init__(self, path: pathlib.Path, reason: str) -> None:
        super().__init__(f"The sandbox cannot start with {path}: {reason}.")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class Options:
    """One sandbox. `version` is a release ("3.10"), `propagation` and `health_delay` seconds.

    `config` is the document that a gateway without a database starts with. A port is None where
    the gateway has none; `inherited` are listening sockets that the parent process has opened, by
    name, instead of all ports.
    """

    mode: str
    version: str
    edition: str
    host: str
    admin_port: int
    proxy_port: int
    propagation: float
    health_delay: float
    state: pathlib.Path | None
    config: pathlib.Path | None
    admin_token: str | None
    admin_tls: tuple[str, str] | None
    status_port: int | None = None
    cluster_port: int | None = None
    cluster: link.Cluster | None = None
    node_id: str | None = None
    inherited: Mapping[str, int] = field(default_factory=dict)
    proxy_tls_port: int | None = None
    proxy_tls: tuple[str, str] | None = None
    organization: str = ORGANIZATION

    @property
    def proxies(self) -> bool:
        """Whether this gateway has a proxy port: a control plane leaves that to data planes."""
        return self.mode not in ("control_plane", "konnect")

    @property
    def ports(self) -> dict[str, int]:
        """The ports to open by name: always admin, the others where this gateway has them."""
        wanted = {
            "admin": self.admin_port,
            "proxy": self.proxy_port if self.proxies else None,
            "proxy_tls": self.proxy_tls_port if self.proxies else None,
            "status": self.status_port,
            "cluster": self.cluster_port,
        }
        return {name: port for name, port in wanted.items() if port is not None}


def _parser() -> argparse.ArgumentParser:
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    modes = "what it is: a gateway, a node of a cluster, or Konnect"
    parser.add_argument("--mode", choices=MODES, default=env("MODE", "database"), help=modes)
    parser.add_argument("--version", default=env("VERSION", "3.10"))
    parser.add_argument("--edition", choices=EDITIONS, default=env("EDITION", "community"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--admin-port", type=int, default=int(env("ADMIN_PORT", "8001")))
    parser.add_argument("--proxy-port", type=int, default=int(env("PROXY_PORT", "8000")))
    parser.add_argument("--propagation", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--health-delay", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--state", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--admin-token", metavar="TOKEN")
    parser.add_argument("--admin-tls-cert", metavar="FILE")
    parser.add_argument("--admin-tls-key", metavar="FILE")
    parser.add_argument("--proxy-tls-port", type=int)
    parser.add_argument("--proxy-tls-cert", metavar="FILE")
    parser.add_argument("--proxy-tls-key", metavar="FILE")
    parser.add_argument("--status-port", type=int)
    parser.add_argument("--node-id", metavar="UUID")
    parser.add_argument("--organization", default=ORGANIZATION, help="the name of Konnect's")
    parser.add_argument("--inherit", type=_inherited, action="append", default=[])
    _add_cluster(parser.add_argument_group("cluster"))
    return parser


def _add_cluster(group: argparse._ArgumentGroup) -> None:
    """The options that make a node part of a cluster."""
    group.add_argument("--cluster-port", type=int)
    group.add_argument("--cluster-cert", type=pathlib.Path, metavar="FILE")
    group.add_argument("--cluster-key", type=pathlib.Path, metavar="FILE")
    group.add_argument("--cluster-ca", type=pathlib.Path, metavar="FILE")
    group.add_argument("--cluster-mtls", choices=link.MTLS, default="shared")
    group.add_argument("--cluster-allowed-name", action="append", default=[])
    group.add_argument("--cluster-server-name")
    group.add_argument("--cluster-trusted", action="append", default=[], metavar="FILE")
    group.add_argument("--control-plane", type=_address, metavar="HOST:PORT")
    group.add_argument("--konnect-mode", action="store_true")
    group.add_argument("--label", type=_label, action="append", default=[], metavar="KEY:VALUE")


def _inherited(text: str) -> tuple[str, int]:
    name, number = text.split("=")
    return name, int(number)


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator:
        raise ValueError("a port is missing")
    return host.strip("[]"), int(port)


def _label(text: str) -> tuple[str, str]:
    key, _colon, value = text.partition(":")
    return key, value


def _cluster(given: argparse.Namespace) -> link.Cluster | None:
    """The node's part in a cluster; `Refused` where the options do not make one."""
    member = given.mode == "data_plane" or given.cluster_port is not None
    if given.cluster_port is not None and given.mode not in ("control_plane", "konnect"):
        raise Refused("The sandbox has a cluster port in modes control_plane and konnect only.")
    if not member:
        return None
    if not (given.cluster_cert and given.cluster_key):
        raise Refused("The sandbox joins a cluster with --cluster-cert and --cluster-key.")
    if given.mode == "data_plane" and given.control_plane is None:
        raise Refused("The sandbox as a data plane takes --control-plane HOST:PORT.")
    if given.mode == "control_plane" and given.cluster_mtls != "shared" and not given.cluster_ca:
        raise Refused(f"The sandbox takes --cluster-ca for --cluster-mtls {given.cluster_mtls}.")
    return link.Cluster(
        cert=given.cluster_cert,
        key=given.cluster_key,
        mtls=given.cluster_mtls,
        ca=given.cluster_ca,
        allowed_names=tuple(given.cluster_allowed_name),
        control_plane=given.control_plane,
        server_name=given.cluster_server_name,
        trusted=tuple(given.cluster_trusted),
        labels=dict(given.label),
        konnect_mode=given.konnect_mode,
    )


def _pair(port: str, cert: str | None, key: str | None) -> tuple[str, str] | None:
    """A certificate with its key, or neither."""
    if bool(cert) != bool(key):
        raise Refused(f"TLS on the {port} port takes --{port}-tls-cert and --{port}-tls-key.")
    return (cert, key) if cert and key else None


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options of a command line; `Refused` for what is not built."""
    given = _parser().parse_args(arguments)
    # Konnect has no version: it is always the newest.
    release = VERSIONS[-1] if given.mode == "konnect" else ".".join(given.version.split(".")[:2])
    if release not in VERSIONS:
        raise Refused(f"The sandbox knows the versions {', '.join(VERSIONS)}, not {given.version}.")
    if given.config and given.mode != "dbless":
        raise Refused("The sandbox takes a document to start with in mode dbless only.")
    config = given.config or (os.environ.get("DBLESS_CONFIG") if given.mode == "dbless" else None)
    proxy_tls = _pair("proxy", given.proxy_tls_cert, given.proxy_tls_key)
    if given.proxy_tls_port is not None and proxy_tls is None:
        raise Refused("The sandbox takes --proxy-tls-cert for --proxy-tls-port.")
    return Options(
        mode=given.mode,
        version=release,
        edition="konnect" if given.mode == "konnect" else given.edition,
        organization=given.organization,
        host=given.host,
        admin_port=given.admin_port,
        proxy_port=given.proxy_port,
        propagation=given.propagation,
        health_delay=given.health_delay,
        state=given.state,
        config=pathlib.Path(config) if config else None,
        admin_token=given.admin_token,
        admin_tls=_pair("admin", given.admin_tls_cert, given.admin_tls_key),
        status_port=given.status_port,
        cluster_port=given.cluster_port,
        cluster=_cluster(given),
        node_id=given.node_id,
        inherited=dict(given.inherit),
        proxy_tls_port=given.proxy_tls_port,
        proxy_tls=proxy_tls,
    )
