# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role ``gateway`` reads of a host."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._gateway_role import _host
from unit.gateway_role import FACTS, run_command

AMAZON = 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n'
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
UBUNTU = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04\nVERSION_CODENAME=noble\n"


def facts(directory: Path, method: str = "files") -> dict[str, Any]:
    named = {"method": method, "unit": "kong.service", "name": "kong", "directory": str(directory)}
    return _host.host_facts(run_command, named)


def test_a_bare_host_has_all_facts_that_the_plan_wants(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert set(FACTS) == set(found)
    assert (found["record"], found["foreign"], found["running"]) == ({}, False, False)


@pytest.mark.parametrize(
    ("text", "family", "rpm"),
    [
        (AMAZON, "amzn", {"rhel": "", "amzn": "2023"}),
        (ROCKY, "rhel", {"rhel": "9", "amzn": ""}),
        (UBUNTU, "debian", {}),
    ],
)
def test_rpm_is_asked_for_the_release_and_not_the_system(
    text: str, family: str, rpm: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = _host._read

    def evaluated(command: list[str]) -> tuple[int, str, str]:
        return 0, rpm[command[-1].strip("%{?}")] + "\n", ""

    monkeypatch.setattr(_host, "_read", lambda path: text if "os-release" in path else read(path))
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "rpm" else None)
    defaults = {"method": "files", "unit": "", "name": "kong", "directory": str(tmp_path)}
    found = _host.host_facts(evaluated, defaults)
    assert (found["family"], found["rpm"]) == (family, rpm)


def test_somebody_elses_settings_are_seen(tmp_path: Path) -> None:
    (tmp_path / "kong.conf").write_text("log_level = debug\n")
    assert facts(tmp_path)["foreign"] is True
    (tmp_path / "kong.conf").write_text(f"{_host.HEADER}\nlog_level = debug\n")
    assert facts(tmp_path)["foreign"] is False


def test_only_whole_pairs_count(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    (folder / "new.crt").write_text("PEM")
    spec = {"sha256": hashlib.sha256(b"PEM").hexdigest(), "spec": "abc", "not_after": 5}
    (folder / "new.json").write_text(json.dumps(spec))
    assert facts(tmp_path)["certificates"]["new"] == {}
    (folder / "new.key").write_text("KEY")
    assert facts(tmp_path)["certificates"]["new"] == {"pem": "PEM", "spec": "abc", "not_after": 5}
    (folder / "new.crt").write_text("another")
    assert facts(tmp_path)["certificates"]["new"] == {}


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{")
    assert facts(tmp_path)["record"] == {}


@pytest.mark.parametrize(
    ("method", "running", "other"),
    [
        ("docker", "true sha256:1 {} {}", "true sha256:1 {} {\"Memory\": 5}"),
        ("compose", "true sha256:1 {} {}", "true sha256:2 {} {}"),
        ("package", "ActiveState=active\nUnitFileState=enabled", "ActiveState=active"),
        ("podman", "ActiveState=active\nUnitFileState=generated", "ActiveState=activating"),
    ],
)  # fmt: skip
def test_what_runs_in_another_way_is_seen(
    method: str, running: str, other: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: name)
    given = {"method": method, "unit": "kong.service", "name": "kong", "directory": str(tmp_path)}

    def found(state: str) -> dict[str, Any]:
        return _host.host_facts(lambda command: (0, state, ""), given)

    first = found(running)
    assert first["running"] is True
    assert first["seen"] == found(running)["seen"] != found(other)["seen"]
    assert found(other)["running"] is not other.endswith("activating")
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    assert found(running)["seen"] != first["seen"]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """The metadata of secrets in the cluster of a kubeconfig."""
    kept: list[SimpleNamespace] = []

    class Api:
        def list_namespaced_secret(self, *where: str, **more: Any) -> SimpleNamespace:
            assert (*where, more["label_selector"]) == ("kong", "name=gw")
            return SimpleNamespace(items=[SimpleNamespace(metadata=each) for each in kept])

    library = SimpleNamespace(
        __spec__="found",
        client=SimpleNamespace(CoreV1Api=Api),
        config=SimpleNamespace(load_kube_config=lambda path, **more: Path(path).read_bytes()),
    )
    monkeypatch.setitem(sys.modules, "kubernetes", library)
    return kept


def released(kubeconfig: Path) -> str:
    """What is seen of a release."""
    where = {"name": "gw", "namespace": "kong", "kubeconfig": str(kubeconfig)}
    given = {"method": "helm", "unit": "", "directory": "/nowhere", **where}
    return str(_host.host_facts(run_command, given)["seen"])


def test_another_version_of_a_secret_of_the_release_is_seen(
    secrets: list[SimpleNamespace], tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch()
    secrets += [SimpleNamespace(uid=uid, resource_version="7") for uid in ("helms", "own")]
    seen = [released(kubeconfig)]
    assert released(kubeconfig) == seen[0]
    secrets[1].resource_version = "8"
    seen.append(released(kubeconfig))
    secrets[0].uid = "helms-next"
    seen.append(released(kubeconfig))
    secrets.pop()
    seen.append(released(kubeconfig))
    assert len(set(seen)) == 4


@pytest.mark.parametrize("setting", ["", "K8S_AUTH_CONTEXT", "HELM_KUBECONTEXT", "HELM_DRIVER"])
@pytest.mark.usefixtures("secrets")
def test_a_cluster_that_cannot_be_seen_is_never_what_it_was(
    setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a kubeconfig, or where the tasks can have another cluster or helm another store."""
    kubeconfig = tmp_path / "kubeconfig"
    if setting:
        kubeconfig.touch()
        monkeypatch.setenv(setting, "other")
    assert released(kubeconfig) != released(kubeconfig)
