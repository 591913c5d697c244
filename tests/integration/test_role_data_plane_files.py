# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role data_plane, method files: settings, refusals and certificates, and nothing that runs."""

from __future__ import annotations

import stat
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_plane_support import PLAY, Host, openssl

from harness.playbook import Player
from harness.vault import vault

KONNECT = {
    "topology": "konnect",
    "control_plane_url": "https://abc.eu.cp0.konghq.com",
    "telemetry_url": "https://abc.eu.tp0.konghq.com",
}
HYBRID = {"topology": "hybrid", "control_plane_url": "cp.example.com"}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host that has nothing yet."""
    return Host(Player(tmp_path, {}), tmp_path, "files")


def _settings(host: Host) -> dict[str, str]:
    lines = (host.folder / "kong.conf").read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def test_check_mode_from_nothing_predicts_and_writes_nothing(host: Host) -> None:
    run = host.run(check=True, **KONNECT).ok()
    assert "Would make a new key" in run.stdout
    assert not host.folder.exists()


def test_konnect_settings_come_from_the_endpoints_and_a_second_run_changes_nothing(
    host: Host,
) -> None:
    assert host.run(**KONNECT, labels={"zone": "a", "tier": 1}).ok().total("changed") > 0
    seen = str(host.folder / "certificates")
    assert _settings(host) == {
        "admin_listen": "off",
        "cluster_cert": f"{seen}/tls.crt",
        "cluster_cert_key": f"{seen}/tls.key",
        "cluster_control_plane": "abc.eu.cp0.konghq.com:443",
        "cluster_dp_labels": "tier:1,zone:a",
        "cluster_mtls": "pki",
        "cluster_server_name": "abc.eu.cp0.konghq.com",
        "cluster_telemetry_endpoint": "abc.eu.tp0.konghq.com:443",
        "cluster_telemetry_server_name": "abc.eu.tp0.konghq.com",
        "database": "off",
        "konnect_mode": "on",
        "lua_ssl_trusted_certificate": "system",
        "role": "data_plane",
        "status_listen": "127.0.0.1:8100",
    }
    assert host.run(**KONNECT, labels={"zone": "a", "tier": 1}).ok().total("changed") == 0


def test_unknown_and_contradictory_settings_are_refused_before_anything_is_touched(
    host: Host,
) -> None:
    config = {"role": "traditional", "log_lvl": "info", "Log_Level": "info", "nginx_http_x": 1}
    run = host.run(**HYBRID, config=config)
    assert run.rc != 0
    said = run.result("Refuse settings that are unknown or contradict each other")["msg"]
    assert "no setting log_lvl;" in said
    assert "no setting Log_Level; its name has no capitals" in said
    assert "role is data_plane in the topology hybrid" in said
    assert "nginx_http_x" not in said
    assert "data_plane_ca_certificate and data_plane_ca_key" in said
    assert not host.folder.exists()


def test_secrets_lie_apart_and_are_never_shown(host: Host) -> None:
    host.environment["ANSIBLE_VERBOSITY"] = "3"
    open_settings = {
        "pg_host": "db.example.com", "ssl_cert_key": "/etc/ssl/kong.key",
        "admin_ssl_cert_key": "{vault://env/admin-key}", "vault_hcv_host": "vault.example.com",
    }
    config = {
        **open_settings, "pg_password": "5ecret-a", "vault_hcv_token": "5ecret-b",
        "vault_hcv_approle_secret_id": "5ecret-c",
        "status_ssl_cert_key": "LS0tLS1CRUdJTi5ecret-d",
    }
    traditional: dict[str, Any] = {"topology": "traditional", "config": config}
    environment = {"KONG_LICENSE_DATA": "5ecret-e"}
    first = host.run(**traditional, environment=environment).ok()
    secrets = host.folder / "secrets.env"
    assert len([line for line in secrets.read_text().splitlines() if "5ecret" in line]) == 5
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert open_settings.items() <= _settings(host).items()
    assert "5ecret" not in (host.folder / "kong.conf").read_text()
    second = host.run(**traditional, environment=environment).ok()
    refused = host.run(topology="traditional", config={"pg_pasword": "5ecret-f"})
    assert refused.rc != 0
    assert "5ecret" not in first.stdout + second.stdout + refused.stdout


def test_a_secret_under_vault_is_written_as_it_is(host: Host, tmp_path: Path) -> None:
    opened = vault(tmp_path, {"pg_password": "5ecret-g"})
    host.environment |= opened.environment
    variables = tmp_path / "variables.yml"
    encrypted = textwrap.indent(Path(opened.file).read_text().removeprefix("---\n"), "  ")
    variables.write_text(f"data_plane_config:\n  pg_host: db\n{encrypted}")
    play = PLAY.replace("  tasks:", f"  vars_files: [{variables}]\n  tasks:")
    host.run(play=play, topology="traditional").ok()
    assert "KONG_PG_PASSWORD=5ecret-g\n" in (host.folder / "secrets.env").read_text()


def test_a_gateways_own_check_judges_the_settings_first(host: Host) -> None:
    script = 'test "$0" = version || { echo "bad level" >&2; exit 1; }'
    host.put_command("kong", ["sh", "-c", script])
    run = host.run(config={"log_level": "loud"})
    assert run.rc != 0
    assert "bad level" in run.result("Say what the gateway refuses")["msg"]
    assert not (host.folder / "kong.conf").exists()


def test_a_state_file_is_converted(host: Host, tmp_path: Path) -> None:
    state = tmp_path / "state.yml"
    state.write_text(yaml.safe_dump({
        "_format_version": "3.0", "_info": {"select_tags": ["a"]},
        "services": [{"name": "one", "host": "example.com"}],
    }))
    good = state.read_text()
    state.write_text("services: []\n")
    run = host.run(state_file=str(state))
    assert run.rc != 0
    said = run.result("Say what is wrong with it")["msg"]
    assert "_format_version is missing" in said
    assert str(state) in said
    assert not host.folder.exists()
    state.write_text(good)
    host.run(state_file=str(state)).ok()
    converted = yaml.safe_load((host.folder / "state/kong.json").read_text())
    service = {"name": "one", "host": "example.com", "tags": ["a"]}
    assert converted == {"_format_version": "3.0", "services": [service]}
    assert _settings(host)["declarative_config"] == str(host.folder / "state/kong.json")


def test_the_key_is_made_here_and_the_certificate_signed_by_the_ca(
    host: Host, tmp_path: Path
) -> None:
    authority = tmp_path / "ca"
    ca = {"ca_certificate": str(authority / "ca.crt"), "ca_key": str(authority / "ca.key")}
    host.run(**HYBRID, **ca, ca_create=True).ok()
    folder = host.folder / "certificates"
    assert "OK" in openssl("verify", "-CAfile", authority / "ca.crt", folder / "tls.crt")
    assert "secp384r1" in openssl("pkey", "-in", folder / "tls.key", "-text", "-noout")
    assert (folder / "ca.crt").read_text() == (authority / "ca.crt").read_text()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.crt": 0o600, "tls.crt": 0o600, "tls.key": 0o600}
    before = host.certificate().read_text()
    assert host.run(**HYBRID, **ca).ok().total("changed") == 0
    assert host.run(**HYBRID, **ca, certificate_renew_days=1094, certificate_days=3000,
                    check=True).ok().total("changed") == 0
    host.run(**HYBRID, **ca, certificate_key_type="rsa").ok()
    assert "3072 bit" in openssl("pkey", "-in", folder / "tls.key", "-text", "-noout")
    assert host.certificate().read_text() != before


def test_renewal_makes_the_new_one_known_before_the_old_one_is_forgotten(
    host: Host, tmp_path: Path
) -> None:
    hook = tmp_path / "hook.yml"
    told = tmp_path / "told"
    hook.write_text(f"""---
- name: Note what became known
  ansible.builtin.lineinfile:
    path: {told}
    line: "{{{{ data_plane_hook_state }}}} {{{{ data_plane_hook_certificate | hash('md5') }}}}"
    create: true
    mode: "0600"
""")
    host.run(**KONNECT, certificate_hook=str(hook), certificate_days=20,
             certificate_renew_days=10).ok()
    first = host.certificate().read_text()
    host.run(**KONNECT, certificate_hook=str(hook)).ok()
    assert host.certificate().read_text() != first
    host.run(**KONNECT, certificate_hook=str(hook)).ok()
    words = [line.split() for line in told.read_text().splitlines()]
    assert [state for state, digest in words] == ["present", "present", "absent"]
    assert words[2][1] == words[0][1] != words[1][1]
    assert host.run(**KONNECT, certificate_hook=str(hook)).ok().total("changed") == 0


def test_a_given_certificate_must_fit_its_key_and_be_valid(host: Host, tmp_path: Path) -> None:
    given = {"certificate": "given", "certificate_file": str(tmp_path / "a.crt"),
             "certificate_key_file": str(tmp_path / "a.key")}
    for name in ("a", "b"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=kong_clustering",
                "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.crt")
    wrong = host.run(**HYBRID, **{**given, "certificate_key_file": str(tmp_path / "b.key")})
    assert wrong.rc != 0
    said = wrong.result("Say what is wrong with the certificate")["msg"]
    assert "does not match its key" in said
    host.run(**HYBRID, **given).ok()
    assert host.certificate().read_text() == (tmp_path / "a.crt").read_text()
    assert host.run(**HYBRID, **given).ok().total("changed") == 0
    assert _settings(host)["cluster_mtls"] == "shared"


def test_absent_leaves_nothing_but_what_others_put_there(host: Host) -> None:
    host.run(**KONNECT).ok()
    other = host.folder / "other"
    other.touch()
    host.run(**KONNECT, state="absent").ok()
    assert list(host.folder.iterdir()) == [other]
    other.unlink()
    host.run(**KONNECT, state="absent").ok()
    assert not host.folder.exists()
    assert host.run(**KONNECT, state="absent").ok().total("changed") == 0


def test_files_that_the_role_did_not_write_are_left_alone(host: Host) -> None:
    host.folder.mkdir()
    own = host.folder / "kong.conf"
    own.write_text("log_level = info\n")
    run = host.run(**KONNECT)
    assert run.rc != 0
    assert "holds kong.conf, which this role did not write" in run.result(
        "Refuse to write over them")["msg"]
    host.run(**KONNECT, state="absent").ok()
    assert own.read_text() == "log_level = info\n"
