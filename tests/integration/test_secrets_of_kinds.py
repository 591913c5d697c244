# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of any kind of entity, nor of any plugin, in a result, an error or a request's URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness import configurations
from harness.certificates import jwk, self_signed
from harness.engine import Engine, Result
from harness.gateway import Gateway

OLD, NEW, ECHOED = "0ld-n0t-to-be-seen", "n3w-n0t-to-be-seen", "ech0ed-n0t-to-be-seen"
CHANGED = "******** (changed)"
VERSIONS = ("3.10", "3.5")
Options = dict[str, Any]


@pytest.fixture
def engines(gateway_of: Callable[[str], Gateway]) -> dict[str, Engine]:
    """An empty gateway of each version, and the engine before it."""
    return {version: Engine(gateway_of(version)) for version in VERSIONS}


@dataclass
class Watch:
    """Runs tasks and keeps all that they leave to be read."""

    engine: Engine
    seen: list[Result] = field(default_factory=list)

    def __call__(self, module: str, **options: Any) -> Result:
        self.seen.append(self.engine(module, **options))
        return self.seen[-1]

    def both(self, module: str, **options: Any) -> Result:
        """A task that has to succeed, in check mode and then in truth."""
        for check in (True, False):
            self.engine.forget()
            result = self(module, check=check, **options)
            assert not result.get("failed"), result
        return result

    def echoed(self, module: str, texts: list[str], **options: Any) -> None:
        """The gateway refuses the task and repeats these texts; so do check mode's judges."""
        answer = {
            "message": f"schema violation ({' '.join(texts)})", "name": "schema violation",
            "code": 2, "fields": {"config": {"of": texts}, "@entity": texts},
        }
        for check, match in ((True, "validate$"), (False, "^(?!.*validate$)")):
            for method in ("POST", "PATCH", "PUT"):
                self.engine.gateway.faults(
                    match={"method": method, "path": match}, kind="answer", status=400,
                    body=json.dumps(answer), content_type="application/json",
                )
            self.engine.forget()
            result = self(module, check=check, **options)
            assert result.get("failed") and "schema violation" in result["msg"], result
            self.engine.gateway.clear_faults()

    def text(self) -> str:
        """All results, and the URLs of all requests."""
        urls = [f"{each['path']}?{each['query']}" for each in self.engine.gateway.requests()]
        return json.dumps(self.seen) + unquote(json.dumps(urls))


def _leaked(text: str, *secrets: str) -> list[str]:
    """The places where a secret is seen, with what is before them."""
    return [
        text[max(0, at - 80) : at + len(secret) + 40]
        for secret in secrets
        for at in [text.find(secret)]
        if at >= 0
    ]


def _texts(value: Any) -> Iterator[str]:
    """All texts of a configuration that are, or hold, what is not to be seen."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str) and ECHOED in value:
        yield value


PLUGINS = [(version, name) for version in VERSIONS for name in configurations.plugins(version)]


@pytest.mark.parametrize(
    ("version", "name"), PLUGINS, ids=[f"{version}-{name}" for version, name in PLUGINS]
)
def test_secrets_of_a_plugin(engines: dict[str, Engine], version: str, name: str) -> None:
    found: list[str] = []

    def config(marker: str) -> dict[str, Any]:
        def secret(path: str) -> str:
            found.append(f"{marker}-{path.replace('_', '-').replace('.', '-')}")
            return found[-1]

        return configurations.full(version, name, secret)

    watch = Watch(engines[version])
    old, new = config(OLD), config(NEW)
    if not found:
        return
    watch.both("kong_plugin", name=name, instance_name="one", config=old)
    changed = watch.both("kong_plugin", name=name, instance_name="one", config=new)
    assert CHANGED in json.dumps(changed["diff"]["after"])
    echoed = config(ECHOED)
    watch.echoed("kong_plugin", list(_texts(echoed)), name=name, instance_name="one", config=echoed)
    unknown = {**echoed, "no_such_setting": 1}
    watch("kong_plugin", name=name, instance_name="one", config=unknown)
    watch("kong_plugin", name=name, instance_name="one", config={"no_such": unknown})
    # Taken by the other one.
    watch("kong_plugin", name="key-auth", instance_name="one", config=new)
    listed = watch("kong_info", kinds=["plugin"])
    assert len(listed["entities"][0]["entities"]) == 1
    generic = {"path": "plugins", "identity": "instance_name"}
    refused = watch("kong_entity", **generic, entity={"instance_name": "one", "tags": ["x"]})
    assert "use kong_plugin" in refused["msg"]
    watch.both("kong_plugin", name=name, instance_name="one", state="absent")
    assert _leaked(watch.text(), OLD, NEW, ECHOED) == []


CREDENTIALS: list[tuple[Options, str]] = [
    ({"type": "basic_auth", "username": "alice"}, "password"),
    ({"type": "hmac_auth", "username": "alice"}, "secret"),
    ({"type": "jwt", "key": "issuer"}, "secret"),
    ({"type": "oauth2", "name": "app", "client_id": "app"}, "client_secret"),
]


@pytest.mark.parametrize(
    ("named", "option"), CREDENTIALS, ids=[named["type"] for named, option in CREDENTIALS]
)
def test_secrets_of_a_credential(
    engines: dict[str, Engine], named: Options, option: str
) -> None:
    watch = Watch(engines["3.10"])
    for consumer in ("alice", "bob"):
        watch.both("kong_consumer", username=consumer)
    options = {**named, "consumer": "alice"}
    watch.both("kong_credential", **options, **{option: OLD})
    changed = watch.both("kong_credential", **options, **{option: NEW})
    assert changed["operation"] == "update"
    assert changed["diff"]["after"][option] == CHANGED
    assert changed["credential"][option] == "********"
    watch.echoed("kong_credential", [ECHOED], **options, **{option: ECHOED})
    for check in (True, False):
        taken = {**named, "consumer": "bob", option: ECHOED}
        assert watch("kong_credential", check=check, **taken).get("failed")
    watch("kong_info", kinds=[named["type"]])
    watch.both("kong_credential", **options, state="absent")
    assert _leaked(watch.text(), OLD, NEW, ECHOED) == []


def test_a_key_is_its_own_name_and_a_secret(engines: dict[str, Engine]) -> None:
    watch = Watch(engines["3.10"])
    for consumer in ("alice", "bob"):
        watch.both("kong_consumer", username=consumer)
    options = {"type": "key_auth", "consumer": "alice"}
    made = watch.both("kong_credential", **options, key=OLD)
    renamed = watch.both("kong_credential", **options, id=made["credential"]["id"], key=NEW)
    assert (renamed["operation"], renamed["diff"]["after"]["key"]) == ("update", CHANGED)
    for check in (True, False):
        taken = watch("kong_credential", check=check, type="key_auth", consumer="bob", key=NEW)
        assert taken.get("failed") and "another" in taken["msg"]
    watch.echoed("kong_credential", [ECHOED], **options, key=ECHOED)
    watch("kong_info", kinds=["key_auth"])
    generic = {"path": "consumers/alice/key-auth", "schema": "keyauth_credentials",
               "identity": "key", "search": True}
    watch.both("kong_entity", **generic, entity={"key": NEW, "tags": ["x"]})
    watch.both("kong_entity", **generic, entity={"key": NEW}, state="absent")
    watch.both("kong_credential", **options, key=NEW, state="absent")
    assert _leaked(watch.text(), OLD, NEW, ECHOED) == []


@pytest.mark.parametrize("secret", ["jwk", "pem"])
def test_secrets_of_a_key(engines: dict[str, Engine], tmp_path: Path, secret: str) -> None:
    watch = Watch(engines["3.10"])
    pairs = [self_signed(tmp_path, name) for name in ("old", "new", "other")]
    hidden = [Path(pair.key).read_text() for pair in pairs]

    def value(number: int) -> Any:
        if secret == "pem":
            return {"private_key": hidden[number]}
        return json.dumps(jwk(hidden[number], kid="1"))

    lines = [_body(text) for text in hidden] + [jwk(text, kid="1")["d"] for text in hidden]
    options = {"name": "one", "kid": "1"}
    watch.both("kong_key", **options, **{secret: value(0)})
    changed = watch.both("kong_key", **options, **{secret: value(1)})
    assert CHANGED in json.dumps(changed["diff"]["after"])
    texts = [lines[2], hidden[2]] if secret == "pem" else [value(2)]
    watch.echoed("kong_key", texts[-1:], **options, **{secret: value(2)})
    watch("kong_key", name="two", kid="1", **{secret: value(2)})
    watch("kong_info", kinds=["key"])
    watch.both("kong_key", **options, state="absent")
    assert _leaked(watch.text(), *lines) == []


def _body(pem: str) -> str:
    """A line of a PEM text that no other has."""
    return pem.splitlines()[1]


def test_secrets_of_a_certificate(engines: dict[str, Engine], tmp_path: Path) -> None:
    watch = Watch(engines["3.10"])
    pairs = [self_signed(tmp_path, name) for name in ("old", "new")]
    public, private = (
        [Path(getattr(pair, half)).read_text() for pair in pairs]
        for half in ("certificate", "key")
    )
    options = {"snis": ["a.test"]}
    watch.both("kong_certificate", **options, cert=public[0], key=private[0])
    changed = watch.both("kong_certificate", **options, cert=public[1], key=private[1])
    assert changed["diff"]["after"]["key"] == CHANGED
    assert _body(public[1]) in json.dumps(changed)
    watch.echoed("kong_certificate", [private[0]], **options, key=private[0])
    for check in (True, False):
        mismatch = watch("kong_certificate", check=check, **options, key=private[0])
        assert "does not match" in mismatch["msg"]
    watch("kong_info", kinds=["certificate", "sni"])
    watch.both("kong_certificate", **options, state="absent")
    assert _leaked(watch.text(), *map(_body, private)) == []


def test_what_no_schema_describes_is_hidden_in_errors_by_its_names(
    engines: dict[str, Engine],
) -> None:
    watch = Watch(engines["3.10"])
    config = {"token": OLD, "approle": {"secret_id": "x", "password": NEW}}
    watch.echoed("kong_vault", [OLD, NEW], prefix="my-vault", name="hcv", config=config)
    watch("kong_vault", prefix="my-vault", name="hcv", config=config)
    assert _leaked(watch.text(), OLD, NEW) == []


HOLDING: list[tuple[str, dict[str, Any], str]] = [
    ("request-transformer", {"add": {"headers": ["X-Plain:seen", "Authorization:Basic {}"]}}, ""),
    ("request-transformer", {"append": {"querystring": ["a:seen", "api_key:{}"]}}, ""),
    ("response-transformer", {"add": {"headers": ["X-Plain:seen", "Set-Cookie:{}"]}}, ""),
    ("zipkin", {"http_endpoint": "http://user:{}@zipkin.test/", "tags_header": "seen"}, CHANGED),
    ("aws-lambda", {"proxy_url": "http://user:{}@proxy.test/", "function_name": "seen"}, CHANGED),
]


@pytest.mark.parametrize(("name", "config", "shown"), HOLDING)
def test_a_text_that_holds_a_secret_is_hidden(
    engines: dict[str, Engine], name: str, config: dict[str, Any], shown: str
) -> None:
    watch = Watch(engines["3.10"])
    old, new, echoed = (
        json.loads(json.dumps(config).replace("{}", marker)) for marker in (OLD, NEW, ECHOED)
    )
    watch.both("kong_plugin", name=name, config=old)
    changed = watch.both("kong_plugin", name=name, config=new)
    assert changed["operation"] == "update"
    assert shown in json.dumps(changed["diff"]["after"])
    assert "seen" in json.dumps(changed["plugin"])
    watch.echoed("kong_plugin", list(_texts(echoed)), name=name, config=echoed)
    watch("kong_info", kinds=["plugin"])
    assert _leaked(watch.text(), OLD, NEW, ECHOED) == []


def test_a_reference_to_a_vault_is_no_secret(engines: dict[str, Engine]) -> None:
    reference = "{vault://env/kong-redis}"
    redis = {"minute": 5, "redis": {"password": reference}}
    made = engines["3.10"].ok("kong_plugin", name="rate-limiting", config=redis)
    assert made["plugin"]["config"]["redis"]["password"] == reference
    assert made["plugin"]["config"]["redis_password"] == reference
    changed = engines["3.10"].ok(
        "kong_plugin", name="rate-limiting", config={"redis": {"password": OLD}}
    )
    assert changed["diff"]["before"]["config"]["redis"]["password"] == reference
    assert changed["diff"]["after"]["config"]["redis"]["password"] == CHANGED
    assert OLD not in json.dumps(changed)


def test_update_password_says_honestly_what_changes(engines: dict[str, Engine]) -> None:
    watch = Watch(engines["3.10"])
    watch.both("kong_consumer", username="alice")
    options = {"type": "basic_auth", "consumer": "alice", "username": "alice"}
    assert watch.both("kong_credential", **options, password=OLD)["operation"] == "create"
    stored = watch.engine.gateway.entities("/basic-auths")[0]["password"]
    kept = watch.both(
        "kong_credential", **options, password=NEW, update_password="on_create", tags=["x"]
    )
    assert kept["operation"] == "update"
    assert watch.engine.gateway.entities("/basic-auths")[0]["password"] == stored
    again = watch.both("kong_credential", **options, password=NEW, update_password="on_create")
    assert again["operation"] == "none"
    assert watch.both("kong_credential", **options, password=OLD)["operation"] == "none"
    changed = watch.both("kong_credential", **options, password=NEW)
    assert changed["diff"]["after"]["password"] == CHANGED
    assert watch.engine.gateway.entities("/basic-auths")[0]["password"] != stored
    assert watch.both("kong_credential", **options, password=NEW)["operation"] == "none"
    assert _leaked(watch.text(), OLD, NEW, stored) == []
