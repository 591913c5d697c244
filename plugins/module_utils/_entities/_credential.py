# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of consumers, one kind for each way to authenticate.

A credential is found in its consumer's own list: its key may be secret, and no secret is part of a
URL.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._errors import InputError
from ._identity import ByComparison
from ._kind import Entity, Field, Kind, tags_field

JWT_ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
    *("PS256", "PS384", "PS512", "EdDSA", "ES256K", "ESB256", "ESB320", "ESB384", "ESB512"),
    *("ESP256", "ESP384", "ESP512", "Ed25519", "Ed448"),
)

# $pbkdf2-DIGEST$i=ROUNDS,l=LENGTH$SALT$HASH, in base64 without padding.
_SALTED = re.compile(r"\$pbkdf2-(sha\d+)\$i=(\d+),l=\d+\$([\w+/]+)\$([\w+/]+)")


def hashed_password(password: str, consumer: str) -> str:
    """A basic-auth password as a gateway stores it: SHA-1 of the password and the consumer's id."""
    return hashlib.sha1(f"{password}{consumer}".encode()).hexdigest()


def is_salted_hash(stored: str, secret: str) -> bool:
    """Whether a string is a hash of this client secret, as ``hash_secret`` makes it (PBKDF2)."""
    found = _SALTED.fullmatch(stored)
    if found is None:
        return False
    digest, rounds, salt, wanted = found[1], int(found[2]), _decoded(found[3]), _decoded(found[4])
    return hashlib.pbkdf2_hmac(digest, secret.encode(), salt, rounds, len(wanted)) == wanted


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def stored_as_hash(kind: Kind, written: Mapping[str, Any], consumer: str) -> Kind:
    """The kind with secrets that are compared with the hashes that a gateway stores.

    :param consumer: the consumer's id.
    """
    password, secret = written.get("password"), written.get("client_secret")
    ways: dict[str, Callable[[Any], Any]] = {}
    if password is not None:
        hashed = hashed_password(str(password), consumer)
        ways["password"] = lambda value: hashed if value == password else value
    if secret and written.get("hash_secret") is not False:
        ways["client_secret"] = lambda value: (
            secret if is_salted_hash(str(value), str(secret)) else value
        )
    return kind.comparing(ways)


def _refuse_lone_hash_secret(desired: Entity, current: Entity | None) -> list[str]:
    """A gateway takes ``hash_secret`` with the secret only, and a hash has no secret to send."""
    stored = current or desired
    changes = desired.get("hash_secret") not in (None, stored.get("hash_secret"))
    if changes and desired.get("client_secret") in (None, stored.get("client_secret")):
        raise InputError("hash_secret can only be changed together with another client_secret")
    return []


def _hash_password(predicted: Entity) -> None:
    password, consumer = predicted.get("password"), predicted.get("consumer") or {}
    if password and not _is_hash(password):
        predicted["password"] = hashed_password(password, consumer.get("id", ""))


def _is_hash(text: str) -> bool:
    return len(text) == 40 and all(digit in "0123456789abcdef" for digit in text)


def _kind(name: str, path: str, schema: str, identity: str, *fields: Field, **more: object) -> Kind:
    declared = {"global_path": f"{path}s", "unique": (identity,), **more}
    return Kind(
        name=name, path=path, schema=schema, identity=ByComparison(identity), parent="consumer",
        fields=(*fields, tags_field()), **declared,  # type: ignore[arg-type]
    )  # fmt: skip


def _secret(name: str) -> Field:
    return Field(name, secret=True, nullable=False)


CREDENTIALS = {
    kind.name: kind
    for kind in (
        _kind(
            "key_auth", "key-auth", "keyauth_credentials", "key",
            _secret("key"),
            # Returned as the seconds that are left, so it is only set on a create.
            Field("ttl", "int", compare_as=lambda value: None, counts_down=True),
            # Every gateway returns a ttl, and no schema has it (case consumer_and_credentials).
            named_by=("id",), predict=lambda predicted: predicted.setdefault("ttl", None),
        ),
        _kind(
            "basic_auth", "basic-auth", "basicauth_credentials", "username",
            Field("username", nullable=False), _secret("password"), predict=_hash_password,
        ),
        _kind(
            "hmac_auth", "hmac-auth", "hmacauth_credentials", "username",
            Field("username", nullable=False), _secret("secret"),
        ),
        _kind(
            "jwt", "jwt", "jwt_secrets", "key",
            Field("key", nullable=False), _secret("secret"), Field("rsa_public_key"),
            Field("algorithm", choices=JWT_ALGORITHMS),
        ),
        _kind(
            "oauth2", "oauth2", "oauth2_credentials", "client_id",
            Field("name"), Field("client_id", nullable=False), _secret("client_secret"),
            Field("client_type", choices=("confidential", "public")),
            Field("hash_secret", "bool"),
            Field(
                "redirect_uris", "list", elements="str", unordered=True, repeats=True,
                empty_is_null=True,
            ),
            # A gateway takes a secret together with hash_secret only.
            global_path="oauth2", replaced=("client_secret",),
            apply_field_rules=_refuse_lone_hash_secret,
        ),
        _kind(
            "acl", "acls", "acls", "group",
            Field("group", nullable=False), global_path="acls", unique=(),
        ),
        _kind(
            "mtls_auth", "mtls-auth", "mtls_auth_credentials", "subject_name",
            Field("subject_name", nullable=False),
            Field("ca_certificate", reference="ca_certificate"),
            unique=(), unique_together=(("ca_certificate", "subject_name"),), optional=True,
        ),
    )
}  # fmt: skip

KINDS = tuple(CREDENTIALS.values())
