# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says which of the addresses that it is given are taken: status 1 and a sentence each.

It runs on managed hosts: Python 3.9. An address is host:port, an IPv6 host in brackets.
"""

from __future__ import annotations

import errno
import socket
import sys


def taken(address: str) -> str:
    """Why nobody could listen there now; empty where one could."""
    host, port = address.rsplit(":", 1)
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the gateway does: connections that are ending do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, int(port)))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port {port} of {host} is taken by another process."
            if error.errno == errno.EADDRNOTAVAIL:
                return f"This host has no address {host} to listen on."
    return ""


def main() -> int:
    """Judge all addresses of the command line."""
    found = [sentence for sentence in map(taken, sys.argv[1:]) if sentence]
    print(" ".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
