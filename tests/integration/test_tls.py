# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to the Admin API: what is trusted, and what a failure says."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.certificates import Pair, self_signed
from harness.engine import Engine
from harness.gateway import Gateway, sandbox

ROOT_ANSWER = {"version": "3.10.0", "hostname": "guarded", "configuration": {"database": "off"}}


@pytest.fixture(scope="module")
def server_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """What the servers show."""
    return self_signed(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture(scope="module")
def client_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """What a server may ask of its clients."""
    return self_signed(tmp_path_factory.mktemp("tls"), "client")


@pytest.fixture(scope="module")
def tls_gateway(server_pair: Pair) -> Iterator[Gateway]:
    """A sandbox whose Admin API speaks HTTPS."""
    files = ("--admin-tls-cert", server_pair.certificate, "--admin-tls-key", server_pair.key)
    with sandbox(*files) as started:
        yield started


class _Root(http.server.BaseHTTPRequestHandler):
    """Answers as the root of an Admin API does."""

    def do_GET(self) -> None:
        body = json.dumps(ROOT_ANSWER).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def guarded_url(server_pair: Pair, client_pair: Pair) -> Iterator[str]:
    """The URL of an Admin API that asks its clients for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_pair.certificate)
    context.load_cert_chain(server_pair.certificate, server_pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Root)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(
    engine: Engine, tls_gateway: Gateway
) -> None:
    result = engine.refused("kong_ping", admin_url=tls_gateway.admin_url)
    for part in (tls_gateway.admin_url, "certificate is not trusted", "ca_path", "validate_certs"):
        assert part in result["msg"]
    assert result["failure"]["attempts"] == 1


def test_a_trusted_authority_or_no_validation_lets_in(
    engine: Engine, tls_gateway: Gateway, server_pair: Pair
) -> None:
    url = tls_gateway.admin_url
    assert engine.ok("kong_ping", admin_url=url, ca_path=server_pair.certificate)["url"] == url
    assert engine.ok("kong_ping", admin_url=url, validate_certs=False)["url"] == url


def test_a_certificate_of_another_host_is_refused(
    engine: Engine, tls_gateway: Gateway, server_pair: Pair
) -> None:
    url = tls_gateway.admin_url.replace("127.0.0.1", "localhost")
    result = engine.refused("kong_ping", admin_url=url, ca_path=server_pair.certificate)
    assert "certificate is not trusted" in result["msg"]


def test_plain_http_to_an_https_port(engine: Engine, tls_gateway: Gateway) -> None:
    url = tls_gateway.admin_url.replace("https:", "http:")
    result = engine.refused("kong_ping", admin_url=url, request_retries=0)
    assert url in result["msg"]
    assert result["failed"]


def test_https_to_a_plain_port(engine: Engine, gateway: Gateway) -> None:
    url = gateway.admin_url.replace("http:", "https:")
    result = engine.refused("kong_ping", admin_url=url)
    assert "TLS failed" in result["msg"] and "check that the port uses HTTPS" in result["msg"]
    assert result["failure"]["attempts"] == 1


def test_a_client_certificate_is_shown_where_one_is_asked_for(
    engine: Engine, guarded_url: str, server_pair: Pair, client_pair: Pair
) -> None:
    trusted = {"admin_url": guarded_url, "ca_path": server_pair.certificate}
    files = {"client_cert": client_pair.certificate, "client_key": client_pair.key}
    assert engine.ok("kong_ping", **trusted, **files)["hostname"] == "guarded"
    result = engine.refused("kong_ping", **trusted, request_retries=0)
    assert "client_cert" in result["msg"]


@pytest.mark.parametrize(
    ("option", "beside"), [("ca_path", {}), ("client_cert", {"client_key": "/nowhere/x.key"})]
)
def test_files_that_are_not_there_are_named(
    engine: Engine, tls_gateway: Gateway, option: str, beside: dict[str, str]
) -> None:
    files = {option: "/nowhere/x.pem", **beside}
    result = engine.refused("kong_ping", admin_url=tls_gateway.admin_url, **files)
    assert f"{option} '/nowhere/x.pem'" in result["msg"]


def test_a_file_that_is_no_certificate_is_named(
    engine: Engine, tls_gateway: Gateway, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not a certificate\n")
    url = tls_gateway.admin_url
    result = engine.refused("kong_ping", admin_url=url, ca_path=str(wrong))
    assert f"ca_path '{wrong}' cannot be used" in result["msg"]
