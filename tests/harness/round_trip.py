# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One state file through decK and through the collection, on a gateway that may be emptied."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from ansible_collections.irishtek.kong.plugins.module_utils._document._dump import ALL_KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import read_state
from harness.deck import deck_command, deck_environment
from harness.engine import Engine, Result
from harness.gateway import Gateway
from harness.state import counts, whole, without_ids, without_order

# Seconds; decK takes less than one.
LIMIT = 120.0
NOTHING = {"Created": 0, "Updated": 0, "Deleted": 0}
# In an order in which each can be deleted; what belongs to them goes along.
_EMPTIED = (
    *("plugins", "routes", "services", "upstreams", "snis", "certificates", "ca_certificates"),
    *("consumers", "consumer_groups", "keys", "key-sets", "vaults", "partials"),
)
# How a gateway stores it depends on ids, or nobody wrote it.
_MADE_UP = ("password", "cache_tokens_salt", "client_secret", "secret")
_NAMES = ("name", "username", "custom_id", "prefix", "target", "key", "client_id", "group", "cert")
_VARIABLE = re.compile(r'\$\{\{ env "(\w+)"(?: \| \w+)? \}\}')


class DeckRefusedError(Exception):
    """decK ended with a failure; what it said."""


@dataclass
class RoundTrip:
    """Both clients of one gateway."""

    program: str
    gateway: Gateway
    folder: Path
    environment: Mapping[str, str]

    def empty(self) -> None:
        """Remove everything that state files can hold."""
        for path in _EMPTIED:
            for entity in self.gateway.entities(f"/{path}"):
                self.gateway.call("DELETE", f"/{path}/{entity['id']}")

    def deck(self, verb: str, file: Path, more: Mapping[str, str] | None = None) -> dict[str, int]:
        """What decK says that it created, updated and deleted.

        :raises DeckRefusedError: it failed.
        """
        environment = deck_environment(self.gateway, self.folder)
        done = subprocess.run(
            deck_command(self.program, verb, file, self.gateway),
            env={**environment, **self.environment, **(more or {})}, cwd=self.folder,
            timeout=LIMIT, text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode:
            raise DeckRefusedError(done.stdout[-400:])
        found = re.findall(r"^\s+(Created|Updated|Deleted): (\d+)$", done.stdout, re.MULTILINE)
        return {name: int(number) for name, number in found}

    def ours(
        self, file: Path, more: Mapping[str, str] | None = None, *, check: bool = False
    ) -> Result:
        """What ``kong_state`` says of a file whose entities are all that there is to be."""
        try:
            content = read_state(
                [str(file)], lambda path: Path(path).read_text("utf-8"),
                {**self.environment, **(more or {})}, str,
            )  # fmt: skip
        except InputError as exc:
            return {"failed": True, "msg": exc.message}
        everything: dict[str, Any] = {
            "purge_kinds": self._kinds(),
            "allow_empty": True,
            "cascade": True,
        }
        # The document may have tags of its own, which then say what it owns.
        if (content.get("_info") or {}).get("select_tags"):
            everything = {"allow_empty": True, "cascade": True}
        return Engine(self.gateway)(
            "kong_state", content=content, state="synced", check=check, **everything
        )

    def _kinds(self) -> list[str]:
        enterprise = ["consumer_group", "partial", "mtls_auth"]
        missing = ["oauth2"] if self.gateway.control_plane else enterprise
        return [kind for kind in ALL_KINDS if kind not in missing]

    def dump(self, name: str, **options: Any) -> tuple[Path, dict[str, str]]:
        """The file of a dump, and the values of its variables."""
        file = self.folder / name
        engine = Engine(self.gateway)
        found = engine.ok("kong_dump", dest=str(file), format=file.suffix[1:], **options)
        kept = engine.ok("kong_dump", **{**options, "secrets": "keep"})
        return file, dict(_values(found["document"], kept["document"]))

    def entities(self) -> dict[str, list[str]]:
        """All entities by path, comparable between gateways: references by names, no ids."""
        found = whole(self.gateway)
        names = {
            key: f"({path} {next((entity[name] for name in _NAMES if entity.get(name)), '')})"
            for path, entities in found.items()
            for key, entity in entities.items()
        }
        result: dict[str, list[str]] = {}
        for path, entities in found.items():
            kept = [
                {name: value for name, value in entity.items() if name not in (*_MADE_UP, "id")}
                for entity in entities.values()
            ]
            texts = (json.dumps(each, sort_keys=True) for each in kept)
            label = names.get(path.split("/")[2], path) if path.count("/") > 1 else path
            result[label] = sorted(
                re.sub(r"[0-9a-f-]{36}", lambda found: names.get(found[0], found[0]), text)
                for text in texts
            )
        return result


def _values(shown: Any, kept: Any) -> Iterator[tuple[str, str]]:
    """The variables of a dump, with the secrets that they stand for."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            yield from _values(value, kept[key])
    elif isinstance(shown, list):
        for one, other in zip(shown, kept, strict=True):
            yield from _values(one, other)
    elif isinstance(shown, str) and shown != kept:
        found = _VARIABLE.fullmatch(shown)
        assert found, shown
        yield found[1], str(kept)


def differences(trip: RoundTrip, file: Path) -> list[str]:
    """What of the promises about a file that decK takes does not hold; none, if all is well.

    The gateway holds what decK made of the file.
    """
    problems = []
    settles = trip.deck("diff", file) == NOTHING
    wanted = trip.entities()
    after = trip.ours(file, check=True)
    if after.get("failed") or after["changes"]:
        problems.append(f"after decK, kong_state finds {after.get('msg') or told(after)}")
    trip.empty()
    predicted, real = trip.ours(file, check=True), trip.ours(file)
    if real.get("failed"):
        return [*problems, f"kong_state: {real['msg']}"]
    if predicted.get("failed") or counts(predicted) != counts(real):
        problems.append(f"check mode says {predicted.get('msg') or counts(predicted)}")
    elif without_order(predicted["changes"]) != without_order(real["changes"]):
        problems.append("check mode predicts other changes")
    if (found := trip.entities()) != wanted:
        both = {key: (wanted.get(key), found.get(key)) for key in wanted.keys() | found.keys()}
        other = {key: pair for key, pair in both.items() if pair[0] != pair[1]}
        problems.append(f"another state: {other}")
    again = trip.ours(file)
    if again.get("failed") or again["changed"]:
        problems.append(f"a second run finds {again.get('msg') or told(again)}")
    if settles and (told_by_deck := _deck(trip, file)) != NOTHING:
        problems.append(f"decK finds {told_by_deck}")
    return problems + [problem for name in DUMPS for problem in _dumped(trip, name, settles)]


DUMPS: dict[str, dict[str, Any]] = {
    "kept.yaml": {"secrets": "keep"},
    "short.yaml": {"secrets": "keep", "skip_defaults": True},
    "variables.yaml": {"secrets": "env"},
    "variables.json": {"secrets": "env", "skip_defaults": True},
}


def _dumped(trip: RoundTrip, name: str, settles: bool) -> Iterator[str]:
    """What is wrong with a dump of what the gateway has."""
    file, values = trip.dump(name, **DUMPS[name])
    told_by_deck = _deck(trip, file, values)
    if told_by_deck != NOTHING and (settles or isinstance(told_by_deck, str)):
        yield f"{name}: decK finds {told_by_deck}"
    back = trip.ours(file, values, check=True)
    if back.get("failed") or back["changes"]:
        yield f"{name}: kong_state finds {back.get('msg') or told(back)}"


def _deck(
    trip: RoundTrip, file: Path, values: Mapping[str, str] | None = None
) -> dict[str, int] | str:
    try:
        return trip.deck("diff", file, values)
    except DeckRefusedError as exc:
        return str(exc)


def told(result: Result) -> str:
    """A result's changes, in short."""
    return json.dumps(without_ids(result.get("diff", result["changes"])))[:600]


def is_state_file(path: Path) -> bool:
    """Whether a file is one that decK reads."""
    if path.suffix not in (".yaml", ".yml", ".json"):
        return False
    try:
        found = yaml.safe_load(re.sub(r"\$\{\{.*?\}\}", "x", path.read_text("utf-8")))
    except (yaml.YAMLError, UnicodeError):
        return True
    return isinstance(found, dict)
