# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys as far as a gateway judges them, with the standard library's own TLS."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import ssl
import tempfile
from collections.abc import Iterator

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.+?-----END CERTIFICATE-----", re.DOTALL)
PRIVATE = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----\s.+-----END \1-----", re.S)
PUBLIC = re.compile(r"-----BEGIN ((RSA )?PUBLIC KEY)-----\s.+-----END \1-----", re.S)


def is_reference(text: str) -> bool:
    """Whether a value stands in a vault, so that only the vault knows it."""
    return text.startswith("{vault://")


def der(text: str) -> bytes | None:
    """The first certificate of a PEM text in binary form, None where there is none."""
    found = CERTIFICATE.search(text)
    if found is None:
        return None
    try:
        data = ssl.PEM_cert_to_DER_cert(found.group().strip())
        ssl.create_default_context(cadata=data)
    except (ValueError, ssl.SSLError):
        return None
    return data


def certificate_error(text: str, authority: bool = False) -> str | None:
    """Why a text is no certificate (`authority`: no certificate that signs others)."""
    if is_reference(text):
        return None
    if der(text) is None:
        return "invalid certificate: failed to parse PEM"
    if authority and len(CERTIFICATE.findall(text)) != 1:
        return "please submit only one certificate at a time"
    if authority and not _authorities(text):
        return (
            'certificate does not appear to be a CA because it is missing the "CA" basic constraint'
        )
    return None


def _authorities(text: str) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=text)
    return context.cert_store_stats()["x509_ca"]


def key_error(text: str, private: bool = True) -> str | None:
    """Why a text is no key."""
    wanted = PRIVATE if private else PUBLIC
    return None if is_reference(text) or wanted.search(text) else "invalid key"


@contextlib.contextmanager
def _written(*texts: str) -> Iterator[list[str]]:
    """Texts in files of their own: the ssl module reads key pairs from files only."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, str(index)) for index in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        yield paths


def pair_error(certificate: str, key: str) -> str | None:
    """Why a certificate and a key do not belong to each other."""
    if is_reference(certificate) or is_reference(key):
        return None
    if key_error(key) or certificate_error(certificate):
        return None
    with _written(certificate, key) as paths:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*paths)
        except ssl.SSLError:
            return "certificate does not match key"
    return None


#: How the kinds of keys are written in a certificate: their object identifiers.
KEY_KINDS = {
    "RSA": bytes.fromhex("06092a864886f70d010101"),
    "EC": bytes.fromhex("06072a8648ce3d0201"),
    "Ed25519": bytes.fromhex("06032b6570"),
}


def key_kind(text: str) -> str | None:
    """The kind of key that a certificate is for, None where that cannot be told."""
    data = der(text) or b""
    return next((kind for kind, identifier in KEY_KINDS.items() if identifier in data), None)


def digest(text: str) -> str | None:
    """What identifies a CA certificate: the SHA-256 of its binary form, in hex."""
    data = der(text)
    return None if data is None else hashlib.sha256(data).hexdigest()
