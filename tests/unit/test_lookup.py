# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup reads what it is asked for, says what is not there, and puts no secret in a URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from ansible.errors import AnsibleLookupError

from ansible_collections.irishtek.kong.plugins.doc_fragments import connection, connection_plugin
from ansible_collections.irishtek.kong.plugins.lookup import kong
from ansible_collections.irishtek.kong.plugins.module_utils import _module
from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._connection_options import CONNECTION
from unit.scripted import URL, Script, Step, answer, client_for

Ask = Callable[..., list[Any]]
UUID = "6eed5e9c-5398-4026-9a4c-d48f18a2431e"
UPSTREAM = {"id": UUID, "name": "web", "slots": 10, "tags": None, "healthchecks": {"active": None}}
LIMITS: list[dict[str, Any]] = [
    {"id": "p1", "name": "rate-limiting", "instance_name": "one", "service": {"id": "s1"}},
    {"id": "p2", "name": "rate-limiting", "instance_name": "two", "service": None},
    {"id": "p3", "name": "cors", "instance_name": None, "service": None},
]
KEYS = [{"id": "k1", "key": "abc"}, {"id": "k2", "key": "secret/key"}]


class Lookup(kong.LookupModule):
    """The lookup with the options that are written, as ansible-core would hand them over."""

    def set_options(self, *, direct: dict[str, Any], **more: Any) -> None:
        defaults = {name: option.get("default") for name, option in CONNECTION.items()}
        given = dict.fromkeys(("parent", "field", "default"))
        self._written = {**defaults, **given, "admin_url": URL, **direct}

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        return self._written[option]


class Session(_module.Session):
    """Hands out clients whose requests a script answers."""

    def __init__(self, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._script, self._monkeypatch = script, monkeypatch
        self.connections: list[Connection] = []

    def client(self, connection: Connection) -> Any:
        self.connections.append(connection)
        return client_for(self._script, self._monkeypatch)[0]


@pytest.fixture
def lookup(
    script: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Ask, Session]]:
    """Makes the lookup on a gateway that answers these steps."""

    def make(*steps: Step) -> tuple[Ask, Session]:
        session = Session(script(*steps), monkeypatch)
        monkeypatch.setattr(kong, "worker_session", lambda: session)
        return lambda *terms, **options: Lookup().run(list(terms), {}, **options), session

    return make


Lookups = Callable[..., tuple[Ask, Session]]


def _get(path: str, body: Any) -> Step:
    return Step("GET", path, answer(404, {"message": "no"}) if body is None else answer(body=body))


def _listed(path: str, entities: list[dict[str, Any]] | None) -> Step:
    return _get(f"{path}?size=1000", None if entities is None else {"data": entities, "next": None})


def test_the_answer_is_one_result_for_each_term_after_the_kind(lookup: Lookups) -> None:
    other = {**UPSTREAM, "name": "other"}
    ask, session = lookup(_get("/upstreams/web", UPSTREAM), _get("/upstreams/other", other))
    assert ask("upstream", "web", "other", admin_token="t0ken") == [UPSTREAM, other]
    assert session.connections[0].headers == (("Kong-Admin-Token", "t0ken"),)


@pytest.mark.parametrize(
    ("field", "value"),
    [("slots", 10), ("tags", None), ("healthchecks.active", None), ("healthchecks.active.x", None)],
)
def test_a_field_is_reached_through_records(lookup: Lookups, field: str, value: Any) -> None:
    ask, session = lookup(_get("/upstreams/web", UPSTREAM))
    assert ask("upstream", "web", field=field) == [value]
    assert len(session.connections) == 1


@pytest.mark.parametrize("field", ["slotz", "healthchecks.passive", "slots.x", ""])
def test_a_field_that_the_gateway_does_not_have_is_an_error(lookup: Lookups, field: str) -> None:
    ask, session = lookup(_get("/upstreams/web", UPSTREAM))
    with pytest.raises(AnsibleLookupError, match=f"upstream web has no field {field!r}"):
        ask("upstream", "web", field=field, default=1)
    assert len(session.connections) == 1


@pytest.mark.parametrize("default", [None, "", {"slots": 1}])
def test_what_is_missing_is_the_default(lookup: Lookups, default: Any) -> None:
    ask, session = lookup(
        _get("/upstreams/web", None), _get("/upstreams/b", {**UPSTREAM, "name": "b"})
    )
    assert ask("upstream", "web", "b", field="slots", default=default) == [default, 10]
    assert len(session.connections) == 1


def test_what_is_missing_is_an_error_without_a_default(lookup: Lookups) -> None:
    ask, session = lookup(_get("/upstreams/a%2Fb", None))
    with pytest.raises(AnsibleLookupError, match=f"upstream a/b does not exist at {URL}"):
        ask("upstream", "a/b", field="slots")
    assert len(session.connections) == 1


def test_a_target_is_found_however_its_address_is_written(lookup: Lookups) -> None:
    found = {"id": UUID, "target": "10.0.0.1:8000", "weight": 5}
    path = "/upstreams/web/targets"
    ask, session = lookup(_get(f"{path}/10.0.0.1:8000", found), _get(f"{path}/{UUID}", found))
    assert ask("target", "010.0.0.1", UUID, parent="web", field="weight") == [5, 5]
    assert len(session.connections) == 1


def test_a_secret_key_is_in_no_url_and_no_message(lookup: Lookups) -> None:
    path = "/consumers/alice/key-auth"
    alice = _get("/consumers/alice", {"id": "alice", "username": "alice"})
    lists = (_listed(path, KEYS), _listed(path, KEYS), _listed(path, None))
    ask, session = lookup(alice, lists[0], alice, lists[1], alice, lists[2])
    assert ask("key_auth", "secret/key", "k1", parent="alice") == [KEYS[1], KEYS[0]]
    with pytest.raises(AnsibleLookupError, match="key_auth of consumer alice does not exist") as at:
        ask("key_auth", "secret/other", parent="alice")
    assert "secret/other" not in str(at.value)
    assert len(session.connections) == 2


def test_a_plugin_is_found_by_a_name_that_only_one_has(lookup: Lookups) -> None:
    ask, session = lookup(*[_listed("/plugins", LIMITS)] * 4)
    assert ask("plugin", "cors", "two", "p1", field="id") == ["p3", "p2", "p1"]
    with pytest.raises(AnsibleLookupError, match="plugin rate-limiting exists 2 times; set id"):
        ask("plugin", "rate-limiting")
    assert len(session.connections) == 2


@pytest.mark.parametrize(
    ("terms", "options", "message"),
    [
        ([], {}, "the kind and the name or ID of an entity are required"),
        (["upstream"], {}, "the kind and the name or ID of an entity are required"),
        (["upstreams", "web"], {}, "'upstreams' is not a kind of entity; use one of certificate, "),
        (["upstream", ""], {}, "the name or ID of the upstream must be a string that is not empty"),
        (["upstream", 5], {}, "the name or ID of the upstream must be a string that is not empty"),
        (["target", "a"], {}, "target needs parent, the name or id of its upstream"),
        (["acl", "a"], {}, "acl needs parent, the name or id of its consumer"),
        (["service", "a"], {"parent": "b"}, "service has no parent"),
        (["service", "a"], {"admin_url": None}, "one of the following is required: admin_url"),
        (["target", "a b"], {"parent": "web"}, "target 'a b' is not a valid host name"),
    ],
)
def test_a_mistake_is_a_sentence_and_no_request(
    lookup: Lookups, terms: list[Any], options: dict[str, Any], message: str
) -> None:
    ask = lookup()[0]
    with pytest.raises(AnsibleLookupError, match=message):
        ask(*terms, **options)


def test_what_the_gateway_refuses_is_told(lookup: Lookups) -> None:
    ask, session = lookup(Step("GET", "/services/a", answer(401, {"message": "Unauthorized"})))
    with pytest.raises(AnsibleLookupError, match="http.*Unauthorized") as at:
        ask("service", "a", admin_token="t0ken", default=1)
    assert "t0ken" not in str(at.value)
    assert len(session.connections) == 1


def test_a_missing_library_is_told(lookup: Lookups, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = lookup()[0]
    monkeypatch.setattr(kong, "HTTPX_IMPORT_ERROR", "Traceback")
    with pytest.raises(AnsibleLookupError, match="httpx"):
        ask("service", "a")


def _documented(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text)["options"])


def test_plugins_reach_a_gateway_by_the_options_of_modules() -> None:
    plugin = _documented(connection_plugin.ModuleDocFragment.DOCUMENTATION)
    module = _documented(connection.ModuleDocFragment.DOCUMENTATION)
    assert set(plugin) == set(module) == set(CONNECTION)
    for name, option in CONNECTION.items():
        described = plugin[name]
        assert described["type"] == module[name]["type"] == option["type"]
        assert described.get("default") == module[name].get("default") == option.get("default")
        variables = [each["name"] for each in described.get("env", ())]
        assert variables == list(option.get("fallback", (None, []))[1])
