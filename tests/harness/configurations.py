# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of all bundled plugins: the recorded small ones, and full ones from schemas."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.paths import ROOT

Schema = Mapping[str, Any]
# A secret text for the field at a dotted path.
MakeSecret = Callable[[str], str]

_SECRET_NAME = re.compile(
    r"(^|_)(password|passphrase|secret|token|auth|apikey|key)(_v\d)?$|^aws_(key|secret)"
)
_IS_LUA = re.compile(r"\.custom_fields_by_lua\.values$|^(pre|post)-function\.")
_IS_PAIR = re.compile(r"^request-transformer\.(add|append|rename|replace)\.(body|querystring)\.")
# What a text looks like that a pattern of the schemas takes.
_MATCHING = {
    r"%w*%p*@+%w*%.?%w*": "someone@mail.test",
    "^.*[^:]$": "name:value",
    "^[^:]+:.*$": "X-Name:value",
    "^%u+$": "PUT",
    "^[0-9]+-[0-9]+$": "200-299",
    "^[^*&%%\\`]+$": "/var/log/kong.log",
    "^[^%s*&%%\\`][^*&%%\\`]*[^%s*&%%\\`]$": "/var/log/kong.log",
}
_OMITTED = object()
# Full configurations hold every field but these, with a value of their own where the schema does
# not say what a gateway takes.
SHAPED: dict[str, Any] = {
    # Exactly one of allow and deny may be written.
    "acl.deny": _OMITTED,
    # Terms must be accepted for the authority's own addresses, which any other one is not.
    "acme.api_uri": "https://authority.test",
    "acme.storage": "redis",
    "acme.domains": ["*.echo.test", "echo.test"],
    # Other formats need a model provider of their own.
    "ai-proxy.llm_format": "openai",
    "ai-request-transformer.llm.route_type": "llm/v1/chat",
    "ai-response-transformer.llm.route_type": "llm/v1/chat",
    # Contradicts match_all_roles.
    "ai-prompt-guard.allow_all_conversation_history": False,
    "ip-restriction.allow": ["10.0.0.0/8", "::1"],
    "ip-restriction.deny": ["10.0.0.1", "10.0.0.2"],
    "jwt.claims_to_verify": ["nbf", "exp"],
    # Contradicts ldaps.
    "ldap-auth.start_tls": False,
    "proxy-cache.strategy": "memory",
    "rate-limiting.path": "/limited",
    # No limit may be lower than that of a shorter time, small configurations' too.
    "rate-limiting.hour": 100,
    "rate-limiting.day": 100,
    "rate-limiting.month": 100,
    "rate-limiting.year": 100,
    # Below zero only -1, above it no shorter time than this.
    "rate-limiting.sync_rate": 0.5,
    "redirect.location": "https://redirect.test/",
    # These contradict body and content_type.
    "request-termination.echo": _OMITTED,
    "request-termination.message": _OMITTED,
    # Shared dictionaries of the gateway.
    "acme.storage_config.shm.shm_name": "kong",
    "proxy-cache.memory.dictionary_name": "kong_db_cache",
}


# Small configurations of the plugins that were not recorded.
_MODEL = {"provider": "openai", "name": "gpt-4"}
_SMALL: dict[str, dict[str, Any]] = {
    "acme": {"account_email": "someone@mail.test"},
    "ai-prompt-decorator": {"prompts": {"prepend": [{"role": "system", "content": "Be brief."}]}},
    "ai-prompt-guard": {"allow_patterns": ["weather"]},
    "ai-prompt-template": {"templates": [{"name": "one", "template": "{{what}}"}]},
    "ai-proxy": {"route_type": "llm/v1/chat", "model": _MODEL},
    "ai-request-transformer": {"prompt": "Translate.", "llm": {
        "route_type": "llm/v1/chat", "model": _MODEL,
    }},
    "ai-response-transformer": {"prompt": "Translate.", "llm": {
        "route_type": "llm/v1/chat", "model": _MODEL,
    }},
    "loggly": {"key": "hidden loggly key"},
    "opentelemetry": {"endpoint": "http://traces.test/"},
}


@dataclass(frozen=True)
class Leaf:
    """A field as the generator meets it: its dotted path, the plugin first, and its schema."""

    path: str
    spec: Schema

    @property
    def name(self) -> str:
        """The field's own name."""
        return self.path.rpartition(".")[2]

    @property
    def is_secret(self) -> bool:
        """Whether its text must not be shown: by the schema, or by its name."""
        by_name = self.spec.get("type") == "string" and bool(_SECRET_NAME.search(self.name))
        return bool(self.spec.get("encrypted")) or by_name


def _plain_secret(path: str) -> str:
    return f"hidden {path}"


@functools.cache
def dump(version: str) -> dict[str, Any]:
    """The schemas that a gateway of that version gave."""
    path = ROOT / f"tests/sandbox/data/kong-{version}.json"
    return dict(json.loads(path.read_text()))


def plugins(version: str) -> list[str]:
    """The names of the plugins that a version bundles."""
    return sorted(dump(version)["plugins"])


def config_schema(version: str, plugin: str) -> Schema:
    """What the schema says of a plugin's `config`."""
    fields = dump(version)["plugins"][plugin]["fields"]
    return dict(next(entry["config"] for entry in fields if "config" in entry))


@functools.cache
def recorded(version: str) -> dict[str, dict[str, Any]]:
    """Small bodies, and a gateway's answers, of plugins: `{name: {"body": …, "answer": …}}`."""
    folder = "database-3.5" if version in ("3.4", "3.5") else "database"
    steps = json.loads((ROOT / f"tests/conformance/{folder}/bundled_plugins.json").read_text())
    return {
        step["request"]["body"]["name"]: {
            "body": step["request"]["body"], "answer": step["response"]["body"],
        }
        for step in steps
        if step["request"]["method"] == "POST" and step["response"]["status"] == 201
    }


def small(version: str, plugin: str) -> dict[str, Any]:
    """A `config` with what the plugin needs, as recorded where it was."""
    found = recorded(version).get(plugin)
    return dict(_SMALL[plugin] if found is None else found["body"].get("config") or {})


def full(version: str, plugin: str, secret: MakeSecret = _plain_secret) -> dict[str, Any]:
    """A `config` in which every field is written, with another value than the default.

    `secret` gives the text of each secret field.
    """
    return _record(Leaf(plugin, config_schema(version, plugin)), secret)


def _fields(spec: Schema, group: str = "fields") -> Iterator[tuple[str, Schema]]:
    for entry in spec.get(group) or ():
        yield from entry.items()


def _record(leaf: Leaf, secret: MakeSecret) -> dict[str, Any]:
    values = {
        name: _value(Leaf(f"{leaf.path}.{name}", spec), secret)
        for name, spec in _fields(leaf.spec)
    }
    return {name: value for name, value in values.items() if value is not _OMITTED}


def _value(leaf: Leaf, secret: MakeSecret) -> Any:
    if leaf.path in SHAPED:
        return SHAPED[leaf.path]
    if "eq" in leaf.spec:
        return _OMITTED
    kind = leaf.spec["type"]
    if kind == "record":
        return _record(leaf, secret)
    if kind in ("array", "set"):
        return _items(leaf, secret)
    if kind == "map":
        return _map(leaf, secret)
    if kind == "boolean":
        return not leaf.spec.get("default")
    return _number(leaf.spec) if kind in ("integer", "number") else _text(leaf, secret)


def _map(leaf: Leaf, secret: MakeSecret) -> dict[str, Any]:
    if leaf.name == "headers":
        # They authenticate the plugin to whom it sends.
        return {"X-Custom": secret(leaf.path)}
    value = _value(Leaf(f"{leaf.path}.values", leaf.spec["values"]), secret)
    return {_text(Leaf(f"{leaf.path}.keys", leaf.spec["keys"]), secret): value}


def _items(leaf: Leaf, secret: MakeSecret) -> list[Any]:
    """Two items that differ, where the schema lets them."""
    spec = leaf.spec["elements"]
    if spec.get("one_of"):
        return list(reversed(spec["one_of"]))[:2]
    first = _value(Leaf(f"{leaf.path}.1", spec), secret)
    if spec["type"] in ("integer", "number"):
        return [first, first + 1]
    if spec["type"] == "string" and not (spec.get("match") or spec.get("is_regex")):
        return [first, _value(Leaf(f"{leaf.path}.0", spec), secret)]
    return [first]


def _number(spec: Schema) -> int | float:
    if spec.get("one_of"):
        return int(spec["one_of"][-1])
    lowest, highest = spec.get("between") or (spec.get("gt", 0) + 1, 60000)
    usual = spec.get("default", lowest)
    return int(usual + 1 if usual < highest else usual - 1)


def _text(leaf: Leaf, secret: MakeSecret) -> str:
    spec = leaf.spec
    if spec.get("one_of"):
        others = [text for text in spec["one_of"] if text != spec.get("default")]
        return str((others or spec["one_of"])[-1])
    if leaf.is_secret:
        hidden = secret(leaf.path)
        return _SHAPES_OF_SECRETS.get(leaf.path, "{}").format(hidden)
    if leaf.name.endswith(("endpoint", "_url", "uri")) or spec.get("is_url"):
        return f"http://{leaf.path.split('.')[0]}.test/"
    if spec.get("match"):
        return _MATCHING[spec["match"]]
    if spec.get("is_regex"):
        return "robot.*"
    if _IS_LUA.search(leaf.path):
        return f"return '{leaf.path}'"
    if _IS_PAIR.search(leaf.path):
        return f"{leaf.path}:value"
    return leaf.path.replace("_", "-").replace(".", "-")


# Secrets that have to be part of something.
_SHAPES_OF_SECRETS = {
    "acme.account_email": "{}@mail.test",
    "http-log.http_endpoint": "http://user:{}@log.test/",
}
