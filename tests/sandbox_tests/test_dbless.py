# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox without a database: entities come as one document, and in no other way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateway import Gateway, sandbox
from harness.paths import ROOT
from sandbox_tests.proxy_support import echo_servers, eventually

NO_HASH = "0" * 32


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """One sandbox without a database, shared by the module."""
    with sandbox("--mode", "dbless", "--propagation", "0", "--health-delay", "0") as running:
        yield running


@pytest.fixture(scope="module")
def running(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client for its Admin API."""
    with httpx.Client(base_url=gateway.admin_url, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def client(running: httpx.Client) -> httpx.Client:
    """The sandbox, empty."""
    running.post("/sandbox/reset").raise_for_status()
    return running


def _document(**kinds: Any) -> dict[str, Any]:
    return {"_format_version": "3.0", **kinds}


def _loaded(client: httpx.Client, **kinds: Any) -> dict[str, Any]:
    """Load a document; the entities that the gateway answers, by kind and id."""
    answer = client.post("/config", json=_document(**kinds))
    assert answer.status_code == 201, answer.text
    entities: dict[str, Any] = answer.json()
    return entities


def _refused(client: httpx.Client, document: Any) -> dict[str, Any]:
    """The `fields` of the error that a document is refused with; what runs goes on running."""
    before = client.get("/status").json()["configuration_hash"]
    answer = client.post("/config", json=document)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, 14), answer.text
    assert body["name"] == "invalid declarative configuration"
    assert body["message"].startswith("declarative config is invalid: {")
    assert client.get("/status").json()["configuration_hash"] == before
    fields: dict[str, Any] = body["fields"]
    return fields


def _only(client: httpx.Client, path: str) -> dict[str, Any]:
    """The one entity of a list."""
    data = client.get(path).json()["data"]
    assert len(data) == 1, data
    entity: dict[str, Any] = data[0]
    return entity


def test_it_says_that_it_has_no_database(client: httpx.Client) -> None:
    configuration = client.get("/").json()["configuration"]
    assert (configuration["database"], configuration["role"]) == ("off", "traditional")


# -- writing one by one


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/consumers", {"username": "b"}, "create 'consumers' entities"),
        ("PATCH", "/consumers/ann", {}, "update 'consumers' entities by 'username'"),
        ("PUT", "/consumers/ann", {}, "create or update 'consumers' entities by 'username'"),
        ("DELETE", "/consumers/ann", None, "remove 'consumers' entities by 'username'"),
        ("POST", "/upstreams/u.test/targets", {"target": "b"}, "create 'targets' entities"),
        ("PATCH", "/upstreams/u.test/targets/a:1", {}, "update 'targets' entities"),
        ("DELETE", "/upstreams/u.test/targets/a:1", None, "remove 'targets' entities"),
    ],
)
def test_single_writes_are_unsupported(
    client: httpx.Client, method: str, path: str, body: dict[str, Any] | None, message: str
) -> None:
    upstream = {"name": "u.test", "targets": [{"target": "a:1"}]}
    loaded = _loaded(client, consumers=[{"username": "ann"}], upstreams=[upstream])
    answer = client.request(method, path, json=body)
    wanted = f"cannot {message} when not using a database"
    assert (answer.status_code, answer.json()["code"]) == (405, 12)
    assert answer.json()["message"] == wanted
    assert [_only(client, "/consumers")] == list(loaded["consumers"].values())
    assert [_only(client, "/upstreams/u.test/targets")] == list(loaded["targets"].values())


def test_a_write_is_judged_before_it_is_unsupported(client: httpx.Client) -> None:
    answer = client.post("/upstreams", json={"name": "10.0.0.1"})
    assert (answer.status_code, answer.json()["code"]) == (400, 2)


def test_validation_works_as_with_a_database(client: httpx.Client) -> None:
    answer = client.post("/schemas/upstreams/validate", json={"name": "u.test"})
    assert (answer.status_code, answer.json()["message"]) == (200, "schema validation successful")


# -- what a document may look like


def test_nested_and_flat_documents_say_the_same(client: httpx.Client) -> None:
    limit = {"name": "rate-limiting", "config": {"minute": 5}}
    route = {"name": "r", "paths": ["/"]}
    nested = _loaded(
        client,
        services=[{"name": "s", "host": "u.test", "routes": [{**route, "plugins": [limit]}]}],
        upstreams=[{"name": "u.test", "targets": [{"target": "a:1"}]}],
        consumers=[{"username": "ann", "keyauth_credentials": [{"key": "k"}]}],
    )
    flat = _loaded(
        client,
        targets=[{"target": "a:1", "upstream": "u.test"}],
        keyauth_credentials=[{"key": "k", "consumer": "ann"}],
        plugins=[{**limit, "route": "r"}],
        routes=[{**route, "service": "s"}],
        services=[{"name": "s", "host": "u.test"}],
        upstreams=[{"name": "u.test"}],
        consumers=[{"username": "ann"}],
    )
    assert set(flat) == set(nested)
    for kind in ("services", "upstreams", "consumers", "routes", "keyauth_credentials"):
        assert set(flat[kind]) == set(nested[kind]), f"the ids of {kind} are made of their names"
    service, upstream = _only(client, "/services"), _only(client, "/upstreams")
    assert _only(client, "/services/s/routes")["service"] == {"id": service["id"]}
    assert _only(client, "/upstreams/u.test/targets")["upstream"] == {"id": upstream["id"]}
    assert _only(client, "/routes/r/plugins")["config"]["minute"] == 5
    assert _only(client, "/consumers/ann/key-auth")["key"] == "k"


def test_written_ids_stay_and_foreign_keys_may_be_ids(client: httpx.Client) -> None:
    identifier = "5003fe4c-56af-41f7-8396-8a409163d085"
    _loaded(
        client,
        services=[{"id": identifier, "name": "s", "host": "h.test"}],
        routes=[
            {"name": "a", "paths": ["/a"], "service": identifier},
            {"name": "b", "paths": ["/b"], "service": {"id": identifier}},
        ],
    )
    routes = client.get(f"/services/{identifier}/routes").json()["data"]
    assert {route["name"] for route in routes} == {"a", "b"}


def test_what_entities_do_beside_their_schema_is_done(client: httpx.Client) -> None:
    loaded = _loaded(
        client,
        _comment="why",
        services=[{"name": "s", "url": "http://h.test:81/p", "_ignore": ["x"], "_comment": "why"}],
        upstreams=[{"name": "u.test", "targets": [{"target": "10.0.0.1"}]}],
        consumers=[
            {"username": "ann", "basicauth_credentials": [{"username": "a", "password": "p"}]}
        ],
    )
    service = _only(client, "/services")
    assert [service[name] for name in ("host", "port", "path")] == ["h.test", 81, "/p"]
    assert "_comment" not in service and "_ignore" not in service
    assert _only(client, "/upstreams/u.test/targets")["target"] == "10.0.0.1:8000"
    (credential,) = loaded["basicauth_credentials"].values()
    assert len(credential["password"]) == 40


@pytest.mark.parametrize("snis", [["a.test", "b.test"], [{"name": "a.test"}, {"name": "b.test"}]])
def test_a_certificate_holds_its_snis_in_either_form(client: httpx.Client, snis: list[Any]) -> None:
    recorded = json.loads((ROOT / "tests/conformance/database/certificates.json").read_text())
    made = (step["request"].get("body_template", {}) for step in recorded)
    pair = next({name: body[name] for name in ("cert", "key")} for body in made if "key" in body)
    _loaded(client, certificates=[{**pair, "snis": snis}])
    certificate = _only(client, "/certificates")
    assert certificate["snis"] == ["a.test", "b.test"]
    owners = {
        each["name"]: each["certificate"]["id"] for each in client.get("/snis").json()["data"]
    }
    assert owners == dict.fromkeys(("a.test", "b.test"), certificate["id"])


def test_a_document_takes_the_place_of_all_before(client: httpx.Client) -> None:
    _loaded(client, upstreams=[{"name": "a.test"}], services=[{"name": "s", "host": "h"}])
    _loaded(client, upstreams=[{"name": "b.test"}])
    assert _only(client, "/upstreams")["name"] == "b.test"
    assert client.get("/services").json()["data"] == []
    assert _loaded(client) == {}
    assert client.get("/upstreams").json()["data"] == []


@pytest.mark.parametrize("text", ['{"_format_version":\t"3.0"}', '_format_version: "3.0"\n'])
@pytest.mark.parametrize("form", ["json", "form", "file"])
def test_a_document_may_come_as_text(client: httpx.Client, text: str, form: str) -> None:
    sent: dict[str, dict[str, Any]] = {
        "json": {"json": {"config": text}},
        "form": {"data": {"config": text}},
        "file": {"files": {"config": ("kong.yml", text.encode())}},
    }
    assert client.post("/config", **sent[form]).status_code == 201
    assert client.post("/config?check_hash=1", **sent[form]).status_code == 304
    assert client.post("/config", **sent[form]).status_code == 201


def test_dates_in_yaml_are_texts(client: httpx.Client) -> None:
    text = '_format_version: "3.0"\nupstreams:\n- name: u.test\n  tags: [2026-01-01]\n'
    assert client.post("/config", json={"config": text}).status_code == 201
    assert _only(client, "/upstreams")["tags"] == ["2026-01-01"]


def test_what_runs_can_be_read_and_loaded_again(client: httpx.Client) -> None:
    ann = {"username": "ann", "basicauth_credentials": [{"username": "a", "password": "p"}]}
    route = {"name": "r", "paths": ["/"]}
    first = _loaded(
        client, services=[{"name": "s", "host": "h", "routes": [route]}], consumers=[ann]
    )
    text = client.get("/config").json()["config"]
    again = client.post("/config", json={"config": text}).json()
    for entities in (first, again):
        for kind in entities.values():
            for entity in kind.values():
                entity.pop("updated_at", None)
    assert again == first


def test_the_hash_tells_which_document_runs(client: httpx.Client) -> None:
    def known() -> str:
        return str(client.get("/status").json()["configuration_hash"])

    assert known() == NO_HASH
    _loaded(client, upstreams=[{"name": "a.test"}])
    first = known()
    _loaded(client, upstreams=[{"name": "b.test"}])
    assert len({NO_HASH, first, known()}) == 3
    _loaded(client, upstreams=[{"name": "a.test"}])
    assert known() == first
    client.post("/sandbox/reset")
    assert known() == NO_HASH


# -- what a document may not look like


@pytest.mark.parametrize(
    ("kinds", "fields"),
    [
        ({"upstreams": {}}, {"upstreams": "expected an array"}),
        ({"upstreams": [5]}, {"upstreams": ["expected a record"]}),
        ({"_transform": 1}, {"_transform": "expected a boolean"}),
        ({"_info": {}}, {"_info": "unknown field"}),
        ({"_format_version": 3}, {"_format_version": "expected a string"}),
        (
            {"upstreams": [{"name": "a.test"}, {"name": "b.test", "nope": 1}]},
            {"upstreams": [None, {"nope": "unknown field"}]},
        ),
        (
            {
                "services": [
                    {"host": "h", "routes": [{"paths": ["/"]}, {"name": "r", "hosts": "x"}]}
                ]
            },
            {"services": [{"routes": [None, {"hosts": "expected an array"}]}]},
        ),
        (
            {"routes": [{"name": "r", "paths": ["/"], "service": "none"}]},
            {"routes": {"r": ["invalid reference 'service: none' (no such entry in 'services')"]}},
        ),
        (
            {"plugins": [{"name": "nope"}]},
            {
                "plugins": [
                    {
                        "name": "plugin 'nope' not enabled; "
                        "add it to the 'plugins' configuration property"
                    }
                ]
            },
        ),
    ],
)
def test_a_bad_document_is_refused_with_the_place(
    client: httpx.Client, kinds: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert _refused(client, {"_format_version": "3.0", **kinds}) == fields


def test_a_target_is_declared_once_an_upstream(client: httpx.Client) -> None:
    twice = {"name": "a.test", "targets": [{"target": "a:1"}, {"target": "a:1"}]}
    fields = _refused(client, _document(upstreams=[twice]))
    first, second = fields["upstreams"][0]["targets"]
    assert first is None
    assert "'targets' entity with primary key set to" in second
    pools = [{"name": name, "targets": [{"target": "a:1"}]} for name in ("a.test", "b.test")]
    assert len(_loaded(client, upstreams=pools)["targets"]) == 2


@pytest.mark.parametrize("text", ["- a list", "a: [", "just words"])
def test_a_text_that_is_no_document_is_refused(client: httpx.Client, text: str) -> None:
    error = _refused(client, {"config": text})["error"]
    assert error.startswith("failed parsing declarative configuration: ")


def test_nothing_at_all_is_refused(client: httpx.Client) -> None:
    answer = client.post("/config")
    assert answer.status_code == 400
    assert answer.json() == {"message": "expected a declarative configuration"}


# -- what runs


def _balanced(*targets: str) -> dict[str, Any]:
    checks = {"passive": {"unhealthy": {"http_failures": 3}}}
    pool = {"name": "u.test", "targets": [{"target": target} for target in targets]}
    route = {"name": "r", "paths": ["/"]}
    return {
        "services": [{"name": "s", "host": "u.test", "routes": [route]}],
        "upstreams": [{**pool, "healthchecks": checks}],
    }


def test_the_proxy_follows_the_document(client: httpx.Client, gateway: Gateway) -> None:
    def ask() -> int:
        return httpx.get(gateway.proxy_url, trust_env=False).status_code

    with echo_servers(2) as (first, second):
        _loaded(client, **_balanced(first.address))
        eventually(lambda: ask() == 200)
        _loaded(client, **_balanced(second.address))
        eventually(lambda: ask() == 200 and second.requests)
        before = len(first.requests)
        assert [ask(), ask(), ask()] == [200, 200, 200]
        assert len(first.requests) == before
        _loaded(client)
        eventually(lambda: ask() == 404)


def test_health_is_known_and_set_without_a_database(client: httpx.Client) -> None:
    _loaded(client, **_balanced("127.0.0.1:9"))

    def health() -> str | None:
        state: str | None = _only(client, "/upstreams/u.test/health").get("health")
        return state

    eventually(lambda: health() == "HEALTHY")
    path = "/upstreams/u.test/targets/127.0.0.1:9/unhealthy"
    assert client.put(path).status_code == 204
    assert health() == "UNHEALTHY"


def test_the_enterprise_edition_keeps_its_default_workspace() -> None:
    with sandbox("--mode", "dbless", "--edition", "enterprise") as enterprise:
        document = _document(consumer_groups=[{"name": "gold"}])
        enterprise.call("POST", "/config", document)
        assert [each["name"] for each in enterprise.entities("/workspaces")] == ["default"]
        assert [each["name"] for each in enterprise.entities("/consumer_groups")] == ["gold"]
        answer = httpx.post(
            f"{enterprise.admin_url}/workspaces", json={"name": "team"}, trust_env=False
        )
    assert (answer.status_code, answer.json()["code"]) == (405, 12)
