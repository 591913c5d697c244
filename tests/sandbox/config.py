# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`/config` of a gateway without a database: the one way in which its entities change."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from . import declarative, errors
from .gateway import Gateway
from .reconfigure import NONE_LOADED
from .resources import Answer, Call, Resource
from .store import Store


class _Loader(yaml.SafeLoader):  # type: ignore[misc, unused-ignore]
    """YAML as the gateway reads it: what looks like a date is a text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Config:
    """What one gateway runs: the entities in `store`, and the hash of where they came from."""

    def __init__(self, gateway: Gateway, store: Store) -> None:
        self.gateway = gateway
        self.store = store
        self._hash = NONE_LOADED
        self._revision = store.revision

    @property
    def hash(self) -> str:
        """That of the document that runs; a store which was emptied since runs none."""
        return self._hash if self.store.revision == self._revision else NONE_LOADED

    def find(self, segments: list[str]) -> Resource | None:
        """The resource of `/config`; None for any other path."""
        if segments != ["config"]:
            return None
        return Resource({"GET": self._export, "POST": self._post})

    def load(self, document: dict[str, Any], digest: str | None = None) -> Answer:
        """Run a document in the place of the one before; the answer shows what it holds."""
        read = declarative.Reader(self.gateway).read(document)
        found = read.document()
        digest = digest or _digest(json.dumps(document, sort_keys=True))
        kept = self.store.document()
        with self.store.lock:
            others = {kind: kept.get(kind, []) for kind in _others(kept)}
            self.store.load({**found, **others}, read)
            self._hash, self._revision = digest, self.store.revision
        shown = {kind: {item["id"]: item for item in items} for kind, items in found.items()}
        return 201, {kind: items for kind, items in shown.items() if items}

    def load_text(self, text: str) -> Answer:
        """As `load`, for JSON or YAML."""
        return self.load(_parsed(text), _digest(text))

    def _post(self, call: Call) -> Answer:
        if "_format_version" in call.body:
            return self.load(call.body)
        text = call.body.get("config") or call.raw.decode("utf-8", "replace")
        if not text:
            return 400, {"message": "expected a declarative configuration"}
        if not isinstance(text, str):
            raise errors.declarative_config({"error": "expected a string"})
        document = _parsed(text)
        if call.query.get("check_hash") == "1" and self.hash == _digest(text):
            return 304, None
        return self.load(document, _digest(text))

    def _export(self, call: Call) -> Answer:
        document = declarative.written(self.store, self.gateway)
        return 200, {"config": yaml.safe_dump(document, sort_keys=False)}


def _others(kinds: dict[str, Any]) -> list[str]:
    """The kinds that stay when a document comes."""
    return [kind for kind in declarative.LEFT_OUT if kind in kinds]


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _parsed(text: str) -> dict[str, Any]:
    """A document from its text, JSON or YAML."""
    try:
        # JSON first: YAML refuses some of it, such as tabs.
        loaded: Any = json.loads(text)
    except ValueError:
        loaded = _yaml(text)
    if isinstance(loaded, dict):
        return loaded
    message = "failed parsing declarative configuration: expected an object"
    raise errors.declarative_config({"error": message})


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        message = f"failed parsing declarative configuration: {reason}"
        raise errors.declarative_config({"error": message}) from error
