# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for helm and kubectl with a cluster behind them, as far as the role asks them.

Called with `helm` or `kubectl` as its first word; FAKE_CLUSTER names the folder of its state:
state.json (objects and releases) and calls.jsonl (what it was asked). The chart is a folder: its
values.yaml and values.schema.json judge, its deployment is made here. Of an image whose name holds
`missing` the nodes find nothing, `broken` ends at once, and `refused` is one that the control plane
does not accept; a gateway without configuration is not ready. A file `down` in the folder makes the
cluster unreachable.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["FAKE_CLUSTER"])
STATE = FOLDER / "state.json"
UNREACHABLE = "The connection to the server 127.0.0.1:6443 was refused"
FLAGS = {"--all", "--ignore-not-found", "--install", "--wait", "--short", "--client"}
Object = dict[str, Any]


class Refused(Exception):
    """What the command says on stderr before it fails."""


class Cluster:
    """Objects by kind, namespace and name; releases by namespace and name, each a list."""

    def __init__(self) -> None:
        found = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.objects: dict[str, Object] = found.get("objects", {})
        self.releases: dict[str, list[Object]] = found.get("releases", {})

    def save(self) -> None:
        """Keep it for the next command."""
        STATE.write_text(json.dumps({"objects": self.objects, "releases": self.releases}))

    @staticmethod
    def key(thing: Object) -> str:
        """Where an object is kept; kinds are written in any case."""
        place = "" if thing["kind"] == "Namespace" else thing["metadata"]["namespace"]
        return f"{thing['kind'].lower()}/{place}/{thing['metadata']['name']}"

    def of(self, kind: str, namespace: str, labels: dict[str, str]) -> list[Object]:
        """Objects of a kind in a namespace that carry all these labels."""
        prefix = f"{kind}/{'' if kind == 'namespace' else namespace}/"
        return [
            thing for key, thing in sorted(self.objects.items()) if key.startswith(prefix)
            and labels.items() <= thing["metadata"].get("labels", {}).items()
        ]

    def settle(self) -> None:
        """Do what controllers and nodes would."""
        for deployment in [item for item in self.objects.values() if item["kind"] == "Deployment"]:
            self._roll(deployment)

    def _roll(self, deployment: Object) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]
        text = json.dumps(spec["template"], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        old = self.of("pod", meta["namespace"], spec["selector"]["matchLabels"])
        new = [pod for pod in old if pod["metadata"]["name"].startswith(f"{meta['name']}-{digest}")]
        for number in range(len(new), spec["replicas"]):
            name = f"{meta['name']}-{digest}-{number}"
            new.append({
                "kind": "Pod", "spec": spec["template"]["spec"],
                "metadata": {**spec["template"]["metadata"], "name": name,
                             "namespace": meta["namespace"]},
            })
        for pod in new[:spec["replicas"]]:
            pod["status"] = pod.get("status") or self._status(pod)
            self.objects[self.key(pod)] = pod
        kept = new[:spec["replicas"]]
        states = [pod["status"]["containerStatuses"][0] for pod in kept]
        up = all(state["ready"] for state in states)
        for pod in old:
            was_ready = pod["status"]["containerStatuses"][0]["ready"]
            if pod not in kept and (up or not was_ready or not kept):
                del self.objects[self.key(pod)]
        left = self.of("pod", meta["namespace"], spec["selector"]["matchLabels"])
        deployment["status"] = {
            "observedGeneration": meta["generation"], "updatedReplicas": len(kept),
            "replicas": len(left), "readyReplicas": sum(state["ready"] for state in states),
        }

    def _status(self, pod: Object) -> Object:
        container = pod["spec"]["containers"][0]
        image, said = container["image"], {entry["name"]: entry for entry in container["env"]}
        lonely = "refused" in image or (
            said["KONG_ROLE"]["value"] == "traditional" and said["KONG_DATABASE"]["value"] == "off"
            and "KONG_DECLARATIVE_CONFIG" not in said
        )
        waiting = (
            {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
            if "missing" in image else {"reason": "CrashLoopBackOff", "message": "back-off 10s"}
            if "broken" in image else self._lack(pod, container)
        )
        # It has run for long: nobody waits for a gateway that has nothing to be ready for.
        state = {"waiting": waiting} if waiting else {
            "running": {"startedAt": "2026-01-01T00:00:00Z"}
        }
        proxy = {"name": "proxy", "ready": not waiting and not lonely, "state": state}
        return {"phase": "Pending" if waiting else "Running", "containerStatuses": [proxy]}

    def _lack(self, pod: Object, container: Object) -> Object:
        """Why a pod cannot start: a secret, or a key of it, that is not there."""
        place = pod["metadata"]["namespace"]
        references = [entry["valueFrom"]["secretKeyRef"] for entry in container["env"]
                      if "valueFrom" in entry]
        wanted = [(reference["name"], reference["key"]) for reference in references]
        wanted += [(volume["secret"]["secretName"], key) for volume in pod["spec"]["volumes"]
                   for key in volume["keys"]]
        for name, key in wanted:
            if key not in self.objects.get(f"secret/{place}/{name}", {}).get("data", {}):
                return {"reason": "CreateContainerConfigError", "message": f"no {key} in {name}"}
        return {}


def _split(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Options with their values, and the other words."""
    options: dict[str, str] = {}
    rest: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            rest.append(word)
        elif word in FLAGS or "=" in word:
            options[word.split("=")[0]] = "yes"
        else:
            options[word] = words.pop(0)
    return options, rest


def _labels(options: dict[str, str]) -> dict[str, str]:
    text = options.get("--selector", "")
    return dict(part.split("=", 1) for part in text.split(",") if part)


def _get(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    kind, place = rest[1].lower(), options["--namespace"]
    if len(rest) < 3:
        print(json.dumps({"items": cluster.of(kind, place, _labels(options))}))
        return
    thing = cluster.objects.get(f"{kind}/{'' if kind == 'namespace' else place}/{rest[2]}")
    if thing is None:
        return
    if options["--output"].startswith("jsonpath="):
        # The one that the role asks for: all but the key.
        data = {name: thing["data"].get(name, "") for name in ("tls.crt", "ca.crt")}
        thing = {"metadata": thing["metadata"], "data": data}
    print(json.dumps(thing))


def _write(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    file = options["--filename"]
    thing: Object = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text())
    key, verb = cluster.key(thing), rest[0]
    there = key in cluster.objects
    if verb != "delete" and there != (verb == "replace"):
        raise Refused(f'Error from server: {key} {"already exists" if there else "not found"}')
    place = thing["metadata"].get("namespace")
    if place is not None and f"namespace//{place}" not in cluster.objects:
        raise Refused(f'Error from server (NotFound): namespaces "{place}" not found')
    if sum(map(len, thing.get("data", {}).values())) > 1 << 20:
        raise Refused(f"{key} is invalid: data: Too long: may not be more than 1048576 bytes")
    if "--dry-run" in options:
        return
    cluster.objects[key] = thing
    if verb == "delete":
        inside = f"/{thing['metadata']['name']}/" if thing["kind"] == "Namespace" else key
        for found in [other for other in cluster.objects if other == key or inside in other]:
            del cluster.objects[found]


def _scale(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    deployment = cluster.objects[f"deployment/{options['--namespace']}/{rest[2]}"]
    if "--dry-run" not in options:
        deployment["spec"]["replicas"] = int(options["--replicas"])
        deployment["metadata"]["generation"] += 1


def _logs(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    for pod in cluster.of("pod", options["--namespace"], _labels(options)):
        image = pod["spec"]["containers"][0]["image"]
        if "broken" in image:
            print("[emerg] bind() to 0.0.0.0:8000 failed (98: Address already in use)")
        if "refused" in image:
            print("[error] [clustering] connection to control plane failed: bad certificate")


def _yaml(text: str) -> Any:
    # Most calls need neither this nor the schema, and both take long to import.
    import yaml  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415

    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _values(options: dict[str, str], chart: Path) -> Object:
    """The given values, as the chart accepts them."""
    import jsonschema  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415

    if not (chart / "Chart.yaml").exists():
        raise Refused(f'Error: path "{chart}" not found')
    file = options["--values"]
    given: Object = _yaml(sys.stdin.read() if file == "-" else Path(file).read_text())
    merged = _merge(_yaml((chart / "values.yaml").read_text()), given)
    schema = json.loads((chart / "values.schema.json").read_text())
    for error in jsonschema.Draft7Validator(schema).iter_errors(merged):
        where = ".".join(map(str, error.absolute_path))
        raise Refused(f"Error: the values do not meet the schema: {where}: {error.message}")
    return given


def _merge(below: Object, above: Object) -> Object:
    both = {
        key: _merge(below[key], value)
        if isinstance(below.get(key), dict) and isinstance(value, dict) else value
        for key, value in above.items()
    }
    return {**below, **both}


def _deploy(cluster: Cluster, place: str, name: str, release: Object) -> None:
    """Make the release's deployment what its values say."""
    chart = _yaml((Path(release["folder"]) / "values.yaml").read_text())
    values = _merge(chart, release["values"])
    labels = {"app.kubernetes.io/instance": name, "app.kubernetes.io/component": "app"}
    env = [
        {"name": f"KONG_{key.upper()}", **({"value": said} if isinstance(said, str) else said)}
        for key, said in values["env"].items()
    ]
    env += [{"name": key.upper(), **value} for key, value in values["customEnv"].items()]
    volumes = [{"secret": {"secretName": secret}, "keys": ["tls.crt", "tls.key"]}
               for secret in values["secretVolumes"]]
    if values["dblessConfig"]["secret"]:
        env.append({"name": "KONG_DECLARATIVE_CONFIG", "value": "/kong_dbless/kong.yml"})
        state = {"secretName": values["dblessConfig"]["secret"]}
        volumes.append({"secret": state, "keys": ["kong.yml"]})
    image = f"{values['image']['repository']}:{values['image']['tag']}"
    key = f"deployment/{place}/{name}-kong"
    generation = cluster.objects.get(key, {"metadata": {"generation": 0}})["metadata"]["generation"]
    container = {"name": "proxy", "image": image, "env": env}
    template = {
        "metadata": {"labels": labels, "annotations": values["podAnnotations"]},
        "spec": {"volumes": volumes, "containers": [container]},
    }
    cluster.objects[key] = {
        "kind": "Deployment",
        "metadata": {"name": f"{name}-kong", "namespace": place, "labels": labels,
                     "generation": generation + 1},
        "spec": {"replicas": values["replicaCount"], "selector": {"matchLabels": labels},
                 "template": template},
    }


def _release(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    """`helm upgrade --install NAME CHART` and `helm rollback NAME REVISION`."""
    verb, name, last = rest
    place = options["--namespace"]
    if f"namespace//{place}" not in cluster.objects:
        raise Refused(f'Error: create: failed to create: namespaces "{place}" not found')
    history = cluster.releases.setdefault(f"{place}/{name}", [])
    if verb == "rollback":
        release = dict(history[int(last) - 1])
    else:
        chart = _yaml((Path(last) / "Chart.yaml").read_text())
        release = {"values": _values(options, Path(last)), "folder": last,
                   "chart": f"{chart['name']}-{chart['version']}"}
    release.update(revision=str(len(history) + 1), status="deployed", name=name)
    history.append(release)
    _deploy(cluster, place, name, release)


def _uninstall(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    place, name = options["--namespace"], rest[1]
    del cluster.releases[f"{place}/{name}"]
    mine = {"app.kubernetes.io/instance": name}
    for kind in ("pod", "deployment"):
        for thing in cluster.of(kind, place, mine):
            del cluster.objects[cluster.key(thing)]


def _list(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    name = options["--filter"].strip("^$").replace("\\", "")
    history = cluster.releases.get(f"{options['--namespace']}/{name}", [])
    shown = ("name", "revision", "status", "chart")
    print(json.dumps([{key: release[key] for key in shown} for release in history[-1:]]))


def _stored_values(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    print(json.dumps(cluster.releases[f"{options['--namespace']}/{rest[2]}"][-1]["values"]))


def _template(cluster: Cluster, options: dict[str, str], rest: list[str]) -> None:
    _values(options, Path(rest[2]))


Command = Callable[[Cluster, dict[str, str], list[str]], None]
COMMANDS: dict[str, dict[str, Command]] = {
    "helm": {"get": _stored_values, "list": _list, "rollback": _release, "template": _template,
             "uninstall": _uninstall, "upgrade": _release},
    "kubectl": {"create": _write, "delete": _write, "get": _get, "logs": _logs, "replace": _write,
                "scale": _scale},
}


def main(program: str, words: list[str]) -> int:
    """Do what helm or kubectl would."""
    with (FOLDER / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([program, *words]) + "\n")
    options, rest = _split(words)
    if rest[0] == "version":
        return 0
    if (FOLDER / "down").exists():
        print(UNREACHABLE, file=sys.stderr)
        return 1
    cluster = Cluster()
    try:
        COMMANDS[program][rest[0]](cluster, options, rest)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    cluster.settle()
    cluster.save()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
