# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options with what follows from them, the gateway's settings and names, where it listens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ._tables import DEFAULTS, FAMILIES, LISTEN, NAMES, OPEN, PRIVATE_KEYS, SECRETS

Options = Mapping[str, Any]
Settings = Mapping[str, str]
# What gateway_host_info found.
Facts = Mapping[str, Any]

CONTAINERS = ("docker", "podman", "compose")
# Where a container sees the role's directory.
INSIDE = "/etc/kong"
# The setting role of each mode, and who signs its certificates.
_MODES = {"konnect": ("data_plane", "self_signed"), "data_plane": ("data_plane", "ca"),
          "control_plane": ("control_plane", "ca")}


def text_of(value: Any) -> str:
    """A value in the spelling of ``kong.conf``: ``on`` and ``off``, and commas between items."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ",".join(map(text_of, value))
    return str(value)


def is_known(name: str) -> bool:
    """Whether a gateway of any line from 3.4 on has this setting."""
    return name in NAMES or bool(FAMILIES.fullmatch(name))


def is_secret(name: str, text: str) -> bool:
    """Whether a setting's value must not be shown: secrets, and settings that are not known.

    A private key is one where it is given itself, and not its path; a reference to a vault is none.
    """
    if text.startswith("{vault://") or not text:
        return False
    if PRIVATE_KEYS.fullmatch(name):
        return not text.startswith("/")
    return not is_known(name) or bool(SECRETS.fullmatch(name) and not OPEN.fullmatch(name))


def numbers_of(version: str) -> list[int]:
    """The numbers of a version, which compare as they should."""
    return [int(part) for part in version.split(".") if part.isdigit()]


def resolved(options: Options) -> dict[str, Any]:
    """The options, in their types, with what follows from them.

    ``line`` is that of the version, ``3.10`` of ``3.10.0.17``. ``role`` and ``has_database`` follow
    from the mode, ``contained`` and ``bridged`` (whether the gateway is in a network of its own)
    from the method. ``certificate`` is never ``auto``, and ``pki`` says whether the nodes trust a
    CA, and not one pair that they share. ``server`` and ``endpoint`` are the control plane's host,
    and its host and port.
    """
    found = dict(options)
    for plane in options["control_planes"]:
        found["control_plane_url"] = plane["config"]["control_plane_endpoint"]
        found["telemetry_url"] = plane["config"]["telemetry_endpoint"]
    for name in ("certificate_days", "certificate_renew_days"):
        found[name] = int(options[name])
    # Before ansible-core 2.19 a string under !vault is of another type.
    mode, method, url = options["mode"], options["method"], str(found["control_plane_url"])
    found["edition"] = options["edition"] or ("enterprise" if mode == "konnect" else "community")
    found["version"] = str(options["version"] or DEFAULTS[found["edition"]])
    found["line"] = ".".join(found["version"].split(".")[:2])
    found["role"], signed = _MODES.get(mode, ("traditional", "none"))
    found["has_database"] = mode in ("control_plane", "traditional")
    found["contained"] = method in CONTAINERS
    found["bridged"] = found["contained"] and options["network"] != "host"
    if options["certificate"] == "auto":
        found["certificate"] = signed
    has_ca = found["certificate"] == "ca" or bool(options["ca_certificate"])
    found["pki"] = has_ca and mode in ("data_plane", "control_plane")
    default_port = 443 if mode == "konnect" else 8005
    found["control_plane_url"] = url
    found["server"], found["endpoint"] = _endpoint(url, default_port) if url else ("", "")
    return found


def place(options: Options, path: str) -> str:
    """A file of the role's directory, ``certificates/tls.crt``, as the gateway sees it.

    In a cluster each of its directories is a secret, which the chart mounts below /etc/secrets.
    """
    if options["method"] == "helm":
        return f"/etc/secrets/{options['name']}-{path}"
    return f"{INSIDE if options['contained'] else options['directory']}/{path}"


def _endpoint(url: str, port: int) -> tuple[str, str]:
    """Host, and host and port, of a control plane's URL; ``port`` where the URL has none."""
    address = re.sub(r"^[a-z]+://", "", url).split("/")[0]
    host, _colon, given = address.rpartition(":")
    if not host or not given.isdigit():
        host, given = address, str(port)
    return host, f"{host}:{given}"


def settings_of(options: Options, plugins: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """All settings, in alphabetical order, and those that the mode fixes.

    :param plugins: names of the custom plugins.
    """
    fixed = _fixed(options)
    written = {**options["config"], **options["secrets"]}
    texts = {str(name): text_of(value) for name, value in written.items() if value is not None}
    suggested = {**_suggested(options, plugins), **_cluster(options, "proxy_server" in texts)}
    return dict(sorted({**suggested, **texts, **fixed}.items())), fixed


def _fixed(options: Options) -> dict[str, str]:
    """Settings that the mode decides; another value contradicts it."""
    found = {"role": options["role"], "database": "postgres" if options["has_database"] else "off"}
    if options["certificate"] != "none":
        found["cluster_cert"] = place(options, "certificates/tls.crt")
        found["cluster_cert_key"] = place(options, "certificates/tls.key")
    if options["role"] == "data_plane" and options["endpoint"]:
        found["cluster_control_plane"] = options["endpoint"]
    if options["mode"] == "konnect":
        found["konnect_mode"] = "on"
    if options["state_file"]:
        found["declarative_config"] = place(options, "state/kong.json")
    return found


def _suggested(options: Options, plugins: list[str]) -> dict[str, str]:
    """Settings that the user may overrule."""
    bridged = options["bridged"] or options["method"] == "helm"
    found = {
        "status_listen": f"{'0.0.0.0' if bridged else '127.0.0.1'}:8100",
        "lua_ssl_trusted_certificate": "system",
        # Kong Manager's listener is open by default, also where it does not work.
        "admin_gui_listen": "off",
    }
    if options["bridged"]:
        # Published on the host's loopback only.
        found["admin_listen"] = "0.0.0.0:8001"
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
    if options["role"] == "traditional":
        return {}
    trusting = options["pki"] or options["mode"] == "konnect"
    found = {"cluster_mtls": "pki" if trusting else "shared"}
    if options["pki"]:
        found["cluster_ca_cert"] = place(options, "certificates/ca.crt")
    if options["role"] == "control_plane":
        found.update(proxy_listen="off", cluster_listen="0.0.0.0:8005")
        if options["edition"] == "enterprise":
            found["cluster_telemetry_listen"] = "0.0.0.0:8006"
        return found
    found["admin_listen"] = "off"
    if has_proxy:
        found["cluster_use_proxy"] = "on"
    return {**found, **_ends(options)} if options["endpoint"] else found


def _ends(options: Options) -> dict[str, str]:
    """Where a data plane finds its control plane's telemetry, and by which names both ends go."""
    host, konnect = options["server"], options["mode"] == "konnect"
    # An address has no server name; the control plane's certificate names kong_clustering, too.
    name = server = "kong_clustering" if is_ip(host) else host
    telemetry = f"{host}:8006" if options["edition"] == "enterprise" else ""
    if konnect:
        # From Konnect's API, else by the naming of its endpoints.
        by_name = re.sub(r"\.cp(\d*)\.", r".tp\1.", options["control_plane_url"], count=1)
        name, telemetry = _endpoint(options.get("telemetry_url") or by_name, 443)
    found = {"cluster_telemetry_endpoint": telemetry}
    if konnect or options["pki"]:
        found["cluster_server_name"] = server
        found["cluster_telemetry_server_name"] = name if telemetry else ""
    return {setting: text for setting, text in found.items() if text}


def is_ip(host: str) -> bool:
    """Whether a host is given by its IP address."""
    return bool(re.fullmatch(r"[0-9.]+|\[?[0-9a-fA-F]*:.*", host))


def conf_of(settings: Mapping[str, str]) -> str:
    """The text of ``kong.conf``; a number sign begins a comment there, unless it is escaped."""
    escaped = (f"{name} = {text}".replace("#", "\\#") for name, text in settings.items())
    return "\n".join(["# Managed by Ansible, role irishtek.kong.gateway.", *escaped, ""])


def listeners_of(settings: Mapping[str, str]) -> Iterator[tuple[str, str, int, str]]:
    """What the gateway listens on: setting, host, port, scheme; without UNIX sockets and UDP."""
    for name, text in {**LISTEN, **settings}.items():
        for entry in text.split(",") if name.endswith("_listen") else []:
            address, *flags = entry.split() or [""]
            host, _colon, port = address.rpartition(":")
            if port.isdigit() and not address.startswith("unix:") and "udp" not in flags:
                yield name, host, int(port), "https" if "ssl" in flags else "http"
