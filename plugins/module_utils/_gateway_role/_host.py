# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host that the role ``gateway`` needs, gathered in one task.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import grp
import hashlib
import importlib.util
import json
import os
import re
import shutil
from functools import partial
from typing import Any, Callable

# Runs a command and returns its exit status, output and errors, as a module does it.
RunCommand = Callable[[list[str]], tuple[int, str, str]]
Output = Callable[[tuple[str, ...]], str]

HEADER = "# Managed by Ansible, role irishtek.kong.gateway."
_LIBRARIES = ("cryptography", "debian", "kubernetes", "requests", "yaml")
_FAMILIES = {"debian": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "amzn": "amzn"}
_DOCKER: dict[str, tuple[str, ...]] = {
    "docker": ("docker", "--version"), "compose": ("docker", "compose", "version", "--short"),
}
_VERSIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "podman": {"podman": ("podman", "--version")},
    "docker": {"docker": _DOCKER["docker"]},
    "compose": _DOCKER,
}


def host_facts(
    run_command: RunCommand, directory: str, name: str, *, method: str, unit: str, group: str
) -> dict[str, Any]:
    """Facts of the host and of the gateway that the role runs there.

    :param run_command: that of the module.
    :param unit: the systemd unit of a package's gateway.
    :param group: the group of the role's files.
    """
    lines = (line.partition("=") for line in (_read("/etc/os-release") or "").splitlines())
    release = {key: value.strip().strip("\"'") for key, _equals, value in lines}
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[name] for name in names if name in _FAMILIES), "")
    output = partial(_output, run_command)
    macros = ("rhel", "amzn") if family in ("rhel", "amzn") else ()
    conf = _read(f"{directory}/kong.conf")
    return {
        "distribution": release.get("ID", ""),
        "release": release.get("VERSION_ID", ""),
        "nodename": os.uname().nodename,
        "codename": release.get("VERSION_CODENAME", ""),
        "family": family,
        # The macros of Kong's own repository files, which a locked $releasever does not change.
        "rpm": {key: output(("rpm", "--eval", f"%{{?{key}}}")) for key in macros},
        "missing": [lib for lib in _LIBRARIES if importlib.util.find_spec(lib) is None],
        "versions": {
            key: _version(output(words)) for key, words in _VERSIONS.get(method, {}).items()
        },
        "selinux": os.path.exists("/sys/fs/selinux/enforce"),
        "gid": next((entry.gr_gid for entry in grp.getgrall() if entry.gr_name == group), None),
        "record": _json(f"{directory}/record.json"),
        "certificates": {key: _certificate(directory, key) for key in ("tls", "new")},
        "foreign": ["kong.conf"] if conf is not None and not conf.startswith(HEADER) else [],
        "running": _running(output, method, name, unit),
    }


def _output(run_command: RunCommand, command: tuple[str, ...]) -> str:
    """The output of a command; nothing where it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    status, output, _errors = run_command(list(command))
    return output.strip() if status == 0 else ""


def _version(output: str) -> str:
    found = re.search(r"[0-9]+(\.[0-9]+)+", output)
    return found.group() if found else ""


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def _json(path: str) -> dict[str, Any]:
    try:
        found = json.loads(_read(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _certificate(directory: str, name: str) -> dict[str, Any]:
    """A pair that the role made: its text and what it was made for; empty if it is not whole."""
    base = os.path.join(directory, "certificates", name)
    pem, spec = _read(f"{base}.crt"), _json(f"{base}.json")
    whole = pem and os.path.exists(f"{base}.key")
    if not whole or pem is None or spec.get("sha256") != hashlib.sha256(pem.encode()).hexdigest():
        return {}
    return {"pem": pem, "spec": spec["spec"], "not_after": spec["not_after"]}


def _running(output: Output, method: str, name: str, unit: str) -> bool:
    inspection = ("docker", "container", "inspect", "-f", "{{.State.Running}}", name)
    if method in ("docker", "compose"):
        return output(inspection) == "true"
    service = {"podman": f"{name}.service", "package": unit}.get(method, "")
    return bool(service) and output(("systemctl", "is-active", service)) == "active"
