# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the image's gateway come from where the real one takes them, and are judged alike."""

from __future__ import annotations

import base64
import pathlib

import pytest

from image.kong import judge, launch, settings
from image.kong.settings import Invalid, Listener

KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
MEMBER = {"cluster_cert": CERTIFICATE, "cluster_cert_key": KEY}
CONTROL_PLANE = {"role": "control_plane", **MEMBER}
DATA_PLANE = {"role": "data_plane", "database": "off", **MEMBER}


def _loaded(written: dict[str, str]) -> dict[str, str]:
    return settings.load(None, {f"KONG_{key.upper()}": value for key, value in written.items()})


@pytest.fixture
def conf(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "kong.conf"


def test_the_environment_beats_the_file_and_the_file_the_default(conf: pathlib.Path) -> None:
    conf.write_text("log_level = debug\ndatabase = off  # no database\n")
    found = settings.load(conf, {"KONG_LOG_LEVEL": "warn"})
    assert (found["log_level"], found["database"], found["role"]) == ("warn", "off", "traditional")


def test_a_hash_with_a_backslash_is_no_comment(conf: pathlib.Path) -> None:
    conf.write_text("pg_password = a\\#b # a comment\n#pg_user = nobody\n")
    found = settings.load(conf, {})
    assert (found["pg_password"], found["pg_user"]) == ("a#b", "kong")


def test_unknown_keys_are_dropped_and_directives_are_not(conf: pathlib.Path) -> None:
    conf.write_text("log_levle = debug\nnginx_http_keepalive_requests = 7\n")
    found = settings.load(conf, {"KONG_PORT_8000_TCP": "tcp://10.0.0.1:8000"})
    assert "log_levle" not in found and "port_8000_tcp" not in found
    assert found["nginx_http_keepalive_requests"] == "7"
    assert judge.faults(found) == []


def test_a_secret_may_stand_in_a_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    found = settings.load(None, {"KONG_PG_PASSWORD_FILE": str(tmp_path / "password")})
    assert found["pg_password"] == "secret"


def test_a_file_that_is_not_there_is_named(conf: pathlib.Path) -> None:
    with pytest.raises(Invalid, match=f"no file at: {conf}"):
        settings.load(conf, {})


@pytest.mark.parametrize("form", ["path", "text", "base64"])
def test_a_certificate_is_a_path_a_text_or_base64(tmp_path: pathlib.Path, form: str) -> None:
    path = tmp_path / "tls.crt"
    path.write_text(CERTIFICATE)
    encoded = base64.b64encode(CERTIFICATE.encode()).decode()
    value = {"path": str(path), "text": CERTIFICATE, "base64": encoded}[form]
    assert settings.pem(value) == CERTIFICATE


def test_listeners_know_their_flags() -> None:
    found = settings.listeners(_loaded({}), "proxy_listen")
    assert found == [Listener("0.0.0.0", 8000, False), Listener("0.0.0.0", 8443, True)]
    assert settings.listeners(_loaded({"admin_listen": "off"}), "admin_listen") == []
    six = settings.listeners(_loaded({"status_listen": "[::1]:8100"}), "status_listen")
    assert six == [Listener("::1", 8100, False)]


@pytest.mark.parametrize("good", [{}, {"database": "off"}, CONTROL_PLANE, DATA_PLANE])
def test_what_a_gateway_starts_with_has_no_fault(good: dict[str, str]) -> None:
    assert judge.faults(_loaded(good)) == []


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ({"log_level": "loud"}, "log_level has an invalid value: 'loud' (debug, info,"),
        ({"pg_port": "many"}, "pg_port is not a number: 'many'"),
        ({"anonymous_reports": "maybe"}, "anonymous_reports is not a boolean: 'maybe'"),
        ({"nginx_daemon": "true"}, "nginx_daemon is not a ngx_boolean: 'true'"),
        ({"proxy_listen": "8000"}, "proxy_listen must be of form: [off] | <ip>:<port>"),
        ({"proxy_listen": "0.0.0.0:80000"}, "proxy_listen must be of form: [off] | <ip>:<port>"),
        ({"cluster_max_payload": "1"}, "cluster_max_payload must be 4194304 (4MB) or greater"),
        ({"database": "cassandra"}, "Cassandra as a datastore for Kong is not supported"),
        ({"ssl_cert": CERTIFICATE}, "ssl_cert_key must be specified"),
        ({"cluster_dp_labels": "a:b"}, 'cluster_dp_labels can only be used when role = "data_'),
        ({"role": "data_plane", "database": "off"}, "cluster certificate and key must be provided"),
        ({**DATA_PLANE, "database": "postgres"}, "only in-memory storage can be used when role"),
        ({**DATA_PLANE, "proxy_listen": "off"}, 'proxy_listen must be specified when role = "da'),
        ({**DATA_PLANE, "cluster_cert": "/none"}, "cluster_cert: failed loading certificate from"),
        ({**DATA_PLANE, "cluster_cert_key": "/no"}, "cluster_cert_key: failed loading key from **"),
        ({**DATA_PLANE, "cluster_dp_labels": "kong:b"}, "label key validation failed: kong is inv"),
        ({**DATA_PLANE, "cluster_dp_labels": "a"}, "label value validation failed:  must have be"),
        ({**DATA_PLANE, "cluster_use_proxy": "on"}, "cluster_use_proxy is turned on but no proxy_"),
        ({**CONTROL_PLANE, "database": "off"}, "in-memory storage can not be used when role = "),
        ({**CONTROL_PLANE, "cluster_mtls": "pki"}, "cluster_ca_cert must be specified when clust"),
        ({**CONTROL_PLANE, "admin_listen": "off"}, "admin_listen must be specified when role = "),
        ({"lua_ssl_trusted_certificate": "/none"}, "lua_ssl_trusted_certificate: failed loading "),
    ],
)
def test_each_fault_is_named(bad: dict[str, str], fault: str) -> None:
    found = judge.faults(_loaded(bad))
    assert [each for each in found if each.startswith(fault)], found


def test_a_key_is_never_shown() -> None:
    found = judge.faults(_loaded({**DATA_PLANE, "cluster_cert_key": "half a secret"}))
    assert found and "half a secret" not in "".join(found)


def test_certificates_given_as_text_become_files_for_nobody_else(tmp_path: pathlib.Path) -> None:
    options = launch.arguments(_loaded(DATA_PLANE), tmp_path, {"proxy": 3})
    key = pathlib.Path(options[options.index("--cluster-key") + 1])
    assert (key.read_text(), key.stat().st_mode & 0o777) == (KEY, 0o600)


def test_a_node_keeps_its_id(tmp_path: pathlib.Path) -> None:
    first = launch.node_id(_loaded({}), tmp_path)
    assert launch.node_id(_loaded({}), tmp_path) == first
    written = "ac9d62c0-27a9-4b3f-ae2b-2b3ad3bbd8f6"
    assert launch.node_id(_loaded({"node_id": written}), tmp_path) == written


def test_a_control_plane_has_no_proxy_and_others_no_cluster_port() -> None:
    assert {"proxy", "proxy_tls"}.isdisjoint(launch.addresses(_loaded(CONTROL_PLANE)))
    assert launch.addresses(_loaded(CONTROL_PLANE))["cluster"] == Listener("0.0.0.0", 8005, False)
    assert set(launch.addresses(_loaded(DATA_PLANE))) == {"admin", "proxy", "proxy_tls", "status"}
