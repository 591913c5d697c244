# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the role ``gateway`` for one host: what it writes, runs, checks and changes.

PRIVATE to the collection: it can change in any release. Pure but for the custom plugins' files,
which it reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import _checks, _methods, _releases
from ._names import is_secret
from ._settings import (
    CONTAINERS,
    Options,
    certificate_source,
    conf_of,
    environment_of,
    listeners_of,
    names_of_certificate,
    settings_of,
    uses_database,
)

Facts = Mapping[str, Any]
File = dict[str, Any]

DAY = 86400
# A certificate that the role made: its text, its key, and what it was made for.
_PAIR = tuple(f"certificates/tls.{suffix}" for suffix in ("crt", "key", "json"))
# What makes two databases one.
_DATABASE = ("host", "port", "database", "schema")
# Settings of the process itself, which a reload of a package's gateway does not take over.
_PROCESS = re.compile(
    r"prefix|role|database|pg_.*|.*_listen|plugins|lua_package_.*|declarative_config|lmdb_.*"
    r"|nginx_main_.*|nginx_user|nginx_daemon|mem_cache_size|konnect_mode|cluster_.*"
)


def plan_of(options: Options, facts: Facts, now: float) -> dict[str, Any]:
    """What the role does on one host.

    :param options: the role's options without their prefix, ``hostname``, ``pins`` (whether the
        role pins certificates in Konnect), ``control_plane`` (its name there), ``control_planes``
        (those of that name), ``collections`` (those of the needed ones that are
        installed), ``state_document`` (the converted state file) and ``ca_text`` (the certificate
        of the CA, where there is one).
    :param facts: what ``gateway_host_info`` found.
    :param now: seconds since 1970.
    """
    wanted = _complete(options)
    plugins = _plugin_files(wanted["plugins_directory"])
    settings, fixed = settings_of(wanted, sorted({path.split("/")[0] for path in plugins}))
    certificate = _certificate(wanted, facts, now)
    files = _files(wanted, settings, plugins)
    run = _methods.run_of(wanted, settings, facts)
    digests = _digests(wanted, settings, files, run, certificate)
    run["ready"] = _ready(wanted, settings, run)
    run["package"] = _methods.package_of(wanted, facts)
    paths = sorted({file["path"] for file in files} | set(_PAIR))
    moved = _PAIR if certificate["action"] != "none" else ()
    kept = {name: wanted[name] for name in ("method", "version", "edition")}
    is_helm = wanted["method"] == "helm"
    return {
        "problems": _checks.problems_of(wanted, settings, fixed, facts),
        "warnings": _checks.warnings_of(wanted, settings, certificate["action"]),
        "uses_database": uses_database(wanted),
        "database": [settings.get(f"pg_{key}", "") for key in _DATABASE],
        "certificate": certificate,
        "run": run,
        "requirements": _methods.requirements_of(wanted, facts),
        "commands": _methods.commands_of(wanted, run),
        "helm": _methods.helm_of(wanted, settings, files, run) if is_helm else {},
        "files": files,
        "moves": {path.replace("tls.", "new."): path for path in moved},
        "paths": paths,
        "record": {**kept, "digests": digests, "run": run, "files": paths},
        **_action(wanted, facts, digests, certificate),
    }


def _complete(options: Options) -> dict[str, Any]:
    """The options with those defaults that depend on others, and with strings where they belong."""
    found = dict(options)
    for plane in options["control_planes"]:
        found["control_plane_url"] = plane["config"]["control_plane_endpoint"]
        found["telemetry_url"] = plane["config"]["telemetry_endpoint"]
    by_mode = "enterprise" if options["mode"] == "konnect" else "community"
    found["edition"] = options["edition"] or by_mode
    found["written_version"] = options["version"]
    found["version"] = str(options["version"] or _releases.DEFAULTS[found["edition"]])
    for name in ("certificate_days", "certificate_renew_days"):
        found[name] = int(options[name])
    for name in ("name", "control_plane_url", "network"):
        # Before ansible-core 2.19 a string under !vault is of another type.
        found[name] = str(found[name])
    return found


def _plugin_files(directory: str) -> dict[str, str]:
    """Lua files of custom plugins, by their paths below the directory of ``kong/plugins``."""
    root = Path(directory or "/nonexistent")
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*.lua"))
        if path.parent != root
    }


def _files(options: Options, settings: Mapping[str, str], plugins: Mapping[str, str]) -> list[File]:
    """Files of the role's directory; ``secret`` ones are never shown, of ``kong.conf`` lines."""
    found: list[File] = []

    def add(path: str, content: object, **more: Any) -> None:
        file = {"path": path, "content": str(content), "secret": False, "mode": "0640"}
        found.append({**file, **more})

    shown = [name for name, text in settings.items() if not is_secret(name, text)]
    if options["method"] != "helm":
        add("kong.conf", conf_of(settings), open_lines=shown)
    if environment := environment_of(options):
        lines = "".join(f"{name}={_quoted(text)}\n" for name, text in sorted(environment.items()))
        add("environment", lines, secret=True, mode="0600")
    if options["license"]:
        add("secrets/license.json", options["license"], secret=True)
    if options["state_file"]:
        document = json.dumps(options["state_document"], indent=2, sort_keys=True) + "\n"
        add("state/kong.json", document, secret=True)
    for block, text in sorted(options["nginx_includes"].items()):
        add(f"includes/{block}.conf", text)
    for path, text in plugins.items():
        add(f"plugins/kong/plugins/{path}", text)
    if options["ca_text"] and certificate_source(options) in ("ca", "given"):
        add("certificates/ca.crt", options["ca_text"])
    if certificate_source(options) == "given":
        add("certificates/tls.crt", options["certificate_text"])
        add("certificates/tls.key", options["key_text"], secret=True)
    return found


def _quoted(text: str) -> str:
    """As both systemd and shells read it."""
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


def _certificate(options: Options, facts: Facts, now: float) -> dict[str, Any]:
    """Which certificate the node needs, and whether one is made: create, swap or none.

    A certificate that was made lies beside the one in use until it is swapped.
    """
    source, server = certificate_source(options), options["mode"] == "control_plane"
    ca = hashlib.sha256(str(options["ca_text"]).encode()).hexdigest()
    spec = {
        "source": source,
        "names": names_of_certificate(options),
        # Each end gets what its side of the connection needs: no data plane can play the other one.
        "usage": ["serverAuth" if server else "clientAuth"],
        "common_name": "kong_clustering" if server else options["hostname"][:64],
        "ca": ca if source == "ca" else "",
    }
    found = {**spec, "digest": _digest(spec), "action": "none"}
    tls, new = (facts["certificates"].get(name) or {} for name in ("tls", "new"))
    soon = now + options["certificate_renew_days"] * DAY

    def holds(pair: Mapping[str, Any]) -> bool:
        # Templates before ansible-core 2.19 hand over numbers as strings.
        return bool(pair) and pair["spec"] == found["digest"] and float(pair["not_after"]) > soon

    if source in ("self_signed", "ca") and not holds(tls):
        found["action"] = "swap" if holds(new) else "create"
        found["reason"] = "renewed" if tls else "new"
    return found


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _digests(
    options: Options, settings: Mapping[str, str], files: list[File], run: Mapping[str, Any],
    certificate: Mapping[str, Any],
) -> dict[str, str]:
    """Digests of what a restart and what a reload takes over; kept in a file that root reads."""
    process = {
        name: text for name, text in settings.items()
        if options["method"] != "package" or _PROCESS.fullmatch(name)
    }
    contents = {file["path"]: file["content"] for file in files if file["path"] != "kong.conf"}
    at_start = {p: c for p, c in contents.items() if not p.startswith(("certificates/", "state/"))}
    return {
        "restart": _digest([run, process, at_start]),
        "reload": _digest([settings, contents, certificate["digest"]]),
    }


def _action(
    options: Options, facts: Facts, digests: Mapping[str, str], certificate: Mapping[str, Any]
) -> dict[str, Any]:
    """``none``, ``start``, ``restart``, ``reload``, ``write`` or ``stop``, and the reasons."""
    record, running, state = facts["record"], facts["running"], options["state"]
    if state != "present":
        needed = running or (state == "absent" and bool(record))
        return {"action": "stop" if needed else "none", "reasons": [state] if needed else []}
    reasons = [
        f"{name} {record[name]} → {options[name]}"
        for name in ("version", "edition")
        if record and record[name] != options[name]
    ]
    renewed = certificate["action"] != "none"
    if renewed:
        reasons.append(f"certificate {certificate['reason']}")
    before = record.get("digests") or {}
    action, reason = "none", ""
    if options["method"] in ("files", "helm"):
        if renewed or before != digests:
            action, reason = "write", "settings" if record else "new"
    elif not running:
        action, reason = "start", "not running" if record else "new"
    elif before.get("restart") != digests["restart"]:
        action, reason = "restart", "settings"
    elif renewed or before.get("reload") != digests["reload"]:
        action, reason = "reload", "settings, state or certificate"
    return {"action": action, "reasons": (reasons or [reason]) if action != "none" else []}


def _ready(options: Options, settings: Mapping[str, str], run: Mapping[str, Any]) -> dict[str, str]:
    """URLs under which the host reaches the gateway; empty where it does not."""
    urls = {"status": "", "proxy": ""}
    bridged = options["method"] in CONTAINERS and options["network"] != "host"
    addresses = _methods.published(run["ports"])
    for found in reversed(listeners_of(settings)):
        name = found.setting.removesuffix("_listen")
        if name in urls and (not bridged or found.port in addresses):
            scheme = "https" if found.tls else "http"
            urls[name] = f"{scheme}://{addresses[found.port]}" if bridged else found.url
    return urls
