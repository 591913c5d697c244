# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster port for all control planes of Konnect: a pinned certificate leads to its own."""

from __future__ import annotations

import ssl

from . import link
from .clustering import ControlPlane
from .organization import CERTIFICATES, Organization


class PinnedControlPlanes:
    """Knows data planes by the certificates that control planes have; a new one at once."""

    def __init__(self, cluster: link.Cluster, organization: Organization) -> None:
        """`OSError` (`ssl.SSLError`) for certificates that are no good."""
        self.cluster = cluster
        self.organization = organization
        self._control_planes: dict[str, ControlPlane] = {}
        link.pinning_context(cluster, "")

    def context(self) -> ssl.SSLContext:
        """One that takes the certificates of this moment."""
        found = self.organization.store.all(CERTIFICATES)
        return link.pinning_context(self.cluster, "\n".join(entity["cert"] for entity in found))

    def admitted(self, presented: ssl.SSLObject) -> tuple[ControlPlane, str | None]:
        """The control plane that has the certificate; of several the one that has it longest."""
        own = presented.getpeercert(True)
        for entity in list(self.organization.store.all(CERTIFICATES)):
            if own == ssl.PEM_cert_to_DER_cert(link.first_certificate(entity["cert"])):
                return self._control_plane(entity["control_plane"]["id"]), str(entity["id"])
        raise link.Broken("data plane presented a certificate that no control plane has")

    def taken(self, certificate_id: str | None) -> bool:
        """Whether a control plane still has the certificate: else it cuts the data plane off."""
        return self.organization.store.get(CERTIFICATES, str(certificate_id)) is not None

    def _control_plane(self, identifier: str) -> ControlPlane:
        exporter = self.organization.exporter(identifier)
        known = self._control_planes.get(identifier)
        if known is None or known.exporter is not exporter:
            known = ControlPlane(exporter, of_konnect=True)
            self._control_planes[identifier] = known
        return known
