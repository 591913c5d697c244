# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state file becomes what a gateway without a database takes, and stays itself untouched."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter.to_dbless import FilterModule
from ansible_collections.irishtek.kong.plugins.module_utils._document._dbless import to_dbless
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from unit.recordings import TESTS

FIXTURES = sorted((TESTS / "fixtures/state").glob("*.yaml"))
CONTROL = {"_format_version": "3.0"}
URL = {"protocol": "http", "host": "a", "port": 80}


def _filter(document: Any) -> Any:
    return FilterModule().filters()["to_dbless"](document)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"_transform": True}, {"_transform": True}, id="the gateway's own keys"),
        pytest.param(
            {"_workspace": "w", "_konnect": {"control_plane_name": "c"}, "_info": {}},
            {},
            id="keys that only decK knows",
        ),
        pytest.param(
            {
                "services": [{"name": "s", "url": "http://a", "routes": [{"name": "r"}]}],
                "upstreams": [{"name": "u", "targets": [{"target": "a:1"}]}],
                "consumers": [{"username": "c", "keyauth_credentials": [{"key": "k"}]}],
                "licenses": [{"payload": "{}"}],
            },
            {
                "services": [{"name": "s", **URL, "routes": [{"name": "r"}]}],
                "upstreams": [{"name": "u", "targets": [{"target": "a:1"}]}],
                "consumers": [{"username": "c", "keyauth_credentials": [{"key": "k"}]}],
                "licenses": [{"payload": "{}"}],
            },
            id="nested entities stay nested",
        ),
        pytest.param(
            {
                "routes": [{"name": "r", "service": {"name": "s"}}],
                "upstreams": [{"name": "u", "client_certificate": {"id": "1-2"}}],
                "services": [
                    {"name": "s", "client_certificate": "1-2", "ca_certificates": ["3-4"]}
                ],
                "keys": [{"name": "k", "set": {"name": "ks"}}],
                "targets": [{"target": "a:1", "upstream": {"name": "u"}}],
                "snis": [{"name": "a.test", "certificate": {"id": "1-2"}}],
                "plugins": [{"name": "p", "service": "s", "consumer": {"username": "c"}}],
            },
            {
                "routes": [{"name": "r", "service": "s"}],
                "upstreams": [{"name": "u", "client_certificate": "1-2"}],
                "services": [
                    {"name": "s", "client_certificate": "1-2", "ca_certificates": ["3-4"]}
                ],
                "keys": [{"name": "k", "set": "ks"}],
                "targets": [{"target": "a:1", "upstream": "u"}],
                "snis": [{"name": "a.test", "certificate": "1-2"}],
                "plugins": [{"name": "p", "service": "s", "consumer": "c"}],
            },
            id="foreign keys become texts",
        ),
        pytest.param(
            {
                "consumers": [{"username": "a", "groups": [{"name": "g"}, "h"]}, {"id": "9"}],
                "consumer_groups": [
                    {"name": "g", "consumers": [{"username": "a"}, {"id": "9"}]},
                    {"name": "h", "plugins": [{"name": "p"}]},
                ],
            },
            {
                "consumers": [{"username": "a"}, {"id": "9"}],
                "consumer_groups": [{"name": "g"}, {"name": "h", "plugins": [{"name": "p"}]}],
                "consumer_group_consumers": [
                    {"consumer": "a", "consumer_group": "g"},
                    {"consumer": "a", "consumer_group": "h"},
                    {"consumer": "9", "consumer_group": "g"},
                ],
            },
            id="members of groups become a list",
        ),
        pytest.param(
            {
                "consumers": [{"username": "a", "custom_id": "7"}, {"id": "9", "custom_id": "8"}],
                "consumer_groups": [{"name": "g", "consumers": [{"custom_id": "7"}]}],
                "plugins": [{"name": "p", "consumer": {"custom_id": "8"}}],
            },
            {
                "consumers": [{"username": "a", "custom_id": "7"}, {"id": "9", "custom_id": "8"}],
                "consumer_groups": [{"name": "g"}],
                "plugins": [{"name": "p", "consumer": "9"}],
                "consumer_group_consumers": [{"consumer": "a", "consumer_group": "g"}],
            },
            id="references by custom_id become names",
        ),
        pytest.param(
            {
                "_plugin_configs": {"shared": {"a": 1, "n": {"x": 1, "y": 1}, "l": [1]}},
                "plugins": [{"name": "p", "_config": "shared"}],
                "services": [
                    {
                        "name": "s",
                        "plugins": [
                            {
                                "name": "p",
                                "_config": "shared",
                                "config": {"a": None, "n": {"y": 2}, "l": [2]},
                            }
                        ],
                    }
                ],
            },
            {
                "plugins": [{"name": "p", "config": {"a": 1, "n": {"x": 1, "y": 1}, "l": [1]}}],
                "services": [
                    {
                        "name": "s",
                        "plugins": [
                            {"name": "p", "config": {"a": None, "n": {"x": 1, "y": 2}, "l": [2]}}
                        ],
                    }
                ],
            },
            id="shared settings lie under a plugin's own",
        ),
        pytest.param(
            {
                "_info": {
                    "defaults": {
                        "service": {"retries": 1, "read_timeout": 5},
                        "target": {"weight": 7},
                        "upstream": {"healthchecks": {"active": {"timeout": 2}}},
                    }
                },
                "services": [{"name": "s", "retries": 0}],
                "upstreams": [
                    {
                        "name": "u",
                        "healthchecks": {"active": {"type": "tcp"}},
                        "targets": [{"target": "a:1"}, {"target": "b:1", "weight": 0}],
                    }
                ],
            },
            {
                "services": [{"name": "s", "retries": 0, "read_timeout": 5}],
                "upstreams": [
                    {
                        "name": "u",
                        "healthchecks": {"active": {"timeout": 2, "type": "tcp"}},
                        "targets": [
                            {"target": "a:1", "weight": 7},
                            {"target": "b:1", "weight": 0},
                        ],
                    }
                ],
            },
            id="defaults lie under what is written",
        ),
        pytest.param(
            {"certificates": [{"cert": "c", "key": "k", "snis": ["a.test"]}]},
            {"certificates": [{"cert": "c", "key": "k", "snis": [{"name": "a.test"}]}]},
            id="SNIs stay in a certificate that they cannot name",
        ),
        pytest.param(
            {
                "_info": {"select_tags": ["t", "v"]},
                "services": [{"name": "s", "tags": ["v", "w"], "routes": [{"name": "r"}]}],
                "plugins": [{"name": "p", "tags": None, "partials": [{"name": "shared"}]}],
                "certificates": [{"id": "1", "snis": ["a.test", {"name": "b.test"}]}],
                "routes": [{"name": "r2", "snis": ["a.test"]}],
                "licenses": [{"payload": "{}"}],
            },
            {
                "services": [
                    {
                        "name": "s",
                        "tags": ["v", "w", "t"],
                        "routes": [{"name": "r", "tags": ["t", "v"]}],
                    }
                ],
                "plugins": [{"name": "p", "tags": ["t", "v"], "partials": [{"name": "shared"}]}],
                "certificates": [{"id": "1", "tags": ["t", "v"]}],
                "snis": [
                    {"name": "a.test", "certificate": "1", "tags": ["t", "v"]},
                    {"name": "b.test", "certificate": "1", "tags": ["t", "v"]},
                ],
                "routes": [{"name": "r2", "snis": ["a.test"], "tags": ["t", "v"]}],
                "licenses": [{"payload": "{}"}],
            },
            id="every entity carries the select tags",
        ),
        pytest.param(
            {
                "custom_entities": [
                    {
                        "type": "degraphql_routes",
                        "id": "1",
                        "fields": {"uri": "/", "service": {"name": "s"}},
                    }
                ]
            },
            {"degraphql_routes": [{"id": "1", "uri": "/", "service": "s"}]},
            id="custom entities get a section of their type",
        ),
    ],
)
def test_what_becomes_of_a_document(document: dict[str, Any], expected: dict[str, Any]) -> None:
    whole = {**CONTROL, **document}
    before = copy.deepcopy(whole)
    assert to_dbless(whole) == {**CONTROL, **expected}
    assert whole == before
    assert _filter(whole) == {**CONTROL, **expected}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"plugins": [{"name": "p", "_config": "gone"}]},
            "content: plugin p: _plugin_configs has no gone",
        ),
        (
            {"consumers": [{"custom_id": "7", "groups": [{"name": "g"}]}]},
            "content: consumer_group_member 7 of consumer_group g: consumer 7 must have a name or "
            "an id, so that others can refer to it",
        ),
        (
            {"routes": [{"name": "r", "service": {}}]},
            "content: route r: service is neither a name or id, nor a mapping with one",
        ),
        ({"custom_entities": [{"fields": {}}]}, "a custom entity must have a type"),
    ],
)
def test_what_cannot_be_expressed_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        to_dbless(document)
    assert caught.value.message == message


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_second_conversion_changes_nothing(path: Path) -> None:
    once = to_dbless(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert {"upstreams", "services"} < set(once)
    assert to_dbless(once) == once


def test_the_filter_reads_texts_with_placeholders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DECK_WEIGHT", "7")
    text = (
        '_format_version: "3.0"\nupstreams: [{name: u, targets: [{target: "a:1", '
        'weight: ${{ env "DECK_WEIGHT" }}}]}]\n'
    )
    expected = {
        **CONTROL,
        "upstreams": [{"name": "u", "targets": [{"target": "a:1", "weight": 7}]}],
    }
    assert _filter(text) == expected
    assert json.loads(json.dumps(_filter(text))) == expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "to_dbless takes a state file, as a mapping or as a text"),
        ("a: [", "document:1: this is not valid YAML: "),
        ("services: []", 'document:1: _format_version is missing, and must be "3.0"'),
        ({"services": []}, 'content: _format_version is missing, and must be "3.0"'),
        ("a: !vault x", "document:1: a filter cannot read !vault: encrypt the whole file, or use"),
    ],
)
def test_the_filter_refuses_with_a_sentence(document: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        _filter(document)
    assert str(caught.value).startswith(message)
