# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role gateway, method helm: the chart is rendered and applied at a real API server.

KUBECONFIG names the cluster, which needs no nodes (no pod is waited for), and GATEWAY_CHART the
chart `kong`: a path, or what helm takes instead. helm, kubectl and the Python package kubernetes
must be there.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from harness.gateway_hosts import Host, lab_of
from harness.playbook import Run

NEEDED = {
    **{name: os.environ.get(name) for name in ("KUBECONFIG", "GATEWAY_CHART")},
    **{name: shutil.which(name) for name in ("helm", "kubectl")},
    "the Python package kubernetes": importlib.util.find_spec("kubernetes"),
}
MISSING = [name for name, found in NEEDED.items() if not found]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"the method helm needs {', '.join(MISSING)} and a cluster"
)


class Cluster:
    """A namespace of the cluster, and the host from which helm installs."""

    def __init__(self, host: Host, namespace: str) -> None:
        self.host, self.namespace = host, namespace

    def kubectl(self, *words: str) -> str:
        command = ["kubectl", "--namespace", self.namespace, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def objects(self, kind: str) -> dict[str, Any]:
        """Objects of a kind by name, without what helm keeps itself."""
        found = json.loads(self.kubectl("get", kind, "--output=json"))["items"]
        named = {each["metadata"]["name"]: each for each in found}
        return {name: each for name, each in named.items() if "sh.helm.release" not in name}

    def deployment(self) -> dict[str, Any]:
        (found,) = self.objects("deployments").values()
        return dict(found["spec"])

    def environment(self) -> dict[str, str]:
        (container,) = self.deployment()["template"]["spec"]["containers"]
        return {each["name"]: each.get("value", "") for each in container["env"]}

    def helm(self, *words: str) -> None:
        command = ["helm", "--namespace", self.namespace, *words]
        subprocess.run(command, check=True, capture_output=True)

    def certificate(self) -> bytes:
        return base64.b64decode(self.objects("secrets")["gw-certificates"]["data"]["tls.crt"])


def modules(run: Run) -> list[str]:
    """Names of the tasks that ran a module, each a process on the host."""
    inside = re.compile("include_|set_fact|assert|debug|validate_argument_spec")
    return [task["name"] for task in run.tasks
            if task["status"] != "skipped" and not inside.search(task["action"])]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    namespace = f"irishtek-test-{uuid.uuid4().hex[:8]}"
    with lab_of("") as lab:
        host = lab.host(
            "node", method="helm", mode="data_plane", name="gw", install=False, timeout=0,
            namespace=namespace, chart=os.environ["GATEWAY_CHART"], version="3.9.1",
            kubeconfig=os.environ["KUBECONFIG"], control_plane_url="cp.example.com",
            ca_certificate=str(lab.root / "ca/ca.crt"), ca_key=str(lab.root / "ca/ca.key"),
            secrets={"smtp_password": "hush-hush"},
        )
        made = Cluster(host, namespace)
        yield made
        made.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def test_a_release_through_its_whole_life(cluster: Cluster) -> None:
    host = cluster.host
    host.run(check=True).ok()
    assert cluster.objects("secrets") == {}
    assert "hush-hush" not in host.run(diff=True).ok().stdout
    assert sorted(cluster.objects("secrets")) == ["gw-certificates", "gw-settings"]
    assert not [name for name in cluster.objects("services") if "admin" in name]
    assert cluster.environment()["KONG_CLUSTER_CONTROL_PLANE"] == "cp.example.com:8005"
    assert "hush-hush" not in cluster.kubectl("get", "deployments", "--output=json")
    again = host.run().ok()
    assert again.total("changed") == 0
    # Helm and the cluster's modules compare nothing where what was proven is still there.
    assert modules(again) == ["Gather facts of the host", "Write the files"]
    assert len(again.tasks) <= 30

    host.options["config"] = {"log_level": "debug"}
    host.run().ok()
    assert cluster.environment()["KONG_LOG_LEVEL"] == "debug"

    before, template = cluster.certificate(), cluster.deployment()["template"]
    host.run(certificate_days=2000, certificate_renew_days=1999).ok()
    assert cluster.certificate() != before
    # New pods, as a mounted secret alone replaces none.
    assert cluster.deployment()["template"] != template


def test_the_run_after_a_release_that_failed_repairs_it(cluster: Cluster) -> None:
    """Helm goes back by itself only where it waits for pods, and none runs here."""
    host = cluster.host
    host.run().ok()
    host.options["config"] = {"log_level": "debug"}
    failed = host.run(helm_values={"proxy": {"http": {"servicePort": "no-port"}}})
    assert failed.rc != 0
    assert "Install the release: " in failed.stdout
    host.run().ok()
    assert cluster.environment()["KONG_LOG_LEVEL"] == "debug"
    assert host.run().ok().total("changed") == 0


def test_a_release_is_stopped_started_and_removed(cluster: Cluster) -> None:
    host = cluster.host
    host.run().ok()
    host.run(helm_values={"replicaCount": 0}).ok()
    assert cluster.deployment()["replicas"] == 0
    assert host.run(helm_values={"replicaCount": 0}).ok().total("changed") == 0
    host.run().ok()
    assert cluster.deployment()["replicas"] == 1
    host.run(state="absent").ok()
    assert cluster.objects("deployments") == {}
    assert cluster.objects("secrets") == {}
    assert not host.folder.exists()
    assert host.run(state="absent").ok().total("changed") == 0


def test_what_somebody_else_changed_is_put_back(cluster: Cluster) -> None:
    host, chart = cluster.host, os.environ["GATEWAY_CHART"]
    host.run().ok()
    secret = base64.b64encode(b"of somebody else").decode()
    own = cluster.objects("secrets")["gw-settings"]["data"]
    debug = ["--reuse-values", "--set", "env.log_level=debug"]
    for command in (
        lambda: cluster.helm("upgrade", "gw", chart, *debug),
        lambda: cluster.helm("uninstall", "gw"),
        lambda: cluster.kubectl("delete", "secret", "gw-certificates"),
        lambda: cluster.kubectl(
            "patch", "secret", "gw-settings", f'--patch={{"data": {{"smtp_password": "{secret}"}}}}'
        ),
    ):
        command()
        assert host.run(check=True).ok().total("changed") > 0
        assert host.run().ok().total("changed") > 0
        assert "KONG_LOG_LEVEL" not in cluster.environment()
        assert cluster.objects("secrets")["gw-settings"]["data"] == own
        assert cluster.certificate()
        assert len(modules(host.run().ok())) == 2
