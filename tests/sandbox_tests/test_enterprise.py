# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as the enterprise edition: consumer groups, workspaces, mtls-auth, plugin order."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateway import sandbox
from sandbox_tests.proxy_support import eventually


@pytest.fixture(scope="module")
def running() -> Iterator[httpx.Client]:
    """A client for one enterprise sandbox, shared by the module."""
    with (
        sandbox("--edition", "enterprise") as gateway,
        httpx.Client(base_url=gateway.admin_url, trust_env=False, timeout=10) as client,
    ):
        yield client


@pytest.fixture
def client(running: httpx.Client) -> httpx.Client:
    """The sandbox, empty."""
    running.post("/sandbox/reset").raise_for_status()
    return running


def _made(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    entity: dict[str, Any] = answer.json()
    return entity


def _data(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


def _message(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


# -- the edition


def test_it_names_its_edition_and_a_version_of_four_numbers(client: httpx.Client) -> None:
    answer = client.get("/")
    root = answer.json()
    assert (root["edition"], root["version"]) == ("enterprise", "3.10.0.1")
    assert answer.headers["server"] == "kong/3.10.0.1-enterprise-edition"
    assert client.get("/kong").json()["version"] == root["version"]


@pytest.mark.parametrize("path", ["/consumer_groups", "/mtls-auths", "/workspaces", "/ws/services"])
def test_the_community_edition_has_none_of_it(path: str) -> None:
    with sandbox() as gateway:
        answer = httpx.get(f"{gateway.admin_url}{path}", trust_env=False)
    assert _message(answer) == (404, "Not found")


def test_older_enterprise_gateways_name_their_edition_too() -> None:
    with sandbox("--edition", "enterprise", "--version", "3.4") as gateway:
        root = gateway.call("GET", "/")
        assert (root["edition"], root["version"]) == ("enterprise", "3.4.2.1")
        gateway.call("POST", "/consumer_groups", {"name": "gold"})
        gateway.call("POST", "/consumers", {"username": "ann"})
        gateway.call("POST", "/consumer_groups/gold/consumers", {"consumer": "ann"})
        members = gateway.call("GET", "/consumer_groups/gold/consumers")
        assert [each["username"] for each in members["consumers"]] == ["ann"]


# -- consumer groups


def test_consumer_groups_are_created_changed_and_deleted(client: httpx.Client) -> None:
    made = _made(client, "/consumer_groups", name="gold", tags=["a"])
    assert set(made) == {"id", "name", "tags", "created_at", "updated_at"}
    assert _data(client, "/consumer_groups?tags=a") == [made]
    assert client.get("/consumer_groups/gold").json() == {"consumer_group": made, "consumers": []}
    unlisted = client.get(f"/consumer_groups/{made['id']}?list_consumers=false").json()
    assert unlisted == {"consumer_group": made}
    changed = client.patch("/consumer_groups/gold", json={"tags": None}).json()
    assert (changed["id"], changed["tags"]) == (made["id"], None)
    assert client.put("/consumer_groups/silver", json={}).json()["name"] == "silver"
    assert client.post("/consumer_groups", json={"name": "gold"}).status_code == 409
    assert client.delete("/consumer_groups/gold").status_code == 204
    assert client.get("/consumer_groups/gold").status_code == 404
    assert client.get("/consumer_groups/gold/consumers").status_code == 404


def test_consumers_join_and_leave_a_group(client: httpx.Client) -> None:
    group = _made(client, "/consumer_groups", name="gold")
    ann, ben, eve = (_made(client, "/consumers", username=name) for name in ("ann", "ben", "eve"))
    path = "/consumer_groups/gold/consumers"
    joined = _made(client, path, consumer="ann")
    assert joined == {"consumer_group": group, "consumers": [ann]}
    assert _made(client, path, consumer=[ben["id"], "eve"])["consumers"] == [ben, eve]
    assert client.get("/consumer_groups/gold").json()["consumers"] == [ann, ben, eve]
    assert {each["username"] for each in _data(client, path)} == {"ann", "ben", "eve"}
    assert client.get(f"{path}/ann").json() == {"consumer_group": group, "consumers": [ann]}
    assert client.delete(f"{path}/ann").status_code == 204
    assert client.delete(f"{path}/ann").status_code == 404
    assert client.get(f"{path}/ann").status_code == 404
    assert client.delete(path).status_code == 204
    assert _data(client, path) == []
    assert len(_data(client, "/consumers")) == 3


def test_joining_is_refused_as_a_whole(client: httpx.Client) -> None:
    group = _made(client, "/consumer_groups", name="gold")
    _made(client, "/consumers", username="ann")
    _made(client, "/consumers", username="ben")
    path = "/consumer_groups/gold/consumers"
    assert client.post(path, json={}).status_code == 400
    missing = client.post(path, json={"consumer": ["ann", "nobody"]})
    assert _message(missing) == (404, "Consumer 'nobody' not found")
    _made(client, path, consumer="ben")
    again = client.post(path, json={"consumer": ["ann", "ben"]})
    assert _message(again) == (409, f"Consumer 'ben' already in group '{group['id']}'")
    assert [each["username"] for each in _data(client, path)] == ["ben"]


def test_groups_are_reached_from_their_consumers_too(client: httpx.Client) -> None:
    gold, silver = (_made(client, "/consumer_groups", name=name) for name in ("gold", "silver"))
    ann = _made(client, "/consumers", username="ann")
    path = "/consumers/ann/consumer_groups"
    assert _made(client, path, group="gold") == {"consumer": ann, "consumer_groups": [gold]}
    _made(client, path, group=[silver["id"]])
    assert {each["name"] for each in _data(client, path)} == {"gold", "silver"}
    assert client.delete(f"{path}/gold").status_code == 204
    assert _data(client, path) == [silver]
    assert client.delete(path).status_code == 204
    assert _data(client, path) == []


def test_a_deleted_consumer_or_group_takes_its_memberships_along(client: httpx.Client) -> None:
    _made(client, "/consumer_groups", name="gold")
    _made(client, "/consumers", username="ann")
    _made(client, "/consumer_groups/gold/consumers", consumer="ann")
    client.delete("/consumers/ann")
    assert client.get("/consumer_groups/gold").json()["consumers"] == []
    _made(client, "/consumers", username="ann")
    _made(client, "/consumer_groups/gold/consumers", consumer="ann")
    client.delete("/consumer_groups/gold")
    assert _data(client, "/consumers/ann/consumer_groups") == []


def test_plugins_apply_to_a_consumer_group(client: httpx.Client) -> None:
    group = _made(client, "/consumer_groups", name="gold")
    limit = {"name": "rate-limiting", "config": {"minute": 5, "policy": "local"}}
    inside = _made(client, "/consumer_groups/gold/plugins", **limit)
    assert inside["consumer_group"] == {"id": group["id"]}
    everywhere = _made(client, "/plugins", **limit)
    assert everywhere["consumer_group"] is None
    assert _data(client, "/consumer_groups/gold/plugins") == [inside]
    again = client.post("/plugins", json={**limit, "consumer_group": {"name": "gold"}})
    assert again.status_code == 409
    assert again.json()["fields"]["consumer_group"] == {"id": group["id"]}
    client.delete("/consumer_groups/gold")
    assert _data(client, "/plugins") == [everywhere]


def test_authentication_knows_no_consumer_group(client: httpx.Client) -> None:
    _made(client, "/consumer_groups", name="gold")
    answer = client.post("/consumer_groups/gold/plugins", json={"name": "key-auth"})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"consumer_group": "value must be null"}


def test_plugins_have_an_order(client: httpx.Client) -> None:
    order = {"before": {"access": ["key-auth"]}}
    made = _made(client, "/plugins", name="request-termination", ordering=order)
    assert made["ordering"] == {"before": {"access": ["key-auth"]}, "after": None}
    wrong = {"name": "cors", "ordering": {"before": {"rewrite": ["key-auth"]}}}
    assert client.post("/plugins", json=wrong).status_code == 400
    assert _made(client, "/plugins", name="cors")["ordering"] is None


@pytest.mark.parametrize("kind", ["consumer_groups", "workspaces", "mtls_auth_credentials"])
def test_the_kinds_show_their_schemas(client: httpx.Client, kind: str) -> None:
    names = [name for field in client.get(f"/schemas/{kind}").json()["fields"] for name in field]
    assert {"id", "created_at"} < set(names)


def test_validation_knows_the_kinds(client: httpx.Client) -> None:
    valid = client.post("/schemas/consumer_groups/validate", json={"name": "gold"})
    assert _message(valid) == (200, "schema validation successful")
    invalid = client.post("/schemas/consumer_groups/validate", json={"tags": ["a,b"]})
    assert set(invalid.json()["fields"]) == {"name", "tags"}
    reserved = client.post("/schemas/workspaces/validate", json={"name": "upstreams"})
    assert reserved.status_code == 400
    assert _data(client, "/consumer_groups") == []


def test_mtls_auth_credentials_belong_to_a_consumer(client: httpx.Client) -> None:
    ann = _made(client, "/consumers", username="ann")
    made = _made(client, "/consumers/ann/mtls-auth", subject_name="ann@test")
    assert made["consumer"] == {"id": ann["id"]}
    assert made["ca_certificate"] is None
    assert _data(client, "/mtls-auths") == [made]
    again = client.post("/consumers/ann/mtls-auth", json={"subject_name": "ann@test"})
    assert again.status_code == 409
    client.delete("/consumers/ann")
    assert _data(client, "/mtls-auths") == []


# -- workspaces


def test_workspaces_are_created_changed_and_deleted(client: httpx.Client) -> None:
    made = _made(client, "/workspaces", name="team", meta={"color": "#fff"})
    assert (made["meta"]["color"], made["config"]["portal"]) == ("#fff", False)
    assert {each["name"] for each in _data(client, "/workspaces")} == {"default", "team"}
    assert client.get(f"/workspaces/{made['id']}").json() == made
    assert client.patch("/workspaces/team", json={"comment": "c"}).json()["comment"] == "c"
    assert client.get("/team/workspaces/team").json()["comment"] == "c"
    assert client.delete("/workspaces/team").status_code == 204
    assert client.delete("/workspaces/team").status_code == 204
    assert client.get("/workspaces/team").status_code == 404


def test_a_workspace_keeps_its_entities_apart(client: httpx.Client) -> None:
    _made(client, "/workspaces", name="team")
    ours = _made(client, "/upstreams", name="u.test")
    theirs = _made(client, "/team/upstreams", name="u.test", tags=["theirs"])
    assert ours["id"] != theirs["id"]
    assert _data(client, "/upstreams") == _data(client, "/default/upstreams") == [ours]
    assert _data(client, "/team/upstreams") == [theirs]
    assert client.get(f"/upstreams/{theirs['id']}").status_code == 404
    assert _data(client, "/tags/theirs") == []
    assert [each["entity_id"] for each in _data(client, "/team/tags/theirs")] == [theirs["id"]]
    _made(client, "/team/upstreams/u.test/targets", target="127.0.0.1:9")
    assert _data(client, "/upstreams/u.test/targets") == []
    assert client.post("/team/upstreams", json={"name": "u.test"}).status_code == 409
    assert client.get("/team/kong").json()["edition"] == "enterprise"


def test_a_workspace_that_is_none_is_named(client: httpx.Client) -> None:
    assert _message(client.get("/nowhere/upstreams")) == (404, "Workspace 'nowhere' not found")
    assert _message(client.get("/nowhere/nothing")) == (404, "Not found")


def test_a_workspace_is_deleted_when_it_is_empty(client: httpx.Client) -> None:
    _made(client, "/workspaces", name="team")
    _made(client, "/team/upstreams", name="u.test")
    assert _message(client.delete("/workspaces/team")) == (400, "Workspace is not empty")
    client.delete("/team/upstreams/u.test")
    assert client.delete("/workspaces/team").status_code == 204
    _made(client, "/workspaces", name="team")
    _made(client, "/team/upstreams", name="u.test")
    assert client.delete("/workspaces/team?cascade=true").status_code == 204
    _made(client, "/workspaces", name="team")
    assert _data(client, "/team/upstreams") == []


def test_the_default_workspace_and_names_of_workspaces_stay(client: httpx.Client) -> None:
    refused = client.delete("/workspaces/default")
    assert _message(refused) == (400, "Cannot delete default workspace")
    refused = client.patch("/workspaces/default", json={"name": "other"})
    assert _message(refused) == (400, "Cannot rename a workspace")
    (default,) = _data(client, "/workspaces")
    refused = client.put(f"/workspaces/{default['id']}", json={"name": "other"})
    assert _message(refused) == (400, "Cannot rename a workspace")
    kept = client.put("/workspaces/default", json={"name": "other", "comment": "c"}).json()
    assert (kept["id"], kept["name"], kept["comment"]) == (default["id"], "default", "c")
    assert [each["name"] for each in _data(client, "/workspaces")] == ["default"]


def test_a_restart_keeps_every_workspace(tmp_path: pathlib.Path) -> None:
    options = ("--edition", "enterprise", "--state", str(tmp_path / "state.json"))
    with sandbox(*options) as first:
        first.call("POST", "/workspaces", {"name": "team"})
        first.call("POST", "/team/upstreams", {"name": "u.test"})
        known = first.entities("/workspaces")
    with sandbox(*options) as second:
        assert second.entities("/workspaces") == known
        assert [each["name"] for each in second.entities("/team/upstreams")] == ["u.test"]
        assert second.entities("/upstreams") == []


def test_the_token_is_asked_for_behind_a_prefix_too() -> None:
    with sandbox("--edition", "enterprise", "--admin-token", "t0ken") as gateway:
        url = f"{gateway.admin_url}/default/upstreams"
        without = httpx.get(url, trust_env=False)
        given = httpx.get(url, headers={"Kong-Admin-Token": "t0ken"}, trust_env=False)
    assert _message(without) == (401, "Invalid RBAC credentials")
    assert given.status_code == 200


@pytest.mark.parametrize(
    "end", [("DELETE", "/workspaces/team?cascade=true"), ("POST", "/sandbox/reset")]
)
def test_the_proxy_serves_the_routes_of_every_workspace(end: tuple[str, str]) -> None:
    with sandbox("--edition", "enterprise", "--propagation", "0") as gateway:
        gateway.call("POST", "/workspaces", {"name": "team"})
        gateway.call("POST", "/team/routes", {"name": "r", "paths": ["/team"]})

        def asked() -> str:
            answer = httpx.get(f"{gateway.proxy_url}/team", trust_env=False)
            assert answer.headers["server"] == "kong/3.10.0.1-enterprise-edition"
            return str(answer.json()["message"])

        eventually(lambda: asked() == "no Service found with those values")
        gateway.call(*end)
        eventually(lambda: asked() == "no Route matched with those values")
