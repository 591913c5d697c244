# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who trusts whom in a cluster: certificates on both sides of the link.

The rules are the gateway's (its documentation of `cluster_mtls`, and the directives of its nginx):
a chain has to end at a root that is trusted. What is said over the link is in `outlet`.
"""

from __future__ import annotations

import os
import pathlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: The name that certificates shared by all nodes are made for.
SHARED_NAME = "kong_clustering"

#: `pinned` is a control plane that knows its data planes' certificates, as Konnect does.
MTLS = ("shared", "pki", "pki_check_cn", "pinned")

#: Where a control plane compares certificates, and who signed them is nothing to it: the gateway
#: says `ssl_verify_client optional_no_ca` for `shared` and looks at the digest alone.
BY_THEMSELVES = ("shared", "pinned")

#: Stands in `trusted` for the certificate authorities of the machine.
SYSTEM = "system"


class Broken(Exception):
    """A link that cannot go on; the message says why, as the gateway's log does."""


class Closed(Broken):
    """The other side went away."""

    def __init__(self) -> None:
        super().__init__("closed")


@dataclass(frozen=True)
class Cluster:
    """One node's part in a cluster. The certificates are PEM files.

    `ca` signs data planes' certificates, or (`pinned`) holds them, read at each handshake.
    `control_plane` is where a data plane connects to; `trusted` are files of certificates (or
    `SYSTEM`) with which it judges who answers there under `server_name`; in `konnect_mode` it
    tells the control plane what it could not apply.
    """

    cert: pathlib.Path
    key: pathlib.Path
    mtls: str = "shared"
    ca: pathlib.Path | None = None
    allowed_names: tuple[str, ...] = ()
    control_plane: tuple[str, int] | None = None
    server_name: str | None = None
    trusted: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    konnect_mode: bool = False


def _context(cluster: Cluster, protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cluster.cert, cluster.key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def server_context(cluster: Cluster) -> ssl.SSLContext:
    """The control plane's side; `OSError` (`ssl.SSLError`) for files that are no good."""
    context = _context(cluster, ssl.PROTOCOL_TLS_SERVER)
    if cluster.mtls in BY_THEMSELVES:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cluster.ca if cluster.mtls != "shared" else cluster.cert)
    return context


def pinning_context(cluster: Cluster, certificates: str) -> ssl.SSLContext:
    """The control plane's side where `certificates` (PEM) are taken, and no others."""
    context = _context(cluster, ssl.PROTOCOL_TLS_SERVER)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if certificates:
        context.load_verify_locations(cadata=certificates)
    return context


def client_context(cluster: Cluster) -> ssl.SSLContext:
    """The data plane's side; errors as in `server_context`."""
    context = _context(cluster, ssl.PROTOCOL_TLS_CLIENT)
    for trusted in cluster.trusted:
        if trusted == SYSTEM:
            context.load_default_certs()
        else:
            context.load_verify_locations(trusted)
    if cluster.mtls == "shared":
        context.load_verify_locations(cluster.cert)
    elif cluster.ca is not None:
        context.load_verify_locations(cluster.ca)
    return context


def expected_name(cluster: Cluster) -> str:
    """The name for which the control plane's certificate must be."""
    if cluster.mtls == "shared":
        return SHARED_NAME
    host = cluster.control_plane[0] if cluster.control_plane else ""
    return cluster.server_name or host


def handshake_error(error: OSError) -> str:
    """Why a handshake failed, in a line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify error: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return os.strerror(error.errno).lower() if error.errno else str(error) or "closed"


def stranger(cluster: Cluster, presented: ssl.SSLObject) -> str | None:
    """Why a certificate that the handshake took is still not one of this cluster's."""
    if cluster.mtls == "shared":
        own = ssl.PEM_cert_to_DER_cert(first_certificate(cluster.cert.read_text("ascii")))
        if presented.getpeercert(True) != own:
            return "data plane presented incorrect client certificate during handshake"
    if cluster.mtls == "pki_check_cn":
        name = common_name(presented.getpeercert() or {})
        if not _allowed(cluster, name):
            return f"data plane presented client certificate with incorrect CN: {name}"
    return None


def _allowed(cluster: Cluster, name: str) -> bool:
    """Whether a name may join: one of the list, or one in the control plane's own domain."""
    if cluster.allowed_names:
        return name in cluster.allowed_names
    # The one way of the standard library to read a certificate that no handshake has shown.
    decoded: Any = ssl._ssl._test_decode_cert(str(cluster.cert))  # type: ignore[attr-defined]
    domain = common_name(decoded).partition(".")[2]
    return bool(domain) and name.partition(".")[2] == domain


def common_name(certificate: Mapping[str, Any]) -> str:
    """The subject's name in a certificate as `getpeercert` shows it, "" without one."""
    names = [pair for group in certificate.get("subject", ()) for pair in group]
    return next((value for name, value in names if name == "commonName"), "")


def first_certificate(text: str) -> str:
    """The first certificate of a PEM text."""
    end = "-----END CERTIFICATE-----"
    return text[text.index("-----BEGIN CERTIFICATE-----") : text.index(end) + len(end)]
