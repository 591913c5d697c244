# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the Admin API that no recording shows whole: forms, paging, tags, nested paths, TLS."""

from __future__ import annotations

import pathlib
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateway import sandbox
from sandbox import patterns, values


@pytest.fixture(scope="module")
def running() -> Iterator[httpx.Client]:
    """A client for one sandbox, shared by the module."""
    with (
        sandbox() as gateway,
        httpx.Client(base_url=gateway.admin_url, trust_env=False, timeout=10) as client,
    ):
        yield client


@pytest.fixture
def client(running: httpx.Client) -> httpx.Client:
    """The sandbox, empty."""
    running.post("/sandbox/reset")
    return running


def _made(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    entity: dict[str, Any] = answer.json()
    return entity


def _pages(client: httpx.Client, path: str, size: int) -> list[list[str]]:
    """The names on each page, followed by offset."""
    pages: list[list[str]] = []
    params: dict[str, Any] = {"size": size}
    while True:
        page = client.get(path, params=params).json()
        pages.append([entity.get("name") or entity["target"] for entity in page["data"]])
        if page["next"] is None:
            assert "offset" not in page
            return pages
        params["offset"] = page["offset"]


def test_pages_hold_everything_once(client: httpx.Client) -> None:
    for number in range(7):
        _made(client, "/services", name=f"s{number}", host="h.test")
    pages = _pages(client, "/services", 3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(name for page in pages for name in page) == [f"s{n}" for n in range(7)]


def test_targets_are_paged_newest_first_and_stay_in_place_when_changed(
    client: httpx.Client,
) -> None:
    _made(client, "/upstreams", name="u.test")
    for number in range(5):
        _made(client, "/upstreams/u.test/targets", target=f"10.0.0.{number}:80")
    client.patch("/upstreams/u.test/targets/10.0.0.0:80", json={"weight": 7})
    pages = _pages(client, "/upstreams/u.test/targets", 2)
    assert pages == [
        ["10.0.0.4:80", "10.0.0.3:80"],
        ["10.0.0.2:80", "10.0.0.1:80"],
        ["10.0.0.0:80"],
    ]


def test_forms_give_the_types_that_the_schema_asks(client: httpx.Client) -> None:
    form = "name=f&protocols[]=http&paths[1]=/a&paths[2]=/b&regex_priority=3&strip_path=false"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    route = client.post("/routes", content=form, headers=headers).json()
    assert route["protocols"] == ["http"]
    assert route["paths"] == ["/a", "/b"]
    assert (route["regex_priority"], route["strip_path"]) == (3, False)
    form = "name=rate-limiting&config.minute=5&config.redis.ssl=true&tags=one"
    plugin = client.post("/plugins", content=form, headers=headers).json()
    assert (plugin["config"]["minute"], plugin["config"]["redis"]["ssl"]) == (5, True)
    assert plugin["tags"] == ["one"]


def test_multipart_forms_are_read(client: httpx.Client) -> None:
    answer = client.post("/services", files={"name": (None, "m"), "host": (None, "h.test")})
    assert (answer.status_code, answer.json()["name"]) == (201, "m")


def test_tags_filter_every_list_but_that_of_targets(client: httpx.Client) -> None:
    _made(client, "/consumers", username="a", tags=["red", "blue"])
    _made(client, "/consumers", username="b", tags=["red"])
    names = {
        query: sorted(c["username"] for c in client.get(f"/consumers?tags={query}").json()["data"])
        for query in ("red", "red,blue", "blue/none", "none")
    }
    assert names == {"red": ["a", "b"], "red,blue": ["a"], "blue/none": ["a"], "none": []}
    tagged = client.get("/tags/red").json()["data"]
    assert [item["entity_name"] for item in tagged] == ["consumers", "consumers"]
    assert len(client.get("/tags").json()["data"]) == 3


def test_a_foreign_key_is_a_path_of_its_own(client: httpx.Client) -> None:
    _made(client, "/services", name="s", host="h.test")
    _made(client, "/routes", name="r", paths=["/"])
    assert client.get("/routes/r/service").status_code == 404
    made = client.put("/routes/r/service", json={"name": "t", "host": "i.test"})
    assert made.status_code == 200
    assert client.get("/routes/r").json()["service"] == {"id": made.json()["id"]}
    assert client.patch("/routes/r/service", json={"port": 81}).json()["port"] == 81
    assert client.get("/services/t").json()["port"] == 81


def test_deletes_go_along_or_are_refused_and_then_change_nothing(client: httpx.Client) -> None:
    _made(client, "/services", name="s", host="h.test")
    _made(client, "/services/s/routes", name="r", paths=["/"])
    _made(client, "/services/s/plugins", name="cors")
    assert client.delete("/services/s").status_code == 400
    assert len(client.get("/plugins").json()["data"]) == 1
    assert client.delete("/routes/r").status_code == 204
    assert client.delete("/services/s").status_code == 204
    assert client.get("/plugins").json()["data"] == []


def test_methods_are_answered_as_allowed(client: httpx.Client) -> None:
    headers = client.options("/upstreams").headers
    for name in ("allow", "access-control-allow-methods"):
        assert headers[name] == "GET, HEAD, OPTIONS, POST"
    assert client.put("/upstreams").status_code == 405
    head = client.head("/upstreams")
    assert (head.status_code, head.content) == (200, b"")
    assert client.options("/nope").status_code == 404


def test_an_older_name_is_written_to_its_new_place_and_shown_in_both(
    client: httpx.Client,
) -> None:
    config = {"minute": 5, "policy": "redis", "redis_host": "r.test"}
    plugin = _made(client, "/plugins", name="rate-limiting", config=config)
    assert plugin["config"]["redis"]["host"] == "r.test"
    assert plugin["config"]["redis_host"] == "r.test"
    changed = client.patch(
        f"/plugins/{plugin['id']}", json={"config": {"redis": {"host": "s.test"}}}
    ).json()
    assert changed["config"]["redis_host"] == "s.test"


def test_an_older_name_that_contradicts_the_newer_is_refused(client: httpx.Client) -> None:
    config = {"minute": 5, "redis_host": "r.test", "redis": {"host": "s.test"}}
    answer = client.post("/plugins", json={"name": "rate-limiting", "config": config})
    assert answer.json()["fields"] == {
        "config": {
            "redis_host": "both deprecated and new field are used but their values mismatch: "
            "redis_host = r.test vs redis.host = s.test"
        }
    }


def test_a_change_says_that_it_is_one(client: httpx.Client) -> None:
    _made(client, "/consumers", username="a")
    answer = client.patch("/consumers/a", json={"username": None})
    message = "at least one of these fields must be non-empty: 'custom_id', 'username'"
    assert answer.json()["fields"] == {"@entity": [f"when updating, {message}"]}


def test_what_is_answered_can_be_written_back_unchanged(client: httpx.Client) -> None:
    _made(client, "/services", name="s", url="https://h.test/p")
    _made(client, "/routes", name="r", paths=["/"], service={"name": "s"})
    _made(client, "/upstreams", name="u.test", hash_on="ip", tags=["x"])
    _made(client, "/consumers", username="c")
    _made(client, "/consumers/c/key-auth", key="k")
    _made(client, "/plugins", name="rate-limiting", config={"minute": 5}, service={"name": "s"})
    for path in ("services", "routes", "upstreams", "consumers", "key-auths", "plugins"):
        (entity,) = client.get(f"/{path}").json()["data"]
        # A ttl of null fails on real gateways (conformance: key_ttl).
        written = {key: value for key, value in entity.items() if key != "ttl"}
        for method in ("PUT", "PATCH"):
            answer = client.request(method, f"/{path}/{entity['id']}", json=written).json()
            assert {**answer, "updated_at": 0} == {**entity, "updated_at": 0}


def test_an_id_in_a_change_is_ignored(client: httpx.Client) -> None:
    made = _made(client, "/services", name="s", host="h.test")
    other = "0d6e1f6c-8a5e-4a4b-9f5e-3f0c2c1b7a10"
    assert client.patch("/services/s", json={"id": other}).json()["id"] == made["id"]
    assert [entity["id"] for entity in client.get("/services").json()["data"]] == [made["id"]]


@pytest.mark.parametrize("text", (b'{"host":NaN}', b'{"host":"\\ud800"}', b'{"host":'))
def test_what_is_not_json_is_refused(client: httpx.Client, text: bytes) -> None:
    response = client.post(
        "/services", content=text, headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()) == (400, {"message": "Cannot parse JSON body"})


def test_bodies_are_read_as_their_type_says(client: httpx.Client) -> None:
    announced = {"Content-Type": "application/json"}
    assert client.get("/services", headers=announced).json() == {
        "message": "Cannot parse JSON body"
    }
    assert client.post("/services", content=b"host=h.test").status_code == 415
    assert client.post("/upstreams").json()["fields"] == {"name": "required field missing"}


def test_a_written_id_is_kept_and_taken_once(client: httpx.Client) -> None:
    identifier = "0d6e1f6c-8a5e-4a4b-9f5e-3f0c2c1b7a10"
    assert _made(client, "/services", id=identifier, host="h.test")["id"] == identifier
    again = client.post("/services", json={"id": identifier, "host": "h.test"})
    assert (again.status_code, again.json()["code"]) == (400, 3)


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        ({"protocols": ["ftp"]}, {"protocols": "unknown type: ftp"}),
        ({"protocols": []}, {"protocols": "unknown type: nil"}),
        (
            {"protocols": ["http", "tcp"], "paths": ["/"]},
            {
                "protocols": "these sets are mutually exclusive: "
                "('http', 'https'), ('tcp', 'tls', 'udp')"
            },
        ),
        (
            {"protocols": ["grpc"], "hosts": ["a.test"], "strip_path": True},
            {"strip_path": "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'"},
        ),
        (
            {"protocols": ["tls_passthrough"]},
            {"@entity": ["must set snis when 'protocols' is 'tls_passthrough'"]},
        ),
        (
            {"paths": ["/"], "sources": []},
            {"sources": "cannot set 'sources' when 'protocols' is 'http' or 'https'"},
        ),
        ({"hosts": ["a.*", "example-.org"]}, {"hosts": [None, "invalid hostname: example-.org"]}),
        ({"hosts": ["a.test:65536"]}, {"hosts": ["invalid port number"]}),
        (
            {"hosts": ["*.a.*"]},
            {"hosts": ["invalid wildcard: must have at most one wildcard"]},
        ),
        ({"paths": ["/some%2words"]}, {"paths": ["invalid url-encoded value: '%2w'"]}),
        (
            {"paths": ["/a/../b"]},
            {"paths": ["non-normalized path, consider use '/b' instead"]},
        ),
    ],
)
def test_routes_are_judged_by_their_protocols_hosts_and_paths(
    client: httpx.Client, route: dict[str, Any], fields: dict[str, Any]
) -> None:
    answer = client.post("/routes", json=route)
    assert (answer.status_code, answer.json()["fields"]) == (400, fields)


def test_a_grpc_route_keeps_its_path_by_default(client: httpx.Client) -> None:
    route = _made(client, "/routes", protocols=["grpc"], hosts=["a.test"])
    assert route["strip_path"] is False


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ({"kid": "a", "jwk": '{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}'}, 201),
        ({"kid": "a", "jwk": '{"kty":"RSA","kid":"b","n":"AQAB","e":"AQAB"}'}, 400),
        ({"kid": "a", "jwk": '{"kty":"EC","kid":"a","crv":"P-256"}'}, 400),
        ({"kid": "a", "jwk": "{vault://env/key}"}, 201),
        ({"kid": "a", "pem": {"public_key": "none"}}, 400),
    ],
)
def test_keys_must_be_such_as_can_be_loaded(
    client: httpx.Client, key: dict[str, Any], status: int
) -> None:
    assert client.post("/keys", json=key).status_code == status


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^%u+$", "GET", True),
        ("^%u+$", "get", False),
        ("^[a-z][a-z%d-]-[a-z%d]+$", "v1", True),
        ("^[a-z][a-z%d-]-[a-z%d]+$", "my-vault", True),
        ("^[a-z][a-z%d-]-[a-z%d]+$", "Bad Prefix", False),
        ("^[^*]*%*?[^*]*$", "*.a.test", True),
        ("^[^*]*%*?[^*]*$", "*.a.*", False),
        ("%.%*$", "a.*", True),
        ("[%w_]+%.%d%d", "a_1.07", True),
        ("//", "/a//b", True),
    ],
)
def test_lua_patterns_match_as_in_lua(pattern: str, text: str, found: bool) -> None:
    assert patterns.matches(pattern, text) is found


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://A.test:8443/base", ("https", "A.test", 8443, "/base")),
        ("http://a.test", ("http", "a.test", 80, None)),
        ("https://a.test/", ("https", "a.test", 443, "/")),
        ("grpcs://a.test:9000", ("grpcs", "a.test", 9000, None)),
    ],
)
def test_a_url_becomes_the_fields_of_a_service(
    client: httpx.Client, url: str, parts: tuple[str, str, int, str | None]
) -> None:
    service = _made(client, "/services", url=url)
    assert tuple(service[name] for name in ("protocol", "host", "port", "path")) == parts


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a.test", "a.test:8000"),
        ("A.test.:080", "A.test.:80"),
        ("127.000.0.1:80", "127.0.0.1:80"),
        ("::1", "[0000:0000:0000:0000:0000:0000:0000:0001]:8000"),
        ("[2001:DB8::1]:443", "[2001:0db8:0000:0000:0000:0000:0000:0001]:443"),
        ("1.2.3.4:65536", None),
        ("1.2.3", None),
        ("a..test", None),
        ("a-.test", None),
        ("a.test:", None),
        (":80", None),
        ("1.2.3.0004", None),
        ("a.test:x", None),
        ("::ffff:1.2.3.4", None),
        ("fe80::1%eth0", None),
    ],
)
def test_addresses_are_kept_in_one_form(written: str, kept: str | None) -> None:
    assert values.normalised_target(written) == kept


def _certificate(folder: pathlib.Path) -> tuple[str, str]:
    """The paths of a new certificate for 127.0.0.1 and of its key."""
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate]
        + ["-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_a_certificate_is_found_and_made_by_its_sni(
    client: httpx.Client, tmp_path: pathlib.Path
) -> None:
    files = _certificate(tmp_path)
    pair = {
        name: pathlib.Path(file).read_text()
        for name, file in zip(("cert", "key"), files, strict=True)
    }
    assert client.get("/certificates/a.test").json() == {"message": "SNI not found"}
    made = client.put("/certificates/a.test", json={**pair, "snis": ["b.test"]}).json()
    assert made["snis"] == ["a.test", "b.test"]
    assert client.get("/certificates/b.test").json() == made
    patched = client.patch("/certificates/a.test", json={"tags": ["x"]}).json()
    assert (patched["snis"], patched["tags"]) == (["a.test", "b.test"], ["x"])
    again = client.post("/certificates", json={**pair, "snis": ["c.test", "c.test"]})
    assert again.json()["fields"] == {"snis": "c.test is duplicated"}


def test_a_certificate_and_another_ones_key_are_refused(
    client: httpx.Client, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "other").mkdir()
    certificate, other = _certificate(tmp_path)[0], _certificate(tmp_path / "other")[1]
    pair = {"cert": pathlib.Path(certificate).read_text(), "key": pathlib.Path(other).read_text()}
    answer = client.post("/certificates", json=pair)
    assert answer.json()["fields"] == {"@entity": ["certificate does not match key"]}


def test_the_admin_api_is_served_over_tls(tmp_path: pathlib.Path) -> None:
    certificate, key = _certificate(tmp_path)
    context = ssl.create_default_context(cafile=certificate)
    with sandbox("--admin-tls-cert", certificate, "--admin-tls-key", key) as gateway:
        assert gateway.admin_url.startswith("https://")
        answer = httpx.get(f"{gateway.admin_url}/status", verify=context)
        assert answer.json()["database"] == {"reachable": True}
        fault = {"kind": "cut_before"}
        httpx.post(f"{gateway.admin_url}/sandbox/faults", json=fault, verify=context)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(f"{gateway.admin_url}/status", verify=context)


def test_the_root_tells_listeners_as_they_are_read(client: httpx.Client) -> None:
    configuration = client.get("/").json()["configuration"]
    for name in ("admin", "proxy"):
        (listener,) = configuration[f"{name}_listeners"]
        assert configuration[f"{name}_listen"] == [listener["listener"]]
        assert listener["listener"] == f"{listener['ip']}:{listener['port']}"
        assert (listener["ssl"], listener["http2"], listener["backlog=%d+"]) == (False,) * 3
