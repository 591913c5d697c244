# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between clients and an HTTP application: it records, and misbehaves on demand.

The sandbox has one before its Admin API, the tests have one before any gateway (`harness`).
"""

from __future__ import annotations

from .asgi import App, Receive, Scope, Send
from .connections import Connections
from .faults import Faults
from .journal import Journal


class Interception:
    """ASGI middleware: the request log, the faults, and the connections of the server round it."""

    def __init__(self, app: App) -> None:
        self.connections = Connections()
        self.faults = Faults(app, self.connections)
        self.journal = Journal(self.faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note a request and serve it, or not."""
        await self.journal(scope, receive, send)
