# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `kong check` finds wrong with settings, in the gateway's words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from image.kong.settings import Invalid, Settings, array, listeners, on, pem, table

LABEL = re.compile(r"[a-z0-9]([\w.:-]*[a-z0-9])?")
RESERVED = ("kong", "konnect", "insomnia", "mesh", "kic")
LISTENS = ("proxy", "admin", "status", "stream", "cluster")

#: Bounds of numbers: at least, at most, and how the gateway says so.
BOUNDS: dict[str, tuple[float, float, str]] = {
    "cluster_data_plane_purge_delay": (60, float("inf"), "must be 60 or greater"),
    "cluster_max_payload": (4194304, float("inf"), "must be 4194304 (4MB) or greater"),
    **{
        f"lua_max_{name}": (1, 1000, "must be an integer between 1 and 1000")
        for name in ("req_headers", "resp_headers", "uri_args", "post_args")
    },
}


def faults(settings: Settings) -> list[str]:
    """Everything that is wrong; nothing for settings with which the gateway starts."""
    found = [fault for key in sorted(settings) for fault in _typed(key, settings[key])]
    found += _listens(settings)
    found += [fault for key, bound in BOUNDS.items() for fault in _bounded(settings, key, *bound)]
    found += _cluster(settings)
    found += {"control_plane": _control_plane, "data_plane": _data_plane}.get(
        settings.get("role", ""), _traditional
    )(settings)
    found += _certificates(settings)
    if settings.get("database") == "cassandra":
        found.append("Cassandra as a datastore for Kong is not supported in versions 3.4 and above")
    return found


def _typed(key: str, value: str) -> Iterator[str]:
    spec = table().get(key, {})
    allowed, kind = spec.get("values"), spec.get("type")
    if allowed and value not in allowed:
        yield f"{key} has an invalid value: '{value}' ({', '.join(allowed)})"
    elif kind == "number" and not _is_number(value):
        yield f"{key} is not a number: '{value}'"
    elif kind == "boolean" and value not in ("on", "off", "true", "false"):
        yield f"{key} is not a boolean: '{value}'"
    elif kind == "ngx_boolean" and value not in ("on", "off"):
        yield f"{key} is not a ngx_boolean: '{value}'"


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _bounded(settings: Settings, key: str, low: float, high: float, said: str) -> Iterator[str]:
    value = settings.get(key, str(low))
    if _is_number(value) and not low <= float(value) <= high:
        yield f"{key} {said}"


def _listens(settings: Settings) -> Iterator[str]:
    for name in LISTENS:
        try:
            listeners(settings, f"{name}_listen")
        except Invalid as error:
            yield str(error)


def _off(settings: Settings, key: str) -> bool:
    return array(settings, key)[:1] in ([], ["off"])


def _cluster(settings: Settings) -> Iterator[str]:
    if settings.get("role") not in ("control_plane", "data_plane"):
        return
    if "cluster_cert" not in settings or "cluster_cert_key" not in settings:
        yield "cluster certificate and key must be provided to use Hybrid mode"
    for key, what in (("cluster_cert", "certificate"), ("cluster_cert_key", "key")):
        yield from _loads(key, settings.get(key), what)
    yield from _loads("cluster_ca_cert", settings.get("cluster_ca_cert"), "certificate")


def _certificates(settings: Settings) -> Iterator[str]:
    for trusted in array(settings, "lua_ssl_trusted_certificate"):
        if trusted != "system":
            yield from _loads("lua_ssl_trusted_certificate", trusted, "certificate")
    certificates, keys = array(settings, "ssl_cert"), array(settings, "ssl_cert_key")
    if certificates and not keys:
        yield "ssl_cert_key must be specified"
    elif keys and not certificates:
        yield "ssl_cert must be specified"


def _loads(key: str, value: str | None, what: str) -> Iterator[str]:
    if value is None:
        return
    try:
        text = pem(value)
    except Invalid:
        text = ""
    if f"{'PRIVATE KEY' if what == 'key' else 'CERTIFICATE'}-----" not in text:
        yield f"{key}: failed loading {what} from {value if what != 'key' else '******'}"


def _control_plane(settings: Settings) -> Iterator[str]:
    role = 'when role = "control_plane"'
    for key in ("admin_listen", "cluster_listen"):
        if _off(settings, key):
            yield f"{key} must be specified {role}"
    if settings.get("cluster_mtls") == "pki" and "cluster_ca_cert" not in settings:
        yield 'cluster_ca_cert must be specified when cluster_mtls = "pki"'
    if settings.get("database") == "off":
        yield f"in-memory storage can not be used {role}"
    if on(settings, "cluster_use_proxy"):
        yield f"cluster_use_proxy can not be used {role}"
    if array(settings, "cluster_dp_labels"):
        yield f"cluster_dp_labels can not be used {role}"


def _data_plane(settings: Settings) -> Iterator[str]:
    if _off(settings, "proxy_listen"):
        yield 'proxy_listen must be specified when role = "data_plane"'
    if settings.get("database") != "off":
        yield 'only in-memory storage can be used when role = "data_plane"'
        yield "Hint: set database = off in your kong.conf"
    if on(settings, "cluster_use_proxy") and "proxy_server" not in settings:
        yield "cluster_use_proxy is turned on but no proxy_server is configured"
    labels = array(settings, "cluster_dp_labels")
    if len(labels) > 10:
        yield "labels validation failed: count exceeded 10 max elements"
    for label in labels:
        yield from _label(label)


def _label(label: str) -> Iterator[str]:
    key, _colon, value = label.partition(":")
    for what, text in (("key", key), ("value", value)):
        if not 0 < len(text) <= 63:
            yield f"label {what} validation failed: {text} must have between 1 and 63 characters"
        elif not LABEL.fullmatch(text) or (what == "key" and text.startswith(RESERVED)):
            yield f"label {what} validation failed: {text} is invalid"


def _traditional(settings: Settings) -> Iterator[str]:
    if array(settings, "cluster_dp_labels"):
        yield 'cluster_dp_labels can only be used when role = "data_plane"'
