# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a sandbox gateway in the foreground: `PYTHONPATH=tests python -m sandbox --help`."""

from __future__ import annotations

import asyncio
import socket
import sys

from .app import Sandbox
from .options import Refused, parse


def main() -> int:
    """Exit status: 0 ended by a signal, 1 a port is taken, 2 not built or not understood."""
    try:
        options = parse()
    except Refused as error:
        print(error, file=sys.stderr)
        return 2
    try:
        admin = socket.create_server((options.host, options.admin_port), backlog=512)
        proxy = socket.create_server((options.host, options.proxy_port), backlog=512)
    except OSError as error:
        print(f"The sandbox cannot listen on {options.host}: {error}.", file=sys.stderr)
        return 1
    asyncio.run(Sandbox(options, admin, proxy).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
