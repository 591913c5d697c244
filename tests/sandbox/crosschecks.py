# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across fields that the dumps announce as `custom_entity_check` and do not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .pem import certificate_error, key_error, pair_error

#: Errors of the whole, and errors by field.
Findings = tuple[list[str], dict[str, str]]

HTTP = ("methods", "hosts", "headers", "paths")
STREAM = ("sources", "destinations", "snis")

#: By protocol: the fields of which one must be set, and the message when none is.
REQUIRED_ONE: dict[str, tuple[tuple[str, ...], str]] = {
    "http": (HTTP, "'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"),
    "https": (
        (*HTTP, "snis"),
        "'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
    ),
    "tcp": (STREAM, "'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'"),
    "grpc": (
        ("hosts", "headers", "paths"),
        "'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
    ),
    "grpcs": (
        ("hosts", "headers", "paths", "snis"),
        "'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
    ),
    "tls_passthrough": (("snis",), "'snis' when 'protocols' is 'tls_passthrough'"),
}
GROUPS = {"tls": "tcp", "udp": "tcp"}

NO_STREAM = "'tcp', 'tls', 'tls_passthrough' or 'udp'"


def _set_fields(route: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if route.get(name)]


def route_protocols(route: dict[str, Any]) -> Findings:
    """A route needs one thing to match on, and only what its protocols can match on."""
    protocols = route.get("protocols") or []
    whole: list[str] = []
    for group in dict.fromkeys(GROUPS.get(protocol, protocol) for protocol in protocols):
        names, message = REQUIRED_ONE.get(group, ((), ""))
        if names and not _set_fields(route, names):
            whole.append(f"must set one of {message}")
    return _only_the_widest(protocols, whole), _misplaced(route, protocols)


def _only_the_widest(protocols: list[str], whole: list[str]) -> list[str]:
    """With http beside https only the list of https, the longer one, is asked for."""
    for secure, plain in (("https", "http"), ("grpcs", "grpc")):
        if secure in protocols and plain in protocols:
            return [text for text in whole if not text.endswith(f"is '{plain}'")]
    return whole


def _misplaced(route: dict[str, Any], protocols: list[str]) -> dict[str, str]:
    stream = [item for item in protocols if item in ("tcp", "tls", "udp", "tls_passthrough")]
    grpc = [item for item in protocols if item in ("grpc", "grpcs")]
    errors: dict[str, str] = {}
    for name in HTTP if stream else ("sources", "destinations"):
        if stream and route.get(name) is not None:
            errors[name] = f"cannot set '{name}' when 'protocols' is {NO_STREAM}"
        elif protocols and not stream and route.get(name):
            kinds = "'grpc' or 'grpcs'" if grpc else "'http' or 'https'"
            errors[name] = f"cannot set '{name}' when 'protocols' is {kinds}"
    if grpc and route.get("methods") is not None:
        errors["methods"] = "cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'"
    return errors


def certificate_pair(certificate: dict[str, Any]) -> Findings:
    """A certificate and a key that belong to each other."""
    return _pair(certificate, "cert", "key")


def alternative_pair(certificate: dict[str, Any]) -> Findings:
    """The second certificate and its key."""
    return _pair(certificate, "cert_alt", "key_alt")


def _pair(certificate: dict[str, Any], cert: str, key: str) -> Findings:
    if not certificate.get(cert) or not certificate.get(key):
        return [], {}
    error = pair_error(certificate[cert], certificate[key])
    return ([error] if error else []), {}


def ca_certificate(data: dict[str, Any]) -> Findings:
    """One certificate that may sign others."""
    error = certificate_error(data["cert"], authority=True)
    return ([error] if error else []), {}


def key_material(key: dict[str, Any]) -> Findings:
    """A JWK that can be loaded and has the key's `kid`; PEM halves that can be loaded.

    Symmetric keys ("oct") cannot be loaded (conformance: vaults_and_keys).
    """
    if key.get("jwk"):
        return _jwk(key)
    pem = key.get("pem") or {}
    for name in ("private_key", "public_key"):
        if pem.get(name) and key_error(pem[name], private=name == "private_key"):
            return [f"could not load {name.replace('_', ' ')}"], {}
    return [], {}


def _jwk(key: dict[str, Any]) -> Findings:
    try:
        jwk = json.loads(key["jwk"])
    except ValueError:
        return ["could not json decode jwk string"], {}
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("RSA", "EC", "OKP"):
        return ["could not load JWK, likely not a valid key"], {}
    if jwk.get("kid") != key.get("kid"):
        return ["kid in jwk.kid must be equal to keys.kid"], {}
    return [], {}


def proxy_url(data: dict[str, Any]) -> Findings:
    """aws-lambda reaches its proxy by plain HTTP only."""
    url = (data.get("config") or {}).get("proxy_url")
    if isinstance(url, str) and not url.startswith("http://"):
        return ["proxy_url scheme must be http"], {}
    return [], {}


#: The check by the record's path and the first field that the dump names for it.
CUSTOM: dict[tuple[str, str], Callable[[dict[str, Any]], Findings]] = {
    ("routes", "id"): route_protocols,
    ("certificates", "cert"): certificate_pair,
    ("certificates", "cert_alt"): alternative_pair,
    ("ca_certificates", "cert"): ca_certificate,
    ("keys", "jwk"): key_material,
    ("plugins/aws-lambda", "config.proxy_url"): proxy_url,
}
