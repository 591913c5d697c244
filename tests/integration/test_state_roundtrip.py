# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is dumped can be synced: nothing changes there, and another gateway becomes the same."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._document._dump import ALL_KINDS
from harness.documents import documents, enterprise_documents
from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.state import HEAD, Document, State, counts, tagged, without_order
from integration.dialects import control_plane

# A fixture that lives longer than an example is what these tests want.
BOUNDED = settings(
    max_examples=15, deadline=None, derandomize=True,
    # A failing example is small enough to read, and shrinking it takes minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
ENTERPRISE = settings(BOUNDED, max_examples=8)
STYLES: list[Document] = [
    {}, {"with_ids": True}, {"skip_defaults": True}, {"skip_defaults": True, "with_ids": True},
]  # fmt: skip


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


@pytest.fixture
def other(second_gateway: Gateway) -> State:
    """Brings another gateway to documents."""
    return State(Engine(second_gateway))


@pytest.fixture(scope="module")
def second_enterprise(dialect: str) -> Iterator[Gateway]:
    """Another gateway of the enterprise edition, or another Konnect."""
    with sandbox("--edition", "enterprise", control_plane=control_plane(dialect)) as started:
        yield started


def _offered(gateway: Gateway, document: Document) -> Document:
    """The document without credentials that Konnect does not have."""
    if gateway.control_plane:
        for consumer in document.get("consumers", ()):
            consumer.pop("oauth2_credentials", None)
    return document


def _dump(state: State, **options: Any) -> Document:
    state.engine.forget()
    document: Document = state.engine.ok("kong_dump", **{"secrets": "keep", **options})["document"]
    return document


@BOUNDED
@given(data=st.data())
def test_a_dump_is_what_the_gateway_already_is(
    state: State, other: State, pems: dict[str, str], data: st.DataObject
) -> None:
    _goes_round(state, other, data.draw(documents(pems)))


@ENTERPRISE
@given(data=st.data())
def test_a_dump_of_the_enterprise_edition_is_what_the_gateway_already_is(
    enterprise: Gateway, second_enterprise: Gateway, pems: dict[str, str], data: st.DataObject
) -> None:
    pair = [State(Engine(each)) for each in (enterprise, second_enterprise)]
    _goes_round(pair[0], pair[1], data.draw(enterprise_documents(pems)))


def _goes_round(state: State, other: State, filled: Document) -> None:
    state.gateway.reset()
    other.gateway.reset()
    filled = _offered(state.gateway, filled)
    state(filled, "applied", diff=False)
    state.unchanged(filled, "applied")
    for style in STYLES:
        dumped = _dump(state, **style)
        state.unchanged(dumped, purge_kinds=list(ALL_KINDS), allow_empty=True)
        state.unchanged(dumped, "applied")
        # As it is read from a file.
        state.unchanged(yaml.safe_load(yaml.safe_dump(dumped)), "applied")
    whole = _dump(state, with_ids=True)
    other(whole, purge_kinds=list(ALL_KINDS))
    assert _without_passwords(_dump(other, with_ids=True)) == _without_passwords(whole)


def _without_passwords(value: Any) -> Any:
    """A gateway hashes a password, also one that is a hash already."""
    if isinstance(value, dict):
        return {
            name: _without_passwords(item)
            for name, item in value.items()
            if name != "basicauth_credentials"
        }
    return [_without_passwords(item) for item in value] if isinstance(value, list) else value


@BOUNDED
@given(data=st.data())
def test_what_a_tag_owns_is_a_document_of_its_own(
    state: State, pems: dict[str, str], data: st.DataObject
) -> None:
    state.gateway.reset()
    filled = _offered(state.gateway, data.draw(documents(pems)))
    state({**filled, "_info": {"select_tags": ["own"]}}, "applied", diff=False)
    dumped = _dump(state, select_tags=["own"])
    assert dumped["_info"] == {"select_tags": ["own"]}
    state.unchanged(dumped)
    gone = state(dumped, "absent", diff=False, cascade=True)
    assert all(number["unchanged"] == 0 for number in gone["summary"].values())
    assert _dump(state) == HEAD


@BOUNDED
@given(data=st.data())
def test_any_document_leads_to_any_other(
    state: State, pems: dict[str, str], data: st.DataObject
) -> None:
    _lead_to_each_other(state, [data.draw(documents(pems)) for number in range(2)])


@ENTERPRISE
@given(data=st.data())
def test_any_document_of_the_enterprise_edition_leads_to_any_other(
    enterprise: Gateway, pems: dict[str, str], data: st.DataObject
) -> None:
    drawn = [data.draw(enterprise_documents(pems)) for number in range(2)]
    _lead_to_each_other(State(Engine(enterprise)), drawn)


def _lead_to_each_other(state: State, drawn: list[Document]) -> None:
    state.gateway.reset()
    owned: Document = {"purge_kinds": list(ALL_KINDS), "allow_empty": True}
    for document in (_offered(state.gateway, each) for each in drawn):
        predicted = state(document, check=True, **owned)
        real = state(document, **owned)
        assert predicted["summary"] == real["summary"]
        assert without_order(predicted["changes"]) == without_order(real["changes"])
        state.unchanged(document, **owned)


def test_plain_entities_without_names_keep_their_ids(state: State) -> None:
    for path, entity in (
        ("/services", {"host": "a.test"}),
        ("/routes", {"paths": ["/x"]}),
        ("/consumers", {"custom_id": "4711"}),
    ):
        made = state.gateway.call("POST", path, entity)
        if path == "/services":
            state.gateway.call("POST", "/routes", {"paths": ["/y"], "service": {"id": made["id"]}})
    for style in STYLES:
        dumped = _dump(state, **style)
        assert "id" in dumped["services"][0] and "id" in dumped["services"][0]["routes"][0]
        assert "id" in dumped["routes"][0]
        state.unchanged(dumped, purge_kinds=["service", "route", "consumer"])


def test_a_record_in_part_keeps_what_is_the_default_of_the_whole_record(state: State) -> None:
    """A queue has batches of 200 where nothing of it is written, and of 1 else."""
    queue = {"max_batch_size": 200, "max_coalescing_delay": 2}
    settings_of = {"endpoint": "http://a.test/v1/traces", "queue": queue}
    state(tagged("m", plugins=[{"name": "opentelemetry", "config": settings_of}]))
    dumped = _dump(state, skip_defaults=True, select_tags=["m"])
    assert dumped["plugins"][0]["config"]["queue"] == queue
    state.unchanged(dumped)


def test_references_are_written_as_the_format_has_them(state: State, pems: dict[str, str]) -> None:
    """Plugins and services name what they point at by a text, routes and keys by a mapping."""
    own = "11111111-2222-4333-8444-555555555555"
    document: Document = {
        **HEAD,
        "certificates": [{"id": own, "cert": pems["<cert 1>"], "key": pems["<key 1>"]}],
        "consumers": [{"username": "alice"}],
        "services": [
            {"name": "s", "host": "a.test", "protocol": "https", "client_certificate": own}
        ],
        "upstreams": [{"name": "u.test", "client_certificate": {"id": own}}],
        "plugins": [{"name": "request-termination", "service": "s", "consumer": "alice"}],
        "key_sets": [{"name": "ks"}],
        "routes": [{"name": "r", "paths": ["/x"], "service": {"name": "s"}, "tags": ["r"]}],
    }
    state(document, "applied")
    dumped = _dump(state, skip_defaults=True)
    assert dumped["services"][0]["client_certificate"] == own
    assert dumped["upstreams"][0]["client_certificate"] == {"id": own}
    (plugin,) = dumped["plugins"]
    assert (plugin["service"], plugin["consumer"]) == ("s", "alice")
    tagged_only = _dump(state, select_tags=["r"])
    assert tagged_only["routes"][0]["service"] == {"name": "s"}
    state.unchanged(dumped, "applied")


def test_defaults_that_deck_does_not_know_are_written(state: State) -> None:
    written = {"name": "app", "client_id": "one", "redirect_uris": ["http://a.test/"]}
    consumer: Document = {"username": "alice", "oauth2_credentials": [written]}
    if not state.gateway.control_plane:
        state({**HEAD, "consumers": [consumer]}, "applied")
        (credential,) = _dump(state, skip_defaults=True)["consumers"][0]["oauth2_credentials"]
        assert (credential["client_type"], credential["hash_secret"]) == ("confidential", False)


def test_kinds_of_the_enterprise_edition(enterprise: Gateway) -> None:
    state = State(Engine(enterprise))
    document = tagged(
        "t",
        consumers=[{"username": "alice", "groups": [{"name": "gold"}]}, {"username": "bob"}],
        consumer_groups=[
            {"name": "gold", "plugins": [{"name": "rate-limiting", "config": {"minute": 5}}]},
            {"name": "silver", "consumers": [{"username": "bob"}]},
        ],
    )
    # Memberships are entities of their own.
    assert counts(state.predicted_and_done(document)) == {"created": 7}
    dumped = _dump(state, select_tags=["t"])
    # decK takes a consumer below a group for the whole consumer.
    groups = [each["groups"] for each in dumped["consumers"]]
    assert groups == [[{"name": "gold"}], [{"name": "silver"}]]
    assert not any("consumers" in each for each in dumped["consumer_groups"])
    state.unchanged(dumped)
    members = enterprise.call("GET", "/consumer_groups/gold/consumers")["data"]
    assert [each["username"] for each in members] == ["alice"]


def test_members_of_a_group_that_the_document_does_not_have(enterprise: Gateway) -> None:
    state = State(Engine(enterprise))
    state({**HEAD, "consumer_groups": [{"name": "gold"}]}, "applied")
    document = tagged("t", consumers=[{"username": "alice", "groups": [{"name": "gold"}]}])
    state.predicted_and_done(document)
    state.unchanged(document, "applied")


def test_a_failed_membership_is_undone_with_all_the_rest(enterprise: Gateway) -> None:
    state = State(Engine(enterprise))
    before = tagged(
        "t", consumers=[{"username": "alice"}, {"username": "bob"}],
        consumer_groups=[{"name": "gold", "consumers": [{"username": "bob"}]}],
    )  # fmt: skip
    state(before)
    after = tagged(
        "t", consumers=[{"username": "alice"}, {"username": "bob", "custom_id": "4711"}],
        consumer_groups=[{"name": "gold", "consumers": [{"username": "alice"}]}],
    )  # fmt: skip
    enterprise.faults(match={"method": "POST", "path": "/consumers$"}, kind="answer", status=400)
    failed = state.refused(after, on_error="rollback")
    assert failed["msg"].startswith(
        "Could not create consumer_group_member alice of consumer_group gold at "
        f"{enterprise.label}"
    )
    assert (failed["left"], failed["changed"]) == ([], False)
    assert [each["kind"] for each in failed["undone"]][-1] == "consumer"
    assert {each["kind"] for each in failed["failed_steps"]} == {"consumer_group_member"}
    members = [each for key in ("changes", "not_done") for each in failed[key]]
    assert [each["consumer"] for each in members if each["kind"] != "consumer"] == ["bob"]
    state.unchanged(before)
    assert state(after)["changed"]
    state.unchanged(after)


SECRETS: Document = {
    **HEAD,
    "consumers": [{
        "username": "alice",
        "keyauth_credentials": [{"key": "hidden-key"}],
        "jwt_secrets": [{"key": "issuer", "secret": "hidden-jwt"}],
    }],
    "plugins": [{"name": "rate-limiting", "config": {
        "minute": 5, "redis_password": "hidden-redis"}}],
}  # fmt: skip


def test_secrets_are_masked_unless_they_are_asked_for(state: State, pems: dict[str, str]) -> None:
    pair = {"cert": pems["<cert 1>"], "key": pems["<key 1>"], "snis": ["a.test"]}
    state({**SECRETS, "certificates": [pair]}, "applied")
    for secrets in ("mask", "env"):
        text = json.dumps(_dump(state, secrets=secrets))
        assert "hidden" not in text and "PRIVATE KEY" not in text
    kept = json.dumps(_dump(state))
    assert "hidden-key" in kept and "hidden-redis" in kept and "PRIVATE KEY" in kept


def _placeholders(value: Any) -> Iterator[str]:
    """Those of a plugin's configuration, in whichever spelling a version has its fields."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _placeholders(item)
    elif isinstance(value, str) and value.startswith("${{ env"):
        yield value


def test_placeholders_are_names_that_the_environment_can_have(state: State) -> None:
    state(SECRETS, "applied")
    dumped = _dump(state, secrets="env", skip_defaults=True)
    texts = [
        dumped["consumers"][0]["keyauth_credentials"][0]["key"],
        dumped["consumers"][0]["jwt_secrets"][0]["secret"],
        next(_placeholders(dumped["plugins"][0]["config"])),
    ]
    assert len(set(texts)) == 3
    for text in texts:
        assert text.startswith('${{ env "DECK_') and text.endswith('" }}'), text
        assert text[len('${{ env "') : -len('" }}')].replace("_", "").isalnum()
    assert texts == [
        _dump(state, secrets="env")["consumers"][0]["keyauth_credentials"][0]["key"],
        '${{ env "DECK_JWT_ISSUER_SECRET" }}',
        '${{ env "DECK_PLUGIN_RATE_LIMITING_CONFIG_REDIS_PASSWORD" }}',
    ]


def test_placeholders_of_plugins_in_different_places_differ(state: State) -> None:
    plugin = SECRETS["plugins"][0]
    services = [{"name": name, "host": "a.test", "plugins": [plugin]} for name in ("s1", "s2")]
    state({**HEAD, "services": services}, "applied")
    dumped = json.dumps(_dump(state, secrets="env", skip_defaults=True))
    names = [part.split('\\"')[0] for part in dumped.split('env \\"')[1:]]
    assert len(names) == len(set(names)) == 2


@pytest.mark.parametrize("style", ["yaml", "json"])
def test_a_file_is_written_once_and_for_its_owner_only(
    state: State, tmp_path: Path, style: str
) -> None:
    state(SECRETS, "applied")
    file = tmp_path / f"kong.{style}"
    options = {"dest": str(file), "format": style, "secrets": "keep"}
    assert state.engine.ok("kong_dump", check=True, **options)["changed"]
    assert not file.exists()
    assert state.engine.ok("kong_dump", **options)["changed"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    read = yaml.safe_load(text) if style == "yaml" else json.loads(text)
    assert read == _dump(state)
    again = state.engine.ok("kong_dump", **options)
    assert not again["changed"] and file.read_text(encoding="utf-8") == text
    file.chmod(0o644)
    assert state.engine.ok("kong_dump", **options)["changed"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_a_file_that_cannot_be_written_is_a_sentence(state: State, tmp_path: Path) -> None:
    missing = str(tmp_path / "no" / "kong.yaml")
    refused = state.engine.refused("kong_dump", dest=missing)
    assert missing in refused["msg"] and "cannot be written" in refused["msg"]
