# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The predicted entity is the one that real gateways answered."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import config_schema
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from ansible_collections.irishtek.kong.plugins.module_utils._schema import (
    GENERATED_VALUE,
    complete,
    default_of,
    fields_in,
    nulls_to_defaults,
)
from ansible_collections.irishtek.kong.plugins.module_utils._spelling import with_new_names
from ansible_collections.irishtek.kong.plugins.module_utils._values import canonical, normalise
from unit.recordings import VERSIONS, lasting, plugin, schema, steps

CASES = (
    "target_addresses", "target_crud", "upstream_crud", "upstream_hashing",
    "hashing_against_stored", "upstream_nested_healthchecks", "nulls", "service", "route",
    "seed_first_upstream_target", "paging_and_tags", "plugin", "plugin_scopes", "bundled_plugins",
    "consumer_and_credentials", "certificates", "vaults_and_keys",
)  # fmt: skip
# Where plugins differ between versions, there is a second set of recordings.
OLDER = ("3.4", "3.5")
RECORDED_ANEW = ("nulls", "plugin", "plugin_scopes", "bundled_plugins", "certificates")
# Kinds whose creates were not recorded: the gateways took no key of the kind that was sent.
NOT_RECORDED = {"key", "oauth2"}
BOTH_SETS = ("3.5", "3.10")

# Recorded changes after which a task leaves something else than the gateway did, on purpose.
NULL_IS_DEFAULT = "a null means the default, where the gateway stores null"
WRITTEN_WINS = "a written algorithm wins over a stored hash_on"
REFUSED_BY_US = "a contradiction, which the gateway resolves silently, is refused"
MOVED = "a plugin of another scope is another plugin, which is refused"
DELIBERATE = {
    "hashing_against_stored-1-upstream": WRITTEN_WINS,
    **{f"hashing_against_stored-{number}-upstream": REFUSED_BY_US for number in (3, 4, 12)},
    "plugin_scopes-11-plugin": MOVED,
    **{f"nulls-{number}-upstream": NULL_IS_DEFAULT for number in (3, 8, 9, 15, 16, 18, 20)},
    **{f"nulls-{number}-service": NULL_IS_DEFAULT for number in (32, 34, 35)},
    **{f"nulls-{number}-route": NULL_IS_DEFAULT for number in (49, 52)},
    **{f"nulls-{number}-plugin": NULL_IS_DEFAULT for number in (56, 58)},
}


def _kind_of(path: str) -> Kind | None:
    parts = path.strip("/").split("/")
    collection = parts[2] if len(parts) > 2 else parts[0]
    return next((kind for kind in KINDS.values() if kind.path == collection), None)


def _with_ids(kind: Kind, body: Any, answered: Entity) -> Any:
    """References by name, as looked up: the answer's id."""
    references = {field.name for field in kind.fields if field.reference}
    return {
        name: {"id": answered[name]["id"]} if name in references and value else value
        for name, value in body.items()
    }


def _written(kind: Kind, body: Entity, current: Entity | None, version: str) -> Entity:
    """What a task that writes ``body`` plans to have."""
    body = copy.deepcopy(body)
    if kind.details is not None and "config" in body:
        name = (current or body)["name"]
        body["config"] = with_new_names(config_schema(kind), body["config"], name)
    desired = nulls_to_defaults(schema(kind, version), normalise(kind.fields, body))
    kind.apply_field_rules(desired, current)
    return desired


def _predicted(kind: Kind, planned: Entity, version: str) -> Entity:
    predicted = complete(schema(kind, version), {**kind.own_defaults(planned), **planned})
    if kind.predict is not None:
        kind.predict(predicted)
    return predicted


def _same(kind: Kind, one: Entity, other: Entity) -> dict[str, tuple[Any, Any]]:
    """Where two entities differ for the gateway."""
    fields = {field.name: field for field in kind.fields}
    return {
        name: (one.get(name), other.get(name))
        for name in one.keys() | other.keys()
        if canonical(fields.get(name), _made(one.get(name), other.get(name)))
        != canonical(fields.get(name), other.get(name))
    }


def _made(predicted: Any, answered: Any) -> Any:
    """A prediction with the values that a gateway made up, where it said that it would."""
    if predicted == GENERATED_VALUE and isinstance(answered, str) and answered:
        return answered
    if isinstance(predicted, dict) and isinstance(answered, dict):
        return {name: _made(value, answered.get(name)) for name, value in predicted.items()}
    return predicted


class Recorded(NamedTuple):
    """A write that a task can express, its references looked up, and what it left."""

    name: str
    version: str
    kind: Kind
    written: Entity
    answered: Entity
    before: Entity

    def desired(self, current: Entity | None) -> Entity:
        return _written(self.kind, self.written, current, self.version)


def _steps(version: str) -> Iterator[tuple[str, Kind, dict[str, Any], Entity]]:
    """Recorded writes of managed kinds: a name, the kind, the request and the answered entity."""
    for case in CASES:
        anew = version in OLDER and case in RECORDED_ANEW
        for number, step in enumerate(steps(case, "database-3.5" if anew else "database")):
            request, answered = step["request"], step["response"]
            kind, body = _kind_of(request["path"]), copy.deepcopy(answered.get("body") or {})
            if kind is None or answered["status"] not in (200, 201) or "data" in body:
                continue
            if kind.name == "plugin" and version not in BOTH_SETS:
                continue
            kind = plugin(body["name"], version) if kind.name == "plugin" else kind
            # What differs from run to run was not recorded.
            dropped = fields_in(config_schema(kind)).keys() & set(request.get("drop", ()))
            body.get("config", {}).update(dict.fromkeys(dropped, "<random>"))
            yield f"{case}-{number}-{kind.name}", kind, request, body


def _creates(versions: Iterable[str] = VERSIONS) -> Iterator[Recorded]:
    for version in versions:
        for name, kind, request, answered in _steps(version):
            if request["method"] != "POST":
                continue
            body, holder = _with_ids(kind, request["body"], answered), request["path"].split("/")
            if len(holder) > 2 and kind.parent is None:
                body[holder[1].removesuffix("s")] = answered[holder[1].removesuffix("s")]
            yield Recorded(name, version, kind, body, answered, {})


def _cases(recorded: Iterable[Recorded]) -> list[Any]:
    return [pytest.param(each, id=f"{each.name}-{each.version}") for each in recorded]


@pytest.mark.parametrize("recorded", _cases(_creates()))
def test_a_predicted_create_is_what_the_gateway_answered(recorded: Recorded) -> None:
    kind, answered = recorded.kind, recorded.answered
    plan = plan_present(kind, recorded.desired(None), None)
    owner = {kind.parent: answered[kind.parent]} if kind.parent else {}
    predicted = _predicted(kind, {**plan.body, **owner}, recorded.version)
    if "id" not in answered:
        # Recorded without what differs from run to run, a password's hash among it.
        predicted = {field: predicted[field] for field in answered}
    # What only reads have is no part of a create, as the SNIs of a certificate.
    stored = {name: answered[name] for name in answered if name not in kind.read_only}
    differing = _same(kind, predicted, lasting(stored))
    assert bool(differing) == (recorded.name in DELIBERATE), differing


@pytest.mark.parametrize(
    "recorded", _cases(each for each in _creates(BOTH_SETS) if "id" in each.answered)
)
def test_the_same_again_is_no_change(recorded: Recorded) -> None:
    desired = recorded.desired(recorded.answered)
    again = plan_present(recorded.kind, desired, recorded.answered)
    assert again.changed == (recorded.name in DELIBERATE), again.body


def _changes() -> Iterator[Recorded]:
    """Recorded PATCHes that a task can express, with the entity as it was answered before."""
    for version in BOTH_SETS:
        latest: dict[tuple[str, str], Entity] = {}
        for name, kind, request, body in _steps(version):
            key = name.partition("-")[0], body.get("id", "")
            if request["method"] == "PATCH" and key in latest and _expressible(kind, request):
                written = _with_ids(kind, request["body"], body)
                yield Recorded(name, version, kind, written, body, latest[key])
            latest[key] = body


def _expressible(kind: Kind, request: dict[str, Any]) -> bool:
    fields, body = {field.name: field for field in kind.fields}, request["body"]
    if kind.parent and kind.identity.field in body:
        return False
    return all(value is not None or fields[name].nullable for name, value in body.items())


@pytest.mark.parametrize("recorded", _cases(_changes()))
def test_a_predicted_change_is_what_the_gateway_answered(recorded: Recorded) -> None:
    kind, answered = recorded.kind, recorded.answered
    try:
        desired = recorded.desired(recorded.before)
        predicted = plan_present(kind, desired, recorded.before).entity
    except InputError:
        assert DELIBERATE[recorded.name] in (REFUSED_BY_US, MOVED)
        return
    if kind.details is not None:
        predicted = complete(schema(kind, recorded.version), predicted)
    differing = _same(kind, lasting(predicted), lasting(answered))
    assert bool(differing) == (recorded.name in DELIBERATE), differing
    if not differing:
        again = plan_present(kind, recorded.desired(answered), answered)
        assert not again.changed, again.body


def test_every_deliberate_difference_was_recorded() -> None:
    assert DELIBERATE.keys() <= {each.name for each in (*_creates(), *_changes())}


@pytest.mark.parametrize("version", BOTH_SETS)
def test_kinds_without_a_recording_are_named(version: str) -> None:
    recorded = list(_creates([version]))
    managed = {kind.name for kind in KINDS.values() if not kind.optional}
    assert managed - {each.kind.name for each in recorded} == NOT_RECORDED
    assert len({each.written["name"] for each in recorded if each.kind.details}) > 20


HEALTHY = {"interval": 0, "successes": 0, "http_statuses": [200, 302]}


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (KINDS["target"], {"weight": None, "tags": None}, {"weight": 100, "tags": None}),
        (KINDS["service"], {"retries": None, "path": None}, {"retries": 5, "path": None}),
        (
            KINDS["upstream"],
            {"healthchecks": {"active": {"healthy": None, "timeout": None}}},
            {"healthchecks": {"active": {"healthy": HEALTHY, "timeout": 1}}},
        ),
        (KINDS["upstream"], {"host_header": None, "of_tomorrow": None},
         {"host_header": None, "of_tomorrow": None}),
    ],
)  # fmt: skip
def test_null_means_the_gateways_own_default(kind: Kind, written: Entity, meant: Entity) -> None:
    assert nulls_to_defaults(schema(kind), written) == meant


def test_a_schemas_defaults_are_copied_not_shared() -> None:
    spec = {"type": "array", "default": ["a"]}
    default_of(spec).append("b")
    assert spec["default"] == ["a"]


def test_what_the_schema_does_not_know_is_left_for_the_gateway_to_judge() -> None:
    assert complete({"fields": []}, {"of_tomorrow": 1}) == {"of_tomorrow": 1}
