# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a gateway is and how to get in."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ._errors import InputError
from ._transport import is_loopback, split_url

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def refuse_unsendable(named: str, value: str) -> None:
    """Refuse what no header can hold: the HTTP library would repeat it, a secret, in its error."""
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise InputError(f"{named} must be printable ASCII without leading or trailing blanks")


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
            refuse_unsendable(f"the value of header {name!r}", value)

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
    def memory_key(self) -> str:
        """What a run keeps about the gateway under: all organizations of Konnect have one URL."""
        token = hashlib.sha256(repr(self.headers).encode()).hexdigest() if self.is_konnect else ""
        return f"{self.workspace_url} {token}"

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
