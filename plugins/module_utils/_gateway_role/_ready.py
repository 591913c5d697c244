# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a gateway serves: its status, its workers and its proxy."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ._host import RunCommand

_FATAL = re.compile(r"\[(?:emerg|crit|alert)\]|^Error:|\[error\]")

# The options of the module gateway_ready.
SPEC: dict[str, Any] = {
    **dict.fromkeys(("status_url", "proxy_url"), {"default": ""}),
    **dict.fromkeys(("reload", "log"), {"type": "list", "elements": "str", "default": []}),
    "timeout": {"type": "float", "default": 60.0},
}


class NotReady(Exception):
    """The gateway did not become ready; the message is a sentence."""


def wait(run_command: RunCommand, given: Mapping[str, Any], pause: float = 0.5) -> dict[str, Any]:
    """Reload if asked, and wait until the gateway serves; times are in seconds.

    :param given: the options of the module.
    :raises NotReady: it does not; with the reason from its log.
    """
    end = time.monotonic() + given["timeout"]
    try:
        before = _reload(run_command, given) if given["reload"] else set()
        while True:
            try:
                return _look(given, before)
            except NotReady as exc:
                if time.monotonic() >= end:
                    raise NotReady(f"Timed out after {given['timeout']:g} s: {exc}") from exc
            time.sleep(pause)
    except NotReady as exc:
        log = "".join(run_command(given["log"])[1:]) if given["log"] else ""
        lines = [line.strip()[:300] for line in log.splitlines() if _FATAL.search(line)]
        raise NotReady(f"{exc} Its log contains: {lines[-1]}" if lines else str(exc)) from exc


def _reload(run_command: RunCommand, given: Mapping[str, Any]) -> set[int]:
    """Reload; the workers from before."""
    before = pids(get(f"{given['status_url']}/status")[1]) if given["status_url"] else set()
    status, output, errors = run_command(given["reload"])
    if status:
        raise NotReady(f"The reload failed: {(errors or output).strip()[-300:] or status}.")
    return before


def _look(given: Mapping[str, Any], before: set[int]) -> dict[str, Any]:
    """What a gateway that serves shows."""
    found: dict[str, Any] = {}
    if url := given["status_url"]:
        status, body, _headers = get(f"{url}/status")
        if status != 200:
            raise NotReady(f"{url}/status returned {status or 'nothing'}.")
        now = pids(body)
        if before and (not now or now & before):
            raise NotReady("the workers from before the reload still serve.")
        found = {"configuration_hash": body.get("configuration_hash", ""), "workers": sorted(now)}
        # A data plane of a control plane without entities is never ready.
        empty = re.fullmatch("0+", found["configuration_hash"])
        status, body, _headers = get(f"{url}/status/ready")
        # Gateways before 3.5 do not have it.
        if not empty and status not in (200, 404):
            raise NotReady(f"not ready: {body.get('message', status)}.")
        found["ready"] = status == 200 and not empty
    if url := given["proxy_url"]:
        status, _body, headers = get(url)
        names = f"{headers.get('server', '')} {headers.get('via', '')}".lower()
        if not status or ("kong" not in names and "x-kong-request-id" not in headers):
            raise NotReady(f"{url} {'is not a gateway' if status else 'did not respond'}.")
        found["proxy_status"] = status
    return found


def pids(status: Mapping[str, Any]) -> set[int]:
    """Process ids of the workers in a response of ``/status``."""
    return {int(row["pid"]) for row in status.get("memory", {}).get("workers_lua_vms", [])}


def get(url: str) -> tuple[int, dict[str, Any], http.client.HTTPMessage]:
    """Status, JSON object (an empty one where it is none) and headers; status 0 for no answer.

    Certificates are not validated on the host itself: they are for other names.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    if parts.scheme == "https":
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=5, context=context)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, http.client.HTTPMessage()
    finally:
        connection.close()
    try:
        found = json.loads(body)
    except ValueError:
        found = {}
    return answer.status, found if isinstance(found, dict) else {}, answer.headers
