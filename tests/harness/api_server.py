# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API server without nodes: the tests do what controllers and kubelets would do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cluster import Pod, slices_of
from harness.stand_ins import program


@dataclass(frozen=True)
class ApiServer:
    """The API server that a kubeconfig leads to."""

    kubeconfig: str

    def kubectl(self, *arguments: str, document: Any = None) -> str:
        """Run kubectl; the output. With a document, which it reads from its input.

        :raises subprocess.CalledProcessError: it failed, and `output` says why.
        """
        return subprocess.run(
            ["kubectl", "--kubeconfig", self.kubeconfig, *arguments],
            input=None if document is None else json.dumps(document),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip

    def apply(self, *documents: Any, dry_run: bool = False) -> None:
        """Apply documents, with unknown fields refused."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        more = ["--dry-run=server"] * dry_run
        self.kubectl("apply", "--validate=strict", *more, "-f", "-", document=items)

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that `kubectl get` finds."""
        text = self.kubectl("get", *arguments, "--ignore-not-found", "-o", "json")
        found = json.loads(text or "{}")
        return list(found.get("items", [found] if found else []))

    def set_status(self, found: dict[str, Any], status: dict[str, Any]) -> None:
        """Write the status of an object."""
        metadata = found["metadata"]
        self.kubectl(
            "patch", found["kind"], metadata["name"], "-n", metadata["namespace"],
            "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}),
        )  # fmt: skip


@dataclass(frozen=True)
class Slices:
    """EndpointSlices of an API server, written as a controller would; see `cluster.StandIn`."""

    server: ApiServer
    namespace: str

    @property
    def kubeconfig(self) -> str:
        return self.server.kubeconfig

    def scale(self, service: str, *pods: Pod) -> None:
        """Let a Service have these pods and no others."""
        wanted = slices_of(service, self.namespace, *pods)
        there = self.server.get("endpointslices", "-n", self.namespace)
        self._remove(each["metadata"]["name"] for each in there[len(wanted) :])
        self.server.apply(*wanted)

    def clear(self) -> None:
        """Remove them all."""
        there = self.server.get("endpointslices", "-n", self.namespace)
        self._remove(each["metadata"]["name"] for each in there)

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            self.server.kubectl("delete", "endpointslice", name, "-n", self.namespace)


def reason_against() -> str | None:
    """Why no test can run on an API server; None if one can."""
    if not os.environ.get("KUBECONFIG"):
        return "no Kubernetes API server: KUBECONFIG is not set"
    for command in ("kubectl", "helm"):
        if not shutil.which(command):
            return f"no {command} is on the PATH"
    if ApiServer(os.environ["KUBECONFIG"]).get("nodes"):
        return "the cluster of KUBECONFIG has nodes, and the tests act as its controllers"
    return None


@dataclass(frozen=True)
class Controllers:
    """What the controllers of a cluster do in two namespaces, one of them with the echo service.

    :param follow: called with the targets of the echo service whenever they were written.
    """

    cluster: ApiServer
    namespace: str
    echo_namespace: str
    follow: Callable[[dict[str, int]], None]

    def act(self) -> None:
        """Do once what there is to do."""
        for deployment in self.cluster.get("deployments", "-n", self.namespace):
            self._start(deployment)
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            if labels.get("app.kubernetes.io/name") == "gateway":
                self._run_pod(deployment["metadata"]["name"], labels)
        for service in self.cluster.get("services", "-n", self.namespace):
            self._give_address(service)
        for deployment in self.cluster.get("deployments", "-n", self.echo_namespace):
            self._start(deployment)
            self._scale(int(deployment["spec"]["replicas"]))
        for found in self.cluster.get("namespaces", self.echo_namespace):
            if found["status"]["phase"] == "Terminating":
                self._finalize(found)

    def _start(self, deployment: dict[str, Any]) -> None:
        replicas = deployment["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), replicas)
        if all(deployment["status"].get(name, 0) == count for name, count in counts.items()):
            return
        times = dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), "2026-01-01T00:00:00Z")
        condition = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
        seen = {"observedGeneration": deployment["metadata"]["generation"]}
        conditions = {"conditions": [{**condition, "message": "", **times}]}
        self.cluster.set_status(deployment, {**counts, **conditions, **seen})

    def _give_address(self, service: dict[str, Any]) -> None:
        """What a cloud does; a Gateway is not programmed, and takes no routes, before."""
        if service["spec"]["type"] == "LoadBalancer" and not service["status"]["loadBalancer"]:
            self.cluster.set_status(service, {"loadBalancer": {"ingress": [{"ip": "10.2.0.2"}]}})

    def _run_pod(self, name: str, labels: dict[str, str]) -> None:
        if self.cluster.get("pods", f"{name}-0", "-n", self.namespace):
            return
        metadata = {"name": f"{name}-0", "namespace": self.namespace, "labels": labels}
        spec = {"containers": [{"name": "proxy", "image": "kong"}]}
        self.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        pod = {"kind": "Pod", "metadata": metadata}
        self.cluster.set_status(pod, {"phase": "Running", "podIP": "10.2.0.1"})

    def _scale(self, replicas: int) -> None:
        pods = [Pod(f"10.1.0.{number + 11}") for number in range(replicas)]
        there = self.cluster.get("endpointslices", "-n", self.echo_namespace)
        if len(there) != replicas:
            Slices(self.cluster, self.echo_namespace).scale("echo", *pods)
            self.follow({pod.target: 100 for pod in pods})

    def _finalize(self, found: dict[str, Any]) -> None:
        """Remove what is in a namespace, then the namespace."""
        kinds = "deployments,services,endpointslices,ingresses"
        self.cluster.kubectl("delete", kinds, "--all", "-n", self.echo_namespace)
        path = f"/api/v1/namespaces/{self.echo_namespace}/finalize"
        document = {**found, "spec": {"finalizers": []}}
        self.cluster.kubectl("replace", "--raw", path, "-f", "-", document=document)


@contextmanager
def acting(controllers: Controllers) -> Iterator[None]:
    """Let the controllers act until the block ends."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(1.0):
            try:
                controllers.act()
            except subprocess.CalledProcessError:
                continue  # the role changed what was read a moment ago

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def kubectl_to(folder: Path, admin_url: str) -> str:
    """A folder with a kubectl that finds the Admin API of each pod at `admin_url`.

    The real one asks the API server, which passes the request on to a pod; here no pod runs.
    """
    program(
        folder / "kubectl",
        f"""#!{sys.executable}
import os, sys, urllib.request
path = sys.argv[-1].partition("/proxy/")[2]
if not path:
    os.execv({shutil.which("kubectl")!r}, sys.argv)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
print(opener.open(f"{admin_url}/{{path}}").read().decode())
""",
    )
    return str(folder)
