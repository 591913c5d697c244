# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as Konnect: where it differs from a gateway's Admin API."""

from __future__ import annotations

import pathlib
import ssl
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.certificates import self_signed
from harness.gateway import sandbox
from sandbox_tests.cluster_support import Authority
from sandbox_tests.konnect_support import TOKEN, Konnect, konnect

GROUP = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
KIC = "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"


@pytest.fixture(scope="module")
def running() -> Iterator[Konnect]:
    with konnect() as client:
        yield client


@pytest.fixture
def client(running: Konnect) -> Konnect:
    """Konnect with a default control plane and nothing else."""
    running.reset()
    return running


@pytest.fixture
def core(client: Konnect) -> str:
    """The path of the default control plane's entities."""
    return f"{client.control_plane()}/core-entities"


def _names(listed: Any) -> list[str]:
    return [each["name"] for each in listed["data"]]


# -- tokens


@pytest.mark.parametrize("token", [None, "kpat_other"])
def test_a_token_is_asked_for_in_both_shapes(token: str | None) -> None:
    with sandbox("--mode", "konnect", "--admin-token", TOKEN) as gateway:
        stranger, member = Konnect(gateway.admin_url, token), Konnect(gateway.admin_url)
        plane = member.control_plane()
        problem = stranger.call("GET", "/control-planes", status=401)
        assert problem["title"] == "Unauthenticated"
        assert problem["instance"].startswith("konnect:trace:")
        refused = stranger.call("GET", f"{plane}/core-entities/services", status=401)
        expected = "No API key found in request" if token is None else "Unauthorized"
        assert refused == {"message": expected, "status": 401}


def test_any_token_is_good_where_none_is_told(client: Konnect) -> None:
    other = Konnect(str(client.client.base_url), "spat_any")
    assert _names(other.call("GET", "/control-planes")) == ["default"]
    Konnect(str(client.client.base_url), None).call("GET", "/control-planes", status=401)


# -- control planes


def test_control_planes_are_paged_by_number_filtered_and_sorted(client: Konnect) -> None:
    for name in ("b-plane", "a-plane", "c-other"):
        client.made("/control-planes", name=name, labels={"team": name[0]})
    client.made("/control-planes", name="kic", cluster_type=KIC)
    page = client.call("GET", "/control-planes?page[size]=2&page[number]=2")
    assert page["meta"] == {"page": {"number": 2, "size": 2, "total": 5}}
    assert _names(page) == ["a-plane", "c-other"]
    for query, expected in (
        ("filter[name][eq]=a-plane", ["a-plane"]),
        ("filter[name][contains]=plane", ["b-plane", "a-plane"]),
        ("filter[name][neq]=kic&filter[name][contains]=c", ["c-other"]),
        (f"filter[cluster_type][eq]={KIC}", ["kic"]),
        (f"filter[cluster_type][neq]={KIC}&labels=team", ["b-plane", "a-plane", "c-other"]),
        ("labels=team:a", ["a-plane"]),
        ("filter[cloud_gateway]=true", []),
        ("labels=team&sort=name", ["a-plane", "b-plane", "c-other"]),
        ("labels=team&sort=name desc", ["c-other", "b-plane", "a-plane"]),
    ):
        assert _names(client.call("GET", f"/control-planes?{query}")) == expected, query
    ids = ",".join(each["id"] for each in page["data"])
    assert len(client.call("GET", f"/control-planes?filter[id][oeq]={ids}")["data"]) == 2
    for query in ("filter[colour][eq]=red", "filter[id][contains]=a", "page[size]=0", "sort=x"):
        client.call("GET", f"/control-planes?{query}", status=400)


def test_what_is_wrong_with_a_control_plane_is_told_by_field(client: Konnect) -> None:
    body = {"name": "x", "colour": "red", "cluster_type": "none", "labels": {"kong-a": "b"},
            "proxy_urls": [{"host": "a.test", "port": 0, "protocol": "http"}]}
    problem = client.call("POST", "/control-planes", body, 400)
    fields = {each["field"]: each["reason"] for each in problem["invalid_parameters"]}
    assert set(fields) == {"name", "colour", "cluster_type", "labels.kong-a", "proxy_urls[0].port"}
    assert fields["colour"] == "property colour should not exist"
    assert problem["instance"].startswith("konnect:trace:")


def test_a_name_is_taken_once(client: Konnect) -> None:
    one = client.made("/control-planes", name="one")
    problem = client.call("POST", "/control-planes", {"name": "one"}, 409)
    assert (problem["title"], "already exists" in problem["detail"]) == ("Conflict", True)
    client.call("PATCH", f"/control-planes/{one['id']}", {"name": "default"}, 409)
    client.call("PATCH", f"/control-planes/{one['id']}", {"cluster_type": KIC}, 400)
    assert client.call("PATCH", f"/control-planes/{one['id']}", {"name": "one"})["name"] == "one"


def test_control_planes_keep_their_entities_apart(client: Konnect, core: str) -> None:
    other = client.made("/control-planes", name="other")
    place = f"/control-planes/{other['id']}"
    client.made(f"{core}/services", name="s", host="a.test")
    client.made(f"{place}/core-entities/services", name="s", host="b.test")
    hashes = [
        client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
        for plane in (client.control_plane(), place)
    ]
    assert hashes[0] != hashes[1]
    client.call("DELETE", place, status=204)
    missing = client.call("GET", f"{place}/core-entities/services", status=404)
    assert missing == {"code": 5, "message": "not found"}
    assert client.call("GET", place, status=404)["title"] == "Not Found"


@pytest.mark.parametrize("cluster_type", [GROUP, KIC])
def test_groups_and_ingress_controllers_are_not_written(client: Konnect, cluster_type: str) -> None:
    plane = client.made("/control-planes", name="kept", cluster_type=cluster_type)
    services = f"/control-planes/{plane['id']}/core-entities/services"
    refused = client.call("POST", services, {"host": "a.test"}, 403)
    assert (refused["code"], refused["message"]) == (7, "usage constraint error")
    assert client.call("GET", services) == {"data": []}


def test_members_of_a_group_agree_on_names(client: Konnect, core: str) -> None:
    other = client.made("/control-planes", name="other")
    group = client.made("/control-planes", name="all", cluster_type=GROUP)
    place = f"/control-planes/{group['id']}"
    ids = [client.control_plane().split("/")[-1], other["id"]]
    body = {"members": [{"id": each} for each in ids]}
    client.call("PUT", f"{place}/group-memberships", body, 204)
    listed = client.call("GET", f"{place}/group-memberships?page[size]=1")
    assert listed["meta"]["page"]["total"] == 2
    after = listed["meta"]["page"]["next"].removeprefix("/v2")
    assert client.call("GET", after)["data"][0]["id"] == max(ids)
    for entities in (core, f"/control-planes/{other['id']}/core-entities"):
        client.made(f"{entities}/services", name="s", host="a.test")
    status = client.call("GET", f"{place}/group-status")["item"]
    assert status["state"] == "CONFLICT"
    assert [each["resource"]["type"] for each in status["conflicts"]] == ["service"]
    client.call("POST", f"{place}/group-memberships/add", {"members": [{"id": group["id"]}]}, 400)
    client.call("POST", f"{place}/group-memberships/add", {"members": [{"id": "none"}]}, 400)


# -- core entities


def test_constraints_are_400_with_details(client: Konnect, core: str) -> None:
    upstream = client.made(f"{core}/upstreams", name="u.test")
    targets = f"{core}/upstreams/{upstream['id']}/targets"
    client.made(targets, target="10.0.0.1")
    for path, body, field, message in (
        (f"{core}/upstreams", {"name": "u.test"}, "name",
         "name (type: unique) constraint failed for value 'u.test': "),
        (targets, {"target": "10.0.0.1:8000"}, "target",
         "target (type: unique) constraint failed for value '10.0.0.1:8000': "),
        (f"{core}/routes", {"paths": ["/a"], "service": {"id": str(uuid.UUID(int=4 << 76))}},
         "service.id", f"service_id (type: foreign) constraint failed for value "
         f"'{uuid.UUID(int=4 << 76)}': "),
    ):
        refused = client.call("POST", path, body, 400)
        assert (refused["code"], refused["message"]) == (3, "data constraint error")
        (detail,) = refused["details"]
        assert (detail["type"], detail["field"]) == ("ERROR_TYPE_REFERENCE", field)
        assert detail["messages"] == [message]
    client.made(f"{core}/plugins", name="cors")
    (detail,) = client.call("POST", f"{core}/plugins", {"name": "cors"}, 400)["details"]
    assert "field" not in detail
    assert detail["messages"][0].startswith("unique-plugin-per-entity (type: unique) constraint")


def test_wrong_fields_are_told_one_by_one(client: Konnect, core: str) -> None:
    body = {"name": "a b", "healthchecks": {"active": {"type": "x"}}, "tags": ["a", 1], "no": 1}
    refused = client.call("POST", f"{core}/upstreams", body, 400)
    assert (refused["code"], refused["message"]) == (3, "validation error")
    fields = {detail["field"] for detail in refused["details"]}
    assert fields == {"name", "healthchecks.active.type", "tags[1]", "no"}


def test_put_replaces_the_whole_entity_and_creates_a_missing_one(
    client: Konnect, core: str
) -> None:
    upstream = client.made(f"{core}/upstreams", name="u.test", slots=100, tags=["a"])
    place = f"{core}/upstreams/{upstream['id']}"
    replaced = client.call("PUT", place, {"name": "u.test"})
    assert (replaced["slots"], "tags" in replaced) == (10000, False)
    assert replaced["created_at"] == upstream["created_at"]
    new = str(uuid.uuid4())
    made = client.call("PUT", f"{place}/targets/{new}", {"target": "a.test:80", "weight": 7})
    assert (made["id"], made["weight"]) == (new, 7)
    again = client.call("PUT", f"{place}/targets/{new}", {"target": "a.test:80"})
    assert (again["id"], again["weight"]) == (new, 100)


def test_a_stored_hash_on_of_none_that_is_sent_back_flips_consistent_hashing(
    client: Konnect, core: str
) -> None:
    body = {"name": "u.test", "algorithm": "consistent-hashing", "hash_on": "none"}
    assert client.made(f"{core}/upstreams", **body)["algorithm"] == "round-robin"


def test_writes_go_by_id_and_reads_by_name_too(client: Konnect, core: str) -> None:
    service = client.made(f"{core}/services", name="s", host="a.test")
    assert client.call("GET", f"{core}/services/s") == service
    for method, body in (("PUT", {"host": "b.test"}), ("DELETE", None)):
        refused = client.call(method, f"{core}/services/s", body, 400)
        assert refused == {"code": 3, "message": " 's' is not a valid uuid"}


def test_lists_are_paged_by_size_and_offset_and_filtered(client: Konnect, core: str) -> None:
    upstream = client.made(f"{core}/upstreams", name="u.test")
    for number in range(5):
        tags = ["even" if number % 2 == 0 else "odd", "all"]
        client.made(f"{core}/services", name=f"s-{number}", host="a.test", tags=tags)
        client.made(f"{core}/upstreams/{upstream['id']}/targets", target=f"t-{number}", tags=tags)
    for kind in ("services", "targets", f"upstreams/{upstream['id']}/targets"):
        found, offset = [], ""
        while True:
            page = client.call("GET", f"{core}/{kind}?size=2{offset}")
            found += [each["id"] for each in page["data"]]
            if "offset" not in page:
                break
            offset = f"&offset={page['offset']}"
        assert len(found) == len(set(found)) == 5
        assert "next" not in page
        assert len(client.call("GET", f"{core}/{kind}?tags=even,all")["data"]) == 3
        assert len(client.call("GET", f"{core}/{kind}?tags=even/odd")["data"]) == 5
    assert _names(client.call("GET", f"{core}/services?filter[name][eq]=s-1")) == ["s-1"]
    assert len(client.call("GET", f"{core}/services?filter[name][contains]=s-")["data"]) == 5
    # Upstreams and targets do not have the filter: it is as if it was not there.
    assert _names(client.call("GET", f"{core}/upstreams?filter[name][eq]=none")) == ["u.test"]
    client.call("GET", f"{core}/services?size=0", status=400)
    client.call("GET", f"{core}/targets?size=0", status=400)


def test_defaults_are_the_newest_and_nulls_are_left_out(client: Konnect, core: str) -> None:
    route = client.made(f"{core}/routes", paths=["/a"], name=None)
    assert route["protocols"] == ["https"]
    assert "methods" not in route and "name" not in route
    plugin = client.made(f"{core}/plugins", name="cors", config={"max_age": None})
    assert plugin["config"]["max_age"] is None
    upstream = client.made(f"{core}/upstreams", name="u", algorithm="sticky-sessions",
                           sticky_sessions_cookie="c")
    assert upstream["sticky_sessions_cookie_path"] == "/"


def test_certificates_have_no_snis(client: Konnect, core: str, tmp_path: pathlib.Path) -> None:
    pair = Authority(tmp_path).alone("a.test")
    body = {"cert": pair.certificate.read_text(), "key": pair.key.read_text()}
    refused = client.call("POST", f"{core}/certificates", {**body, "snis": ["a.test"]}, 400)
    assert refused["details"][0]["field"] == "snis"
    certificate = client.made(f"{core}/certificates", **body)
    key = {"certificate": {"id": certificate["id"]}}
    client.made(f"{core}/snis", name="a.test", **key)
    assert "snis" not in client.call("GET", f"{core}/certificates/{certificate['id']}")


def test_workspaces_stand_after_core_entities(client: Konnect, core: str) -> None:
    client.made(f"{core}/workspaces", name="team")
    assert client.call("GET", f"{core}/workspaces/team")["name"] == "team"
    client.call("GET", f"{core}/workspaces/none", status=404)
    client.made(f"{core}/team/services", name="s", host="a.test")
    assert client.call("GET", f"{core}/services") == {"data": []}
    assert client.call("GET", f"{core}/default/services") == {"data": []}
    assert _names(client.call("GET", f"{core}/team/services")) == ["s"]


@pytest.mark.parametrize(
    "path", ["status", "tags/a", "config", "upstreams/u/health", "clustering/data-planes", ""]
)
def test_what_only_gateways_have_is_not_found(client: Konnect, core: str, path: str) -> None:
    client.call("GET", f"{core}/{path}", status=404)


@pytest.mark.parametrize(
    "name", ["service", "route", "upstream", "target", "ca-certificate", "key-set", "jwt",
             "hmac-auth", "consumer_group", "sni", "key", "partial"],
)
def test_schemas_of_entities_are_json_schemas(client: Konnect, core: str, name: str) -> None:
    schema = client.call("GET", f"{core}/v1/schemas/json/{name}")
    assert schema["type"] == "object" and schema["properties"]["tags"]["type"] == "array"
    if name == "upstream":
        active = schema["properties"]["healthchecks"]["properties"]["active"]["properties"]
        assert active["concurrency"]["default"] == 10
        assert schema["required"] == ["name"]
    client.call("GET", f"{core}/v1/schemas/json/none", status=404)


def test_the_schema_of_vaults_has_a_condition_for_each_type(client: Konnect, core: str) -> None:
    (condition,) = client.call("GET", f"{core}/v1/schemas/json/vault")["allOf"]
    assert condition["if"]["properties"]["name"] == {"const": "env"}
    config = condition["then"]["properties"]["config"]["properties"]["env"]
    assert config["properties"]["prefix"] == {"type": "string"}


def test_a_control_plane_pins_at_most_32_certificates(
    client: Konnect, tmp_path: pathlib.Path
) -> None:
    text = Authority(tmp_path).alone("dp").certificate.read_text()
    certificates = f"{client.control_plane()}/dp-client-certificates"
    for _number in range(32):
        client.made(certificates, cert=text)
    client.call("POST", certificates, {"cert": text}, 400)
    assert client.call("GET", certificates)["page"] == {"total_count": 32}


# -- what all of it has


@pytest.mark.parametrize("headers", [{"Retry-After": "1"}, {}])
def test_the_rate_limit_is_a_fault(client: Konnect, headers: dict[str, str]) -> None:
    fault = {"kind": "answer", "status": 429, "headers": headers,
             "body": '{"message":"API rate limit exceeded"}'}
    client.client.post("/sandbox/faults", json=fault).raise_for_status()
    limited = httpx.get(f"{client.client.base_url}/v2/control-planes", trust_env=False)
    assert (limited.status_code, limited.headers.get("retry-after")) == (
        429, headers.get("Retry-After"),
    )
    assert _names(client.call("GET", "/control-planes")) == ["default"]


def test_deck_finds_the_older_list_and_the_organization(client: Konnect) -> None:
    client.made("/control-planes", name="one")
    page = client.client.get("/konnect-api/api/runtime_groups?size=1&page=2").json()
    assert (_names(page), page["page"], page["pageCount"]) == (["one"], 2, 2)
    assert client.call("GET", "/organizations/me")["name"] == "Kong"


def test_an_unknown_content_type_is_a_problem(client: Konnect, core: str) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = client.client.post(f"/other{core}", content="x", headers=headers)
    assert answer.status_code == 404
    answer = client.client.request("PATCH", "/v2/control-planes", content="x", headers=headers)
    assert answer.status_code == 405
    broken = client.client.post("/v2/control-planes", content="{", headers={
        "Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["title"]) == (400, "Bad Request")
    wrong = httpx.post(f"{client.client.base_url}/v2/control-planes", content="x", headers={
        **headers, "Authorization": "Bearer x"}, trust_env=False)
    assert (wrong.status_code, wrong.headers["content-type"]) == (415, "application/problem+json")


def test_it_outlives_the_run_with_a_state_file(tmp_path: pathlib.Path) -> None:
    options = ("--state", str(tmp_path / "state.json"))
    with konnect(*options) as client:
        plane = client.made("/control-planes", name="kept")
        client.made(f"/control-planes/{plane['id']}/core-entities/services", host="a.test")
    with konnect(*options) as client:
        assert client.call("GET", f"/control-planes/{plane['id']}") == plane
        services = f"/control-planes/{plane['id']}/core-entities/services"
        assert len(client.call("GET", services)["data"]) == 1


def test_it_speaks_tls_when_asked(tmp_path: pathlib.Path) -> None:
    pair = self_signed(tmp_path, "konnect")
    options = ("--admin-tls-cert", pair.certificate, "--admin-tls-key", pair.key)
    with sandbox("--mode", "konnect", "--organization", "Us", *options) as gateway:
        assert gateway.admin_url.startswith("https://")
        trusted = ssl.create_default_context(cafile=pair.certificate)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{gateway.admin_url}/v2/organizations/me"
        answer = httpx.get(url, verify=trusted, headers=headers, trust_env=False)
        assert answer.json()["name"] == "Us"
