# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `consistent-hashing` hashes of a request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from .exchange import Exchange
from .paths import normalize


def hash_key(
    upstream: dict[str, Any], exchange: Exchange, captures: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """The text to hash by `hash_on`, else by `hash_fallback`, and a `Set-Cookie` value.

    A missing cookie is made, and the client gets it in the answer. Nobody authenticates here, so
    that `consumer` is never there and the fallback counts. Both are none where nothing is hashed.
    """
    for prefix, source in (
        ("hash_on", upstream["hash_on"]),
        ("hash_fallback", upstream["hash_fallback"]),
    ):
        if source == "cookie":
            return _cookie(upstream, exchange)
        found = _value(upstream, prefix, source, exchange, captures)
        if found is not None:
            return found, None
    return None, None


def _value(
    upstream: dict[str, Any],
    prefix: str,
    source: str | None,
    exchange: Exchange,
    captures: Mapping[str, str],
) -> str | None:
    match source:
        case "ip":
            return exchange.client_ip
        case "path":
            return normalize(exchange.request.path)
        case "header":
            return exchange.header(upstream[f"{prefix}_header"].lower())
        case "query_arg":
            query = parse_qs(exchange.query.decode("latin-1"), keep_blank_values=True)
            values = query.get(upstream[f"{prefix}_query_arg"])
            return ",".join(sorted(values)) if values else None
        case "uri_capture":
            return captures.get(upstream[f"{prefix}_uri_capture"])
    return None


def _cookie(upstream: dict[str, Any], exchange: Exchange) -> tuple[str, str | None]:
    name = upstream["hash_on_cookie"]
    sent: SimpleCookie = SimpleCookie()
    try:
        sent.load((exchange.header("cookie") or "").replace(",", ";"))
    except CookieError:
        sent.clear()
    if name in sent:
        return sent[name].value, None
    value = str(uuid.uuid4())
    path = upstream.get("hash_on_cookie_path") or "/"
    return value, f"{name}={value}; Path={path}; Same-Site=Lax; HttpOnly"
