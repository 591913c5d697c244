# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files drawn at random, of every kind that a gateway has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from hypothesis import strategies as st

from harness.state import HEAD, Document

Drawn: TypeAlias = st.SearchStrategy[Any]
_WORD = st.text("abcxyz", min_size=1, max_size=4)
_TAGS = st.lists(st.sampled_from(["red", "green", "a:b", "x y"]), max_size=3, unique=True)
_HOSTS = st.lists(st.sampled_from(["a.test", "b.test", "*.c.test"]), min_size=1, unique=True)
# More than one have to be regular expressions, which a leading asterisk is not.
_ORIGINS = st.lists(st.sampled_from(["a.test", "http://b.test"]), min_size=1, unique=True)
_PATHS = st.lists(st.sampled_from(["/a", "/b/c", "~/d$"]), min_size=1, unique=True)
_ADDRESSES = ("10.0.0.1", "10.0.0.1:80", "a.test", "A.test:81", "::1", "[::2]:90")
_PROTOCOLS = st.lists(st.sampled_from(["http", "https"]), min_size=1, unique=True)


def _entity(needed: Mapping[str, Drawn], **optional: Drawn) -> Drawn:
    return st.fixed_dictionaries(dict(needed), optional={"tags": _TAGS, **optional})


def _some(entity: Drawn, name: str, most: int = 2) -> Drawn:
    """A few entities, each with a name of its own."""
    return st.lists(entity, max_size=most, unique_by=lambda each: each[name])


def _plugins(*more: str) -> Drawn:
    own = {
        "rate-limiting": st.fixed_dictionaries(
            {"minute": st.integers(1, 99)},
            optional={
                "hour": st.integers(100, 999), "hide_client_headers": st.booleans(),
                # The one spelling that each version reads.
                "redis_host": st.just("redis.test"), "redis_password": st.just("hidden"),
                "redis_port": st.integers(1, 9999),
            },
        ),
        "request-termination": st.fixed_dictionaries(
            {}, optional={"status_code": st.integers(400, 499), "message": _WORD}
        ),
        "response-transformer": st.fixed_dictionaries(
            {}, optional={"add": st.fixed_dictionaries({"headers": st.just(["x-a:1", "x-b:2"])})}
        ),
        "cors": st.fixed_dictionaries(
            {}, optional={"origins": _ORIGINS, "max_age": st.integers(0, 99), "methods": st.just(
                ["PUT", "GET"])}
        ),
        "http-log": st.fixed_dictionaries(
            {"http_endpoint": st.just("http://log.test/x")},
            optional={"headers": st.just({"Authorization": "hidden"}),
                      "custom_fields_by_lua": st.just({"a": "return 1"}),
                      "queue": st.fixed_dictionaries({"max_batch_size": st.integers(2, 99)})},
        ),
    }  # fmt: skip
    names = ("rate-limiting", "request-termination", "response-transformer", "http-log", *more)
    one = st.sampled_from(names).flatmap(
        lambda name: _entity(
            {"name": st.just(name), "config": own[name]},
            enabled=st.booleans(), protocols=_PROTOCOLS,
        )
    )  # fmt: skip
    return _some(one, "name")


_HEALTHCHECKS = st.fixed_dictionaries(
    {},
    optional={
        "threshold": st.integers(0, 100),
        "active": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["http", "tcp"]), "timeout": st.integers(1, 9),
                "headers": st.just({"x-a": ["1", "2"]}),
                "healthy": st.fixed_dictionaries({"interval": st.integers(0, 9)}),
                "unhealthy": st.fixed_dictionaries({"http_statuses": st.just([500, 404])}),
            },
        ),
    },
)  # fmt: skip
_TARGETS = _some(
    _entity({"target": st.sampled_from(_ADDRESSES)}, weight=st.integers(0, 1000)), "target"
)
_UPSTREAM = _entity(
    {"name": st.sampled_from(["u.test", "v.test", "w.test"])},
    targets=_TARGETS, slots=st.integers(10, 65536), hash_on=st.sampled_from(["ip", "consumer"]),
    host_header=st.just("h.test"), healthchecks=_HEALTHCHECKS, use_srv_name=st.booleans(),
)  # fmt: skip
_ROUTE_FIELDS: dict[str, Drawn] = {
    "hosts": _HOSTS, "methods": st.just(["PUT", "GET"]),
    "protocols": st.sampled_from([["https"], ["https", "http"]]),
    "headers": st.just({"x-a": ["1", "2"]}), "snis": st.just(["s.test"]),
    "strip_path": st.booleans(), "preserve_host": st.booleans(),
    "regex_priority": st.integers(0, 9), "path_handling": st.sampled_from(["v0", "v1"]),
    "plugins": _plugins("cors"),
}  # fmt: skip


def _route(prefix: str) -> Drawn:
    return _entity({"name": _WORD.map(prefix.__add__), "paths": _PATHS}, **_ROUTE_FIELDS)


def _service(name: str) -> Drawn:
    return _entity(
        {"name": st.just(name), "host": st.sampled_from(["u.test", "a.test"])},
        path=st.just("/x"), port=st.integers(1, 65535), protocol=st.sampled_from(["http", "https"]),
        retries=st.integers(0, 9), read_timeout=st.integers(1, 99), enabled=st.booleans(),
        plugins=_plugins("cors"),
        routes=_some(_route(f"{name}-"), "name"),
    )  # fmt: skip


def _consumer(name: str) -> Drawn:
    return _entity(
        {"username": st.just(name)},
        custom_id=st.just(f"4711-{name}"), plugins=_plugins(),
        keyauth_credentials=_some(_entity({"key": _WORD.map(f"hidden-{name}-".__add__)}), "key"),
        basicauth_credentials=_some(
            _entity({"username": _WORD.map(f"{name}-".__add__), "password": st.just("hidden")}),
            "username",
        ),
        hmacauth_credentials=_some(
            _entity({"username": _WORD.map(f"{name}-".__add__), "secret": st.just("hidden")}),
            "username",
        ),
        jwt_secrets=_some(
            _entity({"key": _WORD.map(f"{name}-".__add__), "secret": st.just("hidden")},
                    algorithm=st.sampled_from(["HS256", "HS512"])),
            "key",
        ),
        oauth2_credentials=_some(
            _entity({"client_id": _WORD.map(f"{name}-".__add__), "name": _WORD,
                     "client_secret": st.just("hidden")},
                    redirect_uris=st.just(["http://b.test", "http://a.test"])),
            "client_id",
        ),
        acls=_some(_entity({"group": _WORD}), "group"),
    )  # fmt: skip


def _certificates(pems: Mapping[str, str]) -> Drawn:
    """Certificates, whose ids are always written, as a dump does."""
    def one(number: int) -> Drawn:
        ids = st.just(f"11111111-2222-4333-8444-{number:012}")
        names = f"a{number}.test", f"*.b{number}.test"
        snis = st.just([{"name": names[0]}, {"name": names[1], "tags": ["red"]}])
        pair = {name: st.just(pems[f"<{name} {number}>"]) for name in ("cert", "key")}
        return _entity({"id": ids, **pair}, snis=snis)

    return st.lists(st.sampled_from([1, 2]), unique=True).flatmap(
        lambda numbers: st.tuples(*map(one, numbers)).map(list)
    )


def _key(name: str) -> Drawn:
    jwk = json.dumps({"kid": name, "kty": "RSA", "n": "AQAB", "e": "AQAB"})
    return _entity({"name": st.just(name), "kid": st.just(name), "jwk": st.just(jwk)})


def _each(make: Any, *names: str) -> Drawn:
    """Some of the entities with these names."""
    chosen = st.lists(st.sampled_from(names), unique=True)
    return chosen.flatmap(lambda drawn: st.tuples(*map(make, drawn)).map(list))


def documents(pems: Mapping[str, str]) -> Drawn:
    """Whole documents; `pems` are two pairs of a certificate and its key."""
    vault = _entity(
        {"name": st.just("env"), "prefix": _WORD.map("v-".__add__)},
        description=_WORD, config=st.just({"prefix": "X_"}),
    )  # fmt: skip
    sections = {
        "upstreams": _some(_UPSTREAM, "name"),
        "services": _each(_service, "s1", "s2"),
        "routes": _some(_route("free-"), "name"),
        "consumers": _each(_consumer, "alice", "bob"),
        "plugins": _plugins("cors"),
        "certificates": _certificates(pems),
        "ca_certificates": st.just([{"cert": pems["<cert 1>"]}]),
        "vaults": _some(vault, "prefix"),
        "key_sets": _each(
            lambda name: _entity({"name": st.just(name)}, keys=_each(_key, f"{name}-k")), "ks"
        ),
        "keys": _each(_key, "k1", "k2"),
    }
    return st.fixed_dictionaries({}, optional=sections).map(_headed)


def _headed(sections: Document) -> Document:
    return {**HEAD, **sections}


def enterprise_documents(pems: Mapping[str, str]) -> Drawn:
    """The same with what only the enterprise edition has: groups, their members, partials."""
    groups = _each(
        lambda name: _entity({"name": st.just(name)}, plugins=_plugins()), "gold", "silver"
    )
    partials = _each(
        lambda name: _entity({"name": st.just(name), "type": st.just("redis-ce"), "config": st.just(
            {"host": f"{name}.test", "password": "hidden"})}), "one", "two")  # fmt: skip
    members = st.lists(
        st.tuples(*map(st.sampled_from, (["alice", "bob"], ["gold", "silver"], ["in", "of"]))),
        unique_by=lambda each: each[:2], max_size=4,
    )  # fmt: skip
    more = {"consumer_groups": groups, "partials": partials}
    subjects = st.lists(st.sampled_from(["alice", "bob"]), unique=True)
    return st.builds(
        _extended, documents(pems), st.fixed_dictionaries({}, optional=more), members,
        st.sampled_from(["one", "two"]), subjects,
    )  # fmt: skip


def _extended(
    document: Document, more: Document, members: list[Any], partial: str, subjects: list[str]
) -> Document:
    """Members and links where both sides are in the document."""
    consumers = {each["username"]: each for each in document.get("consumers", ())}
    groups = {each["name"]: each for each in more.get("consumer_groups", ())}
    for consumer, group, way in members:
        if consumer in consumers and group in groups and way == "in":
            consumers[consumer].setdefault("groups", []).append({"name": group})
        elif consumer in consumers and group in groups:
            groups[group].setdefault("consumers", []).append({"username": consumer})
    for name in subjects:
        if name in consumers:
            consumers[name]["mtls_auth_credentials"] = [{"subject_name": f"{name}.test"}]
    for plugin in document.get("plugins", ()):
        known = partial in {each["name"] for each in more.get("partials", ())}
        if known and plugin["name"] == "rate-limiting":
            for name in [each for each in plugin["config"] if each.startswith("redis_")]:
                del plugin["config"][name]
            plugin["partials"] = [{"name": partial}]
    return {**document, **more}
