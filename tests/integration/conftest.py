# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the integration tests.

They start a sandbox gateway, or use the one that KONG_ADMIN_URL and KONG_PROXY_URL (and
KONG_ADMIN_TOKEN, KONG_ECHO_HOST) name; on that one tests make only entities whose names begin
with `irishtek-test-`, or that they remove again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.certificates import self_signed
from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.kinds import pem_texts
from harness.playbook import Player
from integration.dialects import ADMIN, BOTH, KONNECT, reason_against


def _real_gateway() -> Gateway | None:
    """The gateway that the environment names."""
    admin_url = os.environ.get("KONG_ADMIN_URL", "")
    if not admin_url:
        return None
    return Gateway(
        admin_url=admin_url.rstrip("/"),
        proxy_url=os.environ["KONG_PROXY_URL"].rstrip("/"),
        token=os.environ.get("KONG_ADMIN_TOKEN", ""),
        echo_host=os.environ.get("KONG_ECHO_HOST", "127.0.0.1"),
        is_sandbox=False,
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some files in both dialects."""
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in BOTH and "dialect" in metafunc.fixturenames:
        dialects = [ADMIN] if _real_gateway() else [ADMIN, KONNECT]
        metafunc.parametrize("dialect", dialects, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what Konnect cannot serve."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("dialect") == KONNECT:
            reason = reason_against(item.name)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def dialect(request: pytest.FixtureRequest) -> str:
    """How the gateway under test is spoken to."""
    return str(getattr(request, "param", ADMIN))


def _control_plane(dialect: str) -> str:
    return "default" if dialect == KONNECT else ""


@pytest.fixture(scope="session")
def _gateway(dialect: str) -> Iterator[Gateway]:
    if real := _real_gateway():
        yield real
        return
    with sandbox(control_plane=_control_plane(dialect)) as started:
        yield started


@pytest.fixture(scope="session")
def _second_sandbox(dialect: str) -> Iterator[Gateway]:
    with sandbox(control_plane=_control_plane(dialect)) as started:
        yield started


@pytest.fixture
def gateway(_gateway: Gateway) -> Gateway:
    """The gateway under test; a sandbox is empty and well-behaved."""
    if _gateway.is_sandbox:
        _gateway.reset()
    return _gateway


@pytest.fixture
def sandbox_gateway(gateway: Gateway) -> Gateway:
    """A gateway that can be emptied, watched and told to misbehave."""
    if not gateway.is_sandbox:
        pytest.skip("a real gateway neither logs its requests nor misbehaves on demand")
    return gateway


@pytest.fixture
def second_gateway(sandbox_gateway: Gateway, _second_sandbox: Gateway) -> Gateway:
    """Another, empty sandbox gateway beside the first."""
    _second_sandbox.reset()
    return _second_sandbox


@pytest.fixture(scope="session")
def _enterprise(dialect: str) -> Iterator[Gateway]:
    # A control plane of Konnect has all that the enterprise edition has.
    edition = () if dialect == KONNECT else ("--edition", "enterprise")
    with sandbox(*edition, control_plane=_control_plane(dialect)) as started:
        yield started


@pytest.fixture
def enterprise(_enterprise: Gateway) -> Gateway:
    """An empty gateway of the enterprise edition, a sandbox in any case."""
    _enterprise.reset()
    return _enterprise


@pytest.fixture(scope="session")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """PEM texts by their names in cases and documents."""
    folder = tmp_path_factory.mktemp("pems")
    return pem_texts([self_signed(folder, name) for name in ("one", "two")])


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the engine would have made, in seconds; none is made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.fixture
def engine(gateway: Gateway) -> Iterator[Engine]:
    """Calls the modules' operations in this process; a real gateway is left as it was found."""
    yield Engine(gateway)
    if not gateway.is_sandbox:
        gateway.remove_leftovers()


@pytest.fixture(scope="session")
def echo_servers(_gateway: Gateway) -> Iterator[list[Echo]]:
    """Three running echo servers that the gateway reaches."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(echo_server(name, _gateway.echo_host))
            for name in ("echo-a", "echo-b", "echo-c")
        ]


@pytest.fixture
def playbook(tmp_path: Path, gateway: Gateway) -> Player:
    """Runs playbooks; the modules' environment variables lead to the gateway under test."""
    names = {
        "admin_url": "KONG_ADMIN_URL", "admin_token": "KONG_ADMIN_TOKEN",
        "konnect_url": "KONNECT_URL", "konnect_token": "KONNECT_TOKEN",
        "control_plane": "KONNECT_CONTROL_PLANE",
    }
    environment = {names[name]: value for name, value in gateway.connection.items()}
    return Player(tmp_path, environment)
