# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as Konnect serves every path and method of Konnect's documents, as they say.

The client validates each answer; what is refused is validated, too.
"""

from __future__ import annotations

import json
import pathlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox_tests.cluster_support import Authority
from sandbox_tests.konnect_support import Entity, Konnect, documented, konnect


@pytest.fixture(scope="module")
def client() -> Iterator[Konnect]:
    with konnect() as running:
        yield running


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    pair = Authority(tmp_path_factory.mktemp("pem")).alone("a.test")
    return pair.certificate.read_text(), pair.key.read_text()


def _cycle(client: Konnect, base: str, body: Entity, changed: Entity) -> Entity:
    """Create, list, read, replace, and read again; the entity.

    What was read and is sent back changes nothing: so clients change one field.
    """
    entity = client.made(base, **body)
    place = f"{base}/{entity['id']}"
    assert entity["id"] in [each["id"] for each in client.call("GET", base)["data"]]
    assert client.call("GET", place)["id"] == entity["id"]
    replaced = client.call("PUT", place, {**body, **changed})
    assert {name: replaced[name] for name in changed} == changed
    found: Entity = client.call("GET", place)
    again = client.call("PUT", f"{place}?skip_hash=true", found)
    assert {**again, "updated_at": 0} == {**found, "updated_at": 0}
    return found


def _removed(client: Konnect, place: str) -> None:
    client.call("DELETE", place, status=204)
    client.call("GET", place, status=404)
    client.call("DELETE", place, status=204)


def _walk_balancing(client: Konnect, core: str) -> None:
    tags = {"tags": ["t"]}
    upstream = _cycle(client, f"{core}/upstreams", {"name": "u.test"}, tags)
    targets = f"{core}/upstreams/{upstream['id']}/targets"
    target = _cycle(client, targets, {"target": "10.0.0.1"}, {"weight": 5, **tags})
    assert [each["id"] for each in client.call("GET", f"{core}/targets")["data"]] == [target["id"]]
    _removed(client, f"{targets}/{target['id']}")
    _removed(client, f"{core}/upstreams/{upstream['id']}")


def _walk_routing(client: Konnect, core: str) -> None:
    service = _cycle(client, f"{core}/services", {"name": "s", "host": "u.test"}, {"port": 81})
    routes = f"{core}/services/{service['id']}/routes"
    below = _cycle(client, routes, {"paths": ["/a"]}, {"paths": ["/b"]})
    route = _cycle(client, f"{core}/routes", {"name": "r", "hosts": ["a.test"]}, {"paths": ["/c"]})
    places = [core, f"{core}/services/{service['id']}", f"{core}/routes/{route['id']}"]
    for place in places:
        plugins = f"{place}/plugins"
        plugin = _cycle(client, plugins, {"name": "cors"}, {"tags": ["t"]})
        _removed(client, f"{plugins}/{plugin['id']}")
    _removed(client, f"{routes}/{below['id']}")
    _removed(client, f"{core}/routes/{route['id']}")
    _removed(client, f"{core}/services/{service['id']}")


def _walk_certificates(client: Konnect, core: str, pem: tuple[str, str]) -> Entity:
    own = {"cert": pem[0], "key": pem[1]}
    certificate = _cycle(client, f"{core}/certificates", own, {"tags": ["t"]})
    assert "snis" not in certificate
    snis = f"{core}/certificates/{certificate['id']}/snis"
    below = _cycle(client, snis, {"name": "a.test"}, {"tags": ["t"]})
    key = {"certificate": {"id": certificate["id"]}}
    sni = _cycle(client, f"{core}/snis", {"name": "b.test", **key}, {"tags": ["t"]})
    _removed(client, f"{snis}/{below['id']}")
    _removed(client, f"{core}/snis/{sni['id']}")
    _removed(client, f"{core}/certificates/{certificate['id']}")
    authority = _cycle(client, f"{core}/ca_certificates", {"cert": pem[0]}, {"tags": ["t"]})
    return authority


CREDENTIALS: dict[str, tuple[str, Entity, Entity]] = {
    "acl": ("acls", {"group": "g"}, {"group": "h"}),
    "basic-auth": ("basic-auths", {"username": "b", "password": "p"}, {"username": "c"}),
    "hmac-auth": ("hmac-auths", {"username": "b"}, {"username": "c"}),
    "jwt": ("jwts", {"key": "k"}, {"key": "l"}),
    "key-auth": ("key-auths", {"key": "k"}, {"key": "l"}),
    "mtls-auth": ("mtls-auths", {"subject_name": "a"}, {"subject_name": "b"}),
}


def _walk_consumers(client: Konnect, core: str) -> None:
    consumer = _cycle(client, f"{core}/consumers", {"username": "bob"}, {"custom_id": "1"})
    place = f"{core}/consumers/{consumer['id']}"
    for name, (whole, body, changed) in CREDENTIALS.items():
        below = f"{place}/{'acls' if name == 'acl' else name}"
        credential = _cycle(client, below, body, changed)
        assert client.call("GET", f"{core}/{whole}")["data"][0]["id"] == credential["id"]
        assert client.call("GET", f"{core}/{whole}/{credential['id']}")["id"] == credential["id"]
        client.call("POST", f"{core}/{whole}", body, 405)
        _removed(client, f"{below}/{credential['id']}")
    plugin = _cycle(client, f"{place}/plugins", {"name": "request-size-limiting"}, {"tags": ["t"]})
    _removed(client, f"{place}/plugins/{plugin['id']}")
    _walk_groups(client, core, consumer)
    _removed(client, place)


def _walk_groups(client: Konnect, core: str, consumer: Entity) -> None:
    group = client.made(f"{core}/consumer_groups", name="gold")
    place = f"{core}/consumer_groups/{group['id']}"
    assert client.call("GET", f"{core}/consumer_groups")["data"] == [group]
    client.call("PUT", place, {"name": "gold", "tags": ["t"]})
    assert client.call("GET", place)["consumer_group"]["tags"] == ["t"]
    joined = f"{core}/consumers/{consumer['id']}/consumer_groups"
    for members, member, name in (
        (f"{place}/consumers", consumer["id"], {"consumer": "bob"}),
        (joined, group["id"], {"group": "gold"}),
    ):
        client.call("POST", members, name, 201)
        assert [each["id"] for each in client.call("GET", members)["data"]] == [member]
        client.call("DELETE", f"{members}/{member}", status=204)
        client.call("POST", members, name, 201)
        client.call("DELETE", members, status=204)
        assert client.call("GET", members)["data"] == []
    plugin = _cycle(client, f"{place}/plugins", {"name": "request-size-limiting"}, {"tags": ["t"]})
    _removed(client, f"{place}/plugins/{plugin['id']}")
    _removed(client, place)


def _walk_keys(client: Konnect, core: str) -> None:
    key_set = _cycle(client, f"{core}/key-sets", {"name": "s"}, {"tags": ["t"]})
    jwk = '{"kty":"RSA","kid":"%s","n":"sw","e":"AQAB"}'
    body = {"kid": "1", "jwk": jwk % 1}
    below = f"{core}/key-sets/{key_set['id']}/keys"
    first = _cycle(client, below, body, {"tags": ["t"]})
    second = _cycle(client, f"{core}/keys", {"kid": "2", "jwk": jwk % 2}, {"tags": ["t"]})
    _removed(client, f"{below}/{first['id']}")
    _removed(client, f"{core}/keys/{second['id']}")
    _removed(client, f"{core}/key-sets/{key_set['id']}")
    vault = {"name": "env", "prefix": "env-one", "config": {"prefix": "E_"}}
    kept = _cycle(client, f"{core}/vaults", vault, {"description": "d"})
    _removed(client, f"{core}/vaults/{kept['id']}")
    partial = {"name": "p", "type": "redis-ce", "config": {"host": "r.test"}}
    linked = _cycle(client, f"{core}/partials", partial, {"tags": ["t"]})
    _removed(client, f"{core}/partials/{linked['id']}")


def _walk_the_rest(client: Konnect, plane: str, pem: tuple[str, str]) -> None:
    core = f"{plane}/core-entities"
    for path in ("custom-plugins", "degraphql_routes", "graphql-rate-limiting-advanced/costs"):
        assert client.call("GET", f"{core}/{path}") == {"data": []}
    assert client.call("GET", f"{core}/schemas/plugins/cors")["fields"]
    assert client.call("GET", f"{core}/schemas/partials/redis-ce")["fields"]
    assert client.call("POST", f"{core}/schemas/upstream/validate", {"name": "u"})["message"]
    client.call("POST", f"{core}/schemas/upstream/validate", {"name": "a b"}, 400)
    certificates = f"{plane}/dp-client-certificates"
    item = client.made(certificates, cert=pem[0], title="one")["item"]
    assert client.call("GET", certificates) == {"items": [item], "page": {"total_count": 1}}
    place = f"{certificates}/{item['id']}"
    assert client.call("PUT", place, {"cert": pem[0], "title": "two"})["item"]["title"] == "two"
    assert client.call("GET", place)["item"]["created_at"] == item["created_at"]
    client.call("POST", certificates, {"cert": "none"}, 400)
    client.call("DELETE", place, status=204)
    client.call("GET", place, status=404)
    client.call("DELETE", place, status=404)
    assert client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
    assert client.call("GET", f"{plane}/expected-config-version")["expected_config_version"]


def _walk_control_planes(client: Konnect) -> None:
    plane = client.made("/control-planes", name="one", labels={"team": "a"})
    place = f"/control-planes/{plane['id']}"
    assert client.call("GET", place) == plane
    assert client.call("PATCH", place, {"description": "d"})["description"] == "d"
    group_type = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
    group = client.made("/control-planes", name="all", cluster_type=group_type)
    members = f"/control-planes/{group['id']}/group-memberships"
    body = {"members": [{"id": plane["id"]}]}
    client.call("POST", f"{members}/add", body, 204)
    listed = client.call("GET", members)
    assert [each["id"] for each in listed["data"]] == [plane["id"]]
    assert client.call("GET", f"{place}/group-member-status") == {"is_member": True}
    status = client.call("GET", f"/control-planes/{group['id']}/group-status")
    assert status["item"]["state"] == "OK"
    client.call("POST", f"{members}/remove", body, 204)
    client.call("PUT", members, body, 204)
    client.call("PUT", members, {"members": []}, 204)
    assert client.call("GET", members)["meta"]["page"]["total"] == 0
    client.call("DELETE", place, status=204)
    client.call("DELETE", place, status=404)
    client.call("DELETE", f"/control-planes/{group['id']}", status=204)


#: Operations that need a data plane: the tests of hybrid deployments make them.
WITH_NODES = {
    ("GET", "/control-planes/{controlPlaneId}/nodes/{nodeId}"),
    ("DELETE", "/control-planes/{controlPlaneId}/nodes/{nodeId}"),
}


def test_every_documented_operation_succeeds_as_documented(
    client: Konnect, pem: tuple[str, str]
) -> None:
    _walk_control_planes(client)
    plane = client.control_plane()
    core = f"{plane}/core-entities"
    _walk_balancing(client, core)
    _walk_routing(client, core)
    authority = _walk_certificates(client, core, pem)
    _walk_consumers(client, core)
    _removed(client, f"{core}/ca_certificates/{authority['id']}")
    _walk_keys(client, core)
    _walk_the_rest(client, plane, pem)
    for path in ("nodes", "nodes/eol"):
        assert client.call("GET", f"{plane}/{path}") == {"items": [], "page": {"total_count": 0}}
    assert documented() - client.seen == WITH_NODES


def test_no_core_entity_is_patched(client: Konnect) -> None:
    core = f"{client.control_plane()}/core-entities"
    for path in sorted({path for _method, path in documented() if "/core-entities/" in path}):
        parts = path.split("/core-entities")[1].split("/")
        filled = "/".join(str(uuid.uuid4()) if part.startswith("{") else part for part in parts)
        client.call("PATCH", f"{core}{filled}", {}, 405)


def test_the_documents_are_those_that_konnect_publishes() -> None:
    shared = pathlib.Path(__file__).resolve().parents[3] / "shared/specs"
    if not shared.is_dir():
        pytest.skip("Konnect's documents are not at hand")
    _same(shared, "konnect-control-planes")
    _same(shared, "konnect-core-entities")


def _same(shared: pathlib.Path, name: str) -> None:
    ours = json.loads((pathlib.Path(__file__).parents[1] / f"sandbox/data/{name}.json").read_text())
    theirs: Any = json.loads((shared / f"{name}.json").read_text())
    for kind, parts in ours["components"].items():
        for part, schema in parts.items():
            assert theirs["components"][kind][part] == schema
    for path, methods in ours["paths"].items():
        for method, operation in methods.items():
            assert operation["responses"] == theirs["paths"][path][method]["responses"]
