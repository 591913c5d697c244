# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateway's settings: those of the mode, those that the user wrote, and where they listen.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

Options = Mapping[str, Any]

CONTAINERS = ("docker", "podman", "compose")
# Where a container sees the role's directory.
INSIDE = "/etc/kong"
ROLES = {"konnect": "data_plane", "data_plane": "data_plane", "control_plane": "control_plane"}
_DEFAULT_LISTEN = {
    "proxy_listen": "0.0.0.0:8000, 0.0.0.0:8443 ssl",
    "admin_listen": "127.0.0.1:8001, 127.0.0.1:8444 ssl",
}
_ANY = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}


def text_of(value: Any) -> str:
    """A value in the spelling of ``kong.conf``: ``on`` and ``off``, and commas between items."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ",".join(map(text_of, value))
    return str(value)


def role_of(options: Options) -> str:
    """The value of the setting ``role``."""
    return ROLES.get(options["mode"], "traditional")


def uses_database(options: Options) -> bool:
    """Whether the mode keeps its entities in PostgreSQL."""
    return options["mode"] in ("control_plane", "traditional")


def place(options: Options, path: str) -> str:
    """A file of the role's directory, ``certificates/tls.crt``, as the gateway sees it.

    In a cluster each of its directories is a secret, which the chart mounts below /etc/secrets.
    """
    if options["method"] == "helm":
        return f"/etc/secrets/{options['name']}-{path}"
    return f"{INSIDE if options['method'] in CONTAINERS else options['directory']}/{path}"


def endpoint(url: str, port: int) -> tuple[str, str]:
    """Host, and host and port, of a control plane's URL; ``port`` where the URL has none."""
    address = re.sub(r"^[a-z]+://", "", url).split("/")[0]
    host, _colon, given = address.rpartition(":")
    if not host or not given.isdigit():
        host, given = address, str(port)
    return host, f"{host}:{given}"


def certificate_source(options: Options) -> str:
    """``self_signed``, ``ca``, ``given`` or ``none``."""
    by_mode = {"konnect": "self_signed", "data_plane": "ca", "control_plane": "ca"}
    wanted = str(options["certificate"])
    return by_mode.get(options["mode"], "none") if wanted == "auto" else wanted


def has_ca(options: Options) -> bool:
    """Whether the nodes trust a CA, and not one pair that they share."""
    signed = certificate_source(options) == "ca" or bool(options["ca_certificate"])
    return options["mode"] in ("data_plane", "control_plane") and signed


def settings_of(options: Options, plugins: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """All settings, in alphabetical order, and those that the mode fixes.

    :param plugins: names of the custom plugins.
    """
    fixed = _fixed(options)
    secrets = {name: value for name, value in options["secrets"].items() if not name.isupper()}
    written = {**options["config"], **secrets}
    texts = {str(name): text_of(value) for name, value in written.items() if value is not None}
    merged = {**_suggested(options, plugins, texts), **texts, **fixed}
    return {name: merged[name] for name in sorted(merged)}, fixed


def environment_of(options: Options) -> dict[str, str]:
    """Variables of ``secrets`` that are no settings: their names are in capitals."""
    return {name: text_of(value) for name, value in options["secrets"].items() if name.isupper()}


def _fixed(options: Options) -> dict[str, str]:
    """Settings that the mode decides; another value contradicts it."""
    found = {"role": role_of(options), "database": "postgres" if uses_database(options) else "off"}
    if certificate_source(options) != "none":
        found["cluster_cert"] = place(options, "certificates/tls.crt")
        found["cluster_cert_key"] = place(options, "certificates/tls.key")
    if role_of(options) == "data_plane" and options["control_plane_url"]:
        found["cluster_control_plane"] = _control_plane(options)[1]
    if options["mode"] == "konnect":
        found["konnect_mode"] = "on"
    if options["state_file"]:
        found["declarative_config"] = place(options, "state/kong.json")
    return found


def _suggested(options: Options, plugins: list[str], texts: Mapping[str, str]) -> dict[str, str]:
    """Settings of the mode that the user may overrule."""
    bridged = options["method"] in (*CONTAINERS, "helm") and options["network"] != "host"
    found = {
        "status_listen": f"{'0.0.0.0' if bridged else '127.0.0.1'}:8100",
        "lua_ssl_trusted_certificate": "system",
        # Kong Manager's listener is open by default, also where it does not work.
        "admin_gui_listen": "off",
    }
    if options["method"] in CONTAINERS and bridged:
        # Published on the host's loopback only.
        found["admin_listen"] = "0.0.0.0:8001"
    if role_of(options) != "traditional":
        found.update(_cluster(options, "proxy_server" in texts))
    if options["license"]:
        found["license_path"] = place(options, "secrets/license.json")
    for block in options["nginx_includes"]:
        found[f"nginx_{block}_include"] = place(options, f"includes/{block}.conf")
    if plugins and options["method"] != "helm":
        found["plugins"] = ",".join(["bundled", *plugins])
        found["lua_package_path"] = f"{place(options, 'plugins')}/?.lua;./?.lua;./?/init.lua;"
    return found


def _cluster(options: Options, has_proxy: bool) -> dict[str, str]:
    """What both ends of a cluster have in common, and what each has of its own."""
    enterprise, pki = options["edition"] == "enterprise", has_ca(options)
    found = {"cluster_mtls": "pki" if pki or options["mode"] == "konnect" else "shared"}
    if pki:
        found["cluster_ca_cert"] = place(options, "certificates/ca.crt")
    if role_of(options) == "control_plane":
        found.update(proxy_listen="off", cluster_listen="0.0.0.0:8005")
        if enterprise:
            found["cluster_telemetry_listen"] = "0.0.0.0:8006"
        return found
    found["admin_listen"] = "off"
    if options["labels"]:
        labels = sorted(options["labels"].items())
        found["cluster_dp_labels"] = ",".join(f"{name}:{value}" for name, value in labels)
    if has_proxy:
        found["cluster_use_proxy"] = "on"
    if options["control_plane_url"]:
        found.update(_ends(options, pki))
    return found


def _ends(options: Options, pki: bool) -> dict[str, str]:
    """Where a data plane finds its control plane's telemetry, and by which names both ends go."""
    host, found = _control_plane(options)[0], {}
    # An address has no server name; the control plane's certificate names kong_clustering, too.
    server = "kong_clustering" if _is_address(host) else host
    if pki or options["mode"] == "konnect":
        found["cluster_server_name"] = server
    if options["mode"] == "konnect":
        # From Konnect's API, else by the naming of its endpoints.
        url = options.get("telemetry_url") or re.sub(
            r"\.cp(\d*)\.", r".tp\1.", options["control_plane_url"], count=1)
        name, found["cluster_telemetry_endpoint"] = endpoint(str(url), 443)
        found["cluster_telemetry_server_name"] = name
    elif options["edition"] == "enterprise":
        found["cluster_telemetry_endpoint"] = f"{host}:8006"
        if pki:
            found["cluster_telemetry_server_name"] = server
    return found


def _control_plane(options: Options) -> tuple[str, str]:
    """Host, and host and port, of the control plane."""
    return endpoint(options["control_plane_url"], 443 if options["mode"] == "konnect" else 8005)


def _is_address(host: str) -> bool:
    return bool(re.fullmatch(r"[0-9.]+|\[.*\]", host))


def names_of_certificate(options: Options) -> list[str]:
    """Alternative names: the host's, and for control planes those of their URL."""
    names = [f"DNS:{options['hostname']}"]
    if options["mode"] != "control_plane":
        return names
    names.insert(0, "DNS:kong_clustering")
    if options["control_plane_url"]:
        host = _control_plane(options)[0].strip("[]")
        names.append(f"{'IP' if _is_address(host) or ':' in host else 'DNS'}:{host}")
    return list(dict.fromkeys(names))


def conf_of(settings: Mapping[str, str]) -> str:
    """The text of ``kong.conf``; a number sign begins a comment there, unless it is escaped."""
    escaped = (f"{name} = {text}".replace("#", "\\#") for name, text in settings.items())
    return "\n".join(["# Managed by Ansible, role irishtek.kong.gateway.", *escaped, ""])


class Listener(NamedTuple):
    """One TCP address of the gateway."""

    setting: str
    host: str
    port: int
    tls: bool

    @property
    def url(self) -> str:
        """Under which the host itself reaches it."""
        return f"{'https' if self.tls else 'http'}://{_ANY.get(self.host, self.host)}:{self.port}"


def listeners_of(settings: Mapping[str, str]) -> list[Listener]:
    """What the gateway listens on; UNIX sockets and UDP are left out."""
    found = []
    for name, text in {**_DEFAULT_LISTEN, **settings}.items():
        for entry in text.split(",") if name.endswith("_listen") else []:
            address, *flags = entry.split() or [""]
            host, _colon, port = address.rpartition(":")
            if port.isdigit() and not address.startswith("unix:") and "udp" not in flags:
                found.append(Listener(name, host, int(port), "ssl" in flags))
    return found
