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
        {"config": {"wasm_new": 1}, "extra_keys": ["wasm_new"]},
        {"environment": {"KONG_LICENSE_DATA": "x", "TZ": "UTC"}},
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
        ({"config": {"role": "data_plane"}}, "role is traditional in the topology dbless"),
        ({"config": {"database": None}}, "database is off in the topology dbless"),
        ({"config": {"database": True}}, "database is off in the topology dbless"),
        ({"config": {"log_level": {"a": 1}}}, "log_level is no text, number, truth or list"),
        ({"config": {"log_level": ["a", ["b"]]}}, "log_level is no text, number, truth or list"),
        ({"settings": {"log_level": "a\nb"}}, "log_level has several lines"),
        ({"listeners": [{"address": "0.0.0.0:1"}] * 2}, "Two listeners want 0.0.0.0:1 (proxy_"),
        ({"environment": {"KONG_ROLE": "x"}}, "holds KONG_ROLE: say it in data_plane_config"),
        ({"environment": {"KONG_STATUS_LISTEN": "x"}}, "holds KONG_STATUS_LISTEN: say it"),
        ({"environment": {"A": "x\ny"}}, "holds A, which is no variable of one line"),
        ({"environment": {"A-B": "x"}}, "holds A-B, which is no variable of one line"),
        ({**HYBRID, "control_plane_url": "[::1]:8005"}, "by an address of IPv6"),
        ({**HYBRID, "control_plane_url": ""}, "A data plane needs data_plane_control_plane_url"),
        ({**HYBRID, "control_plane_url": "https://a/b"}, "data plane needs data_plane_control_pl"),
        ({**HYBRID, "telemetry_url": "a@b"}, "data_plane_telemetry_url is no host or URL of one"),
        ({**KONNECT, "telemetry_url": ""}, "Konnect needs data_plane_telemetry_url"),
        ({**KONNECT, "edition": "community"}, "Konnect takes the enterprise edition only"),
        ({**KONNECT, "labels": {"a": "b,c"}}, "The label a holds a comma or a colon"),
        ({"labels": {"a": "b"}}, "data_plane_labels are for Konnect only"),
        ({"version": 3.1}, "is the number 3.1: write it in quotes"),
        ({**HYBRID, "certificate": "none"}, "data_plane_certificate cannot be none"),
        ({**HYBRID, "certificate": "self_signed"}, "cannot pin many certificates"),
        ({**HYBRID, "ca_key": ""}, "data_plane_ca_certificate and data_plane_ca_key name the CA"),
        ({"certificate": "given", "certificate_file": "/a"}, "A given certificate needs"),
        ({"certificate_renew_days": 1095}, "must be fewer than data_plane_certificate_days"),
        ({"certificate_rsa_bits": "1024"}, "RSA keys of 2048 bits and more"),
        ({**KONNECT, "certificate_name": "a/b"}, "data_plane_certificate_name is made of"),
        ({**KONNECT, "certificate_name": "a" * 65}, "data_plane_certificate_name is made of"),
        ({**KONNECT, "certificate_alternative_names": ["a b"]}, "neither a DNS name nor an"),
        ({"state_file": "/a", "topology": "traditional"}, "is for the topology dbless"),
        ({"state_file": "/a", "settings": {"declarative_config_string": "{}"}}, "same thing twice"),
        ({"rootless_user": "kong", "method": "docker"}, "rootless_user is for the method podman"),
        ({"publish": ["8000:8000"]}, "publishes nothing while data_plane_network is host"),
        ({"publish": ["http:80"], "network": "kong"}, "holds http:80, which is no [ADDRESS:]"),
        ({"container_options": ["-t"], "method": "compose"}, "compose takes none"),
        ({"name": "Kong"}, "data_plane_name is made of small letters"),
    ],
)
def test_each_problem_is_told_once(options: dict[str, Any], words: str) -> None:
    (problem,) = kong_data_plane_problems({**RIGHT, **options})
    assert words in problem


def test_no_value_of_a_setting_is_told() -> None:
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


def test_listeners_of_the_hosts_network_are_listed_with_their_urls() -> None:
    others = {"admin_listen": "off", "status_listen": "127.0.0.1:8100,unix:/tmp/a.sock"}
    assert kong_listeners({**PROXY, **others, "stream_listen": "0.0.0.0:53 udp"}) == [
        {"setting": "proxy_listen", "address": "0.0.0.0:8000", "url": "http://127.0.0.1:8000"},
        {"setting": "proxy_listen", "address": "[::]:8443", "url": "https://[::1]:8443"},
        {"setting": "status_listen", "address": "127.0.0.1:8100", "url": "http://127.0.0.1:8100"},
    ]


def test_of_a_container_only_what_is_published_is_listed() -> None:
    publish = ["80:8000", "127.0.0.1:443:8443/tcp", "9000:9000", "8100", "53:8000/udp", "1-2:1-2"]
    assert kong_listeners(PROXY, publish=publish) == [
        {"setting": "proxy_listen", "address": "0.0.0.0:80", "url": "http://127.0.0.1:80"},
        {"setting": "proxy_listen", "address": "127.0.0.1:443", "url": "https://127.0.0.1:443"},
        {"setting": "", "address": "0.0.0.0:9000", "url": ""},
    ]
    assert kong_listeners(PROXY, publish=[]) == []


def test_what_are_no_settings_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="a dictionary of settings"):
        kong_listeners("0.0.0.0:8000")  # type: ignore[arg-type]
    with pytest.raises(AnsibleFilterError, match="proxy_listen is no text"):
        kong_listeners({"proxy_listen": 8000})  # type: ignore[dict-item]
