# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ``gateway`` decides in Python: settings, problems, certificates, the action."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

from ansible_collections.irishtek.kong.plugins.filter.gateway_unfinished import gateway_unfinished
from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role import (
    _settings,
    _tables,
)  # fmt: skip
from unit.gateway_role import FACTS, NOW, ROLE, conf, plan, record

KONNECT: dict[str, Any] = {"mode": "konnect", "control_plane_url": "https://abc.eu.cp0.konghq.com"}
ENDPOINTS = {
    "control_plane_endpoint": "https://abc.eu.cp.konghq.com",
    "telemetry_endpoint": "https://abc.eu.telemetry.konghq.com",
}
PINNING: dict[str, Any] = {
    "pins": True, "control_plane": "mine", "control_planes": [{"config": ENDPOINTS}],
}
CLUSTER: dict[str, Any] = {"ca_certificate": "/ca.crt", "ca_key": "/ca.key", "ca_text": "PEM"}
JOINED: dict[str, Any] = {"mode": "data_plane", "control_plane_url": "cp.example.com"}
DATA_PLANE: dict[str, Any] = {**JOINED, **CLUSTER}
DATABASE: dict[str, Any] = {"pg_host": "db", "pg_database": "kong"}
CONTROL_PLANE: dict[str, Any] = {
    "mode": "control_plane",
    "control_plane_url": "cp.example.com:8005",
    "config": DATABASE,
    **CLUSTER,
}
DAY = 86400


def problems(**given: Any) -> str:
    return " ".join(plan(given.pop("facts", None), **given)["problems"])


@pytest.mark.parametrize(
    "options", [{}, KONNECT, DATA_PLANE, CONTROL_PLANE, {"mode": "traditional", "config": DATABASE}]
)
def test_each_mode_needs_nothing_but_what_is_said(options: dict[str, Any]) -> None:
    assert plan(**options)["problems"] == []


def test_a_data_plane_of_konnect_gets_its_settings_from_one_url() -> None:
    found = conf(plan(**KONNECT))
    assert found["cluster_control_plane"] == "abc.eu.cp0.konghq.com:443"
    assert found["cluster_telemetry_endpoint"] == "abc.eu.tp0.konghq.com:443"
    assert found["cluster_telemetry_server_name"] == "abc.eu.tp0.konghq.com"
    modes = (found["role"], found["konnect_mode"], found["cluster_mtls"])
    assert modes == ("data_plane", "on", "pki")


def test_endpoints_of_konnects_api_beat_those_of_their_names() -> None:
    found = conf(plan(mode="konnect", **PINNING))
    assert found["cluster_control_plane"] == "abc.eu.cp.konghq.com:443"
    assert found["cluster_telemetry_endpoint"] == "abc.eu.telemetry.konghq.com:443"


@pytest.mark.parametrize("options", [KONNECT, DATA_PLANE, CONTROL_PLANE])
def test_the_systems_authorities_stay_trusted(options: dict[str, Any]) -> None:
    assert conf(plan(**options))["lua_ssl_trusted_certificate"] == "system"


@pytest.mark.parametrize("options", [KONNECT, DATA_PLANE])
def test_data_planes_do_not_log_that_kong_manager_will_not_work(options: dict[str, Any]) -> None:
    found = conf(plan(**options))
    assert (found["admin_listen"], found["admin_gui_listen"]) == ("off", "off")


def test_a_proxy_leads_data_planes_to_their_control_plane() -> None:
    found = conf(plan(**KONNECT, secrets={"proxy_server": "http://u:p@proxy:3128"}))
    assert found["cluster_use_proxy"] == "on"


def test_an_unknown_setting_is_a_warning_with_the_nearest_name() -> None:
    made = plan(config={"proxy_listne": "0.0.0.0:80", "shiny_new_switch": True})
    assert made["problems"] == []
    assert (
        "proxy_listne is not a known setting of the gateway; did you mean proxy_listen?"
        in made["warnings"]
    )
    assert conf(made)["shiny_new_switch"] == "on"


@pytest.mark.parametrize(
    "name", ["pg_oauth_auth", "tls_certificate_verify", "identity_service", "proxy_url"]
)
def test_settings_of_the_newest_line_are_known(name: str) -> None:
    assert _settings.is_known(name)


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("pg_password", "x", True),
        ("log_level", "debug", False),
        ("own_token_of_mine", "x", True),
        ("ssl_cert_key", "/a/key", False),
        ("ssl_cert_key", "-----BEGIN", True),
        ("pg_password", "{vault://env/x}", False),
        ("vault_hcv_token", "x", True),
        ("vault_aws_region", "eu", False),
        ("admin_gui_auth_login_attempts", "3", False),
    ],
)
def test_secrets_and_what_is_unknown_are_not_shown(name: str, text: str, secret: bool) -> None:
    assert _settings.is_secret(name, text) is secret
    made = next(f for f in plan(config={name: text})["files"] if f["path"] == "kong.conf")
    assert (name in made["open_lines"]) is not secret
    assert made["mode"] == "0640"


def test_secrets_are_in_no_description_of_what_runs() -> None:
    made = plan(
        **{
            **DATA_PLANE,
            "secrets": {"pg_password": "hush-hush"},
            "license": "{lic}",
            "edition": "enterprise",
        }
    )
    shown = {key: value for key, value in made.items() if key != "files"}
    assert "hush-hush" not in str(shown)
    assert "{lic}" not in str(shown)


def test_no_digest_of_a_secret_is_in_a_diff() -> None:
    text = (ROLE / "tasks/apply.yml").read_text(encoding="utf-8")
    written = [line for line in text.splitlines() if "'path': 'record.json'" in line]
    assert written and all("'secret': true" in line for line in written)


def test_a_number_sign_is_no_comment() -> None:
    assert conf(plan(secrets={"pg_password": "a#b"}))["pg_password"] == "a\\#b"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mode": "control_plane", **CLUSTER}, "needs a PostgreSQL database"),
        ({"mode": "traditional"}, "set pg_host"),
        ({"method": "files", "state": "stopped"}, "gateway_state=stopped cannot be combined"),
        ({"method": "helm", "state": "stopped"}, "set replicaCount to 0 in gateway_helm_values"),
        ({"certificate": "given", "certificate_file": "/x"}, "needs gateway_certificate_key_file"),
        ({**DATA_PLANE, "certificate": "self_signed"}, "set gateway_certificate=ca"),
        ({"method": "package", "version": "3.3.0"}, "set gateway_package_keys"),
        ({"version": 3.1}, "must be a full version in quotes"),
        ({"version": "3.9"}, "must be a full version"),
        ({"version": "3.10.0"}, "The open edition ends at 3.9"),
        ({"mode": "data_plane", **CLUSTER}, "needs gateway_control_plane_url"),
        ({**DATA_PLANE, "control_plane_url": "http://u@cp"}, "must be a host name"),
        ({**DATA_PLANE, "certificate": "none"}, "gateway_certificate cannot be none"),
        ({**DATA_PLANE, "ca_key": ""}, "gateway_certificate=ca needs gateway_ca_key"),
        ({**KONNECT, "edition": "community"}, "konnect needs gateway_edition=enterprise"),
        (
            {**KONNECT, "config": {"role": "traditional"}},
            "role is data_plane with gateway_mode=konnect",
        ),
        ({**KONNECT, **PINNING, "control_planes": []}, "konnect_control_plane=mine does not exist"),
        ({**KONNECT, **PINNING, "control_plane": ""}, "konnect_control_plane= does not exist"),
        ({**KONNECT, "state_file": "/x"}, "gateway_state_file needs gateway_mode=dbless"),
        ({"config": {"x": {"y": 1}}}, "must be a string"),
        ({"secrets": {"pg_password": "a\nb"}}, "several lines"),
        ({"nginx_includes": {"htpp": "x"}}, "gateway_nginx_includes has no key htpp"),
        ({"ports": ["eighty"]}, "gateway_ports contains eighty"),
        ({"directory": "kong"}, "gateway_directory must be an absolute path"),
        ({"directory": "/etc/"}, "gateway_directory must be an absolute path below another"),
        ({"registry": {"url": "x"}}, "gateway_registry needs username and password"),
        ({"registry": {"user": "x"}}, "gateway_registry has no key user; use url, username"),
        ({"resources": {"mem": "2g"}}, "gateway_resources has no key mem; use memory"),
        ({"log": {"drivr": "x"}}, "gateway_log has no key drivr; use driver"),
        ({"name": "Kong!"}, "gateway_name must consist of"),
        ({"method": "package", "directory": "/opt"}, "needs gateway_directory=/etc/kong"),
        (
            {"method": "docker", "collections": []},
            "ansible-galaxy collection install community.docker",
        ),
        ({**KONNECT, "collections": []}, "ansible-galaxy collection install community.crypto"),
        ({"admin_password": "x"}, "gateway_admin_password needs gateway_mode=control_plane"),
        ({"license": "x"}, "gateway_license needs gateway_edition=enterprise"),
        ({"certificate_renew_days": 2000}, "must be less than gateway_certificate_days"),
    ],
)
def test_what_cannot_work_is_refused_by_a_sentence(given: dict[str, Any], sentence: str) -> None:
    assert sentence in problems(**given)


@pytest.mark.parametrize(
    ("facts", "given", "sentence"),
    [
        ({"podman": "4.3.1"}, {"method": "podman"}, "podman 4.4 or newer"),
        ({"foreign": True}, {}, "that is not the role's"),
        (
            {"record": {"method": "podman", "version": "3.9.1", "edition": "community"}},
            {},
            "run gateway_state=absent with it first",
        ),
        ({"family": "", "distribution": "gentoo"}, {"method": "package"}, "this host is gentoo"),
        (
            {"record": {"edition": "enterprise", "version": "3.9.1.2", "method": "docker"}},
            {"mode": "traditional", "config": DATABASE},
            "cannot use an enterprise database",
        ),
    ],
)
def test_what_this_host_cannot_do_is_refused(
    facts: dict[str, Any], given: dict[str, Any], sentence: str
) -> None:
    assert sentence in problems(facts=facts, **given)


def test_versions_are_full_and_end_where_the_readme_says() -> None:
    for edition, version in _tables.DEFAULTS.items():
        assert version.count(".") == (2 if edition == "community" else 3)
        assert ".".join(version.split(".")[:2]) in _tables.END_OF_LIFE
    assert plan()["run"]["version"] == _tables.DEFAULTS["community"]
    assert plan(**KONNECT)["run"]["version"] == _tables.DEFAULTS["enterprise"]


def test_each_line_has_both_published_keys() -> None:
    lines = [f"3.{minor}" for minor in range(4, 16)]
    assert sorted(_tables.KEYS) == sorted(lines)
    assert all(len(set(keys)) == 2 for keys in _tables.KEYS.values())


def test_data_planes_cannot_play_the_control_plane() -> None:
    node, server = plan(**DATA_PLANE)["certificate"], plan(**CONTROL_PLANE)["certificate"]
    assert (node["usage"], node["names"], node["common_name"]) == (["clientAuth"], ["DNS:gw"], "gw")
    assert server["usage"] == ["serverAuth"]
    assert server["names"] == ["DNS:kong_clustering", "DNS:gw", "DNS:cp.example.com"]


def test_a_control_planes_address_is_an_address_in_its_certificate() -> None:
    made = plan(**{**CONTROL_PLANE, "control_plane_url": "10.1.2.3:8005"})
    assert "IP:10.1.2.3" in made["certificate"]["names"]
    node = plan(**{**DATA_PLANE, "control_plane_url": "10.1.2.3:8005"})
    assert conf(node)["cluster_server_name"] == "kong_clustering"


def pair(planned: dict[str, Any], days: int) -> dict[str, Any]:
    return {"pem": "x", "spec": planned["certificate"]["digest"], "not_after": NOW + days * DAY}


@pytest.mark.parametrize(
    ("tls", "new", "action"),
    [
        (None, None, "create"),
        (400, None, "none"),
        (20, None, "create"),
        (20, 400, "swap"),
        (None, 400, "swap"),
    ],
)
def test_a_certificate_is_made_beside_the_old_one_and_then_swapped(
    tls: int | None, new: int | None, action: str
) -> None:
    first = plan(**KONNECT)
    pairs = {"tls": pair(first, tls) if tls else {}, "new": pair(first, new) if new else {}}
    made = plan({"certificates": pairs}, **KONNECT)
    assert made["certificate"]["action"] == action
    assert bool(made["moves"]) is (action != "none")


def test_another_name_is_another_certificate() -> None:
    first = plan(**KONNECT)
    made = plan({"certificates": {"tls": pair(first, 400), "new": {}}}, **KONNECT, hostname="other")
    assert made["certificate"]["action"] == "create"


@pytest.mark.parametrize(
    ("facts", "given", "action", "reason"),
    [
        ({"running": False}, {}, "start", "not running"),
        ({}, {"config": {"log_level": "debug"}}, "restart", "settings"),
        ({}, {"version": "3.9.1"}, "restart", "version 3.9.3 → 3.9.1"),
        ({}, {"resources": {"memory": "2g"}}, "restart", "settings"),
        ({}, {"nginx_includes": {"http": "x"}}, "restart", "settings"),
    ],
)
def test_a_container_takes_settings_by_a_restart(
    facts: dict[str, Any], given: dict[str, Any], action: str, reason: str
) -> None:
    made = plan({"record": record(plan()), "running": True, **facts}, **given)
    assert (made["action"], made["reasons"]) == (action, [reason])


def test_a_new_state_file_is_reloaded() -> None:
    before = plan(state_file="/s.yml", state_document={"services": []})
    after = {"state_file": "/s.yml", "state_document": {"services": [1]}}
    assert plan({"record": record(before), "running": True}, **after)["action"] == "reload"


def test_a_package_reloads_what_it_can() -> None:
    package: dict[str, Any] = {"method": "package"}
    kept = record(plan(**package), method="package")
    facts = {"record": kept, "running": True}
    assert plan(facts, **package, config={"log_level": "debug"})["action"] == "reload"
    assert plan(facts, **package, config={"proxy_listen": "0.0.0.0:80"})["action"] == "restart"


def test_another_mirror_is_no_reason_to_restart() -> None:
    package: dict[str, Any] = {"method": "package"}
    facts = {"record": record(plan(**package), method="package"), "running": True}
    assert plan(facts, **package, package_url="https://mirror.example.com")["action"] == "none"


def test_another_edition_is_said_and_replaces_the_package() -> None:
    kept = record(plan(method="package"), method="package")
    made = plan({"record": kept}, method="package", edition="enterprise", version="3.10.0.17")
    assert "edition community → enterprise" in made["reasons"]
    assert made["run"]["package"]["other"] == "kong"
    assert made["run"]["package"]["unit"] == "kong-enterprise-edition.service"


@pytest.mark.parametrize(
    ("facts", "url"),
    [
        ({"distribution": "ubuntu"}, "gateway-39/deb/ubuntu"),
        ({"family": "rhel", "rpm": {"rhel": "9", "amzn": ""}}, "gateway-39/rpm/el/9/$basearch"),
        (
            {"family": "amzn", "rpm": {"amzn": "2023", "rhel": ""}},
            "gateway-39/rpm/amzn/2023/$basearch",
        ),
    ],
)
def test_repositories_have_no_release_that_a_system_makes_up(
    facts: dict[str, Any], url: str
) -> None:
    package = plan(facts, method="package")["run"]["package"]
    assert package["url"] == f"https://packages.konghq.com/public/{url}"
    assert len(package["gpgkeys"]) == (1 if "deb" in url else 2)
    assert package["spec"] == ("kong=3.9.3" if "deb" in url else "kong-3.9.3")


def test_only_packages_of_the_open_edition_get_a_log_rotation() -> None:
    community = plan(method="package")["run"]["package"]["files"]
    enterprise = plan(method="package", edition="enterprise", version="3.10.0.17")["run"][
        "package"
    ]["files"]
    assert [file["src"] for file in community] == ["unit.conf.j2", "logrotate.j2"]
    assert [file["src"] for file in enterprise] == ["unit.conf.j2"]


@pytest.mark.parametrize(
    ("distribution", "release", "name"),
    [
        ("ubuntu", "24.04", "docker-compose-v2"),
        ("debian", "13", "docker-compose"),
        ("debian", "12", "docker-compose-plugin"),
    ],
)
def test_no_system_gets_a_compose_that_cannot_start(
    distribution: str, release: str, name: str
) -> None:
    facts = {"missing": ["compose"], "distribution": distribution, "release": release}
    assert plan(facts, method="compose")["requirements"] == [name]


def test_ports_are_published_as_the_documentation_does_and_the_private_ones_on_loopback() -> None:
    assert plan()["run"]["ports"] == [
        "8000:8000",
        "8443:8443",
        "127.0.0.1:8001:8001",
        "127.0.0.1:8100:8100",
    ]
    assert plan(**KONNECT)["run"]["ports"] == ["8000:8000", "8443:8443", "127.0.0.1:8100:8100"]
    assert plan(network="host")["run"]["ports"] == []


def test_the_host_is_asked_through_what_is_published() -> None:
    ready = plan(ports=["127.0.0.1:9000:8000", "127.0.0.1:9100:8100"])["run"]["ready"]
    assert ready == {"status": "http://127.0.0.1:9100", "proxy": "http://127.0.0.1:9000"}
    assert plan(ports=["9000:8000"])["run"]["ready"]["status"] == ""
    assert plan(network="host")["run"]["ready"]["status"] == "http://127.0.0.1:8100"


def test_dockers_log_is_rotated_unless_another_is_asked_for() -> None:
    assert plan()["run"]["log"]["options"]["max-size"] == "10m"
    assert plan(log={"driver": "syslog"})["run"]["log"] == {"driver": "syslog"}


def test_the_first_password_is_in_no_command() -> None:
    made = plan(mode="traditional", config=DATABASE, admin_password="hush-hush")
    words = made["commands"]["bootstrap"]
    assert "hush-hush" not in str(words)
    assert words[-5:] == ["kong", "migrations", "-c", "/etc/kong/kong.conf", "bootstrap"]
    assert "KONG_PASSWORD" in " ".join(words)


def test_the_first_password_is_for_the_bootstrap_only() -> None:
    given: dict[str, Any] = {"mode": "traditional", "config": DATABASE}
    made = plan(**given, admin_password="hush-hush")
    readers = [name for name, words in made["commands"].items() if "KONG_PASSWORD" in str(words)]
    assert readers == ["bootstrap"]
    assert "hush-hush" not in str({**made, "problems": []})
    running = {"record": record(plan(**given)), "running": True}
    assert plan(running, **given, admin_password="hush-hush")["action"] == "none"


@pytest.mark.parametrize(
    ("ulimits", "lines"), [({}, []), ({"nofile": 65536}, ["LimitNOFILE=65536"])]
)
def test_a_unit_has_limits_only_where_the_user_sets_them(
    ulimits: dict[str, int], lines: list[str]
) -> None:
    template = jinja2.Template((ROLE / "templates/unit.conf.j2").read_text())
    run = plan(method="package", ulimits=ulimits)["run"]
    text = template.render(__gateway_run=run, gateway_directory="/etc/kong")
    found = [each for each in text.splitlines() if each.startswith(("Limit", "Memory", "CPU"))]
    assert found == lines


def test_without_a_token_a_new_certificate_must_be_pinned_by_hand() -> None:
    first = plan(**KONNECT, pins=False)
    assert "pin the one that the run prints" in " ".join(first["warnings"])
    facts = {"certificates": {"tls": pair(first, 400), "new": {}}}
    assert plan(facts, **KONNECT, pins=False)["warnings"] == []
    assert plan(mode="konnect", **PINNING)["warnings"] == []


def test_custom_plugins_are_copied_and_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/handler.lua").write_text("return {}")
    made = plan(plugins_directory=str(tmp_path))
    assert conf(made)["plugins"] == "bundled,mine"
    assert conf(made)["lua_package_path"].startswith("/etc/kong/plugins/?.lua;")
    assert "plugins/kong/plugins/mine/handler.lua" in [file["path"] for file in made["files"]]


def test_a_release_publishes_no_admin_api_and_takes_a_digest() -> None:
    image = "docker.io/kong/kong-gateway@sha256:" + "0" * 64
    made = plan(
        method="helm",
        image=image,
        secrets={"pg_password": "hush-hush"},
        license="{l}",
        edition="enterprise",
        version="3.10.0.17",
    )
    values = made["helm"]["values"]
    assert values["image"]["unifiedRepoTag"] == image
    assert values["env"]["admin_listen"] == "127.0.0.1:8001"
    assert not any(values[name]["enabled"] for name in ("admin", "manager", "portal", "portalapi"))
    assert "hush-hush" not in str(values)
    assert made["helm"]["secrets"]["kong-settings"] == {"pg_password": "hush-hush"}
    assert values["env"]["license_path"] == "/etc/secrets/kong-secrets/license.json"
    assert values["secretVolumes"] == ["kong-secrets"]


def test_an_upgrade_is_finished_after_the_last_control_plane() -> None:
    planned = {"uses_database": True, "database": ["db", "", "kong", ""]}
    database = ["db", "", "kong", ""]
    hosts: dict[str, Any] = {
        "cp1": {"__gateway_plan": planned, "__gateway_done": True},
        "cp2": {"__gateway_plan": planned},
        "dp1": {"__gateway_plan": {"uses_database": False, "database": [""] * 4}},
        "left-out": {"gateway_mode": "control_plane", "gateway_config": DATABASE},
        "elsewhere": {"gateway_mode": "control_plane", "gateway_config": {"pg_host": "other"}},
        "echo": {},
    }
    assert gateway_unfinished(hosts, list(hosts), ["cp1", "cp2", "dp1"], database) == [
        "cp2",
        "left-out",
    ]
    hosts["cp2"]["__gateway_done"] = True
    del hosts["left-out"]
    assert gateway_unfinished(hosts, list(hosts), ["cp1", "cp2", "dp1"], database) == []
    # A host of the play whose turn has not come yet counts, whatever it will be.
    assert gateway_unfinished(hosts, list(hosts), [*hosts], database) == ["echo"]


def test_the_plan_leaves_facts_and_options_as_they_are() -> None:
    before = repr(FACTS)
    plan()
    assert repr(FACTS) == before


def test_control_planes_list_a_node_by_the_name_that_it_has() -> None:
    assert plan(**DATA_PLANE)["run"]["node"] == "gw"
    assert plan(**DATA_PLANE, network="host")["run"]["node"] == "machine"
    assert plan(**DATA_PLANE, method="package")["run"]["node"] == "machine"
