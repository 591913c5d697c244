# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares gateways with their state files and emits an event for each difference that changes.

``ansible-rulebook`` runs :func:`main`. The comparison is the module kong_plan, run in this process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# PATH/ansible_collections/irishtek/kong/extensions/eda/plugins/event_source/drift.py
_COLLECTIONS = Path(__file__).resolve().parents[6:7]
if _COLLECTIONS and _COLLECTIONS[0].name == "ansible_collections":
    # Not by Ansible's loader of collections: with it, runpy no longer runs ansible-rulebook's files.
    sys.path.append(str(_COLLECTIONS[0].parent))
    import ansible_collections

    if str(_COLLECTIONS[0]) not in ansible_collections.__path__:
        ansible_collections.__path__.append(str(_COLLECTIONS[0]))

from ansible_collections.irishtek.kong.plugins.filter.kong_differences import kong_differences
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._module import Session
from ansible_collections.irishtek.kong.plugins.module_utils._operations._state import KONG_PLAN
from ansible_collections.irishtek.kong.plugins.module_utils._spelling import did_you_mean
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import run_in_process
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import (
    parse_state,
    read_state,
)

DOCUMENTATION = r"""
---
short_description: Differences between Kong Gateway and its state files
version_added: 1.0.0
description:
  - Plans as M(irishtek.kong.kong_plan) does, for one or many gateways, and emits an event when an entity begins to
    differ from the state files, differs in another way, or no longer differs. Nothing is emitted while nothing changes,
    and nothing is written to a gateway.
  - The files are read again for each comparison, so that an event shows a change of a file, too.
  - A gateway that cannot be compared is asked less and less often, up to O(max_backoff).
options:
  gateways:
    description:
      - The gateways to compare. Each is a dictionary with a C(name), which stands in events, and options that override the
        options here, such as C(admin_url) and C(src).
      - Without it there is one gateway, which the options here describe.
    type: list
    elements: dict
  src:
    description: State files or directories, as in M(irishtek.kong.kong_plan). One of O(src) and O(content) is required.
    type: list
    elements: str
  content:
    description: The state itself, in place of O(src).
    type: raw
  interval:
    description: Seconds from the end of a comparison to the next one.
    type: float
    default: 60
  max_backoff:
    description: The most seconds between two attempts at a gateway that cannot be compared.
    type: float
    default: 600
  report_existing:
    description: Whether differences that exist when the source starts are emitted.
    type: bool
    default: true
notes:
  - All further options are those of M(irishtek.kong.kong_plan), except for C(dest). Its environment variables apply.
  - The event is C(event.drift) with C(gateway), C(change), C(operation), C(kind), C(entity), C(difference), C(reason)
    and C(at) (seconds since the epoch).
  - C(change) is C(drifted) or C(resolved); of a gateway as a whole, without an entity, C(failed) with a C(reason), or
    C(recovered).
  - C(operation) is what would bring the entity back, V(create), V(update) or V(delete). C(difference) shows it as one
    line. Secrets are masked.
  - State files that are encrypted by Ansible Vault cannot be read. Use environment variables in placeholders.
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Report drift
  hosts: localhost
  sources:
    - irishtek.kong.drift:
        gateways:
          - {name: kong-1, admin_url: "https://kong-1.example:8444"}
          - {name: kong-2, admin_url: "https://kong-2.example:8444"}
        admin_token: "{{ kong_admin_token }}"
        src: [kong.yaml]
        state: synced
        select_tags: [team-orders]
        interval: 300
  rules:
    - name: An entity differs from the files
      condition: event.drift.change == "drifted"
      action:
        debug:
          msg: "{{ event.drift.gateway }}: {{ event.drift.difference }}"
"""

LOGGER = logging.getLogger(__name__)
_ABOUT = ("operation", "kind", "entity", "difference")
_DEFAULTS: dict[str, Any] = {"interval": 60.0, "max_backoff": 600.0, "report_existing": True}
# Options of kong_plan that a comparison does not have.
_UNUSED = frozenset({"dest", "concurrency", "on_error"})
_STATES = frozenset({"src", "content"})
_OPTIONS = KONG_PLAN.spec.to_spec().keys() - _UNUSED

# An entity, and its number among those of the same name.
Key = tuple[str, int]
Difference = dict[str, str]


class NotCompared(Exception):
    """A gateway could not be compared; the message has no secret."""


class Comparison:
    """One gateway and the differences that were seen last."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.name = str(options["name"])
        self._args = dict(options["args"])
        # Keeps the connections to the gateway.
        self._session = Session()
        self._seen: dict[Key, Difference] | None = None

    def differences(self) -> dict[Key, Difference]:
        """The differences as they are now. It blocks.

        :raises NotCompared: the files cannot be read, or the gateway does not answer or refuses.
        """
        try:
            args = _with_content(self._args)
        except InputError as exc:
            raise NotCompared(exc.message) from None
        result = run_in_process(
            KONG_PLAN, args, self._session, action="irishtek.kong.drift", check_mode=True, diff=True
        )
        if result.get("failed"):
            raise NotCompared(str(result["msg"]))
        for warning in result.get("warnings", ()):
            LOGGER.info("%s: %s", self.name, warning)
        return _differences_of(result)

    def changes(
        self, now: dict[Key, Difference], report_existing: bool
    ) -> Iterator[dict[str, Any]]:
        """What became different since the last look, which this one replaces."""
        seen, self._seen = self._seen, now
        if seen is None:
            seen = {} if report_existing else now
        for key, difference in now.items():
            if seen.get(key) != difference:
                yield {"change": "drifted", **difference}
        for key, difference in seen.items():
            if key not in now:
                yield {"change": "resolved", **difference}


def _with_content(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with the document in ``content``, as the action plugin of kong_plan does it."""
    src, content = args.get("src"), args.get("content")
    if isinstance(content, str):
        content = parse_state([("content", content)], os.environ, _decrypt)
    elif src is not None:
        paths = [src] if isinstance(src, str) else list(src)
        content = read_state(paths, _text, os.environ, _decrypt)
    return {**{name: value for name, value in args.items() if name != "src"}, "content": content}


def _text(path: str) -> str:
    text = Path(path).read_text(encoding="utf-8")
    return _decrypt(text) if text.startswith("$ANSIBLE_VAULT;") else text


def _decrypt(text: str) -> str:
    raise InputError(
        "an event source has no vault password; use ${{ env \"DECK_NAME\" }} in place of what is "
        "encrypted"
    )


def _differences_of(result: Mapping[str, Any]) -> dict[Key, Difference]:
    """The differences of a result of kong_plan, whose diffs are sorted by kind."""
    kinds = [
        kind
        for kind, counts in result["summary"].items()
        for _number in range(sum(counts.values()) - counts["unchanged"])
    ]
    number: Counter[str] = Counter()
    found: dict[Key, Difference] = {}
    for kind, pair, line in zip(kinds, result["diff"], kong_differences(result), strict=True):
        entity = str(pair["before_header"]).rpartition(" (")[0]
        number[entity] += 1
        operation = line.partition(" ")[0]
        about = {"operation": operation, "kind": kind, "entity": entity, "difference": line}
        found[entity, number[entity]] = about
    return found


class Watch:
    """Compares one gateway until it is cancelled, and puts what changed into the queue."""

    def __init__(
        self, comparison: Comparison, queue: asyncio.Queue[Any], options: Mapping[str, Any]
    ) -> None:
        self._comparison = comparison
        self._queue = queue
        self._interval = float(options["interval"])
        self._longest = max(float(options["max_backoff"]), self._interval)
        self._report_existing = bool(options["report_existing"])
        self._failures = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(await self.once())

    async def once(self) -> float:
        """Compare once; the seconds until the next comparison."""
        try:
            now = await asyncio.to_thread(self._comparison.differences)
        except NotCompared as exc:
            return await self._back_off(str(exc))
        if self._failures:
            self._failures = 0
            await self._emit({"change": "recovered"})
        for change in self._comparison.changes(now, self._report_existing):
            await self._emit(change)
        return self._interval

    async def _back_off(self, reason: str) -> float:
        LOGGER.warning("%s cannot be compared: %s", self._comparison.name, reason)
        self._failures += 1
        if self._failures == 1:
            await self._emit({"change": "failed", "reason": reason})
        # The exponent is bounded: the power of a long outage would be no float.
        pause = self._interval * 2.0 ** min(self._failures, 16) * random.uniform(0.75, 1.0)
        return min(self._longest, pause)

    async def _emit(self, change: Mapping[str, Any]) -> None:
        about = {"gateway": self._comparison.name, "reason": None, "at": time.time()}
        await self._queue.put({"drift": {**dict.fromkeys(_ABOUT), **about, **change}})


def options_of(args: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their defaults, and for each gateway its name and arguments of kong_plan.

    :raises ValueError: names the option that is missing or invalid.
    """
    # ansible-rulebook adds options of its own, such as eda_feedback_queue.
    written = {name: value for name, value in args.items() if not name.startswith("eda_")}
    options = {**_DEFAULTS, **{name: written.pop(name) for name in _DEFAULTS if name in written}}
    for name in ("interval", "max_backoff"):
        if float(options[name]) <= 0:
            raise ValueError(f"{name} must be greater than 0, got {options[name]}")
    gateways = written.pop("gateways", None)
    if gateways is None:
        gateways = [{}]
    if not isinstance(gateways, list) or not gateways:
        raise ValueError("gateways must be a list of dictionaries that is not empty")
    return {**options, "gateways": [_gateway(each, written) for each in gateways]}


def _gateway(own: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(own, Mapping):
        raise ValueError("each of gateways must be a dictionary, such as one with admin_url")
    if own.keys() & _STATES:
        shared = {option: value for option, value in shared.items() if option not in _STATES}
    whole = {**shared, **own}
    name = whole.pop("name", None)
    args = {option: value for option, value in whole.items() if value is not None}
    for option in args:
        if option not in _OPTIONS:
            near = did_you_mean(option, _OPTIONS)
            raise ValueError(f"irishtek.kong.drift has no option {option}{near}")
    if len(args.keys() & _STATES) != 1:
        raise ValueError("exactly one of src and content is required")
    url = args.get("admin_url") or os.environ.get("KONG_ADMIN_URL") or ""
    if "@" in urlsplit(str(url)).netloc:
        raise ValueError("admin_url must not hold credentials: use admin_token or admin_headers")
    return {"name": name or args.get("control_plane") or url or "gateway", "args": args}


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Compare all gateways at the same time until the rulebook ends."""
    options = options_of(args)
    comparisons = [Comparison(each) for each in options["gateways"]]
    await asyncio.gather(*(Watch(each, queue, options).run() for each in comparisons))
