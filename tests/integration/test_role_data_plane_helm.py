# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane on Kubernetes: its life with commands that stand in for helm and kubectl."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from data_plane_support import Host

from harness.paths import COLLECTIONS, ROOT
from harness.playbook import LOCAL, Player, Run

CHART = ROOT / "tests/fixtures/chart"
PROGRAM = str(ROOT / "tests/harness/fake_cluster.py")
SECRET = "hunter2-never-shown"
LICENSE = '{"license": "secret-license"}'
KONNECT: dict[str, Any] = {
    "topology": "konnect",
    "control_plane_url": "https://example.eu.cp0.konghq.com",
    "telemetry_url": "https://example.eu.tp0.konghq.com",
}
SECRETS: dict[str, Any] = {
    "topology": "traditional", "config": {"pg_host": "db", "pg_password": SECRET},
    "environment": {"KONG_LICENSE_DATA": LICENSE},
}
NOTHING: dict[str, Any] = {"objects": {}, "releases": {}}
READS = ("get", "list", "logs", "template", "version")


class ClusterHost(Host):
    """A host with helm and kubectl for a cluster in a folder."""

    def __init__(self, player: Player, folder: Path) -> None:
        super().__init__(player, folder, "helm")
        self.cluster = folder / "cluster"
        self.cluster.mkdir()
        self.environment["FAKE_CLUSTER"] = str(self.cluster)
        for name in ("helm", "kubectl"):
            self.put_command(name, [sys.executable, PROGRAM, name])
        self.variables = {
            "chart": str(CHART), "chart_repository": "", "start_timeout": 2, "connect_timeout": 1,
            "kubernetes": "commands",
        }

    def state(self) -> dict[str, Any]:
        """What is in the cluster."""
        path = self.cluster / "state.json"
        return dict(json.loads(path.read_text())) if path.exists() else dict(NOTHING)

    def objects(self, kind: str) -> dict[str, Any]:
        """Objects of a kind by their names."""
        return {
            thing["metadata"]["name"]: thing
            for key, thing in self.state()["objects"].items() if key.startswith(f"{kind}/")
        }

    def put(self, kind: str, name: str, **more: Any) -> None:
        """Put an object of somebody else beside the gateway."""
        state = self.state()
        thing = {"kind": kind.capitalize(), "metadata": {"name": name, "namespace": "kong"}, **more}
        state["objects"][f"{kind}/kong/{name}"] = thing
        (self.cluster / "state.json").write_text(json.dumps(state))

    def pod(self) -> dict[str, Any]:
        """The one pod."""
        (found,) = self.objects("pod").values()
        return dict(found)

    def calls(self) -> list[list[str]]:
        """What was asked since the last call of this method."""
        path = self.cluster / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def writes(self) -> list[str]:
        """Commands that changed the cluster since the last call of this method or of calls."""
        return [
            f"{words[0]} {words[1]}" for words in self.calls()
            if words[1] not in READS and "--dry-run=server" not in words
        ]

    def values(self) -> dict[str, Any]:
        """The written values."""
        return dict(yaml.safe_load((self.folder / "values.yaml").read_text()))


def _decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def _said(run: Run, task: str) -> str:
    assert run.rc != 0, run.stdout
    return str(run.result(task)["msg"])


@pytest.fixture
def host(tmp_path: Path) -> ClusterHost:
    """A host with a cluster."""
    return ClusterHost(Player(tmp_path, {}), tmp_path)


def test_a_life_from_check_mode_to_absent(host: ClusterHost) -> None:
    run = host.run(check=True, **KONNECT).ok()
    assert "Would install the release kong in the namespace kong" in run.stdout
    assert "Would create the secret kong-cluster-cert" in run.stdout
    assert host.writes() == [] and not host.folder.exists()
    assert host.state()["objects"] == {}
    host.run(**KONNECT).ok()
    assert host.writes() == ["kubectl create", "kubectl create", "helm upgrade"]
    secret = host.objects("secret")["kong-cluster-cert"]
    assert secret["type"] == "kubernetes.io/tls"
    assert _decoded(secret)["tls.crt"] == host.certificate().read_text()
    assert _decoded(secret)["tls.key"] == host.certificate().with_suffix(".key").read_text()
    assert not (host.folder / "certificates/secret.json").exists()
    assert host.run(**KONNECT).ok().total("changed") == 0
    assert host.writes() == []
    changed = {**KONNECT, "config": {"log_level": "info"}}
    host.run(**changed).ok()
    assert host.writes() == ["helm upgrade"]
    assert {"name": "KONG_LOG_LEVEL", "value": "info"} in host.pod()["spec"]["containers"][0]["env"]
    host.run(state="stopped").ok()
    assert host.objects("pod") == {} and len(host.objects("deployment")) == 1
    assert host.run(state="stopped").ok().total("changed") == 0
    host.run(**changed).ok()
    assert len(host.objects("pod")) == 1
    host.writes()
    # helm keeps its own notes as secrets.
    host.put("secret", "sh.helm.release.v1.kong.v1", type="helm.sh/release.v1")
    run = host.run(check=True, state="absent").ok()
    assert "Would remove the release kong" in run.stdout and host.writes() == []
    assert any(task.endswith("delete the namespace kong") for task in run.changed())
    host.run(state="absent").ok()
    assert host.state() == NOTHING
    assert not host.folder.exists()
    assert host.run(state="absent").ok().total("changed") == 0


def test_a_renewed_certificate_replaces_the_secret_and_the_pods(host: ClusterHost) -> None:
    host.run(**KONNECT, certificate_days=20, certificate_renew_days=10).ok()
    before, secret = host.pod(), host.objects("secret")["kong-cluster-cert"]
    host.writes()
    foretold = host.run(check=True, **KONNECT).ok()
    assert "Would change the release kong" in foretold.stdout and host.writes() == []
    host.run(**KONNECT).ok()
    assert host.writes() == ["kubectl replace", "helm upgrade"]
    assert host.objects("secret")["kong-cluster-cert"]["data"] != secret["data"]
    assert host.pod()["metadata"]["name"] != before["metadata"]["name"]
    assert host.run(**KONNECT).ok().total("changed") == 0


def test_secrets_reach_the_pods_by_secrets_only(host: ClusterHost) -> None:
    runs = [host.run(**SECRETS).ok()]
    assert _decoded(host.objects("secret")["kong-settings"]) == {
        "KONG_PG_PASSWORD": SECRET, "KONG_LICENSE_DATA": LICENSE
    }
    before = host.pod()["metadata"]
    other = {**SECRETS, "config": {"pg_host": "db", "pg_password": f"{SECRET}-2"}}
    runs += [host.run(check=True, **other).ok(), host.run(**other).ok()]
    assert _decoded(host.objects("secret")["kong-settings"])["KONG_PG_PASSWORD"] == f"{SECRET}-2"
    assert host.pod()["metadata"]["name"] != before["name"]
    # The same secrets leave another trace in another revision: nobody can try words against it.
    runs.append(host.run(**SECRETS).ok())
    mark = "irishtek.kong/settings"
    assert host.pod()["metadata"]["annotations"][mark] != before["annotations"][mark]
    shown = "".join(run.stdout for run in runs) + json.dumps([host.calls(), host.values()])
    shown += json.dumps([run.tasks for run in runs]) + json.dumps(host.pod())
    for text in (SECRET, "secret-license", base64.b64encode(SECRET.encode()).decode()):
        assert text not in shown


def test_a_state_file_is_a_secret_and_unused_ones_go(host: ClusterHost, tmp_path: Path) -> None:
    state = tmp_path / "state.yml"
    head = '_format_version: "3.0"\nconsumers: '
    state.write_text(f"{head}[{{username: a, keyauth_credentials: [{{key: {SECRET}}}]}}]\n")
    run = host.run(state_file=str(state), environment={"KONG_X": "y"}).ok()
    assert SECRET not in run.stdout + json.dumps([run.tasks, host.calls(), host.values()])
    stored = json.loads(_decoded(host.objects("secret")["kong-state"])["kong.yml"])
    assert stored["consumers"][0]["username"] == "a"
    before = host.pod()["metadata"]["name"]
    state.write_text(f"{head}[]\n")
    assert "kong-settings" in host.objects("secret")
    host.run(state_file=str(state)).ok()
    assert host.pod()["metadata"]["name"] != before
    assert host.objects("secret").keys() == {"kong-state"}
    assert host.run(state_file=str(state)).ok().total("changed") == 0
    # Pods that are ready are not replaced by those that never will be.
    said = _said(host.run(), "Say what happened")
    assert "run and answer as not ready" in said


def test_the_old_release_and_its_secrets_come_back_after_a_failure(host: ClusterHost) -> None:
    host.run(**SECRETS, image="localhost/kong:3.9").ok()
    before, secret = host.pod(), host.objects("secret")["kong-settings"]
    other = {**SECRETS, "config": {"pg_host": "db", "pg_password": "other"}}
    said = _said(host.run(**other, image="localhost/broken:3.10"), "Say what happened")
    assert "did not restart" in said and "What ran before (revision 1) runs again." in said
    assert said.count("A port is taken by another process") == 1
    assert said.count("[emerg] bind()") == 1
    assert host.pod() == before
    assert host.objects("secret")["kong-settings"] == secret
    assert host.run(**SECRETS, image="localhost/kong:3.9").ok().total("changed") == 0


def test_the_old_certificate_comes_back_with_the_old_release(host: ClusterHost) -> None:
    host.run(**KONNECT, certificate_days=20, certificate_renew_days=10).ok()
    before, secret = host.certificate().read_text(), host.objects("secret")["kong-cluster-cert"]
    said = _said(host.run(**KONNECT, image="localhost/broken:1"), "Say what happened")
    assert "What ran before (revision 1) runs again." in said
    assert host.certificate().read_text() == before
    assert host.objects("secret")["kong-cluster-cert"] == secret
    assert not (host.folder / "certificates/secret.json").exists()


def test_a_first_release_that_fails_says_each_thing_once(host: ClusterHost) -> None:
    said = _said(host.run(**SECRETS, image="localhost/broken:1"), "Say what happened")
    assert said.count("A port is taken by another process") == 1
    assert said.count("[emerg] bind()") == 1


def test_failures_say_what_to_do(host: ClusterHost) -> None:
    said = _said(host.run(image="localhost/missing:1"), "Say what happened")
    assert "The image localhost/missing:1 was not found" in said
    said = _said(host.run(image="localhost/missing:1"), "Say why the pods do not come up")
    assert "The image localhost/missing:1 was not found" in said
    run = host.run(image="localhost/kong", environment={"http_proxy": "x"}, name="a.b",
                   directory=str(host.root / "other"))
    said = _said(run, "Refuse what the chart cannot have")
    assert "localhost/kong has no tag" in said and "into upper case" in said
    assert "The name of a release" in said
    said = _said(host.run(helm_values={"replicas": 2}), "Say what the chart refuses")
    assert "nothing was changed" in said and "'replicas' was unexpected" in said
    assert "replicas" not in host.values()


def test_a_control_plane_that_refuses_the_certificate_is_told_from_an_empty_one(
    host: ClusterHost,
) -> None:
    said = _said(host.run(**KONNECT, image="localhost/refused:1"), "Say what happened")
    assert "does not join example.eu.cp0.konghq.com:443" in said
    assert "The two ends do not accept each other's cluster certificates" in said
    run = host.run(topology="dbless", image="localhost/kong:1").ok()
    assert "as a gateway without any configuration is" in run.stdout


def test_a_cluster_that_does_not_answer_and_missing_commands_are_told(host: ClusterHost) -> None:
    (host.cluster / "down").touch()
    said = _said(host.run(), "Refuse a cluster that does not answer")
    assert "set data_plane_kubeconfig" in said and "127.0.0.1:6443 was refused" in said
    assert not host.folder.exists()
    for name in ("helm", "kubectl"):
        (host.root / "bin" / name).write_text("#!/bin/sh\nexit 127\n")
    said = _said(host.run(), "Refuse a host without them")
    assert "which lacks helm and kubectl" in said
    said = _said(host.run(kubernetes="collection"), "where it cannot work")
    assert "The controller lacks kubernetes.core.k8s" in said


def test_what_others_put_beside_it_stays(host: ClusterHost) -> None:
    host.run(**KONNECT).ok()
    host.put("configmap", "theirs")
    secret = host.objects("secret")
    second = host.run(**KONNECT, name="second", directory=str(host.root / "second"))
    said = _said(second, "Refuse to share one certificate's secret")
    assert "belongs to the release kong" in said and host.objects("secret") == secret
    run = host.run(check=True, state="absent").ok()
    assert not any("namespace" in task for task in run.changed())
    host.run(state="absent").ok()
    assert host.objects("configmap").keys() == {"theirs"} and host.objects("secret") == {}
    assert host.objects("namespace").keys() == {"kong"}


TOPOLOGIES: dict[str, dict[str, Any]] = {
    "konnect": KONNECT,
    "data_plane": {"topology": "hybrid", "control_plane_url": "cp", "telemetry_url": "cp"},
    "control_plane": {**SECRETS, "topology": "hybrid", "role": "control_plane",
                      "edition": "enterprise", "migrations": False},
    "traditional": SECRETS,
    "dbless": {"topology": "dbless", "state_file": str(ROOT / "tests/fixtures/chart/values.yaml")},
}
VALUES = """
- hosts: all
  gather_facts: false
  tasks:
    - name: The role's words
      ansible.builtin.import_role:
        name: irishtek.kong.data_plane
        tasks_from: work_out
    - name: Modules
      ansible.builtin.debug:
        msg: >-
          {{ query('irishtek.kong.available_modules', 'ansible.builtin.uri', 'no.such.module',
          'ansible.builtin.none', 'irishtek.kong.kong_route') }}
    - name: Values
      ansible.builtin.debug:
        msg: "{{ __data_plane_helm_values }}"
      vars:
        data_plane_helm_pem: {tls.crt: ""}
        data_plane_helm_revisions: {settings: a, state: b}
"""


def test_the_values_are_those_that_the_chart_documents(tmp_path: Path) -> None:
    own = {"method": "helm", "directory": str(tmp_path / "kong"), "ca_certificate": "/ca/ca.crt",
           "ca_key": "/ca/ca.key"}
    hosts = {
        name: {**LOCAL, **{f"data_plane_{key}": value for key, value in {**own, **more}.items()}}
        for name, more in TOPOLOGIES.items()
    }
    run = Player(tmp_path, {})(VALUES, inventory={"all": {"hosts": hosts}}).ok()
    assert run.result("Modules", "dbless")["msg"] == [
        "ansible.builtin.uri", "irishtek.kong.kong_route"
    ]
    schema = json.loads((CHART / "values.schema.json").read_text())
    helm = os.environ.get("HELM") or shutil.which("helm")
    for name in TOPOLOGIES:
        values = run.result("Values", name)["msg"]
        jsonschema.validate(values, schema)
        assert values["ingressController"] == {"enabled": False, "installCRDs": False}
        assert values["admin"]["enabled"] is ("pg_host" in values["env"])
        assert values["admin"].get("type", "ClusterIP") == "ClusterIP"
        assert not {"proxy_listen", "admin_listen", "status_listen"} & values["env"].keys()
        if helm:
            _judged_by_helm(helm, tmp_path / f"{name}.yaml", values)
    if not helm:
        pytest.skip("there is no helm: only the chart's schema judged the values")


def _judged_by_helm(helm: str, file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps(values))
    for words in (["lint", str(CHART)], ["template", "kong", str(CHART)]):
        done = subprocess.run(
            [helm, *words, "--values", file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    deployment = next(iter(yaml.safe_load_all(done.stdout)))
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["KONG_ROLE"]["value"] == values["env"]["role"]


@pytest.fixture
def by_collection(host: ClusterHost) -> ClusterHost:
    """A host without kubectl, for a controller with modules that stand in for kubernetes.core."""
    modules = host.root / "collections/ansible_collections/kubernetes/core/plugins/modules"
    modules.mkdir(parents=True)
    for name in ("k8s", "k8s_info", "k8s_log", "k8s_scale"):
        shutil.copy(ROOT / "tests/harness/fake_kubernetes_core.py", modules / f"{name}.py")
    libraries = host.root / "libraries"
    libraries.mkdir()
    for name in ("jsonpatch", "kubernetes"):
        (libraries / f"{name}.py").touch()
    (host.root / "bin/kubectl").write_text("#!/bin/sh\nexit 127\n")
    host.environment |= {
        "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{host.root / 'collections'}",
        "FAKE_CLUSTER_PROGRAM": PROGRAM, "PYTHONPATH": str(libraries),
    }
    host.variables["kubernetes"] = "auto"
    return host


def test_the_same_life_by_kubernetes_core(by_collection: ClusterHost) -> None:
    host = by_collection
    wanted = {**KONNECT, "environment": {"KONG_X": SECRET}}
    host.run(check=True, **wanted).ok()
    assert host.writes() == [] and host.state()["objects"] == {}
    run = host.run(**wanted).ok()
    assert SECRET not in run.stdout + json.dumps(run.tasks)
    assert _decoded(host.objects("secret")["kong-settings"]) == {"KONG_X": SECRET}
    assert host.run(**wanted).ok().total("changed") == 0
    other = {**KONNECT, "environment": {"KONG_Y": SECRET}, "image": "localhost/broken:1"}
    said = _said(host.run(**other), "Say what happened")
    assert "A port is taken" in said and "(revision 1) runs again" in said
    assert _decoded(host.objects("secret")["kong-settings"]) == {"KONG_X": SECRET}
    host.run(state="stopped").ok()
    assert host.objects("pod") == {}
    host.run(**wanted).ok()
    assert len(host.objects("pod")) == 1
    host.run(state="absent").ok()
    assert host.state() == NOTHING
