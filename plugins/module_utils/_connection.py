# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a gateway is and how to get in: options, the environment behind them, what they mean."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible.module_utils.basic import env_fallback

from ._entities._konnect import DEFAULT_CONTROL_PLANE
from ._entities._upstream import is_secret_header
from ._errors import InputError
from ._transport import is_loopback, split_url

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class Connection:
    """The URL of an Admin API or of Konnect, credentials, TLS, and how long to wait.

    ``timeout`` is in seconds and for one request; all attempts of one request together take at most
    ``timeout * (retries + 1)``, and what the gateway asks to wait by HTTP 429.

    :param url: without the workspace; of Konnect, without a control plane.
    :param option: the name of the option with the URL, for messages.
    :param control_plane: name or ID of a control plane of Konnect; empty: Konnect itself; None: an
        Admin API.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = 10.0
    retries: int = 3
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    workspace: str | None = None
    option: str = "admin_url"
    control_plane: str | None = None

    def __post_init__(self) -> None:
        self._check_url()
        for name, value in self.headers:
            if not _HEADER_NAME.fullmatch(name):
                raise InputError(f"admin_headers: {name!r} is not a valid name of a header")
            if not (value.isascii() and value.isprintable() and value == value.strip()):
                # The HTTP library would repeat the value, a secret, in its error.
                raise InputError(
                    f"the value of header {name!r} must be printable ASCII without leading or "
                    "trailing blanks"
                )

    def _check_url(self) -> None:
        # What precedes an @ may be a password, even in a string that is not a URL.
        shown = self.option if "@" in self.url else f"{self.option} {self.url!r}"
        parts = split_url(self.url)
        if parts is None:
            raise InputError(
                f"{shown} is not the URL of {self.product}; "
                "it must begin with http:// or https:// and a host"
            )
        if parts.username is not None or parts.password is not None:
            options = "konnect_token" if self.is_konnect else "admin_token or admin_headers"
            raise InputError(f"{self.option} must not contain credentials; set {options}")
        if self.is_konnect and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise InputError(f"{shown} would send konnect_token unencrypted; use https://")

    @property
    def is_konnect(self) -> bool:
        return self.control_plane is not None

    @property
    def product(self) -> str:
        return "Konnect" if self.is_konnect else "an Admin API"

    @property
    def where(self) -> str:
        """What to check when nothing responds at the URL."""
        if self.is_konnect:
            return "konnect_region or konnect_url, and the network"
        variable = " (or KONG_ADMIN_URL)" if self.option == "admin_url" else ""
        return f"{self.option}{variable} and that the gateway runs"

    @property
    def workspace_url(self) -> str:
        """The URL of the workspace's entities; the same as ``url`` for the default workspace."""
        names = (self.control_plane, self.workspace)
        return "/".join([self.url.rstrip("/"), *(segment(name) for name in names if name)])

    @property
    def above(self) -> Connection | None:
        """What has the workspace, or else the control plane, as an entity; None: it is in neither.

        In Konnect that is the account, without a control plane.
        """
        if self.workspace:
            return replace(self, workspace=None)
        return replace(self, control_plane="") if self.control_plane else None

    def account(self) -> Connection:
        """Konnect itself, which has the control planes.

        :raises InputError: it is an Admin API.
        """
        if not self.is_konnect:
            raise InputError(
                "this module needs Konnect, and admin_url (or KONG_ADMIN_URL) is an Admin API: "
                "set konnect_token instead"
            )
        return replace(self, control_plane="", workspace=None)

    @property
    def tls(self) -> dict[str, Any]:
        return tls_settings(vars(self))


def tls_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options for TLS among others; those left out as None."""
    names = ("validate_certs", "ca_path", "client_cert", "client_key")
    return {name: params.get(name) for name in names}


def segment(text: str) -> str:
    """Quote one segment of a path; ``:`` is kept, as it is part of addresses."""
    quoted = urllib.parse.quote(text, safe=":~")
    # As such they would lead to the segment before.
    return quoted.replace(".", "%2E") if quoted in (".", "..") else quoted


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
    headers = [
        (str(name), str(value))
        for name, value in (params.get("admin_headers") or {}).items()
        if value is not None
    ]
    if params.get("admin_token"):
        headers.append(("Kong-Admin-Token", params["admin_token"]))
    if control_plane is not None:
        headers.append(("Authorization", f"Bearer {params['konnect_token']}"))
    # Paths without a workspace are those of this one, which each edition has.
    workspace = None if params.get("workspace") in ("", "default") else params.get("workspace")
    return Connection(
        url=url.strip().rstrip("/"),
        workspace=workspace,
        headers=tuple(headers),
        timeout=params["request_timeout"],
        retries=params["request_retries"],
        option=option,
        control_plane=control_plane,
        **tls_settings(params),
    )


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
