# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each method of the role ``gateway`` runs: containers, packages, commands.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._names import is_secret
from ._releases import IMAGES, KEYS, PACKAGES, line_of
from ._settings import CONTAINERS, INSIDE, Options, environment_of, listeners_of

Facts = Mapping[str, Any]

GROUP = "kong-gateway"
# Stands for the image in commands; its id is known only when it was pulled.
IMAGE = "@IMAGE@"
REPOSITORIES = "https://packages.konghq.com/public"
# Listeners that only the host itself reaches, unless gateway_ports says otherwise.
_PRIVATE = ("admin_listen", "admin_gui_listen", "status_listen", "debug_listen")
_ROTATED = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def run_of(options: Options, settings: Mapping[str, str], facts: Facts) -> dict[str, Any]:
    """How the gateway is run; the same description brings a former gateway back."""
    method, directory = options["method"], options["directory"]
    run: dict[str, Any] = {
        "name": options["name"],
        "edition": options["edition"],
        "version": options["version"],
        "ref": options["image"] or f"{IMAGES[options['edition']]}:{options['version']}",
        "ports": [],
        "resources": dict(options["resources"]),
        "limits": [f"{name}={limit}" for name, limit in sorted(options["ulimits"].items())],
        "hostname": "",
        # By this name control planes list the node.
        "node": facts["nodename"],
        "owner": "root",
        "group": {"package": "kong", "files": "", "helm": ""}.get(method, GROUP),
    }
    if method in ("files", "helm"):
        run["owner"] = ""
    if method in CONTAINERS:
        bridged = options["network"] != "host"
        run["network"] = options["network"]
        run["hostname"] = options["hostname"] if bridged else ""
        run["node"] = run["hostname"] or run["node"]
        run["ports"] = [str(p) for p in options["ports"]] or (_ports(settings) if bridged else [])
        run["volume"] = f"{directory}:{INSIDE}:{'ro,z' if facts['selinux'] else 'ro'}"
        run["gid"] = facts["gid"]
        run["log"] = dict(options["log"]) or ({} if method == "podman" else _ROTATED)
    return run


def _ports(settings: Mapping[str, str]) -> list[str]:
    """What is published where the user says nothing: each listener that leaves the container."""
    found = []
    for listener in listeners_of(settings):
        if listener.host not in ("127.0.0.1", "[::1]", "localhost"):
            address = "127.0.0.1:" if listener.setting in _PRIVATE else ""
            found.append(f"{address}{listener.port}:{listener.port}")
    return found


def published(ports: list[str]) -> dict[int, str]:
    """The host's address of each TCP port of a container."""
    found = {}
    for entry in ports:
        match = re.fullmatch(r"(?:(\[[^]]+\]|[^:]*):)?([0-9]+):([0-9]+)(?:/tcp)?", entry)
        if match:
            host, outside, inside = match.groups()
            found[int(inside)] = (
                f"{host if host not in (None, '', '0.0.0.0') else '127.0.0.1'}:{outside}"
            )
    return found


def requirements_of(options: Options, facts: Facts) -> list[str]:
    """Packages of the distribution that the host lacks for the modules and the engine."""
    method, family = options["method"], facts["family"]
    libraries = {
        "requests": method in ("docker", "compose"),
        "yaml": method in ("compose", "helm"),
        "kubernetes": method == "helm",
        "cryptography": options["certificate"] != "none",
        "debian": method == "package" and family == "debian",
    }
    names = [
        f"python3-{name}" for name in libraries if libraries[name] and name in facts["missing"]
    ]
    if "python3-yaml" in names and family != "debian":
        names[names.index("python3-yaml")] = "python3-pyyaml"
    versions = facts["versions"]
    if method == "podman" and not versions.get("podman"):
        names.append("podman")
    if method in ("docker", "compose") and not versions.get("docker"):
        names.append("docker.io" if family == "debian" else "docker-ce")
    if method == "compose" and not versions.get("compose"):
        names.append(_compose_package(facts))
    return names


def _compose_package(facts: Facts) -> str:
    """The package of docker compose 2; Debian 12 and Ubuntu call their version 1 docker-compose."""
    if facts["distribution"] == "ubuntu":
        return "docker-compose-v2"
    if facts["distribution"] == "debian" and int(facts["release"].split(".")[0] or 0) >= 13:
        return "docker-compose"
    return "docker-compose-plugin"


def package_of(options: Options, facts: Facts) -> dict[str, Any]:
    """Names and addresses of a package and its repository."""
    line, family = line_of(options["version"]), facts["family"]
    name = PACKAGES[options["edition"]]
    base = options["package_url"] or f"{REPOSITORIES}/gateway-{line.replace('.', '')}"
    # Neither $releasever, which a locked system sets to 9.4 and Amazon to a date: both are 404.
    folder = {
        "debian": f"/deb/{facts['distribution']}",
        "rhel": f"/rpm/el/{facts['rpm'].get('rhel', '')}/$basearch",
        "amzn": f"/rpm/amzn/{facts['rpm'].get('amzn', '')}/$basearch",
    }.get(family, "")
    ids = KEYS.get(line, ())[: 1 if family == "debian" else 2]
    other = PACKAGES["enterprise" if options["edition"] == "community" else "community"]
    separator = "=" if family == "debian" else "-"
    return {
        "name": name,
        "unit": f"{name}.service",
        "other": other,
        "spec": f"{name}{separator}{options['version']}",
        "url": base.rstrip("/") + ("" if options["package_url"] else folder),
        "gpgkeys": options["package_keys"] or [f"{base}/gpg.{key}.key" for key in ids],
        "suite": facts["codename"],
        "files": _files_of(options, name),
    }


def _files_of(options: Options, name: str) -> list[dict[str, str]]:
    """Templates of a package; only those of the enterprise edition rotate their own logs."""
    folder = f"/etc/systemd/system/{name}.service.d"
    found = [{"src": "unit.conf.j2", "dest": f"{folder}/irishtek.conf"}]
    if options["edition"] == "community":
        found.append({"src": "logrotate.j2", "dest": "/etc/logrotate.d/kong"})
    return found


def commands_of(options: Options, run: Mapping[str, Any]) -> dict[str, list[str]]:
    """Words of the gateway's own commands; empty where there is nothing to run them."""
    method, name = options["method"], options["name"]
    conf = f"{INSIDE if method in CONTAINERS else options['directory']}/kong.conf"
    unit = f"{PACKAGES[options['edition']]}.service"
    if method not in (*CONTAINERS, "package"):
        return {key: [] for key in ("check", "parse", "migrations", "bootstrap", "reload", "log")}
    if method == "package":
        kong = networked = _with_environment(options, ["/usr/local/bin/kong"])
        state = f"{options['directory']}/state/kong.json"
        reload = ["systemctl", "reload", unit]
        # What ends before it can write its own log is heard by systemd only.
        words = "tail -n 200 /usr/local/kong/logs/error.log; journalctl -n 50 -o cat -u"
        log = ["sh", "-c", f'{words} "$1"', "sh", unit]
    else:
        engine = "podman" if method == "podman" else "docker"
        common = [
            "--rm",
            "--interactive",
            "--volume",
            run["volume"],
            "--group-add",
            str(run["gid"]),
        ]
        kong = [engine, "run", *common, "--network", "none", IMAGE, "kong"]
        networked = [engine, "run", *common, "--network", run["network"], IMAGE, "kong"]
        state = f"{INSIDE}/state/kong.json"
        reload = [engine, "exec", name, "kong", "reload"]
        words = f"{engine} logs --tail 200" if method != "podman" else "journalctl -n 200 -o cat -u"
        log = ["sh", "-c", f'{words} "$1"', "sh", name]
    return {
        "check": [*kong, "check", conf],
        "parse": [*kong, "config", "parse", state, "-c", conf] if options["state_file"] else [],
        "migrations": [*networked, "migrations", "-c", conf],
        "bootstrap": _bootstrap(options, [*networked, "migrations", "-c", conf, "bootstrap"]),
        "reload": reload,
        "log": log,
    }


def _bootstrap(options: Options, words: list[str]) -> list[str]:
    """The first super user's password comes from the standard input, and no process shows it."""
    if not options["admin_password"]:
        return words
    at = words.index("kong") if "kong" in words else 0
    reader = 'IFS= read -r KONG_PASSWORD; export KONG_PASSWORD; exec "$@"'
    return [*words[:at], "sh", "-c", reader, "sh", *words[at:]]


def _with_environment(options: Options, words: list[str]) -> list[str]:
    if not environment_of(options):
        return words
    file = f"{options['directory']}/environment"
    return ["sh", "-c", 'set -a; . "$1"; shift; exec "$@"', "sh", file, *words]


def helm_of(
    options: Options,
    settings: Mapping[str, str],
    files: list[dict[str, Any]],
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """Values of the chart, and the secrets that its pods mount or read."""
    name, role = options["name"], settings["role"]
    secrets: dict[str, dict[str, str]] = {}
    for file in files:
        folder, _slash, rest = file["path"].partition("/")
        if rest and folder != "plugins":
            secrets.setdefault(f"{name}-{folder}", {})[rest] = file["content"]
    if "cluster_cert" in settings:
        secrets.setdefault(f"{name}-certificates", {})
    hidden = {key: text for key, text in settings.items() if is_secret(key, text)}
    hidden.update(environment_of(options))
    environment: dict[str, Any] = {k: v for k, v in settings.items() if k not in hidden}
    environment.pop("status_listen", None)
    if role != "data_plane":
        # The pod's own loopback: kubectl port-forward leads there, and no service of the cluster.
        environment.setdefault("admin_listen", "127.0.0.1:8001")
    if hidden:
        secrets[f"{name}-settings"] = hidden
        for key in hidden:
            reference = {"name": f"{name}-settings", "key": key}
            environment[key.lower()] = {"valueFrom": {"secretKeyRef": reference}}
    mounted = sorted(key for key in secrets if key != f"{name}-settings")
    return {"values": _values(options, run, environment, mounted), "secrets": secrets}


def _values(
    options: Options, run: Mapping[str, Any], environment: Mapping[str, Any], mounted: list[str]
) -> dict[str, Any]:
    control_plane = environment["role"] == "control_plane"
    telemetry = control_plane and options["edition"] == "enterprise"
    return {
        "image": {"unifiedRepoTag": run["ref"], "effectiveSemver": options["version"]},
        "env": dict(environment),
        "secretVolumes": mounted,
        "admin": {"enabled": False},
        "manager": {"enabled": False},
        "portal": {"enabled": False},
        "portalapi": {"enabled": False},
        "ingressController": {"enabled": False},
        "postgresql": {"enabled": False},
        "proxy": {"enabled": not control_plane},
        "cluster": {"enabled": control_plane, "tls": {"enabled": control_plane}},
        "clustertelemetry": {"enabled": telemetry, "tls": {"enabled": telemetry}},
        "resources": dict(options["resources"]),
        "replicaCount": 0 if options["state"] == "stopped" else 1,
    }
