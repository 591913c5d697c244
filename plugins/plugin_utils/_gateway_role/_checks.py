# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong or doubtful in the options of the role ``gateway``, as sentences.

PRIVATE to the collection: it can change in any release. No sentence shows a value that may be a
secret.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ._names import is_known, nearest
from ._releases import END_OF_LIFE, KEYS, LAST_COMMUNITY_LINE, line_of
from ._settings import (
    CONTAINERS,
    Options,
    certificate_source,
    has_ca,
    is_text,
    listeners_of,
    role_of,
    text_of,
    uses_database,
)

Facts = Mapping[str, Any]
Sentences = Iterator[str]

_ENDPOINT = re.compile(r"([a-z]+://)?[^/:@\s\[\]]+(:[0-9]+)?/?")
_PORT = re.compile(r"((\[[^]]+\]|[0-9.]*):)?([0-9]+:)?[0-9]+(/(tcp|udp))?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_BLOCKS = ("main", "events", "http", "proxy", "admin", "status", "stream", "upstream")
# The collection that each method acts with, and what makes certificates.
_COLLECTIONS = {
    "docker": "community.docker",
    "compose": "community.docker",
    "helm": "kubernetes.core",
}


def collections_of(options: Options) -> list[str]:
    """The collections that the role needs with these options."""
    found = [_COLLECTIONS[options["method"]]] if options["method"] in _COLLECTIONS else []
    if certificate_source(options) in ("self_signed", "ca") and options["state"] == "present":
        found.append("community.crypto")
    return found


def problems_of(
    options: Options, settings: Mapping[str, str], fixed: Mapping[str, str], facts: Facts
) -> list[str]:
    """What the role refuses before it changes anything.

    :param facts: what ``gateway_host_info`` found on the host.
    """
    checks = (
        _kinds(options),
        _names(options),
        _values(options, settings, fixed),
        _mode(options, settings),
        _certificates(options),
        _listeners(options, settings),
        _method(options),
        _versions(options),
        _host(options, facts),
    )
    found: list[str] = []
    for check in checks:
        found.extend(check)
        if found and check is checks[0]:
            break
    return found


def warnings_of(options: Options, settings: Mapping[str, str]) -> list[str]:
    """What the user should know, and what the role does all the same."""
    found = []
    for name in [*options["config"], *(n for n in options["secrets"] if not n.isupper())]:
        if not is_known(name):
            hint = nearest(name)
            found.append(
                f"{name} is not a known setting of the gateway"
                + (f"; did you mean {hint}?" if hint else "; it is written as it is.")
            )
    line, community = line_of(options["version"]), options["edition"] == "community"
    if community and line in END_OF_LIFE and line != LAST_COMMUNITY_LINE:
        found.append(
            f"The open edition of {line} gets no fixes since {END_OF_LIFE[line]}; its last line is"
            f" {LAST_COMMUNITY_LINE}."
        )
    if not community and options["mode"] != "konnect" and not options["license"]:
        has_license = {"license_path", "license_data"} & set(settings)
        if not has_license and "KONG_LICENSE_DATA" not in options["secrets"]:
            found.append(
                "The enterprise edition without a license makes the Admin API read-only from 3.15"
                " on and has no enterprise features; set gateway_license."
            )
    return found


def _kinds(options: Options) -> Sentences:
    if isinstance(options["written_version"], (int, float)):
        yield (
            f"gateway_version is the number {options['version']}; write it in quotes, as 3.10 would"
            " be read as 3.1."
        )
    for name in ("name", "control_plane_url", "state_file", "network"):
        if not is_text(options[name]):
            yield f"gateway_{name} must be a string; write it in quotes."
    if options["method"] == "files" and options["state"] == "stopped":
        yield (
            "gateway_state=stopped cannot be combined with gateway_method=files, which starts"
            " nothing; stop the gateway where you started it."
        )


def _names(options: Options) -> Sentences:
    if not _NAME.fullmatch(options["name"]):
        yield "gateway_name consists of small letters, digits, dots, underscores and hyphens."
    for name in options["secrets"]:
        if name.isupper() and options["method"] in CONTAINERS:
            yield (
                f"gateway_secrets holds {name}, an environment variable, which the inspection of a"
                " container would show; write a setting of kong.conf, in small letters."
            )
    for block in options["nginx_includes"]:
        if block not in _BLOCKS:
            yield f"gateway_nginx_includes holds {block}; it takes {', '.join(_BLOCKS)}."


def _values(options: Options, settings: Mapping[str, str], fixed: Mapping[str, str]) -> Sentences:
    written = {**options["config"], **options["secrets"]}
    for name, value in written.items():
        if isinstance(value, Mapping):
            yield f"{name} must be a string, a number, a boolean or a list of these."
        elif "\n" in text_of(value):
            yield f"{name} has several lines, which kong.conf cannot hold; put it into a file."
        elif name in fixed and (value is None or text_of(value) != fixed[name]):
            yield (
                f"{name} is {fixed[name]} with gateway_mode={options['mode']}; remove it from"
                " gateway_config."
            )
    if options["labels"] and role_of(options) != "data_plane":
        yield "gateway_labels are for data planes; remove them or change gateway_mode."
    for label, value in options["labels"].items():
        if re.search("[,:]", f"{label}{value}"):
            yield f"The label {label} holds a comma or a colon, which separate labels."


def _mode(options: Options, settings: Mapping[str, str]) -> Sentences:
    mode, url = options["mode"], options["control_plane_url"]
    if uses_database(options) and "pg_host" not in settings:
        yield (
            f"gateway_mode={mode} needs a PostgreSQL database; set pg_host, pg_user, pg_database"
            " in gateway_config and pg_password in gateway_secrets."
        )
    if mode == "data_plane" and not url:
        yield "gateway_mode=data_plane needs gateway_control_plane_url, such as cp.example.com."
    if url and not _ENDPOINT.fullmatch(url) and role_of(options) == "data_plane":
        yield (
            "gateway_control_plane_url must be a host name or IPv4 address with or without a port,"
            " such as https://cp.example.com:8005."
        )
    if mode == "konnect" and options["edition"] != "enterprise":
        yield "Konnect needs gateway_edition=enterprise."
    if options["state_file"] and mode != "dbless":
        yield "gateway_state_file needs gateway_mode=dbless."
    if options["admin_password"] and not uses_database(options):
        yield "gateway_admin_password is for the first start with a database; remove it."
    if options["license"] and options["edition"] != "enterprise":
        yield "gateway_license needs gateway_edition=enterprise."


def _certificates(options: Options) -> Sentences:
    source, cluster = certificate_source(options), role_of(options) != "traditional"
    if cluster and source == "none":
        yield "Nodes of a cluster need a certificate; gateway_certificate cannot be none."
    if source == "self_signed" and cluster and options["mode"] != "konnect":
        yield "A control plane of your own does not pin certificates; use gateway_certificate=ca."
    if source == "ca" and not (options["ca_certificate"] and options["ca_key"]):
        yield "gateway_certificate=ca needs gateway_ca_certificate and gateway_ca_key."
    if source == "given" and not (options["certificate_file"] and options["certificate_key_file"]):
        yield (
            "gateway_certificate=given needs gateway_certificate_file and"
            " gateway_certificate_key_file."
        )
    if options["certificate_renew_days"] >= options["certificate_days"]:
        yield "gateway_certificate_renew_days must be less than gateway_certificate_days."


def _listeners(options: Options, settings: Mapping[str, str]) -> Sentences:
    counted = Counter((found.host, found.port) for found in listeners_of(settings))
    for (host, port), count in counted.items():
        if count > 1:
            yield f"Two listeners are set to {host}:{port}; change one of the _listen settings."
    for entry in options["ports"] or []:
        if not _PORT.fullmatch(str(entry)):
            yield f"gateway_ports holds {entry}; write [ADDRESS:][PORT:]PORT, such as 8000:8000."
    if options["ports"] and options["network"] == "host":
        yield "gateway_ports cannot be combined with gateway_network=host; remove one of them."


def _method(options: Options) -> Sentences:
    method = options["method"]
    if method == "package" and options["directory"] != "/etc/kong":
        yield "gateway_method=package needs gateway_directory=/etc/kong, where its unit looks."
    cluster = options["mode"] == "control_plane" and has_ca(options)
    if method == "helm" and cluster and not options["control_plane_url"]:
        yield (
            "A control plane in Kubernetes needs gateway_control_plane_url, the name under which"
            " data planes reach its service."
        )
    for name in collections_of(options):
        if name not in options["collections"]:
            yield (
                f"gateway_method={method} needs the collection {name}; install it with:"
                f" ansible-galaxy collection install {name}"
            )


def _versions(options: Options) -> Sentences:
    version, line = options["version"], line_of(options["version"])
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){2,3}", version) and not options["image"]:
        yield (
            f"gateway_version={version} is no full version; a tag that moves cannot be gone back"
            " to. Write one such as 3.9.3 or 3.14.0.13."
        )
    if options["method"] == "package" and not options["package_keys"] and line not in KEYS:
        yield f"No published key is known for {line}; set gateway_package_keys."
    own = options["image"] or options["package_url"] or options["method"] == "files"
    newer = _number(line) > _number(LAST_COMMUNITY_LINE)
    if options["edition"] == "community" and newer and not own:
        yield (
            f"The open edition ends at {LAST_COMMUNITY_LINE}; {version} is published as"
            " gateway_edition=enterprise only."
        )


def _number(line: str) -> list[int]:
    return [int(part) for part in line.split(".") if part.isdigit()]


def _host(options: Options, facts: Facts) -> Sentences:
    """What this host cannot do."""
    family, record = facts["family"], facts["record"]
    if options["method"] == "package" and family not in ("debian", "rhel", "amzn"):
        yield f"gateway_method=package needs apt or dnf; this host is {facts['distribution']}."
    podman = facts["versions"].get("podman")
    if options["method"] == "podman" and podman and _number(podman)[:2] < [4, 4]:
        yield f"gateway_method=podman needs podman 4.4 or newer for quadlets; here is {podman}."
    compose = facts["versions"].get("compose")
    if options["method"] == "compose" and compose and _number(compose)[:1] < [2]:
        yield f"gateway_method=compose needs docker compose 2 or newer; here is {compose}."
    if facts["foreign"]:
        yield (
            f"{options['directory']} holds {facts['foreign'][0]}, which the role did not write; set"
            " another gateway_directory, or move it away."
        )
    if record.get("method", options["method"]) != options["method"]:
        yield (
            f"gateway_method was {record['method']} before; run gateway_state=absent with it first."
        )
    back = record.get("edition") == "enterprise" and options["edition"] == "community"
    if back and uses_database(options) and options["state"] != "absent":
        yield "A database of the enterprise edition cannot be used by the open one."
