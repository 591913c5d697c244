# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say where a gateway is, and the environment behind them."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ._connection import Connection, refuse_unsendable, tls_settings
from ._entities._konnect import DEFAULT_CONTROL_PLANE
from ._errors import InputError
from ._secret_names import is_secret_header

Spec = dict[str, dict[str, Any]]

REGIONAL_URL = "https://{}.api.konghq.com"
REGIONS = ("us", "eu", "au", "me", "in", "sg")
# The options for each product, and their environment variables; the first one that is set counts.
ADMIN: dict[str, tuple[str, ...]] = {
    "admin_url": ("KONG_ADMIN_URL",),
    "admin_token": ("KONG_ADMIN_TOKEN",),
}
KONNECT: dict[str, tuple[str, ...]] = {
    "konnect_token": ("KONNECT_TOKEN", "KONG_TOKEN"),
    "konnect_region": ("KONNECT_REGION",),
    "konnect_url": ("KONNECT_URL",),
    "control_plane": ("KONNECT_CONTROL_PLANE",),
}


def _from(variable: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, [variable])}


CONNECTION: Spec = {
    "admin_url": {"type": "str"},
    "admin_token": {"type": "str", "no_log": True},
    "konnect_token": {"type": "str", "no_log": True},
    "konnect_region": {"type": "str", "choices": list(REGIONS)},
    "konnect_url": {"type": "str"},
    "control_plane": {"type": "str"},
    # Not no_log, which would mask each value everywhere: secrets_in finds the secret ones.
    "admin_headers": {"type": "dict", "no_log": False},
    "workspace": {"type": "str", **_from("KONG_WORKSPACE")},
    "validate_certs": {"type": "bool", "default": True, **_from("KONG_VALIDATE_CERTS")},
    "ca_path": {"type": "path", **_from("KONG_CA_PATH")},
    "client_cert": {"type": "path", **_from("KONG_CLIENT_CERT")},
    "client_key": {"type": "path", "no_log": False, **_from("KONG_CLIENT_KEY")},
    "request_timeout": {"type": "float", "default": 10.0},
    "request_retries": {"type": "int", "default": 3},
}


def with_environment(written: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, completed from the environment for the product that is written.

    If none is, the environment decides; options of both products are refused later.
    """
    groups = [group for group in (ADMIN, KONNECT) if _is_any_set(written, group)]
    found = {
        name: os.environ[variable]
        for group in (groups or _groups_in_environment())
        for name, variables in (group.items() if len(groups) < 2 else ())
        for variable in reversed(variables)
        if os.environ.get(variable) and written.get(name) is None
    }
    for name, other in (("konnect_url", "konnect_region"), ("konnect_region", "konnect_url")):
        if written.get(other) is not None:
            found.pop(name, None)
    return {**written, **found}


def _is_any_set(params: Mapping[str, Any], names: Iterable[str]) -> bool:
    return any(params.get(name) is not None for name in names)


def _groups_in_environment() -> list[dict[str, tuple[str, ...]]]:
    deciding = ((ADMIN, "KONG_ADMIN_URL"), (KONNECT, "KONNECT_TOKEN"))
    groups = [group for group, variable in deciding if os.environ.get(variable)]
    # Other tools use this name, too, so it decides only if nothing else does.
    return groups or ([KONNECT] if os.environ.get("KONG_TOKEN") else [])


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Secrets in the connection's options: passwords in URLs, and headers with credentials."""
    listed = params.get("status_urls")
    urls = [
        params.get("admin_url"),
        params.get("konnect_url"),
        *(listed if isinstance(listed, list) else [listed]),
    ]
    headers = params.get("admin_headers")
    written = headers.items() if isinstance(headers, Mapping) else ()
    values = [str(value) for name, value in written if value and is_secret_header(str(name))]
    # A server may repeat a token without its scheme.
    tokens = [value.rpartition(" ")[2] for value in values]
    return {each for each in (*map(_password_in, urls), *values, *tokens) if each}


def _password_in(url: Any) -> str | None:
    """A password in a URL, which is refused and must not be shown either."""
    try:
        return urllib.parse.urlsplit(str(url)).password
    except ValueError:
        return None


def connection_from(
    params: Mapping[str, Any], node_url: str | None = None, option: str = "admin_url"
) -> Connection:
    """The connection that the options (or the environment behind them) describe.

    :param node_url: another node of the same gateway, as ``option`` has it.
    :raises InputError: none is written, or what is written cannot be one.
    """
    url: str | None = node_url or params.get("admin_url")
    control_plane = None if node_url else _control_plane(params)
    if control_plane is not None:
        url = params.get("konnect_url") or REGIONAL_URL.format(params.get("konnect_region") or "us")
        option = "konnect_url"
    if not url:
        raise InputError(
            "one of the following is required: admin_url (or KONG_ADMIN_URL), konnect_token (or "
            "KONNECT_TOKEN)"
        )
    if params["request_timeout"] <= 0:
        given = f"{params['request_timeout']:g}"
        raise InputError(f"request_timeout must be greater than 0, got {given}")
    if params["request_retries"] < 0:
        raise InputError(f"request_retries must be at least 0, got {params['request_retries']}")
    # Paths without a workspace are those of this one, which each edition has.
    workspace = None if params.get("workspace") in ("", "default") else params.get("workspace")
    return Connection(
        url=url.strip().rstrip("/"),
        workspace=workspace,
        headers=tuple(_headers(params, control_plane)),
        timeout=params["request_timeout"],
        retries=params["request_retries"],
        option=option,
        control_plane=control_plane,
        **tls_settings(params),
    )


def _headers(
    params: Mapping[str, Any], control_plane: str | None
) -> Iterator[tuple[str, str]]:
    for name in ("admin_token", "konnect_token"):
        refuse_unsendable(name, params.get(name) or "")
    for name, value in (params.get("admin_headers") or {}).items():
        if value is not None:
            yield str(name), str(value)
    if params.get("admin_token"):
        yield "Kong-Admin-Token", params["admin_token"]
    if control_plane is not None:
        yield "Authorization", f"Bearer {params['konnect_token']}"


def _control_plane(params: Mapping[str, Any]) -> str | None:
    """The control plane of Konnect that the options lead to; None: they lead to an Admin API."""
    konnect = [name for name in KONNECT if params.get(name)]
    admin = [name for name in ADMIN if params.get(name)]
    if konnect and admin:
        raise InputError(
            f"{_named(admin[0], ADMIN)} cannot be combined with {_named(konnect[0], KONNECT)}; "
            "set one of them"
        )
    if params.get("konnect_url") and params.get("konnect_region"):
        raise InputError("konnect_region cannot be combined with konnect_url; set one of them")
    if konnect and not params.get("konnect_token"):
        raise InputError(f"{konnect[0]} needs konnect_token (or KONNECT_TOKEN)")
    return (params.get("control_plane") or DEFAULT_CONTROL_PLANE) if konnect else None


def _named(option: str, group: Mapping[str, tuple[str, ...]]) -> str:
    return f"{option} (or {' or '.join(group[option])})"
