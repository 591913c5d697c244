# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_data_plane_problems``; its documentation is the YAML file of the same name.

Each check yields sentences about one subject; none of them shows a value that may be a secret.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.plugin_utils._settings import is_text, text_of

# OpenSSL's security level 2, with which the gateway's images come, takes no shorter one.
_SHORTEST_RSA = 2048
# A name that openssl takes as it stands, at most 64 characters long (RFC 5280, ub-common-name).
_COMMON_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")
_ALTERNATIVE_NAME = re.compile(
    r"([*][.])?[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*|[0-9a-fA-F.]*:[0-9a-fA-F:.]+"
)
_ENDPOINT = re.compile(r"([a-z]+://)?[^/:@\s]+(:[0-9]+)?/?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# As docker and podman write what they publish.
_PUBLISH = re.compile(r"((\[[^]]+\]|[0-9.]*):)?([0-9-]*:)?[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")

# Options by their kinds. Argument specifications take more than these: a number for a text, a text
# with commas for a list.
_TEXTS = (
    "ca_certificate", "ca_key", "certificate_file", "certificate_key_file", "certificate_name",
    "control_plane_url", "name", "network", "rootless_user", "state_file", "telemetry_url",
)  # fmt: skip
_LISTS = ("certificate_alternative_names", "container_options", "extra_keys", "publish")
_NUMBERS = ("certificate_days", "certificate_renew_days", "certificate_rsa_bits")

Asked = Mapping[str, Any]
Problems = Iterator[str]


def kong_data_plane_problems(options: Asked) -> list[str]:
    """What is unknown or contradicts itself in the options of role ``data_plane``, as sentences.

    :param options: the role's options without their prefix, and what the role made of them.
    :raises AnsibleFilterError: there is no such dictionary, or it lacks something.
    """
    if not isinstance(options, Mapping):
        raise AnsibleFilterError("kong_data_plane_problems takes a dictionary of the options")
    try:
        wrong = list(_kinds(options))
        if wrong:
            return wrong
        texts = {name: str(options[name]) for name in _TEXTS}
        return [problem for check in _CHECKS for problem in check({**options, **texts})]
    except KeyError as exc:
        raise AnsibleFilterError(f"kong_data_plane_problems: {exc} is missing") from exc


def _kinds(asked: Asked) -> Problems:
    """Options that are of another kind than they should be; all checks rely on these."""
    for name in _TEXTS:
        if not is_text(asked[name]):
            yield f"data_plane_{name} must be a string: write it in quotes."
    for name in _LISTS:
        items = asked[name]
        if not isinstance(items, (list, tuple)) or any(isinstance(i, (list, dict)) for i in items):
            yield f"data_plane_{name} must be a list of strings."
    for name in _NUMBERS:
        if not re.fullmatch("[0-9]+", str(asked[name])):
            yield f"data_plane_{name} must be a whole number."
    if isinstance(asked["version"], (int, float)):
        yield (
            f"data_plane_version is the number {asked['version']}: write it in quotes, as 3.10"
            " would else be 3.1."
        )


def _unknown_keys(asked: Asked) -> Problems:
    known = {*asked["known_keys"], *map(str, asked["extra_keys"])}
    for key in sorted(map(str, asked["config"])):
        if key in known or _has_prefix(key, asked["key_prefixes"]):
            continue
        if key.lower() in known:
            hint = "its name has no capitals"
        else:
            hint = "data_plane_extra_keys takes one that only a newer gateway knows"
        yield f"The gateway has no setting {key}; {hint}."


def _has_prefix(key: str, prefixes: Iterable[str]) -> bool:
    """Whether it is one of a family of settings that have any end, as nginx_http_… and vault_…."""
    return any(re.fullmatch(f"{re.escape(prefix)}[a-z0-9_]+", key) for prefix in prefixes)


def _settings_of_the_topology(asked: Asked) -> Problems:
    """Settings that the topology decides, and that say something else."""
    for key, fixed in asked["fixed"].items():
        if key not in asked["config"]:
            continue
        value = asked["config"][key]
        if value is None or text_of(value) != fixed:
            yield (
                f"{key} is {fixed or 'given by data_plane_control_plane_url'} in the topology"
                f" {asked['topology']}; data_plane_config says something else."
            )


def _values(asked: Asked) -> Problems:
    for key, value in asked["config"].items():
        items = value if isinstance(value, (list, tuple)) else []
        plain = all(isinstance(item, (str, int, float)) for item in items)
        if isinstance(value, Mapping) or not plain:
            yield f"{key} must be a string, a number, a boolean or a list of these."
    for key, text in asked["settings"].items():
        if "\n" in text:
            yield (
                f"{key} has several lines, which no environment file can hold: put the text into a"
                " file and give its path."
            )


def _listeners(asked: Asked) -> Problems:
    counted = Counter(row["address"] for row in asked["listeners"])
    names = ", ".join(asked["listen_settings"])
    for address, count in counted.items():
        if count > 1:
            yield f"Two listeners want {address} ({names})."


def _environment(asked: Asked) -> Problems:
    for key, value in asked["environment"].items():
        name = str(key)
        setting = name[len("KONG_") :].lower() if name.startswith("KONG_") else ""
        if setting in asked["fixed"] or setting.endswith("_listen"):
            yield f"data_plane_environment holds {key}: set it in data_plane_config instead."
        if name != key or "\n" in str(value) or not _VARIABLE.fullmatch(name):
            yield f"data_plane_environment holds {key}, which is no variable of one line."


def _endpoints(asked: Asked) -> Problems:
    control_plane, telemetry = asked["control_plane_url"], asked["telemetry_url"]
    if asked["kind"] == "data_plane" and "[" in control_plane:
        yield (
            "The gateway cannot reach a control plane by an IPv6 address: give"
            " data_plane_control_plane_url a name."
        )
    elif asked["kind"] == "data_plane" and not _ENDPOINT.fullmatch(control_plane):
        yield (
            "A data plane needs data_plane_control_plane_url, such as"
            " https://example.us.cp0.konghq.com or cp.example.com:8005."
        )
    if telemetry and not _ENDPOINT.fullmatch(telemetry):
        yield "data_plane_telemetry_url must be a host, or a URL without user and path."


def _konnect(asked: Asked) -> Problems:
    if asked["topology"] != "konnect":
        if asked["labels"]:
            yield "data_plane_labels are for Konnect only."
        return
    if not asked["telemetry_url"]:
        yield "Konnect needs data_plane_telemetry_url, such as https://example.us.tp0.konghq.com."
    if asked["edition"] != "enterprise":
        yield "Konnect takes the enterprise edition only."
    for key, value in asked["labels"].items():
        if re.search("[,:]", f"{key}{value}"):
            yield f"The label {key} holds a comma or a colon, which separate labels."


def _certificate_source(asked: Asked) -> Problems:
    """Where the certificate comes from, and what that needs."""
    source = asked["certificate"]
    if source == "none" and asked["topology"] in ("konnect", "hybrid"):
        yield "Both ends of a cluster need a certificate: data_plane_certificate cannot be none."
    if source == "self_signed" and asked["topology"] == "hybrid":
        yield (
            "A control plane of your own cannot pin many certificates: let a CA sign"
            " (data_plane_certificate: ca), or give all nodes one pair (given)."
        )
    if source == "ca" and not (asked["ca_certificate"] and asked["ca_key"]):
        yield (
            "data_plane_ca_certificate and data_plane_ca_key name the CA that signs; with"
            " data_plane_ca_create it is made there."
        )
    if source == "given" and not (asked["certificate_file"] and asked["certificate_key_file"]):
        yield (
            "A given certificate needs data_plane_certificate_file and"
            " data_plane_certificate_key_file."
        )


def _new_certificate(asked: Asked) -> Problems:
    """What a certificate that the role makes is to be."""
    if int(asked["certificate_renew_days"]) >= int(asked["certificate_days"]):
        yield (
            "data_plane_certificate_renew_days must be fewer than data_plane_certificate_days, else"
            " each run renews."
        )
    if int(asked["certificate_rsa_bits"]) < _SHORTEST_RSA:
        yield f"The gateway takes RSA keys of {_SHORTEST_RSA} bits and more."
    if asked["certificate"] not in ("self_signed", "ca"):
        return
    if not _COMMON_NAME.fullmatch(asked["certificate_name"]):
        yield (
            "data_plane_certificate_name is made of letters (A to Z), digits, spaces, dots,"
            " underscores and hyphens, 64 at most."
        )
    for name in asked["certificate_alternative_names"]:
        if not _ALTERNATIVE_NAME.fullmatch(str(name)):
            yield (
                f"data_plane_certificate_alternative_names holds {name}, which is neither a DNS"
                " name nor an address."
            )


def _state_file(asked: Asked) -> Problems:
    if not asked["state_file"]:
        return
    if asked["topology"] != "dbless":
        yield "data_plane_state_file is for the topology dbless."
    if "declarative_config_string" in asked["settings"]:
        yield "data_plane_state_file and declarative_config_string say the same thing twice."


def _containers(asked: Asked) -> Problems:
    if asked["rootless_user"] and asked["method"] != "podman":
        yield "data_plane_rootless_user is for the method podman."
    if asked["publish"] and asked["network"] == "host":
        yield "data_plane_publish publishes nothing while data_plane_network is host."
    for entry in asked["publish"]:
        if not _PUBLISH.fullmatch(str(entry)):
            yield (
                f"data_plane_publish holds {entry}, which is no [ADDRESS:][PORT:]PORT with numbers,"
                " such as 8000:8000 or 127.0.0.1:8100:8100."
            )
    if asked["container_options"] and asked["method"] == "compose":
        yield "data_plane_container_options are for docker and podman; compose takes none."


def _name(asked: Asked) -> Problems:
    if not _NAME.fullmatch(asked["name"]):
        yield "data_plane_name is made of small letters, digits, dots, underscores and hyphens."


_CHECKS: tuple[Callable[[Asked], Problems], ...] = (
    _unknown_keys,
    _settings_of_the_topology,
    _values,
    _listeners,
    _environment,
    _endpoints,
    _konnect,
    _certificate_source,
    _new_certificate,
    _state_file,
    _containers,
    _name,
)


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_data_plane_problems": kong_data_plane_problems}
