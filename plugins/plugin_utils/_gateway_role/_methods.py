# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each method of the role ``gateway`` runs: containers, packages, commands.

PRIVATE to the collection: it can change in any release. Options are those of ``resolved``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...module_utils._gateway_role._host import GROUP
from ._settings import INSIDE, Facts, Options, Settings, is_secret, listeners_of, numbers_of
from ._tables import IMAGES, KEYS, PACKAGES, PRIVATE, REPOSITORIES

# Stands for the image in commands; its id is known only when it was pulled.
IMAGE = "@IMAGE@"
_ROTATED = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
_READER = 'IFS= read -r KONG_PASSWORD; export KONG_PASSWORD; exec "$@"'
_PUBLISHED = re.compile(r"(?:(\[[^]]+\]|[^:]*):)?([0-9]+):([0-9]+)(?:/tcp)?")
# Where the host itself reaches what listens on any address.
_REACHED = {None: "127.0.0.1", "": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}


def run_of(options: Options, settings: Settings, facts: Facts) -> dict[str, Any]:
    """How the gateway is run; the same description brings a former gateway back."""
    method, bridged = options["method"], options["bridged"]
    owned = method not in ("files", "helm")
    # Each listener that can be reached from outside.
    ports = [
        f"{'127.0.0.1:' if name in PRIVATE else ''}{port}:{port}"
        for name, host, port, _scheme in listeners_of(settings) if host not in _LOOPBACK
    ]
    run: dict[str, Any] = {
        "name": options["name"], "edition": options["edition"], "version": options["version"],
        "ref": options["image"] or f"{IMAGES[options['edition']]}:{options['version']}",
        "ports": list(map(str, options["ports"])) or (ports if bridged else []),
        "resources": dict(options["resources"]),
        "limits": [f"{name}={limit}" for name, limit in sorted(options["ulimits"].items())],
        "hostname": options["hostname"] if bridged else "",
        # By this name control planes list the node.
        "node": options["hostname"] if bridged else facts["nodename"],
        "owner": "root" if owned else "",
        "group": ("kong" if method == "package" else GROUP) if owned else "",
    }
    if options["contained"]:
        run["network"], run["gid"] = options["network"], facts["gid"]
        run["volume"] = f"{options['directory']}:{INSIDE}:{'ro,z' if facts['selinux'] else 'ro'}"
        run["log"] = dict(options["log"]) or ({} if method == "podman" else _ROTATED)
    return run


def ready_of(options: Options, settings: Settings, ports: list[str]) -> dict[str, str]:
    """URLs under which the host reaches the gateway; empty where it does not."""
    urls = {"status": "", "proxy": ""}
    found = [match.groups() for entry in ports if (match := _PUBLISHED.fullmatch(entry))]
    published = {int(inside): (host, outside) for host, outside, inside in found}
    for setting, listening, port, scheme in reversed(list(listeners_of(settings))):
        name = setting.removesuffix("_listen")
        if name in urls and (port in published or not options["bridged"]):
            host, outside = published[port] if options["bridged"] else (listening, port)
            urls[name] = f"{scheme}://{_REACHED.get(host, host)}:{outside}"
    return urls


def requirements_of(options: Options, facts: Facts) -> list[str]:
    """Packages of the distribution that the host lacks for the modules and the engine."""
    debian, distribution = facts["family"] == "debian", facts["distribution"]
    needed = {
        "podman": ["podman"], "docker": ["docker", "requests"], "helm": ["kubernetes", "yaml"],
        "compose": ["docker", "requests", "compose", "yaml"],
        "package": ["debian"] if debian else [],
    }.get(options["method"], [])
    names = {
        "podman": "podman", "docker": "docker.io" if debian else "docker-ce",
        "yaml": "python3-yaml" if debian else "python3-pyyaml",
        # Debian 12 and Ubuntu call version 1, which does not do, docker-compose.
        "compose": "docker-compose-v2" if distribution == "ubuntu" else "docker-compose"
        if distribution == "debian" and numbers_of(facts["release"]) >= [13]
        else "docker-compose-plugin",
    }
    needed += ["cryptography"] if options["certificate"] in ("self_signed", "ca") else []
    return [names.get(each, f"python3-{each}") for each in needed if each in facts["missing"]]


def package_of(options: Options, facts: Facts) -> dict[str, Any]:
    """Names and addresses of a package and its repository."""
    line, family, own = options["line"], facts["family"], options["package_url"]
    name = PACKAGES[options["edition"]]
    base = (own or f"{REPOSITORIES}/gateway-{line.replace('.', '')}").rstrip("/")
    # Neither $releasever, which a locked system sets to 9.4 and Amazon to a date: both are 404.
    folder = {
        "debian": f"/deb/{facts['distribution']}",
        "rhel": f"/rpm/el/{facts['rpm'].get('rhel', '')}/$basearch",
        "amzn": f"/rpm/amzn/{facts['rpm'].get('amzn', '')}/$basearch",
    }.get(family, "")
    ids = KEYS.get(line, ())[: 1 if family == "debian" else 2]
    files = [{"src": "unit.conf.j2", "dest": f"/etc/systemd/system/{name}.service.d/irishtek.conf"}]
    if name == "kong":
        # Only packages of the enterprise edition rotate their own logs.
        files.append({"src": "logrotate.j2", "dest": "/etc/logrotate.d/kong"})
    return {
        "name": name, "unit": f"{name}.service", "files": files,
        "other": next(other for other in PACKAGES.values() if other != name),
        "spec": f"{name}{'=' if family == 'debian' else '-'}{options['version']}",
        "url": base if own else base + folder, "suite": facts["codename"],
        "gpgkeys": options["package_keys"] or [f"{base}/gpg.{key}.key" for key in ids],
    }


def commands_of(options: Options, run: Mapping[str, Any]) -> dict[str, list[str]]:
    """Words of the gateway's own commands; empty where there is nothing to run them."""
    folder, name = options["directory"], options["name"]
    if options["method"] == "package":
        kong, networked = ["/usr/local/bin/kong"], ["/usr/local/bin/kong"]
        name = f"{PACKAGES[options['edition']]}.service"
        reload = ["systemctl", "reload", name]
        # What ends before it can write its own log is in systemd's journal only.
        words = "tail -n 200 /usr/local/kong/logs/error.log; journalctl -n 50 -o cat -u"
    elif options["contained"]:
        engine, folder = "podman" if options["method"] == "podman" else "docker", INSIDE
        once = [engine, "run", "--rm", "--interactive", "--volume", run["volume"],
                "--group-add", str(run["gid"]), "--network"]
        kong, networked = [*once, "none", IMAGE, "kong"], [*once, run["network"], IMAGE, "kong"]
        reload = [engine, "exec", name, "kong", "reload"]
        words = "journalctl -n 200 -o cat -u" if engine == "podman" else "docker logs --tail 200"
    else:
        return dict.fromkeys(("check", "parse", "migrations", "bootstrap", "reload", "log"), [])
    conf, state = f"{folder}/kong.conf", f"{folder}/state/kong.json"
    # The first super user's password comes from the standard input, and no process shows it.
    reader = ["sh", "-c", _READER, "sh"] if options["admin_password"] else []
    migrations = ["migrations", "-c", conf]
    return {
        "check": [*kong, "check", conf], "reload": reload,
        "parse": [*kong, "config", "parse", state, "-c", conf] if options["state_file"] else [],
        "migrations": [*networked, *migrations],
        "bootstrap": [*networked[:-1], *reader, networked[-1], *migrations, "bootstrap"],
        "log": ["sh", "-c", f'{words} "$1"', "sh", name],
    }


def helm_of(
    options: Options, settings: Settings, files: list[dict[str, Any]], run: Facts
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
    environment: dict[str, Any] = {key: settings[key] for key in settings if key != "status_listen"}
    if settings["role"] != "data_plane":
        # The pod's own loopback: kubectl port-forward leads there, and no service of the cluster.
        environment.setdefault("admin_listen", "127.0.0.1:8001")
    hidden = {key: text for key, text in settings.items() if is_secret(key, text)}
    for key in hidden:
        environment[key] = {"valueFrom": {"secretKeyRef": {"name": hidden_in, "key": key}}}
    if hidden:
        secrets[hidden_in] = hidden
    control_plane = options["role"] == "control_plane"
    telemetry = control_plane and options["edition"] == "enterprise"
    off = ("admin", "manager", "portal", "portalapi", "ingressController", "postgresql")
    values = {
        **{part: {"enabled": False} for part in off},
        "image": {"unifiedRepoTag": run["ref"], "effectiveSemver": options["version"]},
        "env": environment, "secretVolumes": mounted, "proxy": {"enabled": not control_plane},
        "cluster": {"enabled": control_plane, "tls": {"enabled": control_plane}},
        "clustertelemetry": {"enabled": telemetry, "tls": {"enabled": telemetry}},
        "resources": dict(options["resources"]),
    }
    return {"values": values, "secrets": secrets}
