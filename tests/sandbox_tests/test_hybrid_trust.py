# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may join a cluster: a wrong certificate is refused on both sides, and each log says why."""

from __future__ import annotations

import datetime
import pathlib
import subprocess
import sys

import pytest

from harness.paths import ROOT
from sandbox_tests.cluster_support import (
    Authority,
    Node,
    Pair,
    certificates,
    control_plane,
    data_plane,
)
from sandbox_tests.proxy_support import eventually

#: What a data plane says whose handshake was ended.
NOT_TAKEN = "may not know this node's certificate"
EXPIRED = -datetime.timedelta(hours=1)


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


def _refused(control: Node, node: Node, at_control_plane: str, at_data_plane: str) -> None:
    """Both logs have a line that says why, and nobody is listed."""
    control.logged(f"data plane at 127.0.0.1: .*{at_control_plane}")
    node.logged(f"connection to control plane {control.cluster} broken: .*{at_data_plane}")
    assert control.data_planes() == []
    assert node.ready()[0] == 503


def test_shared_a_data_plane_does_not_trust_another_control_plane(authority: Authority) -> None:
    shared, other, folder = authority.alone(), authority.alone(), authority.folder
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "dp.log", other, control.cluster) as node,
    ):
        says = ("broke the handshake off", "certificate verify error: self-signed certificate")
        _refused(control, node, *says)


def test_shared_a_control_plane_refuses_another_certificate(authority: Authority) -> None:
    shared, other, folder = authority.alone(), authority.alone(), authority.folder
    trust = ("--cluster-trusted", shared.certificate)
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "dp.log", other, control.cluster, *trust) as node,
    ):
        _refused(control, node, "certificate verify error: self-signed certificate", NOT_TAKEN)


def test_shared_what_the_shared_certificate_signed_is_not_the_shared_one(
    authority: Authority,
) -> None:
    folder, other = authority.folder, authority.signed("kong_clustering")
    trust = ("--cluster-trusted", authority.certificate)
    with (
        control_plane(folder, authority.pair, "--cluster-mtls", "shared") as control,
        data_plane(
            folder / "dp.log", other, control.cluster, *trust,
            "--cluster-mtls", "pki", "--cluster-server-name", "authority",
        ) as node,
    ):
        _refused(control, node, "presented incorrect client certificate", NOT_TAKEN)


def test_shared_a_signed_certificate_is_no_anchor_of_its_own(authority: Authority) -> None:
    shared, folder = authority.signed("kong_clustering"), authority.folder
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "dp.log", shared, control.cluster) as node,
    ):
        why = "certificate verify error: unable to get local issuer certificate"
        _refused(control, node, "broke the handshake off", why)


def test_shared_a_signed_certificate_joins_where_its_root_is_trusted(
    authority: Authority,
) -> None:
    shared, folder = authority.signed("kong_clustering"), authority.folder
    trust = ("--cluster-trusted", authority.certificate)
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "dp.log", shared, control.cluster, *trust),
    ):
        assert eventually(control.data_planes)[0]["sync_status"] == "normal"


def _pki(
    authority: Authority, name: str = "cp.kong.test", *options: str
) -> tuple[list[str], list[str]]:
    """The options of a control plane and of a data plane below an authority."""
    mtls = ["--cluster-mtls", "pki", "--cluster-ca", str(authority.certificate)]
    return [*mtls, *options], [*mtls, "--cluster-server-name", name]


def test_pki_who_the_authority_signed_joins(authority: Authority) -> None:
    own, other = authority.signed("cp.kong.test"), authority.signed("dp.kong.test")
    server, client = _pki(authority)
    with (
        control_plane(authority.folder, own, *server) as control,
        data_plane(authority.folder / "dp.log", other, control.cluster, *client),
    ):
        (listed,) = eventually(control.data_planes)
        assert listed["cert_details"] == {"expiry_timestamp": other.expiry}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("stranger", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
    ],
)
def test_pki_others_are_refused(
    authority: Authority, tmp_path: pathlib.Path, name: str, why: str
) -> None:
    own = authority.signed("cp.kong.test")
    if name == "stranger":
        other = Authority(tmp_path, "another").signed("dp.kong.test")
    else:
        other = authority.signed("dp.kong.test", EXPIRED)
    server, client = _pki(authority)
    with (
        control_plane(tmp_path, own, *server) as control,
        data_plane(tmp_path / "dp.log", other, control.cluster, *client) as node,
    ):
        _refused(control, node, f"certificate verify error: {why}", NOT_TAKEN)


def _below(authority: Authority) -> tuple[Pair, Pair, pathlib.Path, pathlib.Path]:
    """Pairs that an intermediate authority signed; its certificate alone, and with its root."""
    middle = Authority(authority.folder, "middle", above=authority)
    chain = authority.folder / "chain.pem"
    parts = (middle.certificate, authority.certificate)
    chain.write_bytes(b"".join(part.read_bytes() for part in parts))
    return middle.signed("cp.kong.test"), middle.signed("dp.kong.test"), middle.certificate, chain


@pytest.mark.parametrize("end", ["control_plane", "data_plane"])
def test_pki_an_intermediate_authority_without_its_root_is_no_anchor(
    authority: Authority, end: str
) -> None:
    own, other, alone, chain = _below(authority)
    mtls = ("--cluster-mtls", "pki", "--cluster-ca")
    server = (*mtls, alone if end == "control_plane" else chain)
    client = (*mtls, alone if end == "data_plane" else chain)
    named = ("--cluster-server-name", "cp.kong.test")
    with (
        control_plane(authority.folder, own, *server) as control,
        data_plane(authority.folder / "dp.log", other, control.cluster, *client, *named) as node,
    ):
        why = "certificate verify error: unable to get issuer certificate"
        if end == "control_plane":
            _refused(control, node, why, NOT_TAKEN)
        else:
            _refused(control, node, "broke the handshake off", why)


def test_pki_an_intermediate_authority_with_its_root_is_trusted(authority: Authority) -> None:
    own, other, _alone, chain = _below(authority)
    both = ("--cluster-mtls", "pki", "--cluster-ca", chain)
    named = ("--cluster-server-name", "cp.kong.test")
    with (
        control_plane(authority.folder, own, *both) as control,
        data_plane(authority.folder / "dp.log", other, control.cluster, *both, *named),
    ):
        assert eventually(control.data_planes)[0]["sync_status"] == "normal"


def test_pki_a_control_plane_under_another_name_is_not_trusted(authority: Authority) -> None:
    own, other = authority.signed("cp.kong.test"), authority.signed("dp.kong.test")
    server, client = _pki(authority, "another.kong.test")
    with (
        control_plane(authority.folder, own, *server) as control,
        data_plane(authority.folder / "dp.log", other, control.cluster, *client) as node,
    ):
        _refused(control, node, "broke the handshake off", "Hostname mismatch")


@pytest.mark.parametrize(
    ("name", "allowed", "joins"),
    [
        ("dp.kong.test", (), True),
        ("dp.other.test", (), False),
        ("dp.other.test", ("--cluster-allowed-name", "dp.other.test"), True),
        ("dp.kong.test", ("--cluster-allowed-name", "dp.other.test"), False),
    ],
)
def test_pki_check_cn_asks_for_the_name_too(
    authority: Authority, name: str, allowed: tuple[str, ...], joins: bool
) -> None:
    own, other = authority.signed("cp.kong.test"), authority.signed(name)
    server, client = _pki(authority, "cp.kong.test", *allowed)
    server[1] = "pki_check_cn"
    with (
        control_plane(authority.folder, own, *server) as control,
        data_plane(authority.folder / "dp.log", other, control.cluster, *client) as node,
    ):
        if joins:
            assert eventually(control.data_planes)[0]["sync_status"] == "normal"
        else:
            _refused(control, node, f"incorrect CN: {name}", NOT_TAKEN)


def test_pinned_a_new_certificate_is_known_before_the_old_one_goes(authority: Authority) -> None:
    own, old, new = authority.alone("cp.test"), authority.alone("dp"), authority.alone("dp")
    pins = authority.folder / "pins.pem"
    pins.write_bytes(old.certificate.read_bytes())
    server = ("--cluster-mtls", "pinned", "--cluster-ca", pins)
    client = ("--cluster-mtls", "pki", "--cluster-server-name", "cp.test",
              "--cluster-trusted", own.certificate)
    with control_plane(authority.folder, own, *server) as control:
        with data_plane(authority.folder / "new.log", new, control.cluster, *client) as node:
            _refused(control, node, "certificate verify error: self-signed", NOT_TAKEN)
            pins.write_bytes(old.certificate.read_bytes() + new.certificate.read_bytes())
            eventually(control.data_planes)
        with data_plane(authority.folder / "old.log", old, control.cluster, *client):
            eventually(lambda: len(control.data_planes()) == 2)


def test_a_key_that_is_not_its_certificates_is_refused_at_the_start(authority: Authority) -> None:
    one, other = authority.alone(), authority.alone()
    mixed = Pair(one.certificate, other.key, one.expiry)
    command = [sys.executable, "-m", "sandbox", "--mode", "control_plane", "--cluster-port", "0"]
    ended = subprocess.run(
        [*command, "--admin-port", "0", *map(str, certificates(mixed))],
        cwd=ROOT / "tests", capture_output=True, text=True, timeout=30, check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "key values mismatch" in ended.stderr
    assert ended.stderr.startswith("The sandbox cannot use ") and ended.stderr.count("\n") == 1
