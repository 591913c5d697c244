# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for four modules of kubernetes.core: the one that it is called as.

It knows the options that the role gives them, and asks the harness's cluster (fake_cluster.py,
which FAKE_CLUSTER_PROGRAM names).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

COMMON: dict[str, Any] = {
    "kubeconfig": {"type": "raw"}, "context": {},
    "hidden_fields": {"type": "list", "elements": "str"},
    "namespace": {}, "name": {}, "kind": {}, "api_version": {},
    "label_selectors": {"type": "list", "elements": "str"},
}
WRITES: dict[str, Any] = {
    "state": {}, "force": {"type": "bool"}, "definition": {"type": "dict"}, "src": {"type": "path"},
    "wait": {"type": "bool"}, "wait_timeout": {"type": "int"}, "replicas": {"type": "int"},
    "container": {}, "tail_lines": {"type": "int"},
}


def _kubectl(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, os.environ["FAKE_CLUSTER_PROGRAM"], "kubectl", *words],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def _info(params: dict[str, Any], dry: list[str]) -> dict[str, Any]:
    words = ["--namespace", params["namespace"] or "", "--output", "json"]
    if params["name"]:
        words = [params["name"], *words]
    if params["label_selectors"]:
        words += ["--selector", ",".join(params["label_selectors"])]
    said = _kubectl("get", params["kind"].lower(), *words)
    found = json.loads(said) if said else {"items": []}
    things = found.get("items", [found])
    for thing in things:
        for field in params["hidden_fields"] or []:
            part, dot, key = field.partition("[")
            if dot:
                thing.get(part, {}).pop(key.rstrip("]"), None)
            else:
                thing.pop(part, None)
    return {"changed": False, "resources": things, "api_found": True}


def _k8s(params: dict[str, Any], dry: list[str]) -> dict[str, Any]:
    thing = params["definition"]
    if params["src"]:
        with open(params["src"]) as file:
            thing = json.load(file)
    meta = thing["metadata"]
    words = [thing["kind"].lower(), meta["name"], "--namespace", meta.get("namespace", "")]
    there = bool(_kubectl("get", *words, "--output", "json"))
    if there and params["state"] == "present" and not params["force"]:
        raise RuntimeError("the role does not merge objects")
    verb = "delete" if params["state"] == "absent" else "replace" if there else "create"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(thing, file)
        file.flush()
        _kubectl(verb, "--filename", file.name, *dry)
    return {"changed": True, "result": {"kind": thing["kind"], "metadata": meta}}


def _scale(params: dict[str, Any], dry: list[str]) -> dict[str, Any]:
    words = ["--namespace", params["namespace"], "--replicas", str(params["replicas"])]
    _kubectl("scale", "deployment", params["name"], *words, *dry)
    return {"changed": True, "result": {}}


def _log(params: dict[str, Any], dry: list[str]) -> dict[str, Any]:
    selector = ",".join(params["label_selectors"])
    said = _kubectl("logs", "--namespace", params["namespace"], "--selector", selector)
    return {"changed": False, "log": said}


def main() -> None:
    """Be the module of the file's name."""
    module = AnsibleModule(argument_spec={**COMMON, **WRITES}, supports_check_mode=True)
    work = {"k8s": _k8s, "k8s_info": _info, "k8s_log": _log, "k8s_scale": _scale}
    # Ansible tells a module its full name.
    name = str(getattr(module, "_name", "")).rpartition(".")[2]
    try:
        result = work[name](module.params, ["--dry-run=server"] if module.check_mode else [])
    except RuntimeError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
