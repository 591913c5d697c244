# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy port answers, forwards and retries as a gateway's."""

from __future__ import annotations

import socket
import threading
from typing import Any

import httpx
import pytest

from sandbox.balancer import Balancers
from sandbox.proxy import proxy_app
from sandbox_tests.proxy_support import (
    GATEWAY,
    VERSION,
    EchoServer,
    Entity,
    FakeStore,
    RunningProxy,
    balanced,
    echo_server,
    echo_servers,
    eventually,
    free_port,
    refused,
    route,
    service,
    target,
    upstream,
)


def direct(server: EchoServer, route_fields: Entity | None = None, **fields: Any) -> FakeStore:
    """A store with a service that goes straight to one server."""
    fields = {"host": "127.0.0.1", "port": server.server_port, **fields}
    return FakeStore(
        services=[service(**fields)], routes=[route(**{"paths": ["/"], **(route_fields or {})})]
    )


def headers_sent(answer: httpx.Response) -> dict[str, str]:
    """The headers that the target got; several of one name would be an error."""
    pairs = answer.json()["headers"]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_without_a_route_the_answer_is_404() -> None:
    with RunningProxy(FakeStore()) as running:
        refused(running.client.get("/"), 404, "no Route matched with those values")


def test_a_route_without_a_service_is_503() -> None:
    store = FakeStore(routes=[route(service_name=None, paths=["/"])])
    with RunningProxy(store) as running:
        refused(running.client.get("/"), 503, "no Service found with those values")


def test_plain_http_to_a_route_for_https_only_is_told_to_upgrade_or_sent_there() -> None:
    only: Entity = {"protocols": ["https"], "paths": ["/"]}
    store = FakeStore(services=[service()], routes=[route(**only)])
    with RunningProxy(store) as running:
        answer = running.client.get("/")
        refused(answer, 426, "Please use HTTPS protocol")
        assert answer.headers["upgrade"] == "TLS/1.2, HTTP/1.1"
        running.change(routes=[route(**only, https_redirect_status_code=308)])
        answer = running.client.get("/a%20b?c=d", headers={"Host": "a.test:8000"})
        assert answer.status_code == 308
        assert answer.headers["location"] == "https://a.test/a%20b?c=d"


def test_a_service_whose_host_is_no_upstream_goes_there_directly() -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        answer = running.client.get("/")
        assert answer.json()["server"] == server.address
        assert headers_sent(answer)["host"] == server.address


def test_a_host_that_does_not_resolve_is_503() -> None:
    store = FakeStore(services=[service(host="nowhere.invalid")], routes=[route(paths=["/"])])
    with RunningProxy(store) as running:
        refused(running.client.get("/"), 503, "name resolution failed")


def test_an_upstream_without_a_usable_target_is_503() -> None:
    with RunningProxy(balanced([])) as running:
        message = "failure to get a peer from the ring-balancer"
        refused(running.client.get("/"), 503, message)
        running.change(targets=[target("nowhere.invalid:80")])
        refused(running.client.get("/"), 503, message)
        running.change(targets=[target("127.0.0.1:9", 0)])
        refused(running.client.get("/"), 503, message)


def test_a_target_that_refuses_is_passed_over_and_none_left_is_502() -> None:
    with echo_servers(2) as servers, RunningProxy(balanced(servers)) as running:
        servers[0].kill()
        assert running.served_by(4) == [servers[1].address] * 4
        servers[1].kill()
        message = "An invalid response was received from the upstream server"
        refused(running.client.get("/"), 502, message)


def test_without_retries_the_first_refusal_counts() -> None:
    with echo_servers(1) as servers:
        store = balanced(servers)
        dead = target(f"127.0.0.1:{free_port()}", created_at=-1)
        store.change(targets=[dead, target(servers[0].address)], services=[service(retries=0)])
        with RunningProxy(store) as running:
            assert [running.client.get("/").status_code for turn in range(4)] == [502, 200] * 2


def test_a_body_is_sent_to_the_next_target_when_the_first_refuses() -> None:
    with echo_servers(1) as servers:
        store = balanced(servers)
        dead = target(f"127.0.0.1:{free_port()}", created_at=-1)
        store.change(targets=[dead, target(servers[0].address)])
        with RunningProxy(store) as running:
            answers = [running.client.post("/", content=b"x" * 70_000) for turn in range(2)]
            assert [answer.json()["size"] for answer in answers] == [70_000, 70_000]


def test_a_target_that_does_not_answer_in_time_is_504() -> None:
    with echo_server() as server, RunningProxy(direct(server, read_timeout=100)) as running:
        server.held.set()
        refused(running.client.get("/"), 504, "The upstream server is timing out")
        assert len(server.requests) == 1


def test_a_get_is_repeated_after_a_timeout_but_a_post_is_not() -> None:
    with echo_servers(2) as servers, RunningProxy(balanced(servers)) as running:
        running.change(services=[service(read_timeout=1000)])
        servers[0].held.set()
        assert running.client.get("/").json()["server"] == servers[1].address
        assert len(servers[0].requests) == 1
        # It is the second target's turn, then the first one's again.
        answers = [running.client.post("/") for turn in range(2)]
        assert sorted(answer.status_code for answer in answers) == [200, 504]


def test_an_answer_that_is_no_http_is_502() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def hang_up() -> None:
            connection = listener.accept()[0]
            connection.recv(1000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        store = FakeStore(
            services=[service(host="127.0.0.1", port=port, retries=0)], routes=[route(paths=["/"])]
        )
        with RunningProxy(store) as running:
            message = "An invalid response was received from the upstream server"
            refused(running.client.get("/"), 502, message)
        thread.join()


def test_an_answer_of_a_target_passes_with_the_gateways_marks() -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        server.status = 418
        answer = running.client.get("/")
        assert answer.status_code == 418
        assert answer.headers.get_list("x-echo") == ["one", "two"]
        assert answer.headers["server"].startswith("BaseHTTP")
        assert len(answer.headers.get_list("date")) == 1
        assert answer.headers["via"] == f"1.1 {GATEWAY}"
        assert answer.headers["x-kong-upstream-latency"].isdecimal()
        assert answer.headers["x-kong-proxy-latency"].isdecimal()
        sent = headers_sent(answer)
        assert answer.headers["x-kong-request-id"] == sent["x-kong-request-id"]
        assert "keep-alive" not in answer.headers
        assert "x-kong-response-latency" not in answer.headers


def test_the_target_learns_about_the_client_and_not_about_its_connection() -> None:
    with echo_server() as server:
        store = direct(server, {"paths": ["/api"]}, path="/v1")
        with RunningProxy(store) as running:
            answer = running.client.get(
                "/api/a%20b?x=1&y=%2F",
                headers={
                    "Host": "a.test:8000",
                    "X-Forwarded-For": "10.0.0.1",
                    "X-Forwarded-Proto": "https",
                    "X-Real-IP": "10.0.0.1",
                    "Connection": "close, X-Secret",
                    "X-Secret": "1",
                    "TE": "gzip",
                    "X-Kept": "yes",
                    "Via": "1.0 front",
                },
            )
            sent = headers_sent(answer)
            assert answer.json()["path"] == "/v1/a%20b?x=1&y=%2F"
            assert sent["host"] == server.address
            assert sent["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
            assert sent["x-forwarded-proto"] == "http"
            assert sent["x-forwarded-host"] == "a.test"
            assert sent["x-forwarded-port"] == str(running.port)
            assert sent["x-forwarded-path"] == "/api/a%20b"
            assert sent["x-forwarded-prefix"] == "/api"
            assert sent["x-real-ip"] == "127.0.0.1"
            assert sent["via"] == f"1.0 front, 1.1 {GATEWAY}"
            assert sent["x-kept"] == "yes"
            assert not {"x-secret", "te"} & sent.keys()


def test_all_forwarded_addresses_are_passed_on_in_one_header() -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        twice = [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "10.0.0.2")]
        sent = headers_sent(running.client.get("/", headers=twice))
        assert sent["x-forwarded-for"] == "10.0.0.1, 10.0.0.2, 127.0.0.1"


def test_preserve_host_and_host_header_say_what_the_target_sees_as_host() -> None:
    with echo_servers(1) as servers, RunningProxy(balanced(servers)) as running:
        mine = {"Host": "a.test:8000"}
        assert headers_sent(running.client.get("/", headers=mine))["host"] == servers[0].address
        running.change(upstreams=[upstream(host_header="node.test")])
        port = servers[0].server_port
        assert headers_sent(running.client.get("/", headers=mine))["host"] == f"node.test:{port}"
        running.change(routes=[route(paths=["/"], preserve_host=True)])
        assert headers_sent(running.client.get("/", headers=mine))["host"] == "a.test:8000"


def test_a_target_with_a_name_is_asked_by_its_name() -> None:
    with echo_servers(1) as servers:
        store = balanced(servers)
        named = f"localhost:{servers[0].server_port}"
        store.change(targets=[target(named)])
        with RunningProxy(store) as running:
            assert headers_sent(running.client.get("/"))["host"] == named


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PURGE"])
def test_any_method_passes(method: str) -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        assert running.client.request(method, "/").json()["method"] == method


def test_head_passes_with_the_length_and_without_a_body() -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        answer = running.client.head("/")
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) > 0
        assert answer.content == b""
        # The connection can still be used: nothing was left on it.
        assert running.client.get("/").status_code == 200


def test_bodies_pass_with_a_length_and_in_chunks() -> None:
    with echo_server() as server, RunningProxy(direct(server)) as running:
        whole = running.client.post("/", content=b"x" * 200_000)
        assert whole.json()["size"] == 200_000
        assert headers_sent(whole)["content-length"] == "200000"
        chunked = running.client.post("/", content=(b"x" * 1000 for part in range(200)))
        assert chunked.json()["size"] == 200_000
        assert headers_sent(chunked)["transfer-encoding"] == "chunked"


def test_an_answer_is_passed_on_while_it_still_comes() -> None:
    """The client has the first part before the target sends the last one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen = threading.Event()

        def answer_in_two_parts() -> None:
            connection = listener.accept()[0]
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
            assert seen.wait(10)
            connection.sendall(b"two")
            connection.close()

        thread = threading.Thread(target=answer_in_two_parts)
        thread.start()
        store = FakeStore(
            services=[service(host="127.0.0.1", port=listener.getsockname()[1])],
            routes=[route(paths=["/"])],
        )
        with RunningProxy(store) as running, running.client.stream("GET", "/") as answer:
            parts = answer.iter_raw()
            assert next(parts) == b"one"
            seen.set()
            assert b"".join(parts) == b"two"
        thread.join()


def test_an_answer_that_breaks_off_breaks_off_for_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def break_off() -> None:
            connection = listener.accept()[0]
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
            connection.close()

        thread = threading.Thread(target=break_off)
        thread.start()
        store = FakeStore(
            services=[service(host="127.0.0.1", port=listener.getsockname()[1])],
            routes=[route(paths=["/"])],
        )
        with RunningProxy(store) as running, pytest.raises(httpx.RemoteProtocolError):
            running.client.get("/")
        thread.join()


def test_when_the_client_leaves_the_target_is_left_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = FakeStore(
            services=[
                service(host="127.0.0.1", port=listener.getsockname()[1], read_timeout=60000)
            ],
            routes=[route(paths=["/"])],
        )
        with RunningProxy(store) as running:
            client = socket.create_connection(("127.0.0.1", running.port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            listener.settimeout(10)
            connection = listener.accept()[0]
            connection.settimeout(10)
            assert connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
            received = b""
            while not received.endswith(b"begin"):
                received += client.recv(10_000)
            client.close()
            assert connection.recv(1) == b""
            connection.close()


def test_routes_and_targets_change_together() -> None:
    """No request meets a new route whose targets are not there yet."""
    with echo_server() as server, RunningProxy(FakeStore()) as running:
        running.store.change(**balanced([server]).snapshot())
        answers: set[int] = set()

        def served() -> bool:
            answers.add(running.client.get("/").status_code)
            return 200 in answers

        eventually(served)
        assert answers <= {404, 200}


def test_proxy_and_balancers_must_follow_one_store() -> None:
    with pytest.raises(ValueError, match="same store"):
        proxy_app(FakeStore(), Balancers(FakeStore()), VERSION)
