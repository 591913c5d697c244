# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ingress on a Kubernetes API server: applied, unchanged, scaled, removed.

KUBECONFIG names an API server without nodes, KONG_CHARTS a folder with the chart `ingress`,
KONG_CRDS one with the CustomResourceDefinitions of the Gateway API and the ingress controller,
KONG_INGRESS_CONTROLLER the program of the controller, and KONG_DBLESS_URL the Admin API of a
gateway without a database, which it then configures.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.filter.kong_upstream_policy import (
    kong_upstream_policy,
)
from harness.api_server import ApiServer, Controllers, acting, kubectl_to, reason_against
from harness.crds import FIXTURES
from harness.gateway import Gateway, sandbox
from harness.playbook import Player, Run
from harness.stand_ins import path_from
from unit.policies import POLICIES

REASON = reason_against()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))
CHARTS = os.environ.get("KONG_CHARTS", "")
needs_chart = pytest.mark.skipif(not CHARTS, reason="no chart: KONG_CHARTS is not set")
needs_crds = pytest.mark.skipif(
    "KONG_CRDS" not in os.environ, reason="no Gateway API: KONG_CRDS is not set"
)
CONTROLLER = os.environ.get("KONG_INGRESS_CONTROLLER", "")
NUMBER = itertools.count(1)
PLAY = """
- name: Ingress
  hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: irishtek.kong.ingress}
"""
ECHO = "Apply the echo deployment and its service"
POLICY = "Apply the upstream's policy"


@pytest.fixture(scope="session")
def cluster() -> ApiServer:
    """The API server, with the definition of the policy."""
    found = ApiServer(os.environ["KUBECONFIG"])
    found.apply(json.loads((FIXTURES / "kongupstreampolicies.json").read_text()))
    name = "kongupstreampolicies.configuration.konghq.com"
    found.kubectl("wait", "--for=condition=Established", "crd", name)
    return found


@pytest.fixture(scope="session")
def pods_gateway() -> Iterator[Gateway]:
    with sandbox("--health-delay", "0") as started:
        yield started


@dataclass(frozen=True)
class Role:
    """Runs the role in namespaces of its own."""

    playbook: Player
    cluster: ApiServer
    path: str
    number: int = field(default_factory=lambda: next(NUMBER))

    @property
    def namespace(self) -> str:
        return f"irishtek-kong-{os.getpid()}-{self.number}"

    @property
    def echo_namespace(self) -> str:
        return f"irishtek-echo-{os.getpid()}-{self.number}"

    @property
    def release(self) -> str:
        """Unique in the cluster, as the chart's cluster roles have its name."""
        return f"kong-{os.getpid()}-{self.number}"

    def upstream(self, route: str = "ingress") -> str:
        """The name that the ingress controller gives to the upstream of such a route."""
        if route == "gateway_api":
            return f"httproute.{self.echo_namespace}.first-upstream-target.0"
        return f"echo.{self.echo_namespace}.80.svc"

    def __call__(self, check: bool = False, **options: Any) -> Run:
        shared = {
            "ingress_chart": f"{CHARTS}/ingress", "ingress_chart_repository": "",
            "ingress_chart_version": "", "ingress_kubeconfig": self.cluster.kubeconfig,
            "ingress_release": self.release, "ingress_class": self.namespace,
            "ingress_namespace": self.namespace, "ingress_echo_namespace": self.echo_namespace,
            "ingress_gateway_class": self.namespace, "ingress_wait_timeout": 60,
        }  # fmt: skip
        return self.playbook(
            PLAY, extra_vars={**shared, **options}, check=check, diff=check,
            environment={"PATH": path_from(self.path)},
        )  # fmt: skip

    def of_echo(self, kinds: str) -> list[str]:
        """The names of objects in the namespace of the echo service."""
        found = self.cluster.get(kinds, "-n", self.echo_namespace)
        return [each["metadata"]["name"] for each in found]


@contextmanager
def running(
    role: Role, follow: Callable[[dict[str, int]], None] = lambda targets: None
) -> Iterator[Role]:
    """The role with controllers that act; what it created is removed at the end."""
    cluster = role.cluster
    with acting(Controllers(cluster, role.namespace, role.echo_namespace, follow)):
        yield role
        role(ingress_state="absent").ok()
    for namespace in (role.namespace, role.echo_namespace):
        cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture
def role(
    playbook: Player, cluster: ApiServer, pods_gateway: Gateway, tmp_path: Path
) -> Iterator[Role]:
    """The role, and a gateway that follows the echo service as with an ingress controller."""
    pods_gateway.reset()
    found = Role(playbook, cluster, kubectl_to(tmp_path / "bin", pods_gateway.admin_url))
    upstreams = [f"/upstreams/{found.upstream(route)}" for route in ("ingress", "gateway_api")]

    def follow(targets: dict[str, int]) -> None:
        for upstream in upstreams:
            _bring(pods_gateway, upstream, targets)

    with running(found, follow):
        yield found


def _bring(gateway: Gateway, upstream: str, targets: dict[str, int]) -> None:
    """Give the upstream exactly these targets, as an ingress controller does."""
    gateway.call("PUT", upstream, {})
    current = {each["target"] for each in gateway.entities(f"{upstream}/targets")}
    for target in current - targets.keys():
        gateway.call("DELETE", f"{upstream}/targets/{target}")
    for target in targets.keys() - current:
        body = {"target": target, "weight": targets[target]}
        gateway.call("POST", f"{upstream}/targets", body)


@needs_chart
def test_it_applies_once_scales_and_proves_the_targets(role: Role) -> None:
    assert ECHO in role().ok().changed()
    assert role().ok().changed() == []
    for replicas in (3, 2):
        assert role(ingress_echo_replicas=replicas).ok().changed() == [ECHO]
    run = role(ingress_echo_replicas=2, check=True).ok()
    assert run.changed() == []
    assert "Wait until the upstream's targets are the pods, on each of them" not in run.stdout


@needs_chart
def test_a_gateway_whose_targets_are_not_the_pods_fails_the_proof(
    role: Role, pods_gateway: Gateway
) -> None:
    role().ok()
    pods_gateway.call("DELETE", f"/upstreams/{role.upstream()}/targets/10.1.0.11:8080")
    run = role(ingress_wait_timeout=2)
    assert run.rc and "Wait until the upstream's targets are the pods" in run.stdout


@needs_chart
def test_a_policy_follows_its_options(role: Role, cluster: ApiServer) -> None:
    hashed = {"hash_on": "header", "hash_on_header": "X-User"}
    options: dict[str, Any] = {"ingress_prove": False, "ingress_upstream_policy": hashed}
    assert {ECHO, POLICY} <= set(role(**options).ok().changed())
    assert role(**options).ok().changed() == []
    options["ingress_upstream_policy"] = {"algorithm": "latency"}
    assert role(**options).ok().changed() == [POLICY]
    (policy,) = cluster.get("kongupstreampolicies", "-n", role.echo_namespace)
    assert policy["spec"] == {"algorithm": "latency"}
    unused = "Remove the policy and the routes that the options do not ask for"
    assert role(ingress_prove=False).ok().changed() == [ECHO, unused]
    assert role.of_echo("kongupstreampolicies") == []


@needs_chart
def test_check_mode_of_the_first_run_succeeds_and_writes_nothing(
    role: Role, cluster: ApiServer
) -> None:
    run = role(check=True).ok()
    assert "Show that check mode cannot compare the echo service" in run.changed()
    names = {each["metadata"]["name"] for each in cluster.get("namespaces")}
    assert not names & {role.namespace, role.echo_namespace}


@needs_chart
def test_absent_removes_what_the_role_created_and_no_namespace_of_others(
    role: Role, cluster: ApiServer
) -> None:
    assert role(ingress_state="absent").ok().changed() == []
    cluster.kubectl("create", "namespace", role.echo_namespace)
    role(ingress_upstream_policy={"algorithm": "latency"}).ok()
    assert role(ingress_state="absent", check=True).ok().changed()
    assert role.of_echo("deployments,services,ingresses,kongupstreampolicies")
    role(ingress_state="absent").ok()
    assert role.of_echo("deployments,services,ingresses,kongupstreampolicies") == []
    assert cluster.get("deployments", "-n", role.namespace) == []
    (namespace,) = cluster.get("namespaces", role.echo_namespace)
    assert namespace["status"]["phase"] == "Active"
    assert role(ingress_state="absent").ok().changed() == []


@needs_chart
@needs_crds
def test_the_gateway_api_replaces_the_ingress(role: Role, cluster: ApiServer) -> None:
    _apply_crds(cluster)
    role().ok()
    assert role.of_echo("ingresses") == ["first-upstream-target"]
    role(ingress_route="gateway_api").ok()
    assert role.of_echo("ingresses") == []
    assert role.of_echo("httproutes,gateways") == ["first-upstream-target", role.namespace]
    assert role(ingress_route="gateway_api").ok().changed() == []


@needs_chart
@needs_crds
@pytest.mark.skipif(
    not CONTROLLER, reason="no ingress controller: KONG_INGRESS_CONTROLLER is not set"
)
@pytest.mark.parametrize("route", ["ingress", "gateway_api"])
def test_the_ingress_controller_makes_what_the_role_proves(
    playbook: Player, cluster: ApiServer, tmp_path: Path, route: str
) -> None:
    _apply_crds(cluster)
    policy = {
        "hash_on": "header", "hash_on_header": "X-User",
        "healthchecks": {"passive": {"unhealthy": {"http_failures": 3}}},
    }  # fmt: skip
    options: dict[str, Any] = {"ingress_route": route, "ingress_upstream_policy": policy}
    with _gateway_without_database() as gateway:
        if gateway.proxy_url:
            # A Gateway listens where the chart's service leads to a port of the gateway.
            port = int(gateway.proxy_url.rpartition(":")[2])
            options["ingress_values"] = {"gateway": {"proxy": {"http": {"containerPort": port}}}}
        found = Role(playbook, cluster, kubectl_to(tmp_path / "bin", gateway.admin_url))
        with running(found) as role, _controller(role, gateway, tmp_path / "controller.log"):
            for replicas in (1, 3, 2):
                role(ingress_echo_replicas=replicas, **options).ok()
                targets = gateway.entities(f"/upstreams/{role.upstream(route)}/targets")
                assert len(targets) == replicas
            upstream = gateway.call("GET", f"/upstreams/{role.upstream(route)}")
            assert (upstream["algorithm"], upstream["hash_on_header"]) == (
                "consistent-hashing", "X-User",
            )  # fmt: skip
            assert upstream["healthchecks"]["passive"]["unhealthy"]["http_failures"] == 3
            (paths,) = [each["paths"] for each in gateway.entities("/routes")]
            assert "/api" in str(paths)


@contextmanager
def _gateway_without_database() -> Iterator[Gateway]:
    """The gateway that an ingress controller configures: that of KONG_DBLESS_URL, or a sandbox."""
    url = os.environ.get("KONG_DBLESS_URL")
    if url:
        yield Gateway(admin_url=url, proxy_url="", is_sandbox=False)
        return
    with sandbox("--mode", "dbless", "--health-delay", "0") as started:
        yield started


@contextmanager
def _controller(role: Role, gateway: Gateway, log: Path) -> Iterator[None]:
    """Run the ingress controller until the block ends."""
    command = [
        CONTROLLER, "--kubeconfig", role.cluster.kubeconfig, "--kong-admin-url", gateway.admin_url,
        "--ingress-class", role.namespace, "--anonymous-reports=false",
        "--publish-service", f"{role.namespace}/{role.release}-gateway-proxy",
        "--publish-status-address", "127.0.0.1", "--election-namespace", "default",
        "--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0",
        "--proxy-sync-seconds", "0.3", "--init-cache-sync-duration", "1s",
    ]  # fmt: skip
    environment = {
        **os.environ, "POD_NAME": "controller", "POD_NAMESPACE": "default",
        "CONTROLLER_ANONYMOUS_REPORTS": "false",
    }  # fmt: skip
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _apply_crds(cluster: ApiServer) -> None:
    for path in sorted(Path(os.environ["KONG_CRDS"]).glob("*.yaml")):
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(path))


@pytest.mark.parametrize("options", [options for options, _spec in POLICIES], ids=str)
def test_the_api_server_accepts_each_policy(cluster: ApiServer, options: dict[str, Any]) -> None:
    cluster.apply(_policy(kong_upstream_policy(options)), dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [
        {"hashOn": {"input": "ip"}},
        {"algorithm": "consistent-hashing", "hashOn": {"cookie": "id"}},
        {"healthchecks": {"threshhold": 1}},
    ],
)  # fmt: skip
def test_the_api_server_refuses_what_the_filter_avoids(cluster: ApiServer, spec: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cluster.apply(_policy(spec), dry_run=True)


def _policy(spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "echo", "namespace": "default"}
    version = {"apiVersion": "configuration.konghq.com/v1beta1", "kind": "KongUpstreamPolicy"}
    return {**version, "metadata": metadata, "spec": spec}
