# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, the names they serve, and the authorities that are trusted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from ._identity import ByComparison, ByKeys, Identity
from ._kind import CASCADE, Entity, Field, Kind, tags_field

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


def generated_id(certificate: Entity, snis: Iterable[str], workspace: Any) -> str:
    """The ID of a new certificate: the same in each task that creates it.

    A certificate is found by its SNIs only, which are created after it: by other tasks, or by none
    if the task is killed.
    """
    tags = sorted(certificate.get("tags") or ())
    parts = [workspace, tags, sorted(snis), same_text(certificate.get("cert"))]
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(parts)))


def _complete_digest(predicted: Entity) -> None:
    predicted["cert_digest"] = digest_of(predicted.get("cert") or "")


def _digest_in(authority: Entity) -> str | None:
    return authority.get("cert_digest") or digest_of(authority.get("cert") or "")


def _pem(name: str, secret: bool = False, nullable: bool = True) -> Field:
    return Field(name, compare_as=same_text, secret=secret, nullable=nullable)


SNI = Kind(
    name="sni", path="snis", identity=Identity("name"),
    fields=(
        Field("name", nullable=False),
        Field("certificate", reference="certificate", on_delete=CASCADE, nested=True),
        tags_field(),
    ),
)

CERTIFICATE = Kind(
    name="certificate", path="certificates", identity=ByKeys("snis", keys=SNI), read_only=("snis",),
    fields=(
        _pem("cert"),
        _pem("key", secret=True),
        _pem("cert_alt"),
        _pem("key_alt", secret=True),
        tags_field(),
    ),
)

CA_CERTIFICATE = Kind(
    name="ca_certificate", path="ca_certificates", identity=ByComparison("cert", key=_digest_in),
    named_by=("cert_digest",), predict=_complete_digest,
    fields=(_pem("cert", nullable=False), tags_field()),
)

KINDS = (CERTIFICATE, SNI, CA_CERTIFICATE)
