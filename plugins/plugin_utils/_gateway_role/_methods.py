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
# Listeners that only the host itself reaches, unless gateway_ports publishes them.
_PRIVATE = ("admin_listen", "admin_gui_listen", "status_listen", "debug_listen")
_ROTATED = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def run_of(options: Options, settings: Mapping[str, str], facts: Facts) -> dict[str, Any]:
    """How the gateway is run; the same description brings a former gateway back."""
    method = options["method"]
    contained, alone = method in CONTAINERS, method in ("files", "helm")
    bridged = contained and options["network"] != "host"
    run: dict[str, Any] = {
        "name": options["name"], "edition": options["edition"], "version": options["version"],
        "ref": options["image"] or f"{IMAGES[options['edition']]}:{options['version']}",
        "ports": list(map(str, options["ports"])) or (_ports(settings) if bridged else []),
        "resources": dict(options["resources"]),
        "limits": [f"{name}={limit}" for name, limit in sorted(options["ulimits"].items())],
        "hostname": options["hostname"] if bridged else "",
        # By this name control planes list the node.
        "node": options["hostname"] if bridged else facts["nodename"],
        "owner": "" if alone else "root",
        "group": "" if alone else "kong" if method == "package" else GROUP,
    }
    if contained:
        run["network"], run["gid"] = options["network"], facts["gid"]
        run["volume"] = f"{options['directory']}:{INSIDE}:{'ro,z' if facts['selinux'] else 'ro'}"
        run["log"] = dict(options["log"]) or ({} if method == "podman" else _ROTATED)
    return run


def _ports(settings: Mapping[str, str]) -> list[str]:
    """What is published by default: each listener that can be reached from outside."""
    return [
        f"{'127.0.0.1:' if found.setting in _PRIVATE else ''}{found.port}:{found.port}"
        for found in listeners_of(settings)
        if found.host not in ("127.0.0.1", "[::1]", "localhost")
    ]


def published(ports: list[str]) -> dict[int, str]:
    """The host's address of each TCP port of a container."""
    pattern = r"(?:(\[[^]]+\]|[^:]*):)?([0-9]+):([0-9]+)(?:/tcp)?"
    matches = filter(None, (re.fullmatch(pattern, entry) for entry in ports))
    return {
        int(inside): f"{'127.0.0.1' if host in (None, '', '0.0.0.0') else host}:{outside}"
        for host, outside, inside in (match.groups() for match in matches)
    }


def requirements_of(options: Options, facts: Facts) -> list[str]:
    """Packages of the distribution that the host lacks for the modules and the engine."""
    method, versions, debian = options["method"], facts["versions"], facts["family"] == "debian"
    docker = method in ("docker", "compose")
    yaml = "yaml" if debian else "pyyaml"
    needed = {
        "python3-requests": docker and "requests",
        f"python3-{yaml}": method in ("compose", "helm") and "yaml",
        "python3-kubernetes": method == "helm" and "kubernetes",
        "python3-cryptography": options["certificate"] != "none" and "cryptography",
        "python3-debian": method == "package" and debian and "debian",
    }
    names = [name for name, library in needed.items() if library in facts["missing"]]
    if method == "podman" and not versions.get("podman"):
        names.append("podman")
    if docker and not versions.get("docker"):
        names.append("docker.io" if debian else "docker-ce")
    if method == "compose" and not versions.get("compose"):
        names.append(_compose_package(facts))
    return names


def _compose_package(facts: Facts) -> str:
    """The package of docker compose 2; Debian 12 and Ubuntu call their version 1 docker-compose."""
    if facts["distribution"] == "ubuntu":
        return "docker-compose-v2"
    newer = facts["distribution"] == "debian" and int(facts["release"].split(".")[0] or 0) >= 13
    return "docker-compose" if newer else "docker-compose-plugin"


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
    # Only packages of the enterprise edition rotate their own logs.
    rotated = [{"src": "logrotate.j2", "dest": "/etc/logrotate.d/kong"}] if name == "kong" else []
    drop_in = f"/etc/systemd/system/{name}.service.d/irishtek.conf"
    return {
        "name": name,
        "unit": f"{name}.service",
        "other": next(other for other in PACKAGES.values() if other != name),
        "spec": f"{name}{'=' if family == 'debian' else '-'}{options['version']}",
        "url": base.rstrip("/") + ("" if options["package_url"] else folder),
        "gpgkeys": options["package_keys"] or [f"{base}/gpg.{key}.key" for key in ids],
        "suite": facts["codename"],
        "files": [{"src": "unit.conf.j2", "dest": drop_in}, *rotated],
    }


def commands_of(options: Options, run: Mapping[str, Any]) -> dict[str, list[str]]:
    """Words of the gateway's own commands; empty where there is nothing to run them."""
    method, folder = options["method"], options["directory"]
    if method not in (*CONTAINERS, "package"):
        return dict.fromkeys(("check", "parse", "migrations", "bootstrap", "reload", "log"), [])
    target = f"{PACKAGES[options['edition']]}.service" if method == "package" else options["name"]
    if method == "package":
        kong = networked = _with_environment(options, ["/usr/local/bin/kong"])
        reload = ["systemctl", "reload", target]
        # What ends before it can write its own log is in systemd's journal only.
        words = "tail -n 200 /usr/local/kong/logs/error.log; journalctl -n 50 -o cat -u"
    else:
        engine, folder = ("podman" if method == "podman" else "docker"), INSIDE
        once = [engine, "run", "--rm", "--interactive", "--volume", run["volume"],
                "--group-add", str(run["gid"]), "--network"]
        kong = [*once, "none", IMAGE, "kong"]
        networked = [*once, run["network"], IMAGE, "kong"]
        reload = [engine, "exec", target, "kong", "reload"]
        words = "journalctl -n 200 -o cat -u" if engine == "podman" else "docker logs --tail 200"
    conf, state = f"{folder}/kong.conf", f"{folder}/state/kong.json"
    migrations = [*networked, "migrations", "-c", conf]
    return {
        "check": [*kong, "check", conf],
        "parse": [*kong, "config", "parse", state, "-c", conf] if options["state_file"] else [],
        "migrations": migrations,
        "bootstrap": _bootstrap(options, [*migrations, "bootstrap"]),
        "reload": reload,
        "log": ["sh", "-c", f'{words} "$1"', "sh", target],
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
    options: Options, settings: Mapping[str, str], files: list[dict[str, Any]],
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """Values of the chart, and the secrets that its pods mount or read."""
    name, hidden_in = options["name"], f"{options['name']}-settings"
    secrets: dict[str, dict[str, str]] = {}
    for file in files:
        folder, _slash, rest = file["path"].partition("/")
        if rest and folder != "plugins":
            secrets.setdefault(f"{name}-{folder}", {})[rest] = file["content"]
    if "cluster_cert" in settings:
        secrets.setdefault(f"{name}-certificates", {})
    mounted = sorted(secrets)
    hidden = {key: text for key, text in settings.items() if is_secret(key, text)}
    hidden.update(environment_of(options))
    environment: dict[str, Any] = {k: v for k, v in settings.items() if k not in hidden}
    environment.pop("status_listen", None)
    if settings["role"] != "data_plane":
        # The pod's own loopback: kubectl port-forward leads there, and no service of the cluster.
        environment.setdefault("admin_listen", "127.0.0.1:8001")
    for key in hidden:
        reference = {"secretKeyRef": {"name": hidden_in, "key": key}}
        environment[key.lower()] = {"valueFrom": reference}
    if hidden:
        secrets[hidden_in] = hidden
    return {"values": _values(options, run, environment, mounted), "secrets": secrets}


def _values(
    options: Options, run: Mapping[str, Any], environment: Mapping[str, Any], mounted: list[str]
) -> dict[str, Any]:
    control_plane = environment["role"] == "control_plane"
    telemetry = control_plane and options["edition"] == "enterprise"
    off = ("admin", "manager", "portal", "portalapi", "ingressController", "postgresql")
    return {
        **{name: {"enabled": False} for name in off},
        "image": {"unifiedRepoTag": run["ref"], "effectiveSemver": options["version"]},
        "env": dict(environment),
        "secretVolumes": mounted,
        "proxy": {"enabled": not control_plane},
        "cluster": {"enabled": control_plane, "tls": {"enabled": control_plane}},
        "clustertelemetry": {"enabled": telemetry, "tls": {"enabled": telemetry}},
        "resources": dict(options["resources"]),
    }
