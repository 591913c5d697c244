# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the role ``gateway`` for one host: what it writes, runs, checks and changes.

PRIVATE to the collection: it can change in any release. Pure but for the custom plugins' files,
which it reads.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from . import _checks, _methods
from ._settings import Facts, Options, Settings, conf_of, is_ip, is_secret, resolved, settings_of
from ._tables import PROCESS

File = dict[str, Any]

# What the role does is in its tasks and templates.
_ROLE = Path(__file__).parents[3] / "roles/gateway"
# What makes two databases one.
DATABASE = ("host", "port", "database", "schema")
# A certificate that the role made: its text, its key, and what it was made for.
_PAIR = tuple(f"certificates/tls.{suffix}" for suffix in ("crt", "key", "json"))


def plan_of(given: Options, facts: Facts, now: float) -> dict[str, Any]:
    """What the role does on one host.

    :param given: the role's options without their prefix, ``hostname``, ``pins`` (whether the
        role pins certificates in Konnect), ``control_plane`` (its name there), ``control_planes``
        (those of that name), ``collections`` (those that are installed), ``state_document`` (the
        converted state file) and ``ca_text`` (the certificate of the CA, where there is one).
    :param facts: what ``gateway_host_info`` found.
    :param now: seconds since 1970.
    """
    options = resolved(given)
    plugins = _plugin_files(options["plugins_directory"])
    settings, fixed = settings_of(options, sorted({path.split("/")[0] for path in plugins}))
    certificate = _certificate(options, facts, now)
    files = _files(options, settings, plugins)
    run = _methods.run_of(options, settings, facts)
    digests = _digests(options, settings, files, run, certificate)
    run["ready"] = _methods.ready_of(options, settings, run["ports"])
    run["package"] = _methods.package_of(options, facts)
    paths = sorted({file["path"] for file in files} | set(_PAIR))
    moved = _PAIR if certificate["action"] != "none" else ()
    kept = {name: options[name] for name in ("method", "version", "edition")}
    return {
        "problems": _checks.problems_of(options, settings, fixed, facts),
        "warnings": _checks.warnings_of(options, settings, certificate["action"]),
        "uses_database": options["has_database"],
        "database": [settings.get(f"pg_{key}", "") for key in DATABASE],
        "certificate": certificate, "run": run,
        "requirements": _methods.requirements_of(options, facts),
        "commands": _methods.commands_of(options, run),
        "helm": options["method"] == "helm" and _methods.helm_of(options, settings, files, run),
        "files": files, "paths": paths,
        "moves": {path.replace("tls.", "new."): path for path in moved},
        "proof": _proof(given, facts),
        "record": {**kept, "digests": digests, "run": run, "files": paths},
        **_action(options, facts, digests, certificate),
    }


def _plugin_files(directory: str) -> dict[str, str]:
    """Lua files of custom plugins, by their paths below the directory of ``kong/plugins``."""
    root = Path(directory or "/nonexistent")
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*.lua")) if path.parent != root
    }


def _files(options: Options, settings: Settings, plugins: Settings) -> list[File]:
    """Files of the role's directory; ``secret`` ones are never shown, of ``kong.conf`` lines."""
    found: list[File] = []

    def add(path: str, content: object, **more: Any) -> None:
        found.append({"path": path, "content": str(content), "mode": "0640", **more})

    if options["method"] != "helm":
        shown = [name for name, text in settings.items() if not is_secret(name, text)]
        add("kong.conf", conf_of(settings), open_lines=shown)
    if options["license"]:
        add("secrets/license.json", options["license"], secret=True)
    if options["state_file"]:
        document = json.dumps(options["state_document"], indent=2, sort_keys=True) + "\n"
        add("state/kong.json", document, secret=True)
    for block, text in sorted(options["nginx_includes"].items()):
        add(f"includes/{block}.conf", text)
    for path, text in plugins.items():
        add(f"plugins/kong/plugins/{path}", text)
    if options["ca_text"] and options["certificate"] in ("ca", "given"):
        add("certificates/ca.crt", options["ca_text"])
    if options["certificate"] == "given":
        add("certificates/tls.crt", options["certificate_text"])
        add("certificates/tls.key", options["key_text"], secret=True)
    return found


def _certificate(options: Options, facts: Facts, now: float) -> dict[str, Any]:
    """Which certificate the node needs, and whether one is made: create, swap or none.

    A certificate that was made lies beside the one in use until it is swapped.
    """
    source, server = options["certificate"], options["mode"] == "control_plane"
    host, names = options["server"].strip("[]"), [f"DNS:{options['hostname']}"]
    if server:
        # Names of the control plane: that of clusters without names, and that of its URL.
        own = [f"{'IP' if is_ip(host) else 'DNS'}:{host}"] if host else []
        names = list(dict.fromkeys(["DNS:kong_clustering", *names, *own]))
    spec = {
        "source": source, "names": names,
        # Each end gets what its side of the connection needs: no data plane can play the other one.
        "usage": ["serverAuth" if server else "clientAuth"],
        "common_name": "kong_clustering" if server else options["hostname"][:64],
        "ca": str(options["ca_text"]) if source == "ca" else "",
    }
    digest, soon = _digest(spec), now + options["certificate_renew_days"] * 86400
    tls, new = (facts["certificates"].get(name) or {} for name in ("tls", "new"))
    # Templates before ansible-core 2.19 hand over numbers as strings.
    holds = [pair and pair["spec"] == digest and float(pair["not_after"]) > soon
             for pair in (tls, new)]
    is_made = source in ("self_signed", "ca") and not holds[0]
    action = ("swap" if holds[1] else "create") if is_made else "none"
    return {**spec, "digest": digest, "action": action, "reason": "renewed" if tls else "new"}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _proof(given: Options, facts: Facts) -> str:
    """Digest of the options, of this version of the role and of what runs on the host.

    Where it is the one recorded, the last run has proven all of it, and nothing is to be compared.
    """
    code = [path.read_text(encoding="utf-8") for path in sorted(_ROLE.glob("t*/*"))]
    return _digest([code, {**given, "collections": []}, facts["seen"]])


def _digests(
    options: Options, settings: Settings, files: list[File], run: Facts, certificate: Facts
) -> Settings:
    """Digests of what a restart and what a reload takes over; kept in a file that root reads."""
    process = {
        name: text for name, text in settings.items()
        if options["method"] != "package" or PROCESS.fullmatch(name)
    }
    contents = {file["path"]: file["content"] for file in files if file["path"] != "kong.conf"}
    at_start = {p: c for p, c in contents.items() if not p.startswith(("certificates/", "state/"))}
    return {
        "restart": _digest([run, process, at_start]),
        "reload": _digest([settings, contents, certificate["digest"]]),
    }


def _action(options: Options, facts: Facts, digests: Settings, certificate: Facts) -> Facts:
    """``none``, ``start``, ``restart``, ``reload``, ``write`` or ``stop``, and the reasons."""
    record, running, state = facts["record"], facts["running"], options["state"]
    if state != "present":
        needed = running or (state == "absent" and bool(record))
        return {"action": "stop" if needed else "none", "reasons": [state] if needed else []}
    before, renewed = record.get("digests") or {}, certificate["action"] != "none"
    action, reason = "none", "settings" if record else "new"
    if options["method"] in ("files", "helm"):
        action = "write" if renewed or before != digests else "none"
    elif not running:
        action, reason = "start", "not running" if record else "new"
    elif before.get("restart") != digests["restart"]:
        action = "restart"
    elif renewed or before.get("reload") != digests["reload"]:
        action, reason = "reload", "settings, state or certificate"
    reasons = [
        f"{name} {record[name]} → {options[name]}"
        for name in ("version", "edition") if record and record[name] != options[name]
    ]
    reasons += [f"certificate {certificate['reason']}"] if renewed else []
    return {"action": action, "reasons": (reasons or [reason]) if action != "none" else []}
