# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests through a gateway's proxy, and what came back. Private to the collection."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._deadline import Deadline, seconds_left, stopwatch
from ._parallel import for_each
from ._shares import Response
from ._transport import new_httpx_client

with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

_LONGEST_BODY = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request, and where its response names the server.

    :param timeout: seconds for the whole response.
    :param server_header: the header with the server's name.
    :param server_field: the path of the JSON body's field with it.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    timeout: float = 10.0
    server_header: str | None = None
    server_field: str | None = None
    tls: Mapping[str, Any] = field(default_factory=dict)


def send(request: Request, count: int, concurrency: int) -> list[Response]:
    """``count`` requests over ``concurrency`` connections, each of which is kept.

    No request is started once the running deadline has passed.
    """
    share, rest = divmod(count, concurrency)
    parts = [share + (position < rest) for position in range(min(concurrency, count))]
    done = for_each(lambda part: _send_in_turn(request, part), parts, concurrency)
    return [response for part in done for response in part]


def _send_in_turn(request: Request, count: int) -> list[Response]:
    responses: list[Response] = []
    with new_httpx_client(request.url, dict(request.tls), timeout=request.timeout) as client:
        while len(responses) < count and seconds_left() != 0:
            responses.append(_send_one(client, request))
    return responses


def _send_one(client: httpx.Client, request: Request) -> Response:
    passed = stopwatch()
    try:
        with (
            Deadline(request.timeout).running(),
            client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body
            ) as response,
        ):
            body = _beginning_of(response)
    except httpx.TimeoutException:
        return Response(passed(), error=f"timed out after {passed():.3g} s")
    except (httpx.RequestError, httpx.InvalidURL) as exc:
        return Response(passed(), error=str(exc) or type(exc).__name__)
    return Response(passed(), response.status_code, _server_of(request, response.headers, body))


def _beginning_of(response: httpx.Response) -> bytes:
    """The body, or as much of it as may name the server."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _LONGEST_BODY:
            break
    return body


def _server_of(request: Request, headers: Mapping[str, str], body: bytes) -> str | None:
    if request.server_header:
        return headers.get(request.server_header)
    if not request.server_field:
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for key in request.server_field.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None or isinstance(value, (dict, list)) else str(value)
