# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the integration tests.

They start a sandbox gateway, or use the one that KONG_ADMIN_URL and KONG_PROXY_URL (and
KONG_ADMIN_TOKEN, KONG_ECHO_HOST; for a control plane KONG_STATUS_URL) name. Clients reach either
through a recording proxy. One that is named and has no entities is emptied before each test and
after the last. One that has some keeps them: what needs an empty gateway skips, and the other tests
make only entities whose names begin with `irishtek-test-`, or that they remove again. What the mode
of the named one cannot serve skips.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from harness.certificates import self_signed
from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.gateway import CONTROL_PLANE, DBLESS, Gateway, sandbox
from harness.kinds import pem_texts
from harness.paths import ROOT
from harness.playbook import Player
from harness.recording import recorded
from integration.dialects import (
    ADMIN,
    BOTH,
    EXCEPTIONS,
    KONNECT,
    NOT_ON_CONTROL_PLANE,
    control_plane,
    reason_against,
)


@functools.cache
def _real_gateway() -> Gateway | None:
    """The gateway that the environment names; tests may empty it when it is empty now."""
    admin_url = os.environ.get("KONG_ADMIN_URL", "")
    if not admin_url:
        return None
    proxy_url = os.environ.get("KONG_PROXY_URL", "")
    if not proxy_url:
        raise pytest.UsageError("KONG_ADMIN_URL names a gateway: set KONG_PROXY_URL to its proxy")
    named = Gateway(
        admin_url=admin_url.rstrip("/"),
        proxy_url=proxy_url.rstrip("/"),
        token=os.environ.get("KONG_ADMIN_TOKEN", ""),
        echo_host=os.environ.get("KONG_ECHO_HOST", "127.0.0.1"),
        is_sandbox=False,
        status_url=os.environ.get("KONG_STATUS_URL", "").rstrip("/"),
    )
    try:
        return replace(named, is_ours=not named.occupied())
    except httpx.HTTPError as exc:
        raise pytest.UsageError(f"KONG_ADMIN_URL: {admin_url} does not respond: {exc}") from exc


@contextmanager
def _recorded_sandbox(*options: str, control_plane: str = "") -> Iterator[Gateway]:
    with sandbox(*options, control_plane=control_plane) as started, recorded(started) as gateway:
        yield gateway


@contextmanager
def _of_mode(mode: str) -> Iterator[Gateway]:
    """The gateway that the environment names, where it runs so and is empty; else a sandbox."""
    real = _real_gateway()
    serves = real is not None and real.is_ours and real.mode == mode
    started = recorded(real) if real and serves else _recorded_sandbox("--mode", mode)
    with started as gateway:
        try:
            yield gateway
        finally:
            gateway.reset()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some files in both dialects."""
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in BOTH and "dialect" in metafunc.fixturenames:
        dialects = [ADMIN] if _real_gateway() else [ADMIN, KONNECT]
        metafunc.parametrize("dialect", dialects, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out, with the reason, what Konnect or the control plane that is named cannot serve."""
    real = _real_gateway()
    named = NOT_ON_CONTROL_PLANE if real and real.mode == CONTROL_PLANE else {}
    for item in items:
        callspec = getattr(item, "callspec", None)
        konnect = callspec is not None and callspec.params.get("dialect") == KONNECT
        reason = reason_against(item.name, EXCEPTIONS if konnect else named)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def dialect(request: pytest.FixtureRequest) -> str:
    """How the gateway under test is spoken to."""
    return str(getattr(request, "param", ADMIN))


@pytest.fixture(scope="session")
def _gateway(dialect: str) -> Iterator[Gateway]:
    real = _real_gateway()
    if real and real.mode == DBLESS:
        pytest.skip("the gateway has no database, so it takes no entity alone")
    started = recorded(real) if real else _recorded_sandbox(control_plane=control_plane(dialect))
    with started as gateway:
        yield gateway
        gateway.reset()


@pytest.fixture(scope="session")
def _dbless() -> Iterator[Gateway]:
    with _of_mode(DBLESS) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def _control_plane() -> Iterator[Gateway]:
    with _of_mode(CONTROL_PLANE) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def _second_sandbox(_gateway: Gateway, dialect: str) -> Iterator[Gateway]:
    if dialect == KONNECT:
        with _recorded_sandbox(control_plane=control_plane(dialect)) as started:
            yield started
        return
    if not (ROOT / f"tests/sandbox/data/kong-{_gateway.series}.json").exists():
        pytest.skip(f"there is no sandbox that behaves as {_gateway.series} does")
    with _recorded_sandbox("--version", _gateway.series) as started:
        yield started


@pytest.fixture(scope="session")
def _of_versions(_gateway: Gateway) -> Iterator[Callable[[str], Gateway]]:
    found: dict[str, Gateway] = {}
    if _gateway.is_ours:
        found[_gateway.series] = _gateway
    with ExitStack() as stack:

        def of_version(version: str) -> Gateway:
            if version not in found:
                found[version] = stack.enter_context(sandbox("--version", version))
            return found[version]

        yield of_version


@pytest.fixture
def gateway(_gateway: Gateway) -> Gateway:
    """The gateway under test, well-behaved; without entities unless it is somebody's."""
    _gateway.reset()
    return _gateway


@pytest.fixture
def empty_gateway(gateway: Gateway) -> Gateway:
    """A gateway that tests may empty, and fill with any entities."""
    if not (gateway.is_sandbox or gateway.is_ours):
        pytest.skip("the gateway had entities before the tests, which would remove them all")
    return gateway


@pytest.fixture
def second_gateway(empty_gateway: Gateway, _second_sandbox: Gateway) -> Gateway:
    """Another, empty gateway of the same version beside the first: a sandbox."""
    _second_sandbox.reset()
    return _second_sandbox


@pytest.fixture
def gateway_of(_of_versions: Callable[[str], Gateway]) -> Callable[[str], Gateway]:
    """Finds an empty gateway of a version: the real one under test, or else a sandbox."""

    def emptied(version: str) -> Gateway:
        found = _of_versions(version)
        found.reset()
        return found

    return emptied


@pytest.fixture(scope="session")
def _enterprise(dialect: str) -> Iterator[Gateway]:
    # A control plane of Konnect has all that the enterprise edition has.
    edition = () if dialect == KONNECT else ("--edition", "enterprise")
    with _recorded_sandbox(*edition, control_plane=control_plane(dialect)) as started:
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
def engine(gateway: Gateway) -> Engine:
    """Calls the modules' operations in this process; a real gateway is left as it was found."""
    return Engine(gateway)


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
    return Player(tmp_path, gateway.environment)
