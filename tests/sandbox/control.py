# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/sandbox/…`: how tests steer the sandbox. On loopback only, and never part of the journal."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from starlette.responses import JSONResponse, Response

from .asgi import Receive, Scope, Send, whole_body
from .faults import BadFault
from .interception import Interception
from .organization import Organization
from .workspaces import Workspaces

PREFIX = "/sandbox/"


class Control:
    """The ASGI application of the admin port: the control endpoints, or else `interception`."""

    def __init__(self, interception: Interception, kept: Workspaces | Organization) -> None:
        """`kept`: what a reset empties."""
        self.app = interception
        self.kept = kept
        self.faults = interception.faults
        self.journal = interception.journal
        self.connections = interception.connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the admin port."""
        if not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        response = self._answer(scope, await whole_body(receive))
        await response(scope, receive, send)

    def _answer(self, scope: Scope, body: bytes) -> Response:
        if not ipaddress.ip_address(scope["client"][0]).is_loopback:
            return JSONResponse({"message": "the sandbox is steered from loopback only"}, 403)
        match scope["method"], scope["path"].removeprefix(PREFIX).rstrip("/"):
            case "GET", "faults":
                return JSONResponse(self.faults.listed())
            case "POST", "faults":
                return self._add_fault(body)
            case "DELETE", "faults":
                self.faults.clear()
            case "GET", "requests":
                return JSONResponse(self.journal.entries)
            case "GET", "connections":
                counted = {"opened": self.connections.opened, "most": self.connections.most}
                return JSONResponse(counted)
            case "DELETE", "requests":
                self.journal.entries.clear()
                self.connections.reset()
            case "POST", "reset":
                self.kept.reset()
            case method, path:
                return JSONResponse({"message": f"no control endpoint {method} {path}"}, 404)
        return Response(status_code=204)

    def _add_fault(self, body: bytes) -> Response:
        try:
            spec: Any = json.loads(body)
            if not isinstance(spec, dict):
                raise BadFault("a fault is an object")
            self.faults.add(spec)
        except ValueError as error:
            return JSONResponse({"message": f"not a fault: {error}"}, 400)
        return JSONResponse(self.faults.listed()[-1], 201)
