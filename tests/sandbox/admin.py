# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Admin API as an ASGI application: from a request to a resource to an answer."""

from __future__ import annotations

import json
import logging
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import bodies, errors
from .resources import Call, Finder, Resource

log = logging.getLogger("sandbox.admin")

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

#: HTTP status, JSON body (None: no body), headers.
Reply = tuple[int, object, dict[str, str]]

UNSUPPORTED = (
    "<html>\r\n<head><title>415 Unsupported Media Type</title></head>\r\n<body>\r\n"
    "<center><h1>415 Unsupported Media Type</h1></center>\r\n</body>\r\n</html>\r\n"
)


class Admin:
    """Answers requests from the resources that `finders` know, asked in their order."""

    def __init__(self, finders: Sequence[Finder], version: str, token: str | None) -> None:
        self.finders = finders
        self.server = f"kong/{version}"
        self.token = token

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/{path:path}", self.serve, methods=METHODS)])

    async def serve(self, request: Request) -> Response:
        """One request. What fails in here is a 500 as the gateway's own failures are."""
        started = time.perf_counter()
        raw = await request.body()
        segments = _segments(request)
        try:
            status, body, headers = self._answer(request, segments, raw)
        except errors.Refusal as refusal:
            status, body, headers = self.refused(segments, refusal)
        except bodies.UnsupportedMediaType:
            return self.unsupported()
        except Exception:
            log.exception("the sandbox failed at %s %s", request.method, request.url.path)
            status, body, headers = self.refused(segments, errors.unexpected())
        latency = round((time.perf_counter() - started) * 1000)
        return self._response(status, body, {**headers, "X-Kong-Admin-Latency": str(latency)})

    def refused(self, segments: list[str], refusal: errors.Refusal) -> Reply:
        """How a refusal is answered."""
        return refusal.status, refusal.body, {"Content-Type": refusal.media}

    def unsupported(self) -> Response:
        """How a body in an unknown form is answered."""
        return Response(UNSUPPORTED, 415, media_type="text/html")

    def authorize(self, request: Request, segments: list[str]) -> None:
        """Refuse a request that may not be made."""
        if self.token is not None and request.headers.get("kong-admin-token") != self.token:
            raise errors.Refusal(401, {"message": "Invalid RBAC credentials"})

    def _response(self, status: int, body: object, headers: dict[str, str]) -> Response:
        headers = {"Access-Control-Allow-Origin": "*", "Server": self.server, **headers}
        if body is None:
            return Response(status_code=status, headers=headers)
        text = json.dumps(body, separators=(",", ":"))
        headers.setdefault("Content-Type", errors.JSON)
        return Response(text, status, headers)

    def _answer(self, request: Request, segments: list[str], raw: bytes) -> Reply:
        self.authorize(request, segments)
        resource = self._resource(segments)
        allowed = sorted({*resource.methods, "HEAD", "OPTIONS"})
        if request.method == "OPTIONS":
            methods = ", ".join(allowed)
            cross = {"Methods": methods, "Headers": "Content-Type"}
            allow = {f"Access-Control-Allow-{name}": value for name, value in cross.items()}
            return 204, None, {"Allow": methods, **allow}
        handler = resource.methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise errors.method_not_allowed()
        body = self.body(request, raw, resource)
        status, answer = handler(Call(dict(request.query_params), body, raw))
        return status, answer, {}

    def body(self, request: Request, raw: bytes, resource: Resource) -> dict[str, Any]:
        """What a request writes. JSON must be there whatever the method, once it is announced."""
        content_type = request.headers.get("content-type", "")
        if request.method in ("POST", "PUT", "PATCH"):
            return bodies.parsed(content_type, raw, resource.record_of)
        if content_type.lower().startswith("application/json"):
            bodies.parsed(content_type, raw, None)
        return {}

    def _resource(self, segments: list[str]) -> Resource:
        for find in self.finders if "" not in segments else ():
            resource = find(segments)
            if resource is not None:
                return resource
        raise errors.not_found()


def _segments(request: Request) -> list[str]:
    """The decoded segments of a path."""
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    path = path.removeprefix("/").removesuffix("/")
    return [urllib.parse.unquote(part) for part in path.split("/")] if path else []
