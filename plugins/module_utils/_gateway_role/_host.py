# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host that the role ``gateway`` needs, gathered in one task."""

from __future__ import annotations

import grp
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

# Runs a command and returns its exit status, output and errors, as a module does it.
RunCommand = Callable[[list[str]], tuple[int, str, str]]

# The group that reads the files of gateways in containers.
GROUP = "kong-gateway"
HEADER = "# Managed by Ansible, role irishtek.kong.gateway."
_METHODS = ["docker", "podman", "compose", "package", "helm", "files"]
# The options of the module gateway_host_info.
SPEC: dict[str, Any] = {
    "directory": {"type": "path", "default": "/etc/kong"}, "name": {"default": "kong"},
    "method": {"default": "files", "choices": _METHODS}, "unit": {"default": "kong.service"},
    "namespace": {"default": "kong"}, "kubeconfig": {"type": "path", "default": ""},
}
_LIBRARIES = ("cryptography", "debian", "kubernetes", "requests", "yaml")
_FAMILIES = {"debian": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "amzn": "amzn"}
_COMPOSE = ("docker", "compose", "version", "--short")
_CONTAINER = "{{.State.Running}} {{.Image}} {{json .Config}} {{json .HostConfig}}"


def host_facts(run_command: RunCommand, given: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the host and of the gateway that the role runs there.

    :param run_command: that of the module.
    :param given: the options of the module.
    """

    def output(*words: str) -> str:
        """The output of a command; nothing where it is not there or fails."""
        status, found, _errors = run_command(list(words)) if shutil.which(words[0]) else (1, "", "")
        return "" if status else found.strip()

    directory, name, method, unit = (given[key] for key in ("directory", "name", "method", "unit"))
    lines = (line.partition("=") for line in _read("/etc/os-release").splitlines())
    release = {key: value.strip().strip("\"'") for key, _equals, value in lines}
    ids = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[each] for each in ids if each in _FAMILIES), "")
    macros = ("rhel", "amzn") if family in ("rhel", "amzn") else ()
    programs = {name: shutil.which(name) for name in ("podman", "docker")}
    programs["compose"] = output(*_COMPOSE) if method == "compose" else ""
    lacking = [lib for lib in _LIBRARIES if importlib.util.find_spec(lib) is None]
    container = ("docker", "container", "inspect", "-f", _CONTAINER, name)
    show = ("systemctl", "show", "-p", "ActiveState,UnitFileState", unit)
    asked = {"podman": show, "docker": container, "package": show, "compose": container}
    state = _release(given) if method == "helm" else output(*asked.get(method, ("true",)))
    outside = (
        f"{directory}/compose.yaml", f"/etc/containers/systemd/{name}.container",
        f"/etc/systemd/system/{unit}.d/irishtek.conf", "/etc/logrotate.d/kong",
    )
    return {
        "distribution": release.get("ID", ""), "release": release.get("VERSION_ID", ""),
        "codename": release.get("VERSION_CODENAME", ""), "family": family,
        "nodename": os.uname().nodename,
        # The macros of Kong's own repository files, which a locked $releasever does not change.
        "rpm": {key: output("rpm", "--eval", f"%{{?{key}}}") for key in macros},
        "missing": lacking + [name for name, found in programs.items() if not found],
        # "podman version 5.4.2"
        "podman": output("podman", "--version").rpartition(" ")[2] if method == "podman" else "",
        "selinux": os.path.exists("/sys/fs/selinux/enforce"),
        "gid": next((entry.gr_gid for entry in grp.getgrall() if entry.gr_name == GROUP), None),
        "record": _json(f"{directory}/record.json"),
        "certificates": {key: _certificate(directory, key) for key in ("tls", "new")},
        "foreign": not (_read(f"{directory}/kong.conf") or HEADER).startswith(HEADER),
        "running": state.startswith(("true", "ActiveState=active")),
        # Changes with what runs and with the files beside those of the plan.
        "seen": hashlib.sha256("\n".join([state, *map(_read, outside)]).encode()).hexdigest(),
    }


def _release(given: Mapping[str, Any]) -> str:
    """Versions of a release's secrets: helm's own, which each change replaces, and the role's.

    A new string each time where the cluster cannot be read, or may not be the one of the tasks.
    """
    try:
        if any(name.startswith(("K8S_AUTH_", "HELM_KUBE", "HELM_DRIVER")) for name in os.environ):
            raise LookupError
        kubernetes: Any = importlib.import_module("kubernetes")
        kubernetes.config.load_kube_config(given["kubeconfig"] or None, persist_config=False)
        found = kubernetes.client.CoreV1Api().list_namespaced_secret(
            given["namespace"], label_selector=f"name={given['name']}", _request_timeout=10
        )
    except Exception:
        return os.urandom(16).hex()
    return ",".join(f"{each.metadata.uid} {each.metadata.resource_version}" for each in found.items)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _json(path: str) -> dict[str, Any]:
    try:
        return dict(json.loads(_read(path) or "{}"))
    except ValueError:
        return {}


def _certificate(directory: str, name: str) -> dict[str, Any]:
    """A pair that the role made: its text and what it was made for; empty if it is not whole."""
    base = os.path.join(directory, "certificates", name)
    pem, spec = _read(f"{base}.crt"), _json(f"{base}.json")
    whole = spec.get("sha256") == hashlib.sha256(pem.encode()).hexdigest()
    if not whole or not os.path.exists(f"{base}.key"):
        return {}
    return {"pem": pem, "spec": spec["spec"], "not_after": spec["not_after"]}
