# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every request that the Admin API got, for tests that count them."""

from __future__ import annotations

import json
from typing import Any

from .asgi import App, Message, Receive, Scope, Send, replay, whole_body

Entry = dict[str, Any]


def readable(raw: bytes) -> Any:
    """A body as JSON, else as text; None where there is none."""
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


class Journal:
    """ASGI middleware; `entries` come in order of arrival, `status` is None while unanswered."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.entries: list[Entry] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the request, serve it, note what was answered."""
        body = await whole_body(receive)
        entry: Entry = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": None,
            "body": readable(body),
        }
        self.entries.append(entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self.app(scope, replay(body, receive), noting)
