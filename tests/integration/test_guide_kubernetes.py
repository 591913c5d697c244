# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples for Kubernetes run on a stand-in of a cluster.

Those of the role ingress run in check mode, with a stand-in of helm: what they install needs a
real cluster, on which test_role_ingress runs the role.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.irishtek.kong.plugins.filter.kong_upstream_policy import (
    kong_upstream_policy,
)
from harness.certificates import self_signed
from harness.cluster import Pod, StandIn, stand_in
from harness.crds import FIXTURES, schema_of, strict
from harness.engine import Engine
from harness.examples import Example, of
from harness.gateway import Gateway, sandbox
from harness.paths import ROOT
from harness.playbook import LOCAL, Player
from harness.stand_ins import path_from, program
from harness.walkthrough import Step, Walk

CONSOLE = of("guide_kubernetes", "ansible-playbook irishtek.kong.follow_service")
FOLLOW = [*of("guide_kubernetes", "Targets from a Kubernetes Service"),
          *of("endpoint_slices_to_targets")]  # fmt: skip
POLICY = of("kong_upstream_policy")
INGRESS = of("roles/ingress/README", "Echo service")
KONNECT = of("roles/ingress/README", "konnect_control_plane")
# Their options are some of those of the README's play.
PARTS = of("guide_kubernetes", "Echo service")
EXAMPLES = [*CONSOLE, *FOLLOW, *POLICY, *INGRESS, *KONNECT, *PARTS]
ROLE = "ansible.builtin.include_role"
# No release is there yet; what the chart is called and which version it has.
HELM = """#!/bin/sh
case "$*" in
  *version*) echo 'version.BuildInfo{Version:"v3.18.0", GitCommit:""}' ;;
  *list*) echo '[]' ;;
  *show*chart*) printf 'name: ingress\\nversion: 0.21.0\\n' ;;
  *) echo "the stand-in does not know: helm $*" >&2; exit 1 ;;
esac
"""
UNCOMPARED = "Show that check mode cannot compare the echo service"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[StandIn]:
    """A cluster with a pod of the Service orders."""
    with stand_in(tmp_path, "shop") as found:
        found.scale("orders", Pod("10.1.0.11"))
        yield found


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A search path with the stand-in of helm."""
    return path_from(program(tmp_path / "bin/helm", HELM).parent)


def _targets(gateway: Gateway) -> list[str]:
    return [each["target"] for each in gateway.entities("/upstreams/orders/targets")]


def test_targets_follow_the_pods_by_each_way_of_the_pages(
    empty_gateway: Gateway, playbook: Player, cluster: StandIn, tmp_path: Path
) -> None:
    replaced = {"http://127.0.0.1:8001": empty_gateway.admin_url}
    inventory = {"all": {"hosts": {"localhost": LOCAL}}}
    kubeconfig = {"K8S_AUTH_KUBECONFIG": cluster.kubeconfig}
    plays = [play for each in (*FOLLOW, *POLICY) for play in each.on(replaced).plays()]
    playbook(json.dumps(plays) + "\n", inventory=inventory, environment=kubeconfig).ok()
    assert _targets(empty_gateway) == ["10.1.0.11:8080"]
    (policy,) = cluster.sent
    assert policy["spec"] == {"algorithm": "consistent-hashing", "hashOn": {"input": "ip"}}
    cluster.scale("orders", Pod("10.1.0.12"))
    gateway = {**LOCAL, "kong_admin_url": empty_gateway.admin_url}
    walk = Walk(tmp_path, {})
    walk.environment |= kubeconfig
    walk.take(Step(name="gateways.yml",
                   text=json.dumps({"kong_gateways": {"hosts": {"kong-1": gateway}}})))  # fmt: skip
    for example in CONSOLE:
        walk.take(Step(command=example.text.replace("\\\n", ""), text="…"))
    assert _targets(empty_gateway) == ["10.1.0.12:8080"]


def test_the_role_ingress_predicts_each_example(
    cluster: StandIn, tmp_path: Path, path: str
) -> None:
    pair = self_signed(tmp_path, "kic")
    with sandbox(control_plane="default") as konnect:
        kind = {"cluster_type": "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"}
        Engine(konnect).ok("konnect_control_plane", name="kic", **kind)
        replaced = {
            "konnect_region: eu": f"konnect_url: {konnect.admin_url}",
            "/etc/kong/kic.crt": pair.certificate, "/etc/kong/kic.key": pair.key,
        }  # fmt: skip
        plays = [play for each in INGRESS for play in each.plays()]
        task: dict[str, Any] = {ROLE: {"name": "irishtek.kong.ingress"}}
        plays += [{"hosts": "localhost", "gather_facts": False, "tasks": [
            {"name": "Role", **task, "vars": each.on(replaced).loaded()} for each in KONNECT
        ]}]  # fmt: skip
        # The echo service is that of the play before.
        plays[-1]["vars"] = {"ingress_echo": False}
        variables = {"vault_konnect_token": konnect.token, "ingress_kubeconfig": cluster.kubeconfig}
        run = Player(tmp_path, {"PATH": path})(
            json.dumps(plays) + "\n", inventory={"all": {"hosts": {"localhost": LOCAL}}},
            extra_vars=variables, check=True,
        ).ok()  # fmt: skip
    changed = [name.rpartition(" : ")[2] for name in run.changed()]
    assert changed.count("Install the chart") == len(plays) and UNCOMPARED in changed
    assert {each["kind"] for each in cluster.sent} == {"Namespace", "Secret"}
    assert Path(pair.key).read_text().splitlines()[1] not in run.stdout


@pytest.mark.parametrize("example", [*INGRESS, *PARTS], ids=str)
def test_the_options_of_the_role_ingress_are_valid(example: Example) -> None:
    (play,) = example.plays()
    (task,) = play["tasks"]
    assert task.get(ROLE, task.get(ROLE.replace("include", "import")))["name"].endswith(".ingress")
    specs = yaml.safe_load((ROOT / "roles/ingress/meta/argument_specs.yml").read_text("utf-8"))
    spec = ArgumentSpecValidator(specs["argument_specs"]["main"]["options"])
    assert spec.validate(task["vars"]).error_messages == []
    if policy := kong_upstream_policy(task["vars"].get("ingress_upstream_policy", {})):
        definition = schema_of(FIXTURES / "kongupstreampolicies.json")["properties"]["spec"]
        jsonschema.validate(policy, strict(definition))
