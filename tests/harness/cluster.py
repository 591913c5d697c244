# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes for the tests: EndpointSlices as a controller writes them, and who serves them.

The stand-in serves what `kubernetes.core.k8s_info` asks for EndpointSlices. It takes objects of a
few other kinds, as check mode sends them, and keeps none of them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

SERVICE = "kubernetes.io/service-name"
_LIST = "/apis/discovery.k8s.io/v1/namespaces/"
_GROUP = "discovery.k8s.io/v1"
# The kinds by their API; a namespace is in no namespace.
_KINDS = {
    "v1": ("Namespace", "Service", "Pod", "Secret"),
    "apps/v1": ("Deployment",),
    "networking.k8s.io/v1": ("Ingress",),
    "configuration.konghq.com/v1beta1": ("KongUpstreamPolicy",),
    _GROUP: ("EndpointSlice",),
}
_PLURALS = {"Ingress": "ingresses", "KongUpstreamPolicy": "kongupstreampolicies"}


def _resources(api: str) -> dict[str, Any]:
    """What an API has, for clients that look for a kind."""
    found = [
        {
            "name": _PLURALS.get(kind, f"{kind.lower()}s"), "singularName": kind.lower(),
            "namespaced": kind != "Namespace", "kind": kind,
            "verbs": ["create", "delete", "get", "list", "patch", "watch"],
        }
        for kind in _KINDS[api]
    ]  # fmt: skip
    return {"kind": "APIResourceList", "groupVersion": api, "resources": found}


def _groups() -> list[dict[str, Any]]:
    found = []
    for api in _KINDS:
        group, slash, version = api.rpartition("/")
        if slash:
            named = {"groupVersion": api, "version": version}
            found.append({"name": group, "versions": [named], "preferredVersion": named})
    return found


_DISCOVERY: dict[str, Any] = {
    "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": _groups()},
    **{f"/{'apis' if '/' in api else 'api'}/{api}": _resources(api) for api in _KINDS},
}
# The path of a list of objects, of all namespaces or of one.
_OBJECTS = re.compile(r"/apis?(?:/[^/]+)?/v\w+(?:/namespaces/[^/]+)?/[a-z]+")


@dataclass(frozen=True)
class Pod:
    """A pod as an EndpointSlice shows it; each has a slice of its own, so its port is free."""

    address: str
    port: int = 8080
    ready: bool = True
    terminating: bool = False

    @property
    def target(self) -> str:
        return f"{self.address}:{self.port}"


def slices_of(service: str, namespace: str, *pods: Pod) -> list[dict[str, Any]]:
    """The EndpointSlices of a Service, one for each pod; an empty one where there is none."""
    shared = {"apiVersion": _GROUP, "kind": "EndpointSlice", "addressType": "IPv4"}

    def metadata(number: int) -> dict[str, Any]:
        labels = {SERVICE: service}
        return {"name": f"{service}-{number}", "namespace": namespace, "labels": labels}

    if not pods:
        return [{**shared, "metadata": metadata(0), "ports": [], "endpoints": []}]
    return [
        {
            **shared,
            "metadata": metadata(number),
            "ports": [{"name": "http", "port": pod.port, "protocol": "TCP"}],
            "endpoints": [
                {
                    "addresses": [pod.address],
                    "conditions": {
                        "ready": pod.ready and not pod.terminating,
                        "serving": pod.ready,
                        "terminating": pod.terminating,
                    },
                }
            ],
        }
        for number, pod in enumerate(pods)
    ]


class Cluster(Protocol):
    """Where EndpointSlices are, and the kubeconfig that leads there."""

    @property
    def kubeconfig(self) -> str:
        ...

    def scale(self, service: str, *pods: Pod) -> None:
        ...

    def clear(self) -> None:
        ...


@dataclass
class StandIn:
    """An API server that keeps EndpointSlices only, and the kubeconfig that leads to it."""

    kubeconfig: str
    namespace: str
    slices: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    # The objects that clients have sent.
    sent: list[dict[str, Any]] = field(default_factory=list)

    def scale(self, service: str, *pods: Pod) -> None:
        """Let a Service have these pods and no others."""
        self.slices[service] = slices_of(service, self.namespace, *pods)

    def clear(self) -> None:
        """Let there be no EndpointSlice, as where there is no Service."""
        self.slices.clear()

    def answer(self, url: str) -> dict[str, Any] | None:
        """The body of a response; None where there is nothing."""
        parts = urlsplit(url)
        if not parts.path.startswith(_LIST):
            empty = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}
            named = _DISCOVERY.get(parts.path)
            return empty if named is None and _OBJECTS.fullmatch(parts.path) else named
        namespace = parts.path.removeprefix(_LIST).partition("/")[0]
        (selector,) = parse_qs(parts.query).get("labelSelector", [""])
        found = self.slices.get(selector.removeprefix(f"{SERVICE}="), [])
        items = found if namespace == self.namespace else []
        return {"apiVersion": _GROUP, "kind": "EndpointSliceList", "metadata": {}, "items": items}


@contextmanager
def stand_in(folder: Path, namespace: str) -> Iterator[StandIn]:
    """Run a stand-in until the block ends; its kubeconfig is in `folder`."""
    cluster = StandIn(str(folder / "kubeconfig.json"), namespace)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = cluster.answer(self.path)
            status = {"kind": "Status", "code": 404}
            self._send(*(404, status) if found is None else (200, found))

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            cluster.sent.append(sent)
            self._send(201, sent)

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        _write_kubeconfig(folder / "kubeconfig.json", f"http://127.0.0.1:{server.server_address[1]}")
        try:
            yield cluster
        finally:
            server.shutdown()


def _write_kubeconfig(path: Path, url: str) -> None:
    """Write the configuration by which clients find an API server without credentials."""
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
