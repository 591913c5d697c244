# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old names of settings are written under those that replaced them, once."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, flat_reasons
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import config_schema
from ansible_collections.irishtek.kong.plugins.module_utils._schema import complete
from ansible_collections.irishtek.kong.plugins.module_utils._spelling import (
    RENAMED,
    did_you_mean,
    unknown_fields,
    with_nearest_fields,
    with_new_names,
)
from unit.recordings import VERSIONS, plugin, plugin_schemas


def _spelled(name: str, version: str = "3.10", **config: Any) -> Any:
    return with_new_names(config_schema(plugin(name, version)), config, name)


@pytest.mark.parametrize(
    ("name", "written", "sent"),
    [
        ("rate-limiting", {"redis_host": "r", "redis_port": 1, "minute": 5},
         {"redis": {"host": "r", "port": 1}, "minute": 5}),
        ("rate-limiting", {"redis_host": "r", "redis": {"port": 1}},
         {"redis": {"host": "r", "port": 1}}),
        ("rate-limiting", {"redis_host": "r", "redis": {"host": "r"}}, {"redis": {"host": "r"}}),
        ("rate-limiting", {"redis_password": None}, {"redis": {"password": None}}),
        ("rate-limiting", {"redis_host": "r", "redis": None}, {"redis": {"host": "r"}}),
        ("acme", {"storage_config": {"redis": {"auth": "s", "ssl_server_name": "n"}}},
         {"storage_config": {"redis": {"password": "s", "server_name": "n"}}}),
        ("acme", {"storage_config": {"redis": {"namespace": "n"}}},
         {"storage_config": {"redis": {"extra_options": {"namespace": "n"}}}}),
        ("opentelemetry", {"endpoint": "http://o"}, {"traces_endpoint": "http://o"}),
        ("session", {"cookie_lifetime": 5}, {"rolling_timeout": 5}),
        ("key-auth", {"realm": "r", "of_tomorrow": 1}, {"realm": "r", "of_tomorrow": 1}),
    ],
)  # fmt: skip
def test_an_old_name_is_written_under_the_new_one(
    name: str, written: dict[str, Any], sent: dict[str, Any]
) -> None:
    before = copy.deepcopy(written)
    assert _spelled(name, **written) == sent
    assert written == before


def test_a_name_that_is_not_old_yet_stays() -> None:
    assert _spelled("rate-limiting", "3.5", redis_host="r") == {"redis_host": "r"}


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("rate-limiting", {"redis_host": "s3cret", "redis": {"host": "b"}},
         "^config.redis_host and config.redis.host are the same setting; set one of them$"),
        ("acme", {"storage_config": {"redis": {"auth": "s3cret", "password": "b"}}},
         "^config.storage_config.redis.auth and config.storage_config.redis.password are the same"),
        ("rate-limiting", {"redis_host": "s3cret", "redis": {"host": None}}, "set one of them"),
    ],
)  # fmt: skip
def test_two_names_of_one_setting_contradict_each_other(
    name: str, written: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        _spelled(name, **written)
    assert "s3cret" not in caught.value.message


def test_an_old_name_without_a_known_successor_is_refused() -> None:
    schema = {"fields": [], "shorthand_fields": [{"old": {"type": "string"}}]}
    with pytest.raises(InputError, match=r"config\.old is an old name; use the name"):
        with_new_names(schema, {"old": 1}, "custom")


def _old_names(schema: Any) -> set[str]:
    found = {name for entry in schema.get("shorthand_fields") or () for name in entry}
    for entry in schema.get("fields") or ():
        for spec in entry.values():
            found |= _old_names(spec) if spec.get("type") == "record" else set()
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_name_of_a_bundled_plugin_is_never_sent(version: str) -> None:
    for name in plugin_schemas(version):
        schema = config_schema(plugin(name, version))
        for old in {each for entry in schema.get("shorthand_fields") or () for each in entry}:
            assert old not in with_new_names(schema, {old: 1}, name), f"{name} {old}"


def test_an_old_name_that_gateways_ignore_is_left_out() -> None:
    assert _spelled("session", cookie_renew=600, secret="s") == {"secret": "s"}


def test_a_value_of_an_old_name_becomes_what_the_gateway_stores() -> None:
    assert _spelled("session", cookie_samesite="off") == {"cookie_same_site": "Lax"}
    assert _spelled("session", cookie_samesite="None") == {"cookie_same_site": "None"}


def test_the_table_of_renamed_settings_holds_for_the_schemas_and_no_more() -> None:
    for name, renamed in RENAMED.items():
        schemas = [config_schema(plugin(name, version)) for version in VERSIONS]
        assert set(renamed) <= set().union(*map(_old_names, schemas)), name
        fields = {field for entry in schemas[-1]["fields"] for field in entry}
        assert set(renamed.values()) <= fields, name


def test_what_the_gateway_answers_twice_is_the_same_as_what_is_sent() -> None:
    schema = config_schema(plugin("rate-limiting"))
    completed = complete(schema, _spelled("rate-limiting", redis_host="r"))
    assert (completed["redis"]["host"], completed["redis_host"]) == ("r", "r")


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("rate-limitting", ["rate-limiting", "key-auth"], "; did you mean rate-limiting?"),
        ("Rate_Limiting", ["rate-limiting", "key-auth"], "; did you mean rate-limiting?"),
        ("tag", ["tags", "target"], "; did you mean tags?"),
        ("zzz", ["tags", "target"], ""),
        ("tags", ["tags"], ""),
        ("tags", [], ""),
        ("whitelist", ["allow", "deny"], "; did you mean allow?"),
        ("blacklist", ["allow", "deny"], "; did you mean deny?"),
        ("whitelist", ["minute"], ""),
    ],
)
def test_the_nearest_known_name_is_told_if_any_is_near(
    name: str, known: list[str], hint: str
) -> None:
    assert did_you_mean(name, known) == hint


def test_each_unknown_field_of_a_refusal_is_told_its_nearest_name() -> None:
    fields = {
        "hst": "unknown field",
        "port": "expected an integer",
        "config": {"redis": {"hosst": "unknown field"}, "redis_hst": "unknown field"},
        "zzz": "unknown field",
    }
    redis = {"type": "record", "fields": [{"host": {"type": "string"}}]}
    config = {"fields": [{"redis": redis}], "shorthand_fields": [{"redis_host": {}}]}
    schema = {"fields": [{"host": {}}, {"port": {}}, {"config": config}]}
    message = "; ".join(flat_reasons(fields))
    assert with_nearest_fields(message, unknown_fields(fields), schema) == (
        "config.redis.hosst: unknown field; did you mean host?; "
        "config.redis_hst: unknown field; did you mean redis_host?; "
        "hst: unknown field; did you mean host?; "
        "port: expected an integer; zzz: unknown field"
    )
