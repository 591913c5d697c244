# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of clusters share: certificates of all sorts, and sandboxes whose logs are kept."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.gateway import Gateway
from harness.paths import ROOT
from sandbox_tests.proxy_support import eventually

Names = Sequence[str]

HOUR = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files; `expiry` is the end of its life, in Unix seconds."""

    certificate: pathlib.Path
    key: pathlib.Path
    expiry: int


class Authority:
    """Makes certificates in a folder: alone, or signed by its own.

    One below another is an intermediate one, whose own certificate that other has signed.
    """

    def __init__(
        self, folder: pathlib.Path, name: str = "authority", above: Authority | None = None
    ) -> None:
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._subject = _subject(name)
        signer = None if above is None else above._key
        self.pair = (above or self)._made(name, self._key, signer, HOUR, authority=True)

    @property
    def certificate(self) -> pathlib.Path:
        """The authority's own certificate."""
        return self.pair.certificate

    def alone(
        self, name: str = "kong_clustering", life: datetime.timedelta = HOUR, more: Names = ()
    ) -> Pair:
        """A certificate that signed itself, as those which all nodes share; `more` names."""
        return self._made(name, ec.generate_private_key(ec.SECP384R1()), None, life, more=more)

    def signed(self, name: str, life: datetime.timedelta = HOUR) -> Pair:
        """A certificate that this authority signed."""
        return self._made(name, ec.generate_private_key(ec.SECP384R1()), self._key, life)

    def _made(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey | None,
        life: datetime.timedelta,
        *,
        authority: bool = False,
        more: Names = (),
    ) -> Pair:
        end = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + life
        may_sign = authority or signer is None
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        names = [x509.DNSName(each) for each in (name, *more)]
        built = (
            x509.CertificateBuilder()
            .subject_name(_subject(name))
            .issuer_name(_subject(name) if signer is None else self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - 48 * HOUR)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(may_sign, None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .sign(signer or key, hashes.SHA384())
        )
        base = self.folder / f"{self.name}-{name}-{len(list(self.folder.iterdir()))}"
        pair = Pair(base.with_suffix(".crt"), base.with_suffix(".key"), int(end.timestamp()))
        pair.certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        pair.key.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
        return pair


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Node:
    """A node of a cluster that runs, with its ports and the log that it writes."""

    gateway: Gateway
    status: str
    cluster: str
    log: pathlib.Path

    def logged(self, pattern: str) -> str:
        """Wait for a line of the log that matches; the line."""
        found = eventually(lambda: re.search(f".*{pattern}.*", self.log.read_text("utf-8")))
        return str(found[0])

    def ready(self) -> tuple[int, str]:
        """What the status port says of being ready."""
        answer = httpx.get(f"http://{self.status}/status/ready", trust_env=False)
        return answer.status_code, answer.json()["message"]

    def hash(self) -> str:
        """The hash of the configuration that runs."""
        answer = httpx.get(f"http://{self.status}/status", trust_env=False)
        return str(answer.json()["configuration_hash"])

    def data_planes(self) -> list[dict[str, Any]]:
        """Who a control plane says has joined."""
        return self.gateway.entities("/clustering/data-planes")


@contextlib.contextmanager
def node(log: pathlib.Path, *options: str | pathlib.Path) -> Iterator[Node]:
    """Run a sandbox on free ports until the block ends; its errors go to `log`."""
    command = [sys.executable, "-m", "sandbox", "--admin-port", "0", "--proxy-port", "0"]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [*command, "--propagation", "0", *map(str, options)],
            cwd=ROOT / "tests", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        # A sandbox either says this or ends, and then the line is empty.
        line = process.stdout.readline()
        assert line, log.read_text("utf-8")
        said = dict(part.split("=", 1) for part in line.split()[2:])
        gateway = Gateway(said["admin"], said["proxy"])
        yield Node(gateway, said.get("status", ""), said.get("cluster", ""), log)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def certificates(pair: Pair) -> list[str | pathlib.Path]:
    """The options by which a node has a certificate."""
    return ["--cluster-cert", pair.certificate, "--cluster-key", pair.key]


@contextlib.contextmanager
def control_plane(
    folder: pathlib.Path, pair: Pair, *options: str | pathlib.Path
) -> Iterator[Node]:
    """Run a control plane."""
    own = ["--mode", "control_plane", "--cluster-port", "0", *certificates(pair)]
    with node(folder / "control-plane.log", *own, *options) as running:
        yield running


@contextlib.contextmanager
def data_plane(
    log: pathlib.Path, pair: Pair, address: str, *options: str | pathlib.Path
) -> Iterator[Node]:
    """Run a data plane that joins the control plane at `address`."""
    own = ["--mode", "data_plane", "--status-port", "0", "--control-plane", address]
    with node(log, *own, *certificates(pair), *options) as running:
        yield running
