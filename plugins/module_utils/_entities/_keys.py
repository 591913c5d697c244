# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vaults, keys and sets of keys."""

from __future__ import annotations

import json

from ._certificate import same_text
from ._identity import Identity
from ._kind import CASCADE, Entity, Field, Kind, tags_field


def _same_key(jwk: object) -> object:
    """Two JSON texts are one key however they are written; other texts are compared as they are."""
    try:
        return json.dumps(json.loads(str(jwk)), sort_keys=True)
    except ValueError:
        return jwk


def _complete_config(predicted: Entity) -> None:
    # The environment's vault has one setting, which is returned when it is not written.
    if predicted.get("name") == "env":
        predicted["config"] = {"prefix": None, **(predicted.get("config") or {})}


VAULT = Kind(
    name="vault", path="vaults", identity=Identity("prefix"), keeps_nulls=("config",),
    predict=_complete_config,
    fields=(
        Field("prefix", nullable=False),
        Field("name", nullable=False),
        Field("description"),
        Field("config", "dict", open=True),
        tags_field(),
    ),
)

KEY_SET = Kind(
    name="key_set", path="key-sets", schema="key_sets", identity=Identity("name"),
    fields=(Field("name", nullable=False), tags_field()),
)

KEY = Kind(
    name="key", path="keys", identity=Identity("name"),
    # Of the keys without a set, too (cache_key of the gateway's schema).
    unique_together=(("set", "kid"),),
    fields=(
        Field("name", nullable=False),
        Field("set", reference="key_set", on_delete=CASCADE, nested=True),
        Field("kid"),
        Field("jwk", "json", secret=True, compare_as=_same_key),
        Field(
            "pem",
            "dict",
            fields=(
                Field("private_key", secret=True, compare_as=same_text),
                Field("public_key", compare_as=same_text),
            ),
        ),
        Field("x5t"),
        tags_field(),
    ),
)

KINDS = (VAULT, KEY_SET, KEY)
