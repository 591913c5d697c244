# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hybrid protocol of the sandbox's control plane, frame by frame, as a data plane sees it."""

from __future__ import annotations

import asyncio
import gzip
import json
import pathlib
import ssl
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection, events

from sandbox import clustering, following, link, reconfigure
from sandbox.gateway import Gateway
from sandbox.link import Broken
from sandbox.outlet import Frame, Outlet
from sandbox.store import Store
from sandbox.workspaces import Workspaces
from sandbox_tests.cluster_support import Authority, Node, Pair, control_plane

RECORDED = pathlib.Path(__file__).parents[1] / "conformance/hybrid/reconfigure-3.9.1.json"
ZEROS = "0" * 32


class Client:
    """A data plane that says what a test wants it to say."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.socket = WSConnection(ConnectionType.CLIENT)
        self.pending: list[events.Event] = []
        self.id = str(uuid.uuid4())

    def say(self, event: events.Event) -> None:
        self.writer.write(self.socket.send(event))

    async def heard(self) -> events.Event:
        """The next event; whole messages only."""
        message = b""
        while True:
            while not self.pending:
                self.socket.receive_data(await self.reader.read(65536) or None)
                self.pending += self.socket.events()
            event = self.pending.pop(0)
            if not isinstance(event, events.BytesMessage):
                return event
            message += event.data
            if event.message_finished:
                return events.BytesMessage(data=message)

    async def opened(self, version: str = "3.10.0", path: str = "/v1/outlet") -> events.Event:
        query = f"node_id={self.id}&node_hostname=dp&node_version={version}"
        self.say(events.Request(host="cp", target=f"{path}?{query}"))
        return await self.heard()

    def introduced(self, plugins: dict[str, str]) -> None:
        listed = [{"name": name, "version": version} for name, version in plugins.items()]
        info = {"type": "basic_info", "plugins": listed, "process_conf": {}, "filters": []}
        self.say(events.BytesMessage(data=json.dumps(info).encode()))

    async def configured(self) -> dict[str, Any]:
        """The next message, read."""
        event = await self.heard()
        assert isinstance(event, events.BytesMessage), event
        body: dict[str, Any] = json.loads(gzip.decompress(event.data))
        return body


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Authority(tmp_path_factory.mktemp("outlet")).alone()


@pytest.fixture(scope="module")
def control(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with control_plane(tmp_path_factory.mktemp("cp"), pair) as running:
        yield running


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> None:
    """No test begins with the plugins of another, which its data plane may lack."""
    if "control" in request.fixturenames:
        request.getfixturevalue("control").gateway.reset()


def _with_client(
    control: Node, pair: Pair, work: Callable[[Client], Awaitable[None]]
) -> None:
    """Connect with the cluster's certificate, and work."""

    async def connected() -> None:
        context = ssl.create_default_context(cafile=pair.certificate)
        context.load_cert_chain(pair.certificate, pair.key)
        host, _colon, port = control.cluster.rpartition(":")
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=context, server_hostname="kong_clustering"
        )
        try:
            await asyncio.wait_for(work(Client(reader, writer)), 20)
        finally:
            writer.close()

    asyncio.run(connected())


def _row(control: Node, identifier: str) -> dict[str, Any]:
    return next(row for row in control.data_planes() if row["id"] == identifier)


def test_hashes_are_those_of_a_real_control_plane() -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))
    assert reconfigure.hashes(recorded["config_table"]) == recorded["hashes"]


def test_hashes_tell_long_lists_and_odd_values_apart() -> None:
    short, long = {"routes": [{"a": 1}]}, {"routes": [{"a": n} for n in range(6)]}
    assert reconfigure.hashes(short)["routes"] != reconfigure.hashes(long)["routes"]
    assert reconfigure.hashes({})["routes"] == ZEROS
    values: dict[str, Any] = {"a": True, "b": None, "c": 1.5, "d": {}, "e": "x" * 1_000_001, "f": 1}
    assert len(reconfigure.hashes({"routes": [values]})["config"]) == 32


def test_a_message_has_the_recorded_shape(control: Node, pair: Pair) -> None:
    recorded = json.loads(RECORDED.read_text("utf-8"))
    call = control.gateway.call
    call("POST", "/upstreams", {"name": "up.test"})
    call("POST", "/upstreams/up.test/targets", {"target": "127.0.0.1:9000"})
    call("POST", "/services", {"name": "svc", "host": "up.test", "tags": ["t"]})
    call("POST", "/services/svc/routes", {"name": "r", "paths": ["/r"]})
    call("POST", "/services/svc/plugins", {"name": "key-auth"})
    call("POST", "/consumers", {"username": "bob"})
    call("POST", "/consumers/bob/key-auth", {"key": "k1"})
    call("POST", "/services", {"name": "off", "host": "up.test", "enabled": False})
    call("POST", "/services/off/routes", {"paths": ["/off"]})

    async def work(client: Client) -> None:
        assert isinstance(await client.opened("3.9.1"), events.AcceptConnection)
        client.introduced({"key-auth": "3.9.1"})
        body = await client.configured()
        assert set(body) == set(recorded)
        ours, theirs = body["config_table"], recorded["config_table"]
        assert set(ours) == set(theirs)
        for kind, items in theirs.items():
            if isinstance(items, list):
                assert [set(item) for item in ours[kind]] == [set(item) for item in items], kind
        # What the data plane runs has the hash of what the control plane has, not its own.
        assert body["config_hash"] == body["hashes"]["config"]
        assert ours["targets"][0]["upstream"] == ours["upstreams"][0]["id"]

    _with_client(control, pair, work)


def test_a_ping_updates_the_row_and_its_pong_is_empty(control: Node, pair: Pair) -> None:
    async def work(client: Client) -> None:
        await client.opened()
        client.introduced({})
        running = (await client.configured())["config_hash"]
        for each in (ZEROS, running):
            client.say(events.Ping(payload=each.encode()))
            pong = await client.heard()
            assert isinstance(pong, events.Pong) and pong.payload == b""
            row = await asyncio.to_thread(_row, control, client.id)
            assert (row["config_hash"], row["sync_status"]) == (each, "normal")
        control.gateway.call("POST", "/upstreams", {"name": f"{client.id}.test"})
        assert (await client.configured())["config_hash"] != running

    _with_client(control, pair, work)


@pytest.mark.parametrize("payload", [b"short", b""])
def test_a_ping_without_a_hash_ends_the_connection(
    control: Node, pair: Pair, payload: bytes
) -> None:
    async def work(client: Client) -> None:
        await client.opened()
        client.introduced({})
        await client.configured()
        client.say(events.Ping(payload=payload))
        assert isinstance(await client.heard(), events.CloseConnection)

    _with_client(control, pair, work)
    control.logged("invalid websocket frame received from data plane: ping")


@pytest.mark.parametrize(
    ("plugins", "status", "reason"),
    [
        ({}, "plugin_set_incompatible", "configured cors plugin 3.10.0 is missing"),
        ({"cors": "3.11.0"}, "plugin_version_incompatible", "cors plugin version 3.11.0 is"),
        ({"cors": "2.8.0"}, "plugin_version_incompatible", "cors plugin version 2.8.0 is"),
    ],
)
def test_what_a_data_plane_cannot_run_is_not_sent(
    control: Node, pair: Pair, plugins: dict[str, str], status: str, reason: str
) -> None:
    plugin = control.gateway.call("POST", "/plugins", {"name": "cors"})

    async def work(client: Client) -> None:
        await client.opened()
        client.introduced(plugins)
        client.say(events.Ping(payload=ZEROS.encode()))
        assert isinstance(await client.heard(), events.Pong)
        client.say(events.Ping(payload=ZEROS.encode()))
        assert isinstance(await client.heard(), events.Pong)
        await asyncio.to_thread(control.logged, reason)
        client.say(events.Ping(payload=ZEROS.encode()))
        assert isinstance(await client.heard(), events.Pong)
        row = await asyncio.to_thread(_row, control, client.id)
        assert row["sync_status"] == status
        # Once nothing is configured that it lacks, it is sent what there is.
        control.gateway.call("DELETE", f"/plugins/{plugin['id']}")
        assert "plugins" not in (await client.configured())["config_table"]
        row = await asyncio.to_thread(_row, control, client.id)
        assert row["sync_status"] == "normal"

    _with_client(control, pair, work)


def test_a_newer_data_plane_is_closed_and_noted(control: Node, pair: Pair) -> None:
    async def work(client: Client) -> None:
        await client.opened("3.11.0")
        client.introduced({})
        assert isinstance(await client.heard(), events.CloseConnection)
        row = await asyncio.to_thread(_row, control, client.id)
        assert row["sync_status"] == "kong_version_incompatible"

    _with_client(control, pair, work)


@pytest.mark.parametrize(("path", "status"), [("/v2/outlet", 404), ("/", 404)])
def test_other_paths_are_not_served(control: Node, pair: Pair, path: str, status: int) -> None:
    async def work(client: Client) -> None:
        event = await client.opened(path=path)
        assert isinstance(event, events.RejectConnection) and event.status_code == status

    _with_client(control, pair, work)


def test_an_older_data_plane_gets_what_its_schemas_know() -> None:
    gateway = Gateway("3.10", "konnect")
    exporter = reconfigure.Exporter(gateway, Workspaces(gateway, None))
    assert exporter.current().hash == exporter.current().hash
    owner = str(uuid.uuid4())
    table = {
        "_format_version": "3.0",
        "upstreams": [{"id": owner, "name": "u", "sticky_sessions_cookie": None}],
        "targets": [{"id": "t", "target": "a:1", "upstream": owner, "failover": False}],
        "plugins": [
            {"id": "p", "name": "cors", "config": {"max_age": 1, "newer": 1}, "ordering": None,
             "consumer_group": None},
            {"id": "q", "name": "cors", "config": {}, "consumer_group": owner},
        ],
        "consumer_groups": [{"id": owner, "name": "g"}],
        "parameters": [{"key": "cluster_id", "value": owner}],
    }
    older = reconfigure.tailored(table, reconfigure.known_to("3.9.1"))
    assert older == {
        "_format_version": "3.0",
        "upstreams": [{"id": owner, "name": "u"}],
        "targets": [{"id": "t", "target": "a:1", "upstream": owner}],
        "plugins": [{"id": "p", "name": "cors", "config": {"max_age": 1}}],
        "parameters": table["parameters"],
    }
    assert reconfigure.known_to("3.6.1").version == "3.5.0"
    assert reconfigure.known_to("3.12.0.0").edition == "enterprise"


class Silent(Outlet):
    """The other side, which introduces itself as it should and then says nothing."""

    def __init__(self, first: list[Frame]) -> None:
        self.first = first

    async def accept(self) -> dict[str, str]:
        return {"node_id": "dp", "node_hostname": "dp", "node_version": "3.10.0"}

    async def receive(self) -> Frame:
        if self.first:
            return self.first.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("this does not end")

    async def send(self, data: bytes) -> None:
        """Nobody reads it."""


def test_a_data_plane_without_a_ping_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "PING_WAIT", 0.01)
    gateway = Gateway("3.10", "community")
    exporter = reconfigure.Exporter(gateway, Workspaces(gateway, None))
    info = Frame("binary", json.dumps({"type": "basic_info", "plugins": []}).encode())
    visitor = clustering.Visitor("127.0.0.1", 0, None, lambda: True)
    with pytest.raises(Broken, match="did not receive ping frame from data plane within"):
        asyncio.run(clustering.ControlPlane(exporter).attend(Silent([info]), visitor))


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"{", "failed to decode websocket basic info data"),
        (b"[]", "invalid basic info data type"),
        (b'{"type": "hello"}', "invalid basic info data type"),
        (b'{"type": "basic_info"}', "missing plugins in basic info data"),
    ],
)
def test_a_data_plane_that_does_not_introduce_itself_is_dropped(first: bytes, reason: str) -> None:
    gateway = Gateway("3.10", "community")
    exporter = reconfigure.Exporter(gateway, Workspaces(gateway, None))
    visitor = clustering.Visitor("127.0.0.1", 0, None, lambda: True)
    with pytest.raises(Broken, match=reason):
        frames = [Frame("binary", first)]
        asyncio.run(clustering.ControlPlane(exporter).attend(Silent(frames), visitor))


def test_a_control_plane_without_a_pong_is_left(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PONG_WAIT", 0.01)
    gateway = Gateway("3.10", "community")
    cluster = link.Cluster(pair.certificate, pair.key, control_plane=("127.0.0.1", 1))
    node = following.DataPlane(cluster, gateway, Store(gateway.unique, gateway.foreign), "dp")
    with pytest.raises(Broken, match="did not receive pong frame from control plane within"):
        asyncio.run(node._hear(Silent([])))
