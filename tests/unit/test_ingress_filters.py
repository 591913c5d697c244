# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ingress gives to the cluster: the chart's values and the upstream's policy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.kong_ingress_values import (
    FilterModule as ValuesFilter,
)
from ansible_collections.irishtek.kong.plugins.filter.kong_ingress_values import (
    kong_ingress_values,
)
from ansible_collections.irishtek.kong.plugins.filter.kong_upstream_policy import (
    FilterModule as PolicyFilter,
)
from ansible_collections.irishtek.kong.plugins.filter.kong_upstream_policy import (
    kong_upstream_policy,
)
from harness.crds import FIXTURES, schema_of, strict
from unit.policies import POLICIES

# The schema of a policy's spec, in which no unknown field passes.
POLICY = strict(schema_of(FIXTURES / "kongupstreampolicies.json"))["properties"]["spec"]
CHARTS = os.environ.get("KONG_CHARTS", "")
OPTIONS = {"class": "kong", "release": "edge"}
CONTROL_PLANE = {
    "id": "8a3f3bb9-7d28-4a6b-a9e6-9fb8b2a2d8a1",
    "name": "kic",
    "config": {
        "cluster_type": "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER",
        "telemetry_endpoint": "https://abc.eu.tp.konghq.com",
    },
}


@pytest.fixture(autouse=True)
def kubernetes_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collection as if it were installed."""
    for name in ("ansible_collections.kubernetes", "ansible_collections.kubernetes.core"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))


def test_the_files_offer_their_filters() -> None:
    assert ValuesFilter().filters() == {"kong_ingress_values": kong_ingress_values}
    assert PolicyFilter().filters() == {"kong_upstream_policy": kong_upstream_policy}


def test_without_konnect_the_class_is_all_that_is_set() -> None:
    assert kong_ingress_values(OPTIONS) == {
        "controller": {"ingressController": {"ingressClass": "kong"}},
        "gateway": {"manager": {"enabled": False}},
    }


def test_with_konnect_the_controller_and_the_gateway_know_the_control_plane() -> None:
    values = kong_ingress_values(OPTIONS, control_plane=CONTROL_PLANE, region="eu")
    assert values["controller"]["ingressController"]["konnect"] == {
        "enabled": True,
        "controlPlaneID": CONTROL_PLANE["id"],
        "tlsClientCertSecretName": "edge-konnect",
        "apiHostname": "eu.kic.api.konghq.com",
        "license": {"enabled": True},
    }
    settings = values["gateway"]["env"]
    assert settings["cluster_telemetry_endpoint"] == "abc.eu.tp.konghq.com:443"
    assert settings["cluster_cert_key"] == "/etc/secrets/edge-konnect/tls.key"
    assert values["gateway"]["secretVolumes"] == ["edge-konnect"]


def test_a_control_plane_of_another_type_is_refused() -> None:
    other = {**CONTROL_PLANE, "config": {"cluster_type": "CLUSTER_TYPE_CONTROL_PLANE"}}
    with pytest.raises(AnsibleFilterError, match="kic has the type CLUSTER_TYPE_CONTROL_PLANE"):
        kong_ingress_values(OPTIONS, control_plane=other)


@pytest.mark.parametrize("name", ["certificate", "key"])
def test_konnect_needs_a_certificate_and_its_key(name: str) -> None:
    options = {**OPTIONS, "control_plane": "kic", "certificate": "a", "key": "b", name: ""}
    with pytest.raises(AnsibleFilterError, match=f"needs ingress_konnect_{name}"):
        kong_ingress_values(options)


def test_a_missing_collection_is_reported_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ansible_collections.kubernetes.core", None)
    with pytest.raises(AnsibleFilterError, match="collection install kubernetes.core"):
        kong_ingress_values(OPTIONS)


@pytest.mark.parametrize(("options", "spec"), POLICIES)
def test_options_of_an_upstream_become_a_policy(
    options: dict[str, Any], spec: dict[str, Any]
) -> None:
    assert kong_upstream_policy(options) == spec
    jsonschema.validate(spec, POLICY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("x", "takes options of kong_upstream"),
        ({"host_header": "a"}, "a KongUpstreamPolicy has no host_header; it has algorithm,"),
        ({"healthchecks": 3}, "healthchecks must be a dictionary"),
        (
            {"healthchecks": {"passive": {"unhealthy": {"tcp_failurez": 3}}}},
            "healthchecks.passive.unhealthy has no tcp_failurez; it has http_failures,",
        ),
        ({"hash_on": "header"}, "hash_on header needs hash_on_header"),
        ({"hash_fallback": "cookie"}, "hash_fallback cookie needs hash_on_cookie"),
        ({"hash_fallback": "ip"}, "hash_fallback needs hash_on"),
        ({"algorithm": "consistent-hashing"}, "consistent-hashing needs hash_on"),
        (
            {"algorithm": "round-robin", "hash_on": "ip"},
            "hash_on needs algorithm consistent-hashing, got round-robin",
        ),
        (
            {"algorithm": "latency", "sticky_sessions_cookie": "s"},
            "sticky_sessions_cookie needs algorithm sticky-sessions, got latency",
        ),
        ({"sticky_sessions_cookie_path": "/"}, "needs sticky_sessions_cookie"),
        (
            {"hash_on": "cookie", "hash_on_cookie": "id", "hash_fallback": "ip"},
            "hash_fallback cannot be combined with hash_on cookie",
        ),
    ],
)
def test_what_a_policy_cannot_have_is_refused(options: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        kong_upstream_policy(options)
    assert message in str(caught.value)


def _rendered(tmp_path: Path) -> list[dict[str, Any]]:
    """The resources that the chart renders for a control plane."""
    values = kong_ingress_values(OPTIONS, control_plane=CONTROL_PLANE, region="eu")
    (tmp_path / "values.json").write_text(json.dumps(values))
    command = ["helm", "template", "edge", f"{CHARTS}/ingress", "--values", "values.json"]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    return [each for each in yaml.safe_load_all(text) if each]


def _settings(deployment: dict[str, Any]) -> dict[str, Any]:
    """The environment of a deployment's containers."""
    return {
        variable["name"]: variable.get("value", variable.get("valueFrom"))
        for container in deployment["spec"]["template"]["spec"]["containers"]
        for variable in container["env"]
    }


@pytest.mark.skipif(
    not (CHARTS and shutil.which("helm")),
    reason="no chart: KONG_CHARTS, a folder with the chart ingress, is not set, or no helm",
)
def test_the_chart_gives_the_values_to_the_controller_and_the_gateway(tmp_path: Path) -> None:
    found = {(each["kind"], each["metadata"]["name"]): each for each in _rendered(tmp_path)}
    controller = _settings(found["Deployment", "edge-controller"])
    certificate = {"secretKeyRef": {"name": "edge-konnect", "key": "tls.crt"}}
    expected = {
        "CONTROLLER_INGRESS_CLASS": "kong",
        "CONTROLLER_FEATURE_GATES": "FillIDs=true",
        "CONTROLLER_KONNECT_ADDRESS": "https://eu.kic.api.konghq.com",
        "CONTROLLER_KONNECT_CONTROL_PLANE_ID": CONTROL_PLANE["id"],
        "CONTROLLER_KONNECT_SYNC_ENABLED": "true",
        "CONTROLLER_KONNECT_TLS_CLIENT_CERT": certificate,
    }
    assert {name: controller.get(name) for name in expected} == expected
    gateway = found["Deployment", "edge-gateway"]
    settings = _settings(gateway)
    assert settings["KONG_CLUSTER_CERT"] == "/etc/secrets/edge-konnect/tls.crt"
    assert settings["KONG_KONNECT_MODE"] == "on"
    volumes = gateway["spec"]["template"]["spec"]["volumes"]
    assert {"name": "edge-konnect", "secret": {"secretName": "edge-konnect"}} in volumes
    assert ("Service", "edge-gateway-manager") not in found
