# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Echo servers for targets: the one that the role echo_upstream ships."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.paths import ROOT
from harness.processes import server

PROGRAM = ROOT / "roles/echo_upstream/files/echo_server.py"


@dataclass(frozen=True)
class Echo:
    """A running echo server; `target` is its address as the gateway reaches it."""

    name: str
    port: int
    target: str


@contextmanager
def echo_server(name: str, host: str = "127.0.0.1") -> Iterator[Echo]:
    """Run an echo server on a free port until the block ends; a gateway finds it at `host`."""
    bind = "127.0.0.1" if host == "127.0.0.1" else "0.0.0.0"
    arguments = [str(PROGRAM), "--bind", bind, "--port", "0", "--name", name, "--quiet"]
    with server(arguments, r"listens on (\(.*\))") as found:
        port = ast.literal_eval(found[1])[1]
        yield Echo(name, port, f"{host}:{port}")
