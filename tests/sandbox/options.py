# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox is told on its command line and in its environment."""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from .schema import VERSIONS

MODES = ("database", "dbless", "control_plane", "data_plane", "konnect")
EDITIONS = ("community", "enterprise")

#: The modes that are built.
SERVED_MODES = ("database", "dbless", "control_plane")


class Refused(Exception):
    """A sandbox that is not built; the message is one sentence."""


@dataclass(frozen=True)
class Options:
    """One sandbox. `version` is a release ("3.10"), `propagation` and `health_delay` seconds.

    `config` is the document that a gateway without a database starts with.
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

    @property
    def proxies(self) -> bool:
        """Whether this gateway has a proxy port: a control plane leaves that to data planes."""
        return self.mode != "control_plane"


def _parser() -> argparse.ArgumentParser:
    env = os.environ.get
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--mode", choices=MODES, default=env("MODE", "database"))
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
    return parser


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options of a command line; `Refused` for what is not built."""
    given = _parser().parse_args(arguments)
    release = ".".join(given.version.split(".")[:2])
    if release not in VERSIONS:
        raise Refused(f"The sandbox knows the versions {', '.join(VERSIONS)}, not {given.version}.")
    if given.mode not in SERVED_MODES:
        raise Refused(f"The sandbox cannot be a gateway in mode {given.mode} yet.")
    if given.config and given.mode != "dbless":
        raise Refused("The sandbox takes a document to start with in mode dbless only.")
    config = given.config or (os.environ.get("DBLESS_CONFIG") if given.mode == "dbless" else None)
    if bool(given.admin_tls_cert) != bool(given.admin_tls_key):
        raise Refused("TLS on the admin port takes --admin-tls-cert and --admin-tls-key.")
    tls = (given.admin_tls_cert, given.admin_tls_key) if given.admin_tls_cert else None
    return Options(
        mode=given.mode,
        version=release,
        edition=given.edition,
        host=given.host,
        admin_port=given.admin_port,
        proxy_port=given.proxy_port,
        propagation=given.propagation,
        health_delay=given.health_delay,
        state=given.state,
        config=pathlib.Path(config) if config else None,
        admin_token=given.admin_token,
        admin_tls=tls,
    )
