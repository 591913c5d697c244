# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and contradictions of the role data_plane, as its filters see them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.kong_data_plane_problems import (
    kong_data_plane_problems,
)
from ansible_collections.irishtek.kong.plugins.filter.kong_listeners import kong_listeners
from ansible_collections.irishtek.kong.plugins.filter.kong_settings import kong_settings

PROXY = {"proxy_listen": "0.0.0.0:8000 reuseport backlog=16384, [::]:8443 http2 ssl"}
RIGHT: dict[str, Any] = {
    "ca_certificate": "",
    "ca_key": "",
    "certificate": "none",
    "certificate_alternative_names": ["kong_clustering"],
    "certificate_days": 1095,
    "certificate_file": "",
    "certificate_key_file": "",
    "certificate_name": "kong_clustering",
    "certificate_renew_days": 30,
    "certificate_rsa_bits": 3072,
    "config": {},
    "container_options": [],
    "control_plane_url": "",
    "edition": "community",
    "environment": {},
    "extra_keys": [],
    "fixed": {"role": "traditional", "database": "off"},
    "key_prefixes": ["nginx_http_", "vault_"],
    "kind": "traditional",
    "known_keys": ["database", "log_level", "proxy_listen", "role"],
    "labels": {},
    "listen_settings": ["proxy_listen"],
    "listeners": [],
    "method": "podman",
    "name": "kong-data-plane",
    "network": "host",
    "publish": [],
    "rootless_user": "",
    "settings": {},
    "state_file": "",
    "telemetry_url": "",
    "topology": "dbless",
    "version": "3.9",
}
KONNECT: dict[str, Any] = {
    "certificate": "self_signed",
    "control_plane_url": "https://example.us.cp0.konghq.com",
    "edition": "enterprise",
    "kind": "data_plane",
    "telemetry_url": "https://example.us.tp0.konghq.com/",
    "topology": "konnect",
}
HYBRID: dict[str, Any] = {
    "ca_certificate": "/ca.crt",
    "ca_key": "/ca.key",
    "certificate": "ca",
    "control_plane_url": "cp.example.com:8005",
    "kind": "data_plane",
    "topology": "hybrid",
}


@pytest.mark.parametrize("options", [{}, KONNECT, HYBRID])
def test_what_is_right_has_no_problem(options: dict[str, Any]) -> None:
    assert kong_data_plane_problems({**RIGHT, **options}) == []


@pytest.mark.parametrize(
    "options",
    [
        {"config": {"log_level": "info", "role": "traditional", "nginx_http_keepalive": 10}},
        # YAML 1.1 reads off as false.
        {"config": {"database": False, "log_level": None}},
        {"config": {"proxy_listen": ["0.0.0.0:8000", "0.0.0.0:8001"]}},
        {"config": {"log_level": [1, 2.5, True], "vault_env_1": "x"}},
        {**KONNECT, "config": {"konnect_mode": True}, "known_keys": ["konnect_mode"],
         "fixed": {"konnect_mode": "on"}},
        {"config": {"wasm_new": 1}, "extra_keys": ["wasm_new"]},
        {"environment": {"KONG_LICENSE_DATA": "x", "TZ": "UTC", "FOO_LISTEN": "x", "ROLE": "x"}},
        {"certificate": "given", "certificate_file": "/a", "certificate_key_file": "/b"},
        {"certificate_rsa_bits": 2048, "control_plane_url": "[::1]:8005"},
        {"rootless_user": "kong"},
        {"method": "docker", "container_options": ["-t"]},
        {"method": "compose", "environment": {}},
        {**KONNECT, "certificate_name": "a" * 64},
        {**KONNECT, "certificate_alternative_names": ["FE80::1", "::ffff:10.0.0.1"]},
        {"publish": ["53:53/sctp"], "network": "kong"},
        {**KONNECT, "labels": {"zone": "a", "tier": 1}},
        {**HYBRID, "control_plane_url": "https://cp.example.com/"},
        {**HYBRID, "certificate_alternative_names": ["*.example.com", "10.0.0.1", "fe80::1"]},
        {"publish": ["8000:8000", "[::1]:8001:8001/tcp", "8100-8110:8100-8110", "53/udp"],
         "network": "kong"},
    ],
)  # fmt: skip
def test_what_may_be_said_is_no_problem(options: dict[str, Any]) -> None:
    assert kong_data_plane_problems({**RIGHT, **options}) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"config": {"log_lvl": "x"}}, "no setting log_lvl; data_plane_extra_keys"),
        ({"config": {"Log_Level": "x"}}, "no setting Log_Level; its name has no capitals"),
        ({"config": {"vault_": "x"}}, "no setting vault_;"),
        ({"config": {"vault_A": "x"}}, "no setting vault_A;"),
        ({"config": {"later_1": "x"}, "key_prefixes": []}, "no setting later_1;"),
        ({"config": {"Wasm": "x"}, "extra_keys": ["wasm"]}, "no setting Wasm; its name has no c"),
        (
            {
                "fixed": {"cluster_control_plane": ""},
                "known_keys": ["cluster_control_plane"],
                "config": {"cluster_control_plane": "x"},
            },
            "is given by data_plane_control_plane_url",
        ),
        ({"config": {"role": "data_plane"}}, "role is traditional in the topology dbless"),
        ({"config": {"database": None}}, "database is off in the topology dbless"),
        ({"config": {"database": True}}, "database is off in the topology dbless"),
        ({"config": {"log_level": {"a": 1}}}, "log_level must be a string, a number"),
        ({"config": {"log_level": ["a", ["b"]]}}, "log_level must be a string, a number"),
        ({"settings": {"log_level": "a\nb"}}, "log_level has several lines"),
        ({"listeners": [{"address": "0.0.0.0:1"}] * 2}, "Two listeners want 0.0.0.0:1 (proxy_"),
        ({"environment": {"KONG_ROLE": "x"}}, "holds KONG_ROLE: set it in data_plane_config"),
        ({"environment": {"KONG_STATUS_LISTEN": "x"}}, "holds KONG_STATUS_LISTEN: set it"),
        ({"environment": {"A": "x\ny"}}, "holds A, which is no variable of one line"),
        ({"environment": {"A-B": "x"}}, "holds A-B, which is no variable of one line"),
        ({"environment": {"1A": "x"}}, "holds 1A, which is no variable of one line"),
        ({"environment": {8080: "x"}}, "holds 8080, which is no variable of one line"),
        ({**HYBRID, "control_plane_url": "[::1]:8005"}, "by an IPv6 address"),
        ({**HYBRID, "control_plane_url": ""}, "A data plane needs data_plane_control_plane_url"),
        ({**HYBRID, "control_plane_url": "https://a/b"}, "data plane needs data_plane_control_pl"),
        ({**HYBRID, "control_plane_url": "a:1:2"}, "A data plane needs data_plane_control"),
        ({**HYBRID, "control_plane_url": "a b"}, "A data plane needs data_plane_control"),
        ({**HYBRID, "telemetry_url": "a@b"}, "data_plane_telemetry_url must be a host, or a URL"),
        ({**KONNECT, "telemetry_url": ""}, "Konnect needs data_plane_telemetry_url"),
        ({**KONNECT, "edition": "community"}, "Konnect takes the enterprise edition only"),
        ({**KONNECT, "labels": {"a": "b,c"}}, "The label a holds a comma or a colon"),
        ({**KONNECT, "labels": {"a:b": "c"}}, "The label a:b holds a comma or a colon"),
        ({"labels": {"a": "b"}}, "data_plane_labels are for Konnect only"),
        ({"version": 3.1}, "is the number 3.1: write it in quotes"),
        ({"version": 3}, "is the number 3: write it in quotes"),
        ({"name": 7}, "data_plane_name must be a string: write it in quotes"),
        ({"telemetry_url": None}, "data_plane_telemetry_url must be a string"),
        ({"extra_keys": "wasm_new"}, "data_plane_extra_keys must be a list of strings"),
        ({"publish": 8000}, "data_plane_publish must be a list of strings"),
        ({"publish": [{"a": 1}]}, "data_plane_publish must be a list of strings"),
        ({"certificate_days": "1e3"}, "data_plane_certificate_days must be a whole number"),
        ({**KONNECT, "certificate": "none"}, "data_plane_certificate cannot be none"),
        ({**HYBRID, "certificate": "none"}, "data_plane_certificate cannot be none"),
        ({**HYBRID, "certificate": "self_signed"}, "cannot pin many certificates"),
        ({**HYBRID, "ca_key": ""}, "data_plane_ca_certificate and data_plane_ca_key name the CA"),
        ({**HYBRID, "ca_certificate": ""}, "data_plane_ca_certificate and data_plane_ca_key name"),
        ({"certificate": "given", "certificate_file": "/a"}, "A given certificate needs"),
        ({"certificate": "given", "certificate_key_file": "/a"}, "A given certificate needs"),
        ({"certificate_renew_days": 1095}, "must be fewer than data_plane_certificate_days"),
        ({"certificate_rsa_bits": "1024"}, "RSA keys of 2048 bits and more"),
        ({**KONNECT, "certificate_name": "a/b"}, "data_plane_certificate_name is made of"),
        ({**KONNECT, "certificate_name": "a" * 65}, "data_plane_certificate_name is made of"),
        ({**HYBRID, "certificate_name": "a "}, "data_plane_certificate_name is made of"),
        ({**KONNECT, "certificate_alternative_names": ["a b"]}, "neither a DNS name nor an"),
        ({"state_file": "/a", "topology": "traditional"}, "is for the topology dbless"),
        ({"state_file": "/a", "settings": {"declarative_config_string": "{}"}}, "same thing twice"),
        ({"rootless_user": "kong", "method": "docker"}, "rootless_user is for the method podman"),
        ({"publish": ["8000:8000"]}, "publishes nothing while data_plane_network is host"),
        ({"publish": ["http:80"], "network": "kong"}, "holds http:80, which is no [ADDRESS:]"),
        ({"container_options": ["-t"], "method": "compose"}, "compose takes none"),
        ({"name": "Kong"}, "data_plane_name is made of small letters"),
        ({"name": ".kong"}, "data_plane_name is made of small letters"),
    ],
)
def test_each_problem_is_told_once(options: dict[str, Any], words: str) -> None:
    (problem,) = kong_data_plane_problems({**RIGHT, **options})
    assert words in problem


def test_no_value_that_may_be_a_secret_is_told() -> None:
    config = {"pg_pasword": "5ecret", "role": "5ecret", "log_level": {"a": "5ecret"}}
    told = kong_data_plane_problems({
        **RIGHT, "config": config, "settings": {"log_level": "5ecret\n"},
        "environment": {"KONG_ROLE": "5ecret", "A-B": "5ecret"},
    })  # fmt: skip
    assert len(told) == 6
    assert "5ecret" not in " ".join(told)


def test_what_is_no_set_of_options_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="a dictionary of the options"):
        kong_data_plane_problems([])  # type: ignore[arg-type]
    with pytest.raises(AnsibleFilterError, match="'topology' is missing"):
        kong_data_plane_problems({key: RIGHT[key] for key in RIGHT if key != "topology"})


def test_a_text_under_vault_is_a_text() -> None:
    class Encrypted:
        """As ansible-core before 2.19 has it."""

        __ENCRYPTED__ = True

        def __str__(self) -> str:
            return "https://example.us.tp0.konghq.com"

    assert kong_data_plane_problems({**RIGHT, **KONNECT, "telemetry_url": Encrypted()}) == []
    assert kong_settings({"pg_password": Encrypted()}) == {"pg_password": str(Encrypted())}


def test_settings_are_written_as_kong_conf_has_them() -> None:
    settings = {
        "proxy_listen": ["0.0.0.0:80", "off"], "database": False, "anonymous_reports": True,
        "mem_cache_size": 128, "ssl_cert": None, "nginx_http_x": "",
    }  # fmt: skip
    written = kong_settings(settings)
    assert list(written.items()) == [
        ("anonymous_reports", "on"), ("database", "off"), ("mem_cache_size", "128"),
        ("nginx_http_x", ""), ("proxy_listen", "0.0.0.0:80,off"),
    ]  # fmt: skip
    with pytest.raises(AnsibleFilterError, match="a dictionary of settings, not str"):
        kong_settings("database=off")  # type: ignore[arg-type]


def test_listeners_of_the_hosts_network_are_listed_with_their_urls() -> None:
    others = {
        "admin_listen": "off", "status_listen": "127.0.0.1:8100,unix:/tmp/a:1, ,0.0.0.0:",
        "debug_listen": "10.0.0.5:1,:2", "stream_listen": "0.0.0.0:53 udp", "portal_gui_url": "a:1",
    }  # fmt: skip
    listed = [tuple(row.values()) for row in kong_listeners({**PROXY, **others})]
    assert listed == [
        ("proxy_listen", "0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("proxy_listen", "[::]:8443", "https://[::1]:8443"),
        ("status_listen", "127.0.0.1:8100", "http://127.0.0.1:8100"),
        ("debug_listen", "10.0.0.5:1", "http://10.0.0.5:1"),
        ("debug_listen", ":2", "http://127.0.0.1:2"),
    ]


def test_of_a_container_only_what_is_published_is_listed_in_the_order_of_the_listeners() -> None:
    publish = ["9000:9000", "[::1]:443:8443/tcp", 8100, "80:8000", "53:8000/udp", "1-2:1-2"]
    settings = {**PROXY, "status_listen": "127.0.0.1:8000"}
    listed = kong_listeners(settings, publish=publish)  # type: ignore[arg-type]
    assert [tuple(row.values()) for row in listed] == [
        ("proxy_listen", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("proxy_listen", "[::1]:443", "https://[::1]:443"),
        ("", "0.0.0.0:9000", ""),
    ]
    assert kong_listeners(PROXY, publish=[]) == []
    assert kong_listeners(PROXY, publish="8000:8000") == []


def test_what_are_no_settings_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="a dictionary of settings, not str"):
        kong_listeners("0.0.0.0:8000")  # type: ignore[arg-type]
    with pytest.raises(AnsibleFilterError, match="proxy_listen is no text but int"):
        kong_listeners({"proxy_listen": 8000})  # type: ignore[dict-item]
