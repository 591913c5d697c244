# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No request fails while targets are shifted, drained, replaced and put back."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.echo import Echo
from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.playbook import LOCAL, Player
from harness.traffic import traffic
from sandbox_tests.cluster_support import Authority, data_plane
from sandbox_tests.konnect_support import konnect_with_cluster


@pytest.fixture
def proxied(empty_gateway: Gateway, tmp_path: Path) -> Iterator[Gateway]:
    """An empty gateway; of Konnect, a control plane with the sandbox's data plane."""
    if not empty_gateway.control_plane:
        yield empty_gateway
        return
    name, authority = "cp.konnect.test", Authority(tmp_path)
    own, pair = authority.alone(name), authority.alone("dp")
    trust = ["--cluster-mtls", "pki", "--cluster-server-name", name, "--cluster-trusted",
             str(own.certificate)]  # fmt: skip
    with konnect_with_cluster(tmp_path, own) as (_client, control):
        konnect = replace(control.gateway, token="kpat_sandbox", control_plane="default")
        certificate = pair.certificate.read_text()
        Engine(konnect).ok("konnect_data_plane_certificate", content=certificate)
        with data_plane(tmp_path / "dp.log", pair, control.cluster, *trust) as running:
            proxy_url, status_url = running.gateway.proxy_url, f"http://{running.status}"
            yield replace(konnect, proxy_url=proxy_url, status_url=status_url)


@pytest.fixture
def shop(proxied: Gateway, echo_servers: list[Echo]) -> Gateway:
    """A gateway with a route to an upstream, whose targets are the first two echo servers."""
    engine = Engine(proxied)
    targets = [{"target": each.target} for each in echo_servers[:2]]
    engine.ok("kong_upstream", name="shop", targets=targets)
    engine.ok("kong_service", name="shop", host="shop")
    protocols = ["http", "https"]
    engine.ok("kong_route", name="shop", service="shop", paths=["/shop"], protocols=protocols)
    engine.ok("kong_probe", url=_url(proxied), wait_timeout=60)
    return proxied


def _url(gateway: Gateway) -> str:
    return f"{gateway.proxy_url}/shop"


def _answered_by(gateway: Gateway, *echos: Echo) -> None:
    """Wait until the proxy uses these servers, and no others."""
    expected = [{"name": each.name, "weight": 100} for each in echos]
    Engine(gateway).ok(
        "kong_probe", url=_url(gateway), server_header="X-Echo-Server", expected=expected,
        requests=10 * len(echos), tolerance=10 * len(echos), wait_timeout=60,
    )  # fmt: skip


def _servers(*echos: Echo) -> dict[str, Any]:
    hosts = {
        each.name: {
            **LOCAL, "ansible_host": each.target.rpartition(":")[0], "server_port": each.port
        }
        for each in echos
    }  # fmt: skip
    return {"hosts": hosts}


def _status_urls(gateway: Gateway, name: str) -> dict[str, list[str]]:
    """The variable of this name, where not the gateway but its data planes balance."""
    if gateway.has_health:
        return {}
    if not gateway.status_url:
        pytest.skip("KONG_STATUS_URL names no data plane of the control plane")
    return {name: [gateway.status_url]}


def _inventory(gateway: Gateway, **groups: Any) -> dict[str, Any]:
    way_in = {
        name if name.startswith("konnect_") else
        f"konnect_{name}" if gateway.control_plane else f"kong_{name}": value
        for name, value in gateway.connection.items()
    }  # fmt: skip
    here: dict[str, Any] = {
        **way_in, "kong_proxy_url": gateway.proxy_url,
        **_status_urls(gateway, "kong_status_urls"),
    }  # fmt: skip
    return {"kong_gateways": {"hosts": {"kong-1": here}}, **groups}


def _weights(gateway: Gateway) -> dict[str, int]:
    listed = gateway.entities("/upstreams/shop/targets")
    return {target["target"]: target["weight"] for target in listed}


def test_all_targets_are_replaced_and_put_back(
    shop: Gateway, echo_servers: list[Echo]
) -> None:
    one, two, three = echo_servers
    with traffic(_url(shop)) as sent:
        sent.until_servers_are({one.name, two.name})
        Engine(shop).ok(
            "kong_upstream", name="shop", targets=[{"target": three.target}], purge_targets=True
        )
        _answered_by(shop, three)
        # A document with the first two again, whose last change fails, so that it is rolled back.
        pool = {"name": "shop", "targets": [{"target": each.target} for each in (one, two)]}
        service = {"name": "shop", "host": "shop", "port": 80, "retries": 1}
        shop.faults(kind="answer", match={"method": "DELETE"}, status=400, times=1,
                    body='{"message": "refused"}', content_type="application/json")  # fmt: skip
        failed = Engine(shop).refused(
            "kong_state", state="synced", purge_kinds=["target", "upstream"], on_error="rollback",
            content={"_format_version": "3.0", "upstreams": [pool], "services": [service]},
        )  # fmt: skip
        assert failed["left"] == []
        sent.until_servers_are({three.name})
    assert _weights(shop) == {three.target: 100}
    assert sent.total > 0
    assert sent.failed == {}
    assert {one.name, two.name, three.name} <= sent.servers.keys()


def test_requests_are_shifted_from_blue_to_green_and_back_where_a_proof_fails(
    shop: Gateway, echo_servers: list[Echo], playbook: Player
) -> None:
    blue, green, other = echo_servers
    Engine(shop).ok("kong_target", upstream="shop", target=green.target, state="absent")
    inventory = _inventory(shop, blue=_servers(blue), green=_servers(green), grey=_servers(other))
    options = {
        "blue_green_upstream": "shop", "blue_green_blue": "blue", "blue_green_green": "green",
        "blue_green_port": "server_port", "blue_green_path": "/shop", "blue_green_steps": [50, 100],
        "blue_green_requests": 4, **_status_urls(shop, "blue_green_status_urls"),
    }  # fmt: skip
    with traffic(_url(shop)) as sent:
        playbook("irishtek.kong.blue_green", inventory=inventory, extra_vars=options).ok()
        assert _weights(shop) == {blue.target: 0, green.target: 100}
        _answered_by(shop, green)
        further = {"blue_green_blue": "green", "blue_green_green": "grey"}
        # Data planes follow their control plane some seconds later, on the way back, too.
        patience = 3 if shop.has_health else 30
        impossible = {"blue_green_max_latency": 1e-9, "blue_green_timeout": patience}
        run = playbook(
            "irishtek.kong.blue_green", inventory=inventory,
            extra_vars={**options, **further, **impossible},
        )  # fmt: skip
    assert run.rc != 0
    reason = run.result("Fail if the gateway failed or was shifted back")["msg"]
    assert reason.endswith("; the weights are as they were before")
    assert _weights(shop) == {blue.target: 0, green.target: 100, other.target: 0}
    assert sent.failed == {}


@contextmanager
def _connections(*counts: int) -> Iterator[str]:
    """A metrics endpoint that says these numbers, one after the other."""
    left = list(counts)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f"# open\nconnections {left.pop(0) if left[1:] else left[0]}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_words: Any) -> None:
            """Nothing to say."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        thread.join()


def test_servers_are_drained_one_after_the_other_worked_on_and_put_back(
    shop: Gateway, echo_servers: list[Echo], playbook: Player
) -> None:
    one, two = echo_servers[:2]
    Engine(shop).ok("kong_target", upstream="shop", target=two.target, weight=300)
    work = playbook.folder / "work.yml"
    work.write_text(
        "- name: Look at the targets\n"
        "  irishtek.kong.kong_info:\n    kinds: [target]\n  delegate_to: localhost\n"
    )
    inventory = _inventory(shop, echo_servers=_servers(one, two))
    with traffic(_url(shop)) as sent, _connections(2, 0) as url:
        run = playbook(
            "irishtek.kong.drain", inventory=inventory, environment=shop.environment,
            extra_vars={
                "drain_upstream": "shop", "drain_port": "server_port", "drain_tasks": str(work),
                "drain_metrics_url": url, "drain_metrics_pattern": r"connections (\d+)",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
        ).ok()  # fmt: skip
    seen = {
        host: {
            each["target"]: each["weight"]
            for each in run.result("Look at the targets", host)["entities"][0]["entities"]
        }
        for host in (one.name, two.name)
    }
    assert seen == {
        one.name: {one.target: 0, two.target: 300}, two.name: {one.target: 100, two.target: 0},
    }  # fmt: skip
    assert _weights(shop) == {one.target: 100, two.target: 300}
    assert run.result("Wait until the server has no connections", one.name)["attempts"] == 2
    assert sent.failed == {}


def test_a_drain_with_a_wrong_port_fails_and_creates_no_target(
    shop: Gateway, echo_servers: list[Echo], playbook: Player
) -> None:
    run = playbook(
        "irishtek.kong.drain",
        inventory=_inventory(shop, echo_servers=_servers(echo_servers[0])),
        extra_vars={"drain_upstream": "shop", "drain_port": 1, "drain_seconds": 0},
    )
    assert run.rc != 0
    assert "No gateway has the target 127.0.0.1:1 of upstream shop" in run.stdout
    assert _weights(shop) == {each.target: 100 for each in echo_servers[:2]}


def test_a_drain_leaves_a_gateway_without_the_target_alone(
    shop: Gateway, echo_servers: list[Echo], playbook: Player
) -> None:
    one = echo_servers[0]
    inventory = _inventory(shop, echo_servers=_servers(one))
    with sandbox() as other:
        Engine(other).ok("kong_upstream", name="shop")
        inventory["kong_gateways"]["hosts"]["kong-2"] = {"kong_admin_url": other.admin_url}
        playbook(
            "irishtek.kong.drain", inventory=inventory,
            extra_vars={"drain_upstream": "shop", "drain_port": "server_port", "drain_seconds": 0},
        ).ok()  # fmt: skip
        # Nothing but the lock was written.
        assert [each["name"] for each in other.entities("/upstreams")] == ["shop"]
        assert not [each for each in other.writes() if "/targets" in each]
    assert _weights(shop)[one.target] == 100
