# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host that the role ``gateway`` needs, gathered in one task.

Private to the collection.
"""

from __future__ import annotations

import grp
import hashlib
import importlib.util
import json
import os
import re
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
    "directory": {"type": "path", "default": "/etc/kong"},
    "method": {"default": "files", "choices": _METHODS},
    "name": {"default": "kong"}, "unit": {"default": "kong.service"},
}
_LIBRARIES = ("cryptography", "debian", "kubernetes", "requests", "yaml")
_FAMILIES = {"debian": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "amzn": "amzn"}
_COMPOSE = ("docker", "compose", "version", "--short")


def host_facts(run_command: RunCommand, given: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of the host and of the gateway that the role runs there.

    :param run_command: that of the module.
    :param given: the options of the module.
    """

    def output(*words: str) -> str:
        """The output of a command; nothing where it is not there or fails."""
        status, found, _errors = run_command(list(words)) if shutil.which(words[0]) else (1, "", "")
        return "" if status else found.strip()

    directory, name, method = (given[key] for key in ("directory", "name", "method"))
    lines = (line.partition("=") for line in _read("/etc/os-release").splitlines())
    release = {key: value.strip().strip("\"'") for key, _equals, value in lines}
    ids = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[each] for each in ids if each in _FAMILIES), "")
    macros = ("rhel", "amzn") if family in ("rhel", "amzn") else ()
    programs = {
        "podman": shutil.which("podman"), "docker": shutil.which("docker"),
        "compose": method == "compose" and output(*_COMPOSE),
    }
    lacking = [lib for lib in _LIBRARIES if importlib.util.find_spec(lib) is None]
    podman = re.findall(r"[0-9.]+", output("podman", "--version") if method == "podman" else "")
    inspection = ("docker", "container", "inspect", "-f", "{{.State.Running}}", name)
    asked = {
        "podman": ("systemctl", "is-active", f"{name}.service"), "docker": inspection,
        "package": ("systemctl", "is-active", given["unit"]), "compose": inspection,
    }
    conf = _read(f"{directory}/kong.conf")
    return {
        "distribution": release.get("ID", ""),
        "release": release.get("VERSION_ID", ""),
        "nodename": os.uname().nodename,
        "codename": release.get("VERSION_CODENAME", ""),
        "family": family,
        # The macros of Kong's own repository files, which a locked $releasever does not change.
        "rpm": {key: output("rpm", "--eval", f"%{{?{key}}}") for key in macros},
        "missing": lacking + [name for name, found in programs.items() if not found],
        "podman": podman[0] if podman else "",
        "selinux": os.path.exists("/sys/fs/selinux/enforce"),
        "gid": next((entry.gr_gid for entry in grp.getgrall() if entry.gr_name == GROUP), None),
        "record": _json(f"{directory}/record.json"),
        "certificates": {key: _certificate(directory, key) for key in ("tls", "new")},
        "foreign": bool(conf) and not conf.startswith(HEADER),
        "running": output(*asked.get(method, ("true",))) in ("active", "true"),
    }


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
