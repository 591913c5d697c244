# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, the names they serve, and the authorities that are trusted.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ._kind import Entity, Field, Kind, tags_field

_PEM_BODY = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def digest_of(pem: str) -> str | None:
    """A CA certificate's digest as the gateway makes it: SHA-256 of its DER, in hexadecimal."""
    found = _PEM_BODY.search(pem)
    if found is None:
        return None
    try:
        return hashlib.sha256(base64.b64decode("".join(found[1].split()))).hexdigest()
    except binascii.Error:
        return None


def same_text(pem: object) -> object:
    """PEM texts that differ in white space only are the same."""
    return "\n".join(str(pem).split()) if isinstance(pem, str) else pem


def _answer_snis(predicted: Entity) -> None:
    predicted["snis"] = sorted(set(predicted.get("snis") or ()))


def _answer_digest(predicted: Entity) -> None:
    predicted["cert_digest"] = digest_of(predicted.get("cert") or "")


def _is_same_authority(desired: Entity, stored: Entity) -> bool:
    digest = digest_of(desired.get("cert") or "")
    return digest is not None and digest == stored.get("cert_digest")


def _pem(name: str, secret: bool = False, nullable: bool = True) -> Field:
    return Field(name, compare_as=same_text, secret=secret, nullable=nullable)


CERTIFICATE = Kind(
    name="certificate",
    path="certificates",
    identity="id",
    named_by=("snis",),
    keys="snis",
    restricted_by=("service", "upstream"),
    foretell=_answer_snis,
    fields=(
        _pem("cert"),
        _pem("key", secret=True),
        _pem("cert_alt"),
        _pem("key_alt", secret=True),
        Field("snis", "list", elements="str", unordered=True),
        tags_field(),
    ),
)

SNI = Kind(
    name="sni",
    path="snis",
    identity="name",
    fields=(
        Field("name", nullable=False),
        Field("certificate", reference="certificate"),
        tags_field(),
    ),
)

CA_CERTIFICATE = Kind(
    name="ca_certificate",
    path="ca_certificates",
    identity="cert",
    named_by=("cert_digest",),
    listed_by=(("service", "ca_certificates"),),
    matches=_is_same_authority,
    foretell=_answer_digest,
    fields=(_pem("cert", nullable=False), tags_field()),
)

KINDS = (CERTIFICATE, SNI, CA_CERTIFICATE)
