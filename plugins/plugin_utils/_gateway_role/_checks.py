# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong or doubtful in the options of the role ``gateway``, as sentences.

PRIVATE to the collection: it can change in any release. No sentence shows a value that may be a
secret. What ``kong check`` or nginx says of a setting itself is left to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...module_utils._spelling import did_you_mean
from ._settings import Facts, Options, Settings, is_known, numbers_of, text_of
from ._tables import BLOCKS, END_OF_LIFE, KEYS, LAST_LINE, NAMES

# Whether a sentence applies, and the sentence.
Rule = tuple[object, str]

COLLECTIONS = {
    "docker": "community.docker", "compose": "community.docker", "helm": "kubernetes.core",
    "self_signed": "community.crypto", "ca": "community.crypto",
}
# What options that are dictionaries take.
_TAKES = {
    "nginx_includes": BLOCKS, "registry": ("url", "username", "password"),
    "resources": ("memory", "cpus", "requests", "limits"), "log": ("driver", "options", "keep"),
}
_ENDPOINT = re.compile(r"([a-z]+://)?[^/:@\s\[\]]+(:[0-9]+)?/?")
_PORT = re.compile(r"((\[[^]]+\]|[0-9.]*):)?([0-9]+:)?[0-9]+(/(tcp|udp))?")


def problems_of(options: Options, settings: Settings, fixed: Settings, facts: Facts) -> list[str]:
    """What the role refuses before it changes anything.

    :param options: those of ``resolved``.
    :param facts: what ``gateway_host_info`` found.
    """
    present = options["state"] != "absent"
    needed = [options["method"], *([options["certificate"]] if present else [])]
    rules: list[Rule] = [
        (name not in options["collections"],
         f"A collection is missing; install it with: ansible-galaxy collection install {name}")
        for name in (COLLECTIONS[key] for key in needed if key in COLLECTIONS)
    ]
    if present:
        rules += [*_mode(options, settings), *_certificates(options), *_method(options)]
        rules += [*_host(options, facts), *_values(options, fixed)]
    return [sentence for applies, sentence in rules if applies]


def warnings_of(options: Options, settings: Settings, certificate: str) -> list[str]:
    """What the user should know, and what the role does all the same.

    :param certificate: what is done with the node's certificate, ``none`` for nothing.
    """
    found, konnect = [], options["mode"] == "konnect"
    for name in [*options["config"], *options["secrets"]]:
        if not is_known(name):
            rest = did_you_mean(name, NAMES) or "; it is written unchanged."
            found.append(f"{name} is not a known setting of the gateway{rest}")
    licensed = konnect or {"license_path", "license_data"} & set(settings)
    if options["edition"] == "enterprise" and not licensed:
        found.append("The enterprise edition has no license; set gateway_license.")
    # Later lines are of the enterprise edition, or builds of one's own.
    is_old = options["edition"] == "community" and (
        numbers_of(options["line"]) < numbers_of(LAST_LINE)
    )
    if is_old and (end := END_OF_LIFE.get(options["line"])):
        found.append(f"The open edition {options['line']} has had no fixes since {end}.")
    if konnect and certificate != "none" and not options["pins"]:
        found.append("Konnect does not know the certificate yet; pin the one that the run prints.")
    return found


def _mode(options: Options, settings: Settings) -> list[Rule]:
    mode, url, plane = (options[name] for name in ("mode", "control_plane_url", "control_plane"))
    node, enterprise = options["role"] == "data_plane", options["edition"] == "enterprise"
    konnect = mode == "konnect"
    needs = [
        ("state_file", mode == "dbless", "gateway_mode=dbless"),
        ("license", enterprise, "gateway_edition=enterprise"),
        ("admin_password", options["has_database"], "gateway_mode=control_plane or traditional"),
    ]
    return [
        (options["has_database"] and "pg_host" not in settings,
         f"gateway_mode={mode} needs a PostgreSQL database; set pg_host in gateway_config."),
        (node and not (url or options["pins"]),
         f"gateway_mode={mode} needs gateway_control_plane_url{', or konnect_token' * konnect}."),
        (node and url and not _ENDPOINT.fullmatch(url),
         "gateway_control_plane_url must be a host name or IPv4 address, as cp.example.com:8005."),
        (options["pins"] and (not plane or len(options["control_planes"]) != 1),
         f"konnect_control_plane={plane} does not exist in Konnect; create it or correct it."),
        (konnect and not enterprise, "gateway_mode=konnect needs gateway_edition=enterprise."),
        *((options[name] and not fits, f"gateway_{name} needs {what}; remove one of them.")
          for name, fits, what in needs),
    ]


def _certificates(options: Options) -> list[Rule]:
    source, cluster = options["certificate"], options["role"] != "traditional"
    pair = ("certificate_file", "certificate_key_file")
    needs = {"ca": ("ca_certificate", "ca_key"), "given": pair}
    return [
        (cluster and source == "none",
         "gateway_certificate cannot be none in a cluster; set auto, ca or given."),
        (cluster and source == "self_signed" and options["mode"] != "konnect",
         "A control plane of your own does not pin certificates; set gateway_certificate=ca."),
        (options["certificate_renew_days"] >= options["certificate_days"],
         "gateway_certificate_renew_days must be less than gateway_certificate_days."),
        *((not options[name], f"gateway_certificate={source} needs gateway_{name}.")
          for name in needs.get(source, ())),
    ]


def _method(options: Options) -> list[Rule]:
    method, version, line = (options[name] for name in ("method", "version", "line"))
    own = options["image"] or options["package_url"] or method == "files"
    return [
        (method in ("files", "helm") and options["state"] == "stopped",
         f"gateway_state=stopped cannot be combined with gateway_method={method}; stop the gateway"
         " where you started it, or set replicaCount to 0 in gateway_helm_values."),
        (method == "package" and options["directory"] != "/etc/kong",
         "gateway_method=package needs gateway_directory=/etc/kong, where its unit looks."),
        (not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", options["name"]),
         "gateway_name must consist of lowercase letters, digits, dots, underscores and hyphens."),
        (not re.match("/[^/]+/[^/]", options["directory"]),
         "gateway_directory must be an absolute path below another directory, such as /etc/kong."),
        (options["registry"] and not {"username", "password"} <= set(options["registry"]),
         "gateway_registry needs username and password."),
        (not re.fullmatch(r"[0-9]+(\.[0-9]+){2,3}", version) and not options["image"],
         f"gateway_version={version} must be a full version in quotes, such as '3.14.0.13'."),
        (method == "package" and not options["package_keys"] and line not in KEYS,
         f"No published key is known for {line}; set gateway_package_keys."),
        (options["edition"] == "community" and numbers_of(line) > numbers_of(LAST_LINE) and not own,
         f"The open edition ends at {LAST_LINE}; {version} needs gateway_edition=enterprise."),
    ]


def _host(options: Options, facts: Facts) -> list[Rule]:
    """What this host cannot do."""
    method, record, podman = options["method"], facts["record"], facts["podman"]
    return [
        (method == "package" and not facts["family"],
         f"gateway_method=package needs apt or dnf; this host is {facts['distribution']}."),
        (method == "podman" and podman and numbers_of(podman) < [4, 4],
         f"gateway_method=podman needs podman 4.4 or newer for quadlets, got {podman}."),
        (facts["foreign"],
         f"{options['directory']} has a kong.conf that is not the role's; set gateway_directory."),
        (record.get("method", method) != method,
         f"gateway_method was {record.get('method')}; run gateway_state=absent with it first."),
        ("enterprise" == record.get("edition") != options["edition"] and options["has_database"],
         "The open edition cannot use an enterprise database; set gateway_edition=enterprise."),
    ]


def _values(options: Options, fixed: Settings) -> Iterator[Rule]:
    for name, value in {**options["config"], **options["secrets"]}.items():
        yield (isinstance(value, Mapping),
               f"{name} must be a string, a number, a boolean or a list of these.")
        yield ("\n" in text_of(value),
               f"{name} has several lines, which kong.conf cannot hold; put it into a file.")
        yield (name in fixed and (value is None or text_of(value) != fixed[name]),
               f"{name} is {fixed.get(name)} with gateway_mode={options['mode']}; remove it.")
    for option, keys in _TAKES.items():
        for key in sorted(set(options[option]) - set(keys)):
            yield True, f"gateway_{option} has no key {key}; use {', '.join(keys)}."
    for entry in map(str, options["ports"]):
        yield (not _PORT.fullmatch(entry),
               f"gateway_ports contains {entry}; use [ADDRESS:][PORT:]PORT, such as 8000:8000.")
