# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests through a gateway's proxy, and what came back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from ._connection import tls_settings
from ._deadline import Deadline, seconds_left, stopwatch
from ._parallel import for_each
from ._shares import Response
from ._transport import new_httpx_client

with contextlib.suppress(ImportError):  # reported at the edge, with the library's name
    import httpx

_LONGEST_BODY = 1024 * 1024


def send(params: Mapping[str, Any], count: int, concurrency: int) -> list[Response]:
    """``count`` requests over ``concurrency`` connections, each of which is kept.

    No request is started once the running deadline has passed.

    :param params: the request, and where its response names the server, by the options of
        ``kong_probe``.
    """
    share, rest = divmod(count, concurrency)
    parts = [share + (position < rest) for position in range(min(concurrency, count))]
    done = for_each(lambda part: _send_in_turn(params, part), parts, concurrency)
    return [response for part in done for response in part]


def _send_in_turn(params: Mapping[str, Any], count: int) -> list[Response]:
    responses: list[Response] = []
    timeout = params["request_timeout"]
    with new_httpx_client(params["url"], tls_settings(params), timeout=timeout) as client:
        while len(responses) < count and seconds_left() != 0:
            responses.append(_send_one(client, params))
    return responses


def _send_one(client: httpx.Client, params: Mapping[str, Any]) -> Response:
    headers = {name: str(value) for name, value in (params.get("headers") or {}).items()}
    passed = stopwatch()
    try:
        with (
            Deadline(params["request_timeout"]).running(),
            client.stream(
                params["method"].upper(), params["url"], headers=headers, content=params.get("body")
            ) as response,
        ):
            body = _beginning_of(response)
    except httpx.TimeoutException:
        return Response(passed(), error=f"timed out after {passed():.3g} s")
    except (httpx.RequestError, httpx.InvalidURL) as exc:
        return Response(passed(), error=str(exc) or type(exc).__name__)
    return Response(passed(), response.status_code, _server_of(params, response.headers, body))


def _beginning_of(response: httpx.Response) -> bytes:
    """The body, or as much of it as may name the server."""
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _LONGEST_BODY:
            break
    return body


def _server_of(params: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> str | None:
    if params.get("server_header"):
        return headers.get(params["server_header"])
    if not params.get("server_field"):
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for key in params["server_field"].split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return None if value is None or isinstance(value, (dict, list)) else str(value)
