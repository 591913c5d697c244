# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection takes nothing from the environment but the proxy, and none for loopback."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _transport
from ansible_collections.irishtek.kong.plugins.module_utils._client import Client
from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._refusal import admin_refusal
from ansible_collections.irishtek.kong.plugins.module_utils._transport import (
    is_loopback,
    new_httpx_client,
    proxy_for,
    tls_context,
)

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
LOOPBACK = (
    "http://127.0.0.1:8001", "http://127.9.9.9", "http://[::1]:8001", "http://localhost:8001",
    "https://kong.localhost:8444",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_is_never_proxied(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES[:3]:
        monkeypatch.setenv(name, "http://proxy.test:3128")
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "http://gw.test", None),
        ({"http_proxy": "http://p.test:1"}, "http://gw.test", "http://p.test:1"),
        ({"HTTP_PROXY": "http://p.test:1"}, "http://gw.test", "http://p.test:1"),
        ({"http_proxy": "http://p.test:1"}, "https://gw.test", None),
        ({"https_proxy": "http://p.test:1"}, "https://gw.test:8444", "http://p.test:1"),
        ({"all_proxy": "http://p.test:1"}, "https://gw.test", "http://p.test:1"),
        ({"http_proxy": "http://p.test:1", "no_proxy": "gw.test"}, "http://gw.test:8001", None),
        ({"http_proxy": "http://p.test:1", "no_proxy": ".test"}, "http://gw.test", None),
        ({"http_proxy": "p.test:1", "no_proxy": "gw.test:81"}, "http://GW.test:81", None),
        ({"http_proxy": "p.test:1", "no_proxy": "gw.test:80"}, "http://gw.test:8", "http://p.test:1"),
        ({"http_proxy": "p.test:1", "no_proxy": "fd00::1"}, "http://[fd00::1]:8001", None),
        ({"http_proxy": "http://p.test:1", "no_proxy": "*"}, "http://gw.test", None),
        ({"http_proxy": "p.test:1"}, "http://gw.test", "http://p.test:1"),
    ],
)
def test_the_proxy_comes_from_the_environment(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize("proxy", ["ftp://p.test:1", "socks5://p.test:1", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_a_sentence(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(InputError, match="proxy"):
        Client(Connection("http://gw.test"), admin_refusal).request("GET", "/")


@pytest.mark.parametrize("host", ["gw.test", "10.0.0.1", "128.0.0.1", "localhost.test", ""])
def test_what_is_not_this_machine_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_no_tls_context_is_made_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**settings: object) -> None:
        raise AssertionError("a TLS context was made")

    monkeypatch.setattr(_transport, "tls_context", refuse)
    new_httpx_client("http://gw.test", {"validate_certs": True}).close()


def test_one_tls_context_serves_all_clients() -> None:
    assert tls_context(True) is tls_context(True)
    assert tls_context(True).verify_mode == ssl.CERT_REQUIRED
    assert tls_context(True).check_hostname
    assert tls_context(False).verify_mode == ssl.CERT_NONE


def test_a_ca_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    missing, nonsense = tmp_path / "missing.pem", tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    with pytest.raises(InputError, match=r"ca_path '.*missing.pem' cannot be used: No such file"):
        tls_context(True, str(missing))
    with pytest.raises(InputError, match=r"ca_path '.*nonsense.pem' cannot be used"):
        tls_context(True, str(nonsense))


def test_a_client_certificate_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"client_cert '.*c.pem' and client_key cannot be used"):
        tls_context(True, None, str(tmp_path / "c.pem"), str(tmp_path / "k.pem"))
