# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role gateway, method files: what it writes starts gateways in each mode, unchanged.

The gateways are the sandbox's, or those whose commands GATEWAY_KONG names (paths, with colons
between); GATEWAY_PG (HOST:PORT) and GATEWAY_PG_DATABASE name an empty database of a real one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from harness.gateway_hosts import COMMANDS, Host, Lab, lab_of
from harness.playbook import Run
from harness.stand_ins import path_from, program
from integration.test_secrets_of_both_ways import SITECUSTOMIZE
from sandbox_tests.proxy_support import eventually

SECRET = "hush-hush-1"
NO_ROUTE = "no Route matched with those values"
MOST_TASKS = 30
# A real data plane joins after some seconds only.
WAIT = 60.0


@pytest.fixture(params=COMMANDS or [""])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with lab_of(request.param) as made:
        yield made


def state(path: Path, *routes: str) -> str:
    """A state file with these routes to nobody."""
    found = [{"name": name, "paths": [f"/{name}"]} for name in routes]
    service = {"name": "nobody", "host": "127.0.0.1", "port": 9, "retries": 0, "routes": found}
    path.write_text(yaml.safe_dump({"_format_version": "3.0", "services": [service]}))
    return str(path)


def modules(run: Run) -> list[str]:
    """Names of the tasks that ran the role's own modules, each a process on the host."""
    return [task["name"] for task in run.tasks
            if task["status"] != "skipped" and task["action"].startswith("irishtek.kong.gateway_")]


def proxy(host: Host) -> dict[str, Any]:
    return {"proxy_listen": f"127.0.0.1:{host.port('proxy')}", "admin_listen": "off"}


def test_a_gateway_without_a_database_starts_and_takes_a_new_state_file(lab: Lab) -> None:
    host = lab.host("dbless")
    host.options["config"] = {**proxy(host), "nginx_http_include": str(lab.root / "none*.conf")}
    document = lab.root / "state.yml"
    # Variables of the user are no options, whatever they are called.
    wanted = {"state_file": state(document, "one"), "of_mine": "{{ of_another_host }}"}
    said = host.run(check=True, diff=True, **wanted).ok()
    assert not host.folder.exists()
    assert "Would write the gateway: new." in said.stdout
    host.run(**wanted).ok()
    again = host.run(**wanted).ok()
    assert again.total("changed") == 0
    assert len(again.tasks) <= MOST_TASKS
    assert modules(again) == ["Gather facts of the host", "Write the files"]
    host.start()
    eventually(lambda: host.message("/nowhere") == NO_ROUTE, WAIT)
    assert host.message("/one") == "routed"
    state(document, "one", "two")
    host.run(**wanted).ok()
    host.kong("reload", "-c", host.conf())
    eventually(lambda: host.message("/two") == "routed", WAIT)


def test_options_that_were_not_proven_are_recorded_once(lab: Lab) -> None:
    host = lab.host("proven")
    host.run().ok()
    assert "Record what runs" not in modules(host.run(timeout=5, check=True).ok())
    assert "Record what runs" in modules(host.run(timeout=5).ok())
    assert "Record what runs" not in modules(host.run(timeout=5).ok())


@pytest.mark.parametrize("check", [True, False])
def test_secrets_are_in_no_output_no_log_and_no_file_that_others_read(
    lab: Lab, check: bool
) -> None:
    host = lab.host(
        "secrets", config={"own_unknown_token": SECRET}, license=f"{SECRET}-license",
        secrets={"smtp_password": f"{SECRET}#x", "OWN_VARIABLE": f"{SECRET}-variable"},
        edition="enterprise", version="3.10.0.17",
    )
    site = lab.root / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITECUSTOMIZE)
    logs = [lab.root / "syslog", lab.root / "ansible.log"]
    verbose = {
        "ANSIBLE_VERBOSITY": "3", "PYTHONPATH": str(site), "KONG_TEST_SYSLOG": str(logs[0]),
        "ANSIBLE_LOG_PATH": str(logs[1]),
    }
    run = host.run(check=check, diff=True, environment=verbose).ok()
    other = {"license": f"{SECRET}-other"}
    again = host.run(check=check, diff=True, environment=verbose, **other).ok()
    assert "files=NOT_LOGGING_PARAMETER" in logs[0].read_text()
    for text in (run.stdout, again.stdout, *(log.read_text() for log in logs)):
        assert SECRET not in text
    assert "own_unknown_token is not a known setting" in run.stdout.replace("\n", " ")
    for path in host.folder.rglob("*"):
        assert not path.stat().st_mode & 0o007, path


def database() -> dict[str, str]:
    """Settings of the real database; the sandbox's settings are only checked."""
    server, _colon, port = os.environ.get("GATEWAY_PG", "127.0.0.1:5432").partition(":")
    name = os.environ.get("GATEWAY_PG_DATABASE", "kong")
    return {"pg_host": server, "pg_port": port, "pg_user": "kong", "pg_database": name}


def test_a_gateway_with_a_database_takes_its_settings_and_starts(lab: Lab) -> None:
    host = lab.host("traditional", mode="traditional")
    admin = f"127.0.0.1:{host.port('admin')}"
    host.options["config"] = {**proxy(host), **database(), "admin_listen": admin}
    host.run().ok()
    assert "is valid" in host.kong("check", host.conf())
    assert host.run().ok().total("changed") == 0
    if "GATEWAY_PG" in os.environ:
        host.kong("migrations", "bootstrap", "--force", "-c", host.conf())
        host.start()
        eventually(lambda: host.admin().get("version"), WAIT)
        eventually(lambda: host.message("/nowhere") == NO_ROUTE, WAIT)


@pytest.fixture
def cluster(lab: Lab) -> tuple[Host, Host]:
    """A control plane with a route, and a data plane that does not run yet."""
    if "GATEWAY_PG" not in os.environ:
        pytest.skip("the scenario hybrid joins sandboxes; GATEWAY_PG names a real database")
    pki = {"ca_certificate": str(lab.root / "ca/ca.crt"), "ca_key": str(lab.root / "ca/ca.key")}
    control = lab.host("cp", mode="control_plane", **pki)
    address = f"127.0.0.1:{control.port('cluster')}"
    control.options["control_plane_url"] = address
    control.options["config"] = {
        "admin_listen": f"127.0.0.1:{control.port('admin')}",
        "cluster_listen": address,
        **database(),
    }
    node = lab.host("dp", mode="data_plane", control_plane_url=address, **pki)
    node.options["config"] = proxy(node)
    control.run().ok()
    control.kong("migrations", "bootstrap", "--force", "-c", control.conf())
    control.start()
    eventually(lambda: control.admin().get("version"), WAIT)
    admin = f"http://127.0.0.1:{control.port('admin')}/services"
    httpx.post(admin, json={"name": "nobody", "url": "http://127.0.0.1:9"}, trust_env=False)
    httpx.post(f"{admin}/nobody/routes", json={"paths": ["/one"]}, trust_env=False)
    return control, node


def test_a_cluster_joins_with_the_roles_certificates_and_renews_them(
    cluster: tuple[Host, Host],
) -> None:
    control, node = cluster
    node.run().ok()
    node.start()
    eventually(lambda: node.message("/one") == "routed", WAIT)
    listed = control.admin("/clustering/data-planes")["data"]
    assert [row["sync_status"] for row in listed] == ["normal"]
    before = (node.folder / "certificates/tls.crt").read_text()
    node.run(certificate_days=2000, certificate_renew_days=1999).ok()
    assert (node.folder / "certificates/tls.crt").read_text() != before
    node.kong("reload", "-c", node.conf())
    eventually(lambda: node.message("/one") == "routed", WAIT)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mode": "traditional"}, "needs a PostgreSQL database"),
        ({"state_file": "/nowhere/state.yml"}, "/nowhere/state.yml"),
        ({"state_file": "broken.yml"}, "this is not valid YAML"),
        ({"secrets": {"pg_password": "{{ of_no_vault }}"}}, "'of_no_vault' is undefined"),
        ({"plugins_directory": "/nowhere"}, "gateway_plugins_directory=/nowhere is no directory"),
    ],
)
def test_what_cannot_be_applied_is_refused_before_anything_is_written(
    lab: Lab, options: dict[str, Any], sentence: str
) -> None:
    host = lab.host("refused")
    (host.player.folder / "broken.yml").write_text(f"services: [{{name: {SECRET}\n")
    run = host.run(**options)
    assert run.rc != 0
    assert sentence in run.stdout.replace("\n", " ")
    assert SECRET not in run.stdout
    assert not host.folder.exists()


# A container engine and groupadd that only keep what they are called with.
ENGINE = """#!/bin/sh
echo "$0 $*" >> "$CALLS"
case "$*" in
  *login*) cat >> "$CALLS";;
  *"image inspect"*) [ -e "$CALLS.pulled" ] && echo sha256:1234;;
  pull*) touch "$CALLS.pulled";;
esac
"""
PREPARE = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: irishtek.kong.gateway
        tasks_from: prepare
"""


def test_the_registry_gets_its_password_on_standard_input(lab: Lab) -> None:
    host, calls = lab.host("registry"), lab.root / "calls"
    tools = lab.root / "tools"
    for name in ("docker", "groupadd"):
        program(tools / name, ENGINE)
    registry = {"url": "registry.test", "username": "robot", "password": SECRET}
    variables = host.variables(method="docker", registry=registry, install=False)
    run = host.player(
        PREPARE, inventory={"all": {"hosts": {"registry": variables}}}, diff=True,
        environment={
            "PATH": path_from(tools), "CALLS": str(calls), "ANSIBLE_VERBOSITY": "3",
        },
    ).ok()
    lines = calls.read_text().splitlines()
    login = next(line for line in lines if " login " in line)
    assert login.endswith("login --username robot --password-stdin registry.test")
    assert SECRET in lines
    assert lines.index(login) < next(n for n, line in enumerate(lines) if " pull " in line)
    assert SECRET not in run.stdout


def test_absent_leaves_nothing(lab: Lab) -> None:
    host = lab.host("gone", certificate="self_signed")
    host.run().ok()
    host.run(state="absent", check=True).ok()
    assert (host.folder / "kong.conf").exists()
    assert host.run(state="absent").ok().total("changed") > 0
    assert not host.folder.exists()
    assert host.run(state="absent").ok().total("changed") == 0
