# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every bundled plugin: predicted as it then is, left alone by a second run, typed by schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from harness import configurations
from harness.engine import Engine, Result
from harness.gateway import Gateway

VERSIONS = ("3.10", "3.9", "3.5")
EVERY = [(version, name) for version in VERSIONS for name in configurations.plugins(version)]
EVERY_IDS = [f"{version}-{name}" for version, name in EVERY]
GENERATED_VALUE = ("id", "created_at", "updated_at")
MASKED = "********"


@pytest.fixture
def engines(gateway_of: Callable[[str], Gateway]) -> dict[str, Engine]:
    """An empty gateway of each version, and the engine before it."""
    return {version: Engine(gateway_of(version)) for version in VERSIONS}


def _lasting(plugin: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plugin.items() if key not in GENERATED_VALUE}


def _holds(engine: Engine, **options: Any) -> Result:
    """One task: predicted, done as predicted, and not done twice."""
    engine.forget()
    predicted = engine.ok("kong_plugin", check=True, **options)
    engine.forget()
    real = engine.ok("kong_plugin", **options)
    assert _lasting(predicted["plugin"]) == _lasting(real["plugin"])
    assert (predicted["changed"], predicted["operation"]) == (real["changed"], real["operation"])
    assert predicted["diff"] == real["diff"]
    engine.gateway.reset_requests()
    again = engine.ok("kong_plugin", **options)
    assert (again["changed"], again["operation"]) == (False, "none"), again["diff"]
    assert engine.gateway.writes() == []
    return real


@pytest.mark.parametrize(("version", "name"), EVERY, ids=EVERY_IDS)
def test_a_small_configuration(engines: dict[str, Engine], version: str, name: str) -> None:
    real = _holds(engines[version], name=name, config=configurations.small(version, name))
    assert real["operation"] == "create"
    recorded = configurations.recorded(version).get(name)
    if recorded and version in ("3.10", "3.5"):
        differing = {
            key: (value, recorded["answer"]["config"].get(key))
            for key, value in real["plugin"]["config"].items()
            if value != recorded["answer"]["config"].get(key) and not _hides(value)
        }
        assert differing == {}


def _hides(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_hides(item) for item in value.values())
    return bool(value == MASKED)


@pytest.mark.parametrize(("version", "name"), EVERY, ids=EVERY_IDS)
def test_a_full_configuration(engines: dict[str, Engine], version: str, name: str) -> None:
    engine = engines[version]
    made = _holds(engine, name=name, config=configurations.small(version, name))
    full = configurations.full(version, name)
    changed = _holds(engine, name=name, config=full)
    assert changed["operation"] == ("update" if full else "none")
    assert changed["plugin"]["id"] == made["plugin"]["id"]
    engine.ok("kong_plugin", name=name, state="absent")
    assert _holds(engine, name=name, config=full)["operation"] == "create"
    assert _holds(engine, name=name, config=_as_text(full))["operation"] == "none"
    schema = configurations.config_schema(version, name)
    assert _holds(engine, name=name, config=_reversed(schema, full))["operation"] == "none"


def _as_text(value: Any) -> Any:
    """Numbers and truth values as a template leaves them."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return str(value) if isinstance(value, (bool, int, float)) else value


def _reversed(spec: Mapping[str, Any], value: Any) -> Any:
    """The same configuration with every set in another order, and an item of it twice."""
    kind = spec.get("type")
    if kind == "record" and isinstance(value, dict):
        fields = {name: inner for entry in spec["fields"] for name, inner in entry.items()}
        return {name: _reversed(fields[name], item) for name, item in value.items()}
    if kind == "set" and value:
        return [*reversed(value), value[0]]
    return value


@pytest.mark.parametrize(("version", "name"), EVERY, ids=EVERY_IDS)
def test_null_means_the_default(engines: dict[str, Engine], version: str, name: str) -> None:
    engine = engines[version]
    small = configurations.small(version, name)
    usual = _holds(engine, name=name, config=small)["plugin"]["config"]
    full = configurations.full(version, name)
    cleared = {key: None for key in full if key not in small and not _needed(version, name, key)}
    _holds(engine, name=name, config={**full, **small})
    after = _holds(engine, name=name, config={**small, **cleared})["plugin"]["config"]
    assert {key: after[key] for key in cleared} == {key: usual[key] for key in cleared}


def _needed(version: str, plugin: str, key: str) -> bool:
    """Whether the gateway makes the value up where it is missing: a new one each time."""
    fields = configurations.config_schema(version, plugin)["fields"]
    spec = next(entry[key] for entry in fields if key in entry)
    return bool(spec.get("auto"))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_written_stays(engines: dict[str, Engine], version: str) -> None:
    engine = engines[version]
    _holds(engine, name="rate-limiting", tags=["x"], enabled=False, config={
        "minute": 5, "hour": 100, "policy": "local",
    })
    after = _holds(engine, name="rate-limiting", config={"minute": 6})["plugin"]
    assert (after["config"]["minute"], after["config"]["hour"]) == (6, 100)
    assert (after["tags"], after["enabled"]) == (["x"], False)


def test_the_order_of_an_array_is_kept(engines: dict[str, Engine]) -> None:
    lines = {"access": ["kong.log('one')", "kong.log('two')"]}
    engine = engines["3.10"]
    _holds(engine, name="pre-function", config=lines)
    other = _holds(engine, name="pre-function", config={"access": lines["access"][::-1]})
    assert other["operation"] == "update"


FLAT = {
    "redis_host": "redis.test", "redis_port": "6380", "redis_password": "hidden", "redis_ssl": "yes"
}
NESTED = {"redis": {"host": "redis.test", "port": 6380, "password": "hidden", "ssl": True}}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("plugin", "base"),
    [("rate-limiting", {"minute": 5}), ("response-ratelimiting", {"limits": {"sms": {"hour": 1}}})],
)
def test_flat_and_nested_redis_are_one_setting(
    engines: dict[str, Engine], version: str, plugin: str, base: dict[str, Any]
) -> None:
    engine = engines[version]
    made = _holds(engine, name=plugin, config={**base, **FLAT})
    stored = engine.gateway.call("GET", f"/plugins/{made['plugin']['id']}")["config"]
    assert stored["redis_port"] == 6380
    if version == "3.5":
        return
    assert stored["redis"]["port"] == 6380
    assert _holds(engine, name=plugin, config={**base, **NESTED})["operation"] == "none"
    both = _holds(engine, name=plugin, config={"redis_port": 7, "redis": {"port": 7}})
    assert both["diff"]["after"]["config"]["redis"]["port"] == 7
    assert both["diff"]["after"]["config"]["redis_port"] == 7
    refused = engine.refused(
        "kong_plugin", name=plugin, config={"redis_port": 8, "redis": {"port": 9}}
    )
    assert "config.redis_port and config.redis.port are the same setting" in refused["msg"]


OLD_NAMES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("session", {"cookie_lifetime": "7200"}, {"rolling_timeout": 7200}),
    ("session", {"cookie_persistent": "true"}, {"remember": True}),
    ("session", {"cookie_samesite": "Lax"}, {"cookie_same_site": "Lax"}),
    ("opentelemetry", {"endpoint": "http://a.test/"}, {"traces_endpoint": "http://a.test/"}),
]


@pytest.mark.parametrize(("plugin", "old", "new"), OLD_NAMES)
def test_an_old_name_is_taken_as_the_new_one(
    engines: dict[str, Engine], plugin: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    engine = engines["3.10"]
    made = _holds(engine, name=plugin, config=old)
    assert new.items() <= made["plugin"]["config"].items()
    assert _holds(engine, name=plugin, config=new)["operation"] == "none"


NOT_CONVERTIBLE: list[tuple[str, dict[str, Any], str]] = [
    ("rate-limiting", {"minute": "many"}, "config.minute: a string is not a number"),
    ("rate-limiting", {"redis": {"port": 1.5}}, "config.redis.port: a number is not an integer"),
    ("rate-limiting", {"redis": {"port": [1]}}, "config.redis.port: a list is not a number"),
    ("key-auth", {"hide_credentials": "maybe"}, "hide_credentials: a string is not a boolean"),
    ("key-auth", {"key_names": "apikey"}, "config.key_names: a string is not a list"),
    ("http-log", {"headers": ["a"]}, "config.headers: a list is not a dictionary"),
]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(("plugin", "config", "message"), NOT_CONVERTIBLE)
def test_what_cannot_be_converted_is_refused_with_its_path(
    engines: dict[str, Engine], plugin: str, config: dict[str, Any], message: str, check: bool
) -> None:
    engine = engines["3.10"]
    result = engine.refused("kong_plugin", check=check, name=plugin, config=config)
    assert message in result["msg"] and plugin in result["msg"]
    assert engine.gateway.writes() == []


UNKNOWN = {"minute": 5, "no_such_setting": 1}


def test_check_mode_refuses_what_the_gateway_would(engines: dict[str, Engine]) -> None:
    engine = engines["3.10"]
    for config in (UNKNOWN, {"policy": "no such"}, {}):
        predicted = engine.refused("kong_plugin", check=True, name="rate-limiting", config=config)
        real = engine.refused("kong_plugin", name="rate-limiting", config=config)
        assert predicted["msg"] == real["msg"]


# Of a route with http and a service whose only route is that one.
MISMATCHES = (
    {"route": "r.test", "protocols": ["grpc"]},
    {"service": "s.test", "protocols": ["grpc"]},
    {"route": "r.test", "protocols": ["http"]},
    {"service": "s.test", "protocols": ["grpc", "http"]},
    {"service": "lone.test", "protocols": ["grpc"]},
)


@pytest.mark.parametrize("is_predicted", (False, True))
@pytest.mark.parametrize("scope", MISMATCHES, ids=str)
def test_protocols_that_those_of_the_route_lack_are_refused_alike(
    engines: dict[str, Engine], scope: dict[str, Any], is_predicted: bool
) -> None:
    engine = engines["3.10"]

    def outcome(check: bool) -> Any:
        for name in ("s.test", "lone.test"):
            engine.ok("kong_service", check=check, name=name, host="a.test")
        route = {"name": "r.test", "service": "s.test", "protocols": ["http"], "paths": ["/"]}
        engine.ok("kong_route", check=check, **route)
        return engine("kong_plugin", check=check, name="cors", **scope).get("msg")

    if not is_predicted:
        outcome(check=False)
        engine.ok("kong_plugin", name="cors", state="absent", **_scope_of(scope))
    predicted = outcome(check=True)
    engine.forget()
    assert outcome(check=False) == predicted
    is_refused = scope["protocols"] == ["grpc"] and scope.get("service") != "lone.test"
    assert ("protocols: must match" in str(predicted)) == is_refused


def test_a_change_to_other_protocols_is_refused_alike(engines: dict[str, Engine]) -> None:
    engine = engines["3.10"]
    engine.ok("kong_route", name="web.test", protocols=["http"], hosts=["a.test"])
    plugin = {"name": "cors", "route": "web.test"}
    engine.ok("kong_plugin", **plugin, protocols=["http"])
    predicted = engine.refused("kong_plugin", check=True, **plugin, protocols=["grpc"])
    assert "must match the associated route's protocols" in predicted["msg"]
    assert predicted["msg"] == engine.refused("kong_plugin", **plugin, protocols=["grpc"])["msg"]
    # A route that changes refuses nothing.
    engine.ok("kong_route", name="web.test", protocols=["https"])
    for check in (True, False):
        assert engine.ok("kong_plugin", check=check, **plugin, enabled=False)["changed"]


def _scope_of(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "protocols"}


def test_a_plugin_of_each_scope_is_another_one(engines: dict[str, Engine]) -> None:
    engine = engines["3.10"]
    engine.ok("kong_service", name="s.test", host="a.test")
    engine.ok("kong_route", name="r.test", service="s.test", paths=["/"])
    engine.ok("kong_consumer", username="alice")
    scopes: list[dict[str, str]] = [
        {}, {"service": "s.test"}, {"route": "r.test"}, {"consumer": "alice"},
        {"route": "r.test", "consumer": "alice"},
        {"service": "s.test", "route": "r.test", "consumer": "alice"},
    ]
    for number, scope in enumerate(scopes, 1):
        made = _holds(engine, name="rate-limiting", config={"minute": number}, **scope)
        assert made["operation"] == "create"
    minutes = {each["config"]["minute"] for each in engine.gateway.entities("/plugins")}
    assert minutes == set(range(1, len(scopes) + 1))
    for scope in scopes:
        gone = engine.ok("kong_plugin", name="rate-limiting", state="absent", **scope)
        assert gone["operation"] == "delete"
        again = engine.ok("kong_plugin", name="rate-limiting", state="absent", **scope)
        assert again["operation"] == "none"


def test_an_instance_of_another_scope_is_not_taken(engines: dict[str, Engine]) -> None:
    engine = engines["3.10"]
    engine.ok("kong_service", name="s.test", host="a.test")
    _holds(engine, name="rate-limiting", instance_name="one", config={"minute": 1})
    for check in (True, False):
        options = {"check": check, "instance_name": "one", "service": "s.test"}
        for state in ("present", "absent"):
            refused = engine.refused("kong_plugin", **options, state=state)
            assert "its service is null, not" in refused["msg"]
    assert not engine.ok("kong_plugin", instance_name="one")["changed"]
    unclear = engine.refused("kong_plugin", instance_name="one", service=None)
    assert "service must not be null; leave it out" in unclear["msg"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_vault_that_is_not_installed_is_refused_alike(
    engines: dict[str, Engine], version: str
) -> None:
    """On 3.5 its missing schema says so; newer ones validate vaults."""
    vault = {"name": "azure", "prefix": "not-installed", "config": {"location": "here"}}
    predicted = engines[version].refused("kong_vault", check=True, **vault)
    assert predicted["msg"] == engines[version].refused("kong_vault", **vault)["msg"]
    assert "vault 'azure' is not installed" in predicted["msg"]
