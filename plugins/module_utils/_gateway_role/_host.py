# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ``gateway`` wants to know of a host, read in one go.

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
from collections.abc import Mapping
from functools import partial
from typing import Any, Callable

# Runs a command and returns its exit status, output and errors, as a module does it.
RunCommand = Callable[[list[str]], tuple[int, str, str]]
Output = Callable[[tuple[str, ...]], str]

RECORD = "record.json"
HEADER = "# Managed by Ansible, role irishtek.kong.gateway."
_RPM_MACROS = ("rhel", "amzn")
_LIBRARIES = ("cryptography", "debian", "kubernetes", "requests", "yaml")
_FAMILIES = {"debian": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel", "amzn": "amzn"}
_VERSIONS = {
    "podman": ("podman", "--version"),
    "docker": ("docker", "--version"),
    "compose": ("docker", "compose", "version", "--short"),
}


def host_facts(
    run_command: RunCommand, directory: str, name: str, *, method: str, unit: str, group: str
) -> dict[str, Any]:
    """Facts of the host and of the gateway that the role runs there.

    :param run_command: that of the module.
    :param unit: the systemd unit of a package's gateway.
    :param group: the group of the role's files.
    """
    release = _os_release("/etc/os-release")
    output = partial(_output, run_command)
    family = _family(release)
    names = {"package": (), "podman": ("podman",), "docker": ("docker",)}.get(
        method, ("docker", "compose") if method == "compose" else ()
    )
    return {
        "distribution": release.get("ID", ""),
        "release": release.get("VERSION_ID", ""),
        "nodename": os.uname().nodename,
        "codename": release.get("VERSION_CODENAME", ""),
        "family": family,
        # What Kong's own repository files ask, which a locked $releasever does not change.
        "rpm": {key: _rpm(output, key) for key in _RPM_MACROS if family in _RPM_MACROS},
        "missing": [lib for lib in _LIBRARIES if importlib.util.find_spec(lib) is None],
        "versions": {key: _version(output(_VERSIONS[key])) for key in names},
        "selinux": os.path.exists("/sys/fs/selinux/enforce"),
        "gid": _gid(group),
        "record": _json(os.path.join(directory, RECORD)),
        "certificates": {key: _certificate(directory, key) for key in ("tls", "new")},
        "foreign": _foreign(directory),
        "running": _running(output, method, name, unit),
    }


def _os_release(path: str) -> dict[str, str]:
    found = {}
    for line in (_read(path) or "").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            found[key] = value.strip().strip("\"'")
    return found


def _family(release: Mapping[str, str]) -> str:
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((_FAMILIES[name] for name in names if name in _FAMILIES), "")


def _output(run_command: RunCommand, command: tuple[str, ...]) -> str:
    """What a command says; nothing where it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    status, said, _errors = run_command(list(command))
    return said.strip() if status == 0 else ""


def _rpm(output: Output, key: str) -> str:
    found = output(("rpm", "--eval", f"%{{{key}}}"))
    return "" if found.startswith("%") else found


def _version(said: str) -> str:
    found = re.search(r"[0-9]+(\.[0-9]+)+", said)
    return found.group() if found else ""


def _gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid if group else None
    except KeyError:
        return None


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


def _foreign(directory: str) -> list[str]:
    """Files of somebody else under names that the role writes."""
    text = _read(os.path.join(directory, "kong.conf"))
    return ["kong.conf"] if text is not None and not text.startswith(HEADER) else []


def _running(output: Output, method: str, name: str, unit: str) -> bool:
    if method in ("docker", "compose"):
        asked = ("docker", "container", "inspect", "-f", "{{.State.Running}}", name)
        return output(asked) == "true"
    service = {"podman": f"{name}.service", "package": unit}.get(method)
    return bool(service) and output(("systemctl", "is-active", str(service))) == "active"
