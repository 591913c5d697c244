# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox misbehaves on demand, tells what it was asked, keeps its state and its token."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from harness.gateway import sandbox
from harness.paths import ROOT


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
    """The sandbox, empty and well behaved."""
    running.delete("/sandbox/faults")
    running.post("/sandbox/reset")
    running.delete("/sandbox/requests")
    return running


def _fault(client: httpx.Client, **spec: object) -> None:
    answer = client.post("/sandbox/faults", json=spec)
    assert answer.status_code == 201, answer.text


def _names(client: httpx.Client) -> list[str]:
    return [entity["name"] for entity in client.get("/upstreams").json()["data"]]


def test_an_answer_takes_the_place_of_the_gateways_own(client: httpx.Client) -> None:
    _fault(
        client,
        match={"method": "POST", "path": "^/upstreams"},
        kind="answer",
        status=429,
        headers={"Retry-After": "1"},
        body="<b>slow down</b>",
        content_type="text/html",
    )
    answer = client.post("/upstreams", json={"name": "a.test"})
    assert (answer.status_code, answer.text) == (429, "<b>slow down</b>")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "text/html"
    assert _names(client) == []
    assert client.post("/upstreams", json={"name": "a.test"}).status_code == 201


def test_a_connection_cut_before_leaves_nothing_written(client: httpx.Client) -> None:
    _fault(client, match={"method": "POST"}, kind="cut_before")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("/upstreams", json={"name": "a.test"})
    assert _names(client) == []


def test_a_connection_cut_after_leaves_the_write_done(client: httpx.Client) -> None:
    _fault(client, match={"method": "POST"}, kind="cut_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("/upstreams", json={"name": "a.test"})
    assert _names(client) == ["a.test"]


def test_a_delay_waits_and_then_serves(client: httpx.Client) -> None:
    _fault(client, kind="delay", seconds=0.3)
    started = time.monotonic()
    assert client.get("/upstreams").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_faults_skip_and_end_as_told(client: httpx.Client) -> None:
    _fault(client, match={"path": "^/services"}, kind="answer", status=503, skip=1, times=2)
    statuses = [client.get("/services").status_code for attempt in range(4)]
    assert statuses == [200, 503, 503, 200]
    _fault(client, kind="answer", status=502, times=None)
    assert [client.get("/services").status_code for attempt in range(3)] == [502, 502, 502]
    assert [fault["left"] for fault in client.get("/sandbox/faults").json()] == [0, None]
    client.delete("/sandbox/faults")
    assert client.get("/services").status_code == 200


@pytest.mark.parametrize("spec", [{"kind": "nonsense"}, {"kind": "delay", "match": {"path": "("}}])
def test_a_fault_that_cannot_be_made_is_refused(
    client: httpx.Client, spec: dict[str, object]
) -> None:
    assert client.post("/sandbox/faults", json=spec).status_code == 400
    assert client.get("/sandbox/faults").json() == []


def test_requests_are_listed_in_order_without_the_control_endpoints(client: httpx.Client) -> None:
    client.post("/upstreams", json={"name": "a.test"})
    client.get("/upstreams", params={"size": 7})
    client.get("/sandbox/faults")
    client.delete("/upstreams/a.test")
    assert client.get("/sandbox/requests").json() == [
        {
            "method": "POST",
            "path": "/upstreams",
            "query": "",
            "status": 201,
            "body": {"name": "a.test"},
        },
        {"method": "GET", "path": "/upstreams", "query": "size=7", "status": 200, "body": None},
        {"method": "DELETE", "path": "/upstreams/a.test", "query": "", "status": 204, "body": None},
    ]
    client.delete("/sandbox/requests")
    assert client.get("/sandbox/requests").json() == []


def test_connections_are_counted_until_the_requests_are_forgotten(client: httpx.Client) -> None:
    url = str(client.base_url)
    for number in range(2):
        httpx.get(f"{url}/status", params={"n": number}, trust_env=False)
    counted = client.get("/sandbox/connections").json()
    assert counted["opened"] == 2 and counted["most"] >= 2
    client.delete("/sandbox/requests")
    assert client.get("/sandbox/connections").json()["opened"] == 0


def test_a_reset_empties_the_gateway(client: httpx.Client) -> None:
    client.post("/upstreams", json={"name": "a.test"})
    client.post("/upstreams/a.test/targets", json={"target": "127.0.0.1:9"})
    assert client.post("/sandbox/reset").status_code == 204
    assert client.get("/upstreams").json() == {"data": [], "next": None}
    assert client.post("/upstreams", json={"name": "a.test"}).status_code == 201


def test_a_token_is_asked_for_but_not_by_the_control_endpoints() -> None:
    with sandbox("--admin-token", "t0ken") as gateway:
        url = gateway.admin_url
        refused = httpx.get(f"{url}/upstreams", headers={"Kong-Admin-Token": "other"})
        assert (refused.status_code, refused.json()) == (
            401,
            {"message": "Invalid RBAC credentials"},
        )
        served = httpx.get(f"{url}/upstreams", headers={"Kong-Admin-Token": "t0ken"})
        assert served.status_code == 200
        assert httpx.get(f"{url}/sandbox/requests").status_code == 200


def test_a_state_file_outlives_the_sandbox(tmp_path: pathlib.Path) -> None:
    state = tmp_path / "state.json"
    with sandbox("--state", str(state)) as gateway:
        made = httpx.post(f"{gateway.admin_url}/upstreams", json={"name": "kept.test"}).json()
        target = {"target": "127.0.0.1:9"}
        httpx.post(f"{gateway.admin_url}/upstreams/kept.test/targets", json=target)
    assert [entity["name"] for entity in json.loads(state.read_text())["upstreams"]] == [
        "kept.test"
    ]
    with sandbox("--state", str(state)) as gateway:
        assert httpx.get(f"{gateway.admin_url}/upstreams/kept.test").json() == made
        targets = httpx.get(f"{gateway.admin_url}/upstreams/kept.test/targets").json()["data"]
        assert [entity["target"] for entity in targets] == ["127.0.0.1:9"]
        again = httpx.post(f"{gateway.admin_url}/upstreams", json={"name": "kept.test"})
        assert again.status_code == 409


@pytest.mark.parametrize(
    "option",
    [
        ("--mode", "data_plane"),
        ("--version", "2.8"),
        ("--config", "kong.yml"),
        ("--mode", "dbless", "--config", "there-is-none.yml"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(option: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", *option],
        cwd=ROOT / "tests",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("The sandbox ")
    assert ended.stderr.count("\n") == 1


def test_the_sandbox_knows_nothing_of_the_collection() -> None:
    for path in sorted((ROOT / "tests" / "sandbox").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert "ansible_collections" not in text, path
        assert "plugins.module_utils" not in text, path
