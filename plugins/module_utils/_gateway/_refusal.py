# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an Admin API says when it refuses a request, in one line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._errors import flat_reasons

NO_DATABASE = (
    "this gateway runs without a database, so its entities cannot be changed one by one; "
    "add them to its declarative configuration and load that with kong_state"
)


def admin_refusal(body: Mapping[str, Any], status: int) -> tuple[str, dict[str, Any]]:
    """An Admin API's reason in one line, and the parts of the body that say more."""
    details = {key: body[key] for key in ("code", "name", "fields") if key in body}
    return refusal(body, status), details


def refusal(body: Mapping[str, Any], status: int) -> str:
    """The gateway's message, without the line breaks of nested fields."""
    fields = body.get("fields")
    if body.get("code") == 2 and isinstance(fields, dict) and fields:
        reasons = "; ".join(flat_reasons(fields))
        return f"{body.get('name', 'schema violation')} ({reasons})"
    message = " ".join(str(body.get("message") or body.get("error") or "").split())
    if body.get("code") == 10:
        # Only the name says which field: "invalid unique prefix".
        message = f"{str(body.get('name')).replace('unique ', '')}: {message}"
    text = f"{message} (HTTP {status})" if message else f"HTTP {status}"
    if status == 401:
        return f"{text}; check admin_token (or KONG_ADMIN_TOKEN)"
    if status == 403:
        return f"{text}; check what admin_token may do, and workspace"
    if status == 405 and body.get("code") == 12:
        return f"{text}; {NO_DATABASE}"
    if status == 429:
        return f"{message or 'too many requests'} (HTTP 429); the gateway limits requests"
    return text
