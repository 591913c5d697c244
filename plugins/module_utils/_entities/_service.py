# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services: where requests go, an upstream's name or a host."""

from __future__ import annotations

import urllib.parse

from .._errors import InputError
from ._identity import Identity, stored_ids
from ._kind import RESTRICT, Entity, Field, Kind, tags_field

PROTOCOLS = ("grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp", "ws", "wss")
_MILLISECONDS = (1, 2147483646)
_URL_PORTS = {"https": 443}
_PARTS_OF_URL = ("protocol", "host", "port", "path")


def may_hold_password(url: str) -> bool:
    """Whether a string has a part before an ``@``, in a URL or not."""
    return "@" in url


def expand_url(desired: Entity, current: Entity | None) -> list[str]:
    """Expand ``url`` as the gateway does: a missing port is 80 (443), a missing path null.

    Source of the rule: the conformance case service.
    """
    if "url" not in desired:
        return []
    url = desired.pop("url")
    clashing = [name for name in _PARTS_OF_URL if name in desired]
    if clashing:
        raise InputError(f"url cannot be combined with {clashing[0]}; set one of them")
    shown = "url" if may_hold_password(url or "") else f"url {url!r}"
    try:
        parts = urllib.parse.urlsplit(url or "")
        port = parts.port
    except ValueError:
        raise InputError(f"{shown} is not a valid URL") from None
    if parts.scheme not in PROTOCOLS or not parts.hostname or parts.netloc.endswith(":"):
        raise InputError(
            f"{shown} is not the URL of a service; it must have a protocol and a host, "
            "as in http://echo.example:8080/path"
        )
    if parts.query or parts.fragment or parts.username:
        raise InputError(f"{shown} must have no other parts than protocol, host, port and path")
    desired.update(
        protocol=parts.scheme,
        host=parts.netloc.rpartition(":")[0] if port is not None else parts.netloc,
        port=_URL_PORTS.get(parts.scheme, 80) if port is None else port,
        path=parts.path or None,
    )
    return []


SERVICE = Kind(
    name="service", path="services", identity=Identity("name"), apply_field_rules=expand_url,
    fields=(
        Field("name", nullable=False),
        Field("url", nullable=False, hides=may_hold_password, always_returned=False),
        Field("protocol", choices=PROTOCOLS),
        Field("host"),
        Field("port", "int", between=(0, 65535)),
        Field("path"),
        Field("retries", "int", between=(0, 32767)),
        Field("connect_timeout", "int", between=_MILLISECONDS),
        Field("write_timeout", "int", between=_MILLISECONDS),
        Field("read_timeout", "int", between=_MILLISECONDS),
        Field("client_certificate", reference="certificate", on_delete=RESTRICT),
        Field("tls_verify", "bool"),
        Field("tls_verify_depth", "int", between=(0, 64)),
        Field(
            "tls_sans",
            "dict",
            fields=(
                Field("dnsnames", "list", elements="str", unordered=True, empty_is_null=True),
                Field("uris", "list", elements="str", unordered=True, empty_is_null=True),
            ),
        ),
        Field(
            "ca_certificates", "list", elements="str", lists="ca_certificate", unordered=True,
            repeats=True, empty_is_null=True, normalise=stored_ids,
        ),
        Field("enabled", "bool"),
        tags_field(),
    ),
)

KINDS = (SERVICE,)
