# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playing a recorded conversation with a gateway again, and telling where answers differ.

A transcript is a list of steps, each a `request` and the `response` that a real gateway gave. A
request has a `method`, a path `template` and perhaps a `body_template`, in which `{name}` stands
for what an earlier step kept (`as`: the id of its answer, `offset_as`: its offset). What is
compared may be narrowed: `keys` (these keys only), `drop` (without these, at any depth), `sort`
(`data` in no order), `status_only`. `sleep` waits so many seconds first; `headers` are sent.
Ids and times differ from run to run: ids are numbered as they are met, times are `<time>`.
"""

from __future__ import annotations

import itertools
import json
import pathlib
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx

Step = dict[str, dict[str, Any]]

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIMES = frozenset({"created_at", "updated_at"})


class Ids:
    """The ids of one play, each by the number of its first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def _number(self, found: re.Match[str]) -> str:
        return f"<uuid:{self._numbers.setdefault(found.group(), len(self._numbers) + 1)}>"

    def plain(self, value: Any, key: str = "") -> Any:
        """A value with ids and times that compare; keys are visited in sorted order."""
        if isinstance(value, dict):
            return {
                ID.sub(self._number, name): self.plain(value[name], name)
                for name in sorted(value, key=lambda name: _rank(name, value[name]))
            }
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if isinstance(value, str):
            return ID.sub(self._number, value)
        if key in TIMES and value is not None:
            return "<time>"
        return value


def _rank(name: str, value: Any) -> str:
    """Where a key stands: by its name, or by what it holds where the name is an id."""
    return _text(value) if ID.fullmatch(name) else name


def _text(value: Any) -> str:
    return ID.sub("", json.dumps(value, sort_keys=True))


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value


def _filled(value: Any, kept: dict[str, str]) -> Any:
    """A template with what earlier steps kept; unknown placeholders stay."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: kept.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: _filled(item, kept) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, kept) for item in value]
    return value


def _send(client: httpx.Client, request: dict[str, Any], path: str, body: Any) -> httpx.Response:
    """Send as the recorder sent: JSON for structures, text as it is with a form's type."""
    headers = dict(request.get("headers", {}))
    content: bytes | None = None
    if isinstance(body, str):
        content = body.encode()
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif body is not None:
        content = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    return client.request(request["method"], path, content=content, headers=headers)


def _decoded(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        return {"<not json>": answer.text[:400]}


def _narrowed(body: Any, request: dict[str, Any]) -> Any:
    """The part of an answer that is compared."""
    if request.get("keys"):
        body = {key: body.get(key) for key in request["keys"]}
    if request.get("drop"):
        body = _without(body, frozenset(request["drop"]))
    if request.get("sort") and isinstance(body.get("data"), list):
        ordered = sorted(body["data"], key=lambda item: _text(_without(item, TIMES)))
        body = {**body, "data": ordered}
    return body


class Player:
    """One play of one transcript against the gateway behind `client`."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.ids = Ids()
        self.kept: dict[str, str] = {}

    def step(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request; what was answered, in the form of a transcript's `response`."""
        path = _filled(request["template"], self.kept)
        body = _filled(request.get("body_template"), self.kept)
        time.sleep(request.get("sleep", 0))
        answer = _send(self.client, request, path, body)
        decoded = _decoded(answer)
        if isinstance(decoded, dict):
            if "as" in request and "id" in decoded:
                self.kept[request["as"]] = decoded["id"]
            if "offset_as" in request and decoded.get("offset"):
                self.kept[request["offset_as"]] = str(decoded["offset"])
        self.ids.plain(path)
        self.ids.plain(body)
        response: dict[str, Any] = {"status": answer.status_code}
        if request.get("status_only"):
            return response
        if decoded is not None:
            response["body"] = self.ids.plain(_narrowed(decoded, request))
        content_type = answer.headers.get("content-type", "").partition(";")[0]
        return {**response, "content_type": content_type} if content_type else response


def differences(wanted: Any, got: Any, place: str = "") -> Iterator[str]:
    """Where two answers differ, a line each."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted({*wanted, *got}):
            if key not in got:
                yield f"{place}.{key}: missing"
            elif key not in wanted:
                yield f"{place}.{key}: not expected"
            else:
                yield from differences(wanted[key], got[key], f"{place}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, pair in enumerate(zip(wanted, got, strict=True)):
            yield from differences(*pair, f"{place}[{index}]")
    elif wanted != got:
        yield f"{place}: wanted {wanted!r:.300}, got {got!r:.300}"


def played(client: httpx.Client, transcript: pathlib.Path) -> list[str]:
    """Play a whole transcript; every difference as a line that names its step."""
    steps: list[Step] = json.loads(transcript.read_text(encoding="utf-8"))
    player = Player(client)
    lines: list[str] = []
    for number, step in enumerate(steps):
        request = step["request"]
        found = differences(step["response"], player.step(request))
        title = f"step {number} {request['method']} {request['template']}"
        lines += [f"{title}{line}" for line in itertools.islice(found, 8)]
    return lines
