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
    listeners_of,
    role_of,
    text_of,
    uses_database,
)

Facts = Mapping[str, Any]
# A sentence, and whether it applies.
Rule = tuple[object, str]

_ENDPOINT = re.compile(r"([a-z]+://)?[^/:@\s\[\]]+(:[0-9]+)?/?")
_PORT = re.compile(r"((\[[^]]+\]|[0-9.]*):)?([0-9]+:)?[0-9]+(/(tcp|udp))?")
_BLOCKS = ("main", "events", "http", "proxy", "admin", "status", "stream", "upstream")
_COLLECTIONS = {
    "docker": "community.docker", "compose": "community.docker", "helm": "kubernetes.core",
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
    rules = _collections(options)
    if options["state"] != "absent":
        rules += [
            *_mode(options, settings), *_certificates(options), *_method(options),
            *_versions(options), *_host(options, facts), *_values(options, fixed),
            *_listeners(options, settings),
        ]
    return [sentence for applies, sentence in rules if applies]


def warnings_of(options: Options, settings: Mapping[str, str], certificate: str) -> list[str]:
    """What the user should know, and what the role does all the same.

    :param certificate: what is done with the node's certificate, ``none`` for nothing.
    """
    unknown = [name for name in [*options["config"], *options["secrets"]]
               if not is_known(name) and not name.isupper()]
    found = [
        f"{name} is not a known setting of the gateway"
        + (f"; did you mean {hint}?" if (hint := nearest(name)) else "; it is written as it is.")
        for name in unknown
    ]
    line, community = line_of(options["version"]), options["edition"] == "community"
    licensed = {"license_path", "license_data"} & set(settings) or options["license"]
    if community and line in END_OF_LIFE and line != LAST_COMMUNITY_LINE:
        found.append(f"The open edition of {line} gets no fixes since {END_OF_LIFE[line]}; its last"
                     f" line is {LAST_COMMUNITY_LINE}.")
    licensed = licensed or "KONG_LICENSE_DATA" in options["secrets"]
    if not community and options["mode"] != "konnect" and not licensed:
        found.append("The enterprise edition without a license makes the Admin API read-only from"
                     " 3.15 on and has no enterprise features; set gateway_license.")
    if options["mode"] == "konnect" and certificate != "none" and not options["pins"]:
        found.append("Without konnect_token the certificate is not in Konnect yet; pin the one that"
                     " the run prints.")
    return found


def _mode(options: Options, settings: Mapping[str, str]) -> list[Rule]:
    mode, url, edition = options["mode"], options["control_plane_url"], options["edition"]
    role, database = role_of(options), uses_database(options)
    return [
        (database and "pg_host" not in settings,
         f"gateway_mode={mode} needs a PostgreSQL database; set pg_host, pg_user, pg_database in"
         " gateway_config and pg_password in gateway_secrets."),
        (mode == "data_plane" and not url,
         "gateway_mode=data_plane needs gateway_control_plane_url, such as cp.example.com."),
        (url and role == "data_plane" and not _ENDPOINT.fullmatch(url),
         "gateway_control_plane_url must be a host name or IPv4 address with or without a port,"
         " such as https://cp.example.com:8005."),
        (options["pins"] and not options["control_plane"],
         "konnect_token needs kong_control_plane, the name of the control plane."),
        (options["pins"] and len(options["control_planes"]) != 1,
         f"kong_control_plane={options['control_plane']} does not exist in Konnect; create it or"
         " correct the name."),
        (mode == "konnect" and edition != "enterprise",
         "gateway_mode=konnect needs gateway_edition=enterprise."),
        (options["state_file"] and mode != "dbless",
         "gateway_state_file needs gateway_mode=dbless."),
        (options["admin_password"] and not database,
         "gateway_admin_password is for the first start with a database; remove it."),
        (options["license"] and edition != "enterprise",
         "gateway_license needs gateway_edition=enterprise."),
        (options["labels"] and role != "data_plane",
         "gateway_labels are for data planes; remove them or change gateway_mode."),
    ]


def _certificates(options: Options) -> list[Rule]:
    source, cluster = certificate_source(options), role_of(options) != "traditional"
    has_pair = options["certificate_file"] and options["certificate_key_file"]
    return [
        (cluster and source == "none",
         "gateway_certificate cannot be none in a cluster; set auto, ca or given."),
        (source == "self_signed" and cluster and options["mode"] != "konnect",
         "A control plane of your own does not pin certificates; set gateway_certificate=ca."),
        (source == "ca" and not (options["ca_certificate"] and options["ca_key"]),
         "gateway_certificate=ca needs gateway_ca_certificate and gateway_ca_key."),
        (source == "given" and not has_pair,
         "gateway_certificate=given needs gateway_certificate_file and"
         " gateway_certificate_key_file."),
        (options["certificate_renew_days"] >= options["certificate_days"],
         "gateway_certificate_renew_days must be less than gateway_certificate_days."),
    ]


def _collections(options: Options) -> list[Rule]:
    return [
        (name not in options["collections"],
         f"gateway_method={options['method']} needs the collection {name}; install it with:"
         f" ansible-galaxy collection install {name}")
        for name in collections_of(options)
    ]


def _method(options: Options) -> list[Rule]:
    method = options["method"]
    control_plane = options["mode"] == "control_plane" and has_ca(options)
    return [
        (method == "files" and options["state"] == "stopped",
         "gateway_state=stopped cannot be combined with gateway_method=files, which starts nothing;"
         " stop the gateway where you started it."),
        (method == "helm" and options["state"] == "stopped",
         "gateway_state=stopped cannot be combined with gateway_method=helm; set replicaCount to 0"
         " in gateway_helm_values."),
        (not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", options["name"]),
         "gateway_name must consist of small letters, digits, dots, underscores and hyphens."),
        (method == "package" and options["directory"] != "/etc/kong",
         "gateway_method=package needs gateway_directory=/etc/kong, where its unit looks."),
        (method == "helm" and control_plane and not options["control_plane_url"],
         "A control plane in Kubernetes needs gateway_control_plane_url, the name under which data"
         " planes reach its service."),
    ]


def _versions(options: Options) -> list[Rule]:
    version, line = options["version"], line_of(options["version"])
    own = options["image"] or options["package_url"] or options["method"] == "files"
    newer = _number(line) > _number(LAST_COMMUNITY_LINE)
    return [
        (isinstance(options["written_version"], (int, float)),
         f"gateway_version is the number {version}; write it in quotes, as 3.10 would be read as"
         " 3.1."),
        (not re.fullmatch(r"[0-9]+(\.[0-9]+){2,3}", version) and not options["image"],
         f"gateway_version={version} is no full version; a tag that moves cannot be restored after"
         " a failure. Write one such as 3.9.3 or 3.14.0.13."),
        (options["method"] == "package" and not options["package_keys"] and line not in KEYS,
         f"No published key is known for {line}; set gateway_package_keys."),
        (options["edition"] == "community" and newer and not own,
         f"The open edition ends at {LAST_COMMUNITY_LINE}; {version} is published as"
         " gateway_edition=enterprise only."),
    ]


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _host(options: Options, facts: Facts) -> list[Rule]:
    """What this host cannot do."""
    method, record = options["method"], facts["record"]
    podman, compose = (facts["versions"].get(name) or "" for name in ("podman", "compose"))
    opened = record.get("edition") == "enterprise" and options["edition"] == "community"
    return [
        (method == "package" and facts["family"] not in ("debian", "rhel", "amzn"),
         f"gateway_method=package needs apt or dnf; this host is {facts['distribution']}."),
        (method == "podman" and podman and _number(podman)[:2] < [4, 4],
         f"gateway_method=podman needs podman 4.4 or newer for quadlets; here is {podman}."),
        (method == "compose" and compose and _number(compose)[:1] < [2],
         f"gateway_method=compose needs docker compose 2 or newer; here is {compose}."),
        (facts["foreign"],
         f"{options['directory']} holds {', '.join(facts['foreign'])}, which the role did not"
         " write; set another gateway_directory, or move it away."),
        (record.get("method", method) != method,
         f"gateway_method was {record.get('method')} before; run gateway_state=absent with it"
         " first."),
        (opened and uses_database(options),
         "A database of the enterprise edition cannot be used by the open one; set"
         " gateway_edition=enterprise."),
    ]


def _values(options: Options, fixed: Mapping[str, str]) -> Iterator[Rule]:
    for name, value in {**options["config"], **options["secrets"]}.items():
        if isinstance(value, Mapping):
            yield True, f"{name} must be a string, a number, a boolean or a list of these."
            continue
        yield ("\n" in text_of(value),
               f"{name} has several lines, which kong.conf cannot hold; put it into a file.")
        yield (name in fixed and (value is None or text_of(value) != fixed[name]),
               f"{name} is {fixed.get(name)} with gateway_mode={options['mode']}; remove it from"
               " gateway_config.")
    for name in options["secrets"]:
        yield (name.isupper() and options["method"] in CONTAINERS,
               f"gateway_secrets holds {name}, an environment variable, which the inspection of a"
               " container would show; write a setting of kong.conf, in small letters.")
    for label, value in options["labels"].items():
        yield (re.search("[,:]", f"{label}{value}"),
               f"gateway_labels holds {label} with a comma or a colon, which separate labels.")
    for block in options["nginx_includes"]:
        yield (block not in _BLOCKS,
               f"gateway_nginx_includes holds {block}; it takes {', '.join(_BLOCKS)}.")


def _listeners(options: Options, settings: Mapping[str, str]) -> Iterator[Rule]:
    counted = Counter((found.host, found.port) for found in listeners_of(settings))
    for (host, port), count in counted.items():
        yield (count > 1,
               f"Two listeners are set to {host}:{port}; change one of the _listen settings.")
    for entry in map(str, options["ports"]):
        yield (not _PORT.fullmatch(entry),
               f"gateway_ports holds {entry}; write [ADDRESS:][PORT:]PORT, such as 8000:8000.")
    yield (options["ports"] and options["network"] == "host",
           "gateway_ports cannot be combined with gateway_network=host; remove one of them.")
