# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of all kinds of entities: how a task makes and changes each, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.certificates import Pair
from harness.engine import Engine, Result
from harness.gateway import Gateway

Options = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A kind of entity.

    `identity` finds it, `create` and `change` are further options, `needs` tasks before it,
    `parents` options that name another entity without which it cannot be, `cleared` a field that
    `create` writes and null clears, `path` its list. A text `<name>` stands for a PEM text.
    """

    name: str
    module: str
    path: str
    identity: Options
    create: Options
    change: Options
    cleared: str = "tags"
    needs: tuple[tuple[str, Options], ...] = ()
    parents: tuple[str, ...] = ()
    enterprise: bool = False
    gateway: Gateway | None = None
    others: frozenset[str] = frozenset()

    def filled(self, pems: Mapping[str, str]) -> Case:
        """The case with PEM texts in their places."""
        names = ("identity", "create", "change", "needs")
        return replace(self, **{name: filled(getattr(self, name), pems) for name in names})

    def on(self, engine: Engine) -> Case:
        """The case before a gateway that now has what it needs."""
        for module, options in self.needs:
            engine.ok(module, **options)
        there = engine.gateway.entities(self.path)
        others = frozenset(each["id"] for each in there)
        return replace(self, gateway=engine.gateway, others=others)

    def stored(self) -> list[Options]:
        """The entities of this kind that have been made since."""
        assert self.gateway is not None
        found = self.gateway.entities(self.path)
        return [each for each in found if each["id"] not in self.others]

    @property
    def absent(self) -> Options:
        """The options of the task that removes it; a target is the last one of its upstream."""
        force = {"force": True} if self.module == "kong_target" else {}
        return {**self.identity, "state": "absent", **force}

    def entity(self, result: Result) -> Options:
        """The entity in a result."""
        return dict(result[self.module.removeprefix("kong_")])


def filled(value: Any, pems: Mapping[str, str]) -> Any:
    """A value with PEM texts in their places."""
    if isinstance(value, dict):
        return {key: filled(item, pems) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, pems) for item in value)
    return pems.get(value, value) if isinstance(value, str) else value


def pem_texts(pairs: Sequence[Pair]) -> dict[str, str]:
    """`<cert 1>`, `<key 1>`, `<public 1>`, … and what they stand for."""
    return {
        f"<{half} {number}>": Path(path).read_text()
        for number, pair in enumerate(pairs, 1)
        for half, path in (("cert", pair.certificate), ("key", pair.key), ("public", pair.public))
    }


def _jwk(n: str) -> str:
    return json.dumps({"kid": "one", "kty": "RSA", "n": n, "e": "AQAB"})


TAGS = {"tags": ["b", "a"]}
ALICE = (("kong_consumer", {"username": "alice"}),)


def _credential(kind: str, path: str, identity: Options, create: Options, change: Options) -> Case:
    return Case(
        kind, "kong_credential", path,
        identity={"type": kind, "consumer": "alice", **identity},
        create={**create, **TAGS}, change=change, needs=ALICE, parents=("consumer",),
    )


CASES: tuple[Case, ...] = (
    Case(
        "upstream", "kong_upstream", "/upstreams", {"name": "pool.test"},
        {"slots": 20, "hash_on": "ip", **TAGS}, {"slots": 30}, needs=(),
    ),
    Case(
        "target", "kong_target", "/upstreams/pool.test/targets",
        {"upstream": "pool.test", "target": "10.0.0.1"}, {"weight": 5, **TAGS}, {"weight": 7},
        needs=(("kong_upstream", {"name": "pool.test"}),), parents=("upstream",),
    ),
    Case(
        "service", "kong_service", "/services", {"name": "web"},
        {"host": "pool.test", "retries": 1, **TAGS}, {"path": "/x", "retries": 2},
    ),
    Case(
        "route", "kong_route", "/routes", {"name": "all"},
        {"service": "web", "paths": ["/b", "/a"], "methods": ["PUT", "GET"], **TAGS},
        {"service": "other", "hosts": ["a.test"]}, cleared="methods",
        needs=(
            ("kong_service", {"name": "web", "host": "a.test"}),
            ("kong_service", {"name": "other", "host": "b.test"}),
        ),
    ),
    Case(
        "plugin", "kong_plugin", "/plugins", {"name": "http-log", "service": "web"},
        {"config": {"http_endpoint": "http://a.test/", "timeout": "5",
                    "queue": {"max_batch_size": "7"}},
         "protocols": ["https", "http"], **TAGS},
        {"config": {"timeout": 6}, "enabled": False}, parents=("service",),
        needs=(("kong_service", {"name": "web", "host": "a.test"}),),
    ),
    Case(
        "consumer", "kong_consumer", "/consumers", {"username": "alice"},
        {"custom_id": "4711", **TAGS}, {"custom_id": "4712"}, cleared="custom_id",
    ),
    _credential("key_auth", "/key-auths", {"key": "hidden-one"}, {}, {"tags": ["c"]}),
    _credential(
        "basic_auth", "/basic-auths", {"username": "al"}, {"password": "first-secret"},
        {"password": "second-secret"},
    ),
    _credential(
        "hmac_auth", "/hmac-auths", {"username": "al"}, {"secret": "first-secret"},
        {"secret": "second-secret"},
    ),
    _credential(
        "jwt", "/jwts", {"key": "issuer"}, {"secret": "first-secret"},
        {"secret": "second-secret", "algorithm": "HS512"},
    ),
    _credential(
        "oauth2", "/oauth2", {"client_id": "app"},
        {"name": "app", "client_secret": "hidden", "redirect_uris": ["http://b.test", "http://c.test"]},
        {"client_type": "public", "name": "other"},
    ),
    _credential("acl", "/acls", {"group": "gold"}, {}, {"tags": ["c"]}),
    Case(
        "certificate", "kong_certificate", "/certificates", {"snis": ["b.test", "a.test"]},
        {"cert": "<cert 1>", "key": "<key 1>", **TAGS}, {"cert": "<cert 2>", "key": "<key 2>"},
    ),
    Case(
        "sni", "kong_sni", "/snis", {"name": "c.test"}, {"certificate": "a.test", **TAGS},
        {"certificate": "b.test"},
        needs=(
            ("kong_certificate", {"snis": ["a.test"], "cert": "<cert 1>", "key": "<key 1>"}),
            ("kong_certificate", {"snis": ["b.test"], "cert": "<cert 2>", "key": "<key 2>"}),
        ),
    ),
    Case(
        "ca_certificate", "kong_ca_certificate", "/ca_certificates", {"cert": "<cert 1>"},
        TAGS, {"tags": ["c"]},
    ),
    Case(
        "vault", "kong_vault", "/vaults", {"prefix": "my-env"},
        {"name": "env", "description": "one", "config": {"prefix": "A_"}, **TAGS},
        {"config": {"prefix": "B_"}}, cleared="description",
    ),
    Case("key_set", "kong_key_set", "/key-sets", {"name": "all"}, TAGS, {"tags": ["c"]}),
    Case(
        "key-jwk", "kong_key", "/keys", {"name": "one"},
        {"kid": "one", "set": "all", "jwk": _jwk("AQAB"), **TAGS}, {"jwk": _jwk("AQAC")},
        needs=(("kong_key_set", {"name": "all"}),),
    ),
    Case(
        "key-pem", "kong_key", "/keys", {"name": "one"},
        # Gateways before 3.9 want both halves.
        {"kid": "one", "pem": {"private_key": "<key 1>", "public_key": "<public 1>"}, **TAGS},
        {"pem": {"private_key": "<key 2>", "public_key": "<public 2>"}},
    ),
    Case(
        "entity", "kong_entity", "/consumers",
        {"path": "consumers", "identity": "username", "entity": {"username": "zed"}},
        {}, {"entity": {"username": "zed", "custom_id": "4711", "tags": ["b"]}},
    ),
    Case(
        "entity-below-another", "kong_entity", "/consumers/alice/acls",
        {"path": "consumers/alice/acls", "identity": "group", "search": True,
         "entity": {"group": "gold"}},
        {}, {"entity": {"group": "gold", "tags": ["b", "a"]}}, needs=ALICE,
    ),
    Case(
        "workspace", "kong_workspace", "/workspaces", {"name": "team"}, {"comment": "one"},
        {"comment": "two"}, cleared="comment", enterprise=True,
    ),
    Case(
        "consumer_group", "kong_consumer_group", "/consumer_groups", {"name": "gold"}, TAGS,
        {"tags": ["c"]}, enterprise=True,
    ),
    Case(
        "partial", "kong_partial", "/partials", {"name": "shared", "type": "redis-ce"},
        TAGS, {"tags": ["c"], "config": {"port": 7000}}, enterprise=True,
    ),
)
