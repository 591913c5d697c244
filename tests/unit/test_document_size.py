# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large documents: 20,000 entities are planned within processor time and memory that is promised.

The promise is 10 s and 500 MB. Time is the processor's, so that a busy machine makes no difference,
and twice what is promised, so that a slow one makes none; work that grows with the square of the
entities takes minutes.
"""

from __future__ import annotations

import time
import tracemalloc
import uuid
from typing import Any, cast

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._document._changes import ChangeSet
from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import parse
from ansible_collections.irishtek.kong.plugins.module_utils._document._reconcile import (
    SyncOptions,
    reconcile,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._run import Runner
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from unit.stocked import StockedGateway

SECONDS, BYTES = 20, 500_000_000
UPSTREAMS, TARGETS = 200, 49
CONSUMERS, ROUTES = 3000, 3000
ALL = ("upstream", "target", "service", "route", "consumer", "key_auth", "plugin")


def _document(marked: str = "") -> dict[str, Any]:
    upstreams = [
        {"name": f"u{at}.test{marked}", "targets": [
            {"target": f"10.{at}.{to}.1:80", "weight": to} for to in range(TARGETS)]}
        for at in range(UPSTREAMS)
    ]  # fmt: skip
    services = [
        {"name": f"s{at}{marked}", "host": "a.test", "routes": [
            {"name": f"r{at}{marked}", "paths": [f"/{at}"]}]}
        for at in range(ROUTES)
    ]  # fmt: skip
    consumers = [
        {"username": f"c{at}{marked}", "custom_id": f"id-{at}",
         "keyauth_credentials": [{"key": f"hidden-{at}"}]}
        for at in range(CONSUMERS)
    ]  # fmt: skip
    return {
        "_format_version": "3.0", "_info": {"select_tags": ["t"]},
        "upstreams": upstreams, "services": services, "consumers": consumers,
    }  # fmt: skip


ENTITIES = UPSTREAMS * (1 + TARGETS) + 2 * ROUTES + 2 * CONSUMERS


def _work(gateway: StockedGateway, document: dict[str, Any], wish: SyncOptions) -> ChangeSet:
    return reconcile(cast(Gateway, gateway), parse(document), wish, pytest.fail)


def _planned(gateway: StockedGateway, document: dict[str, Any]) -> ChangeSet:
    """The work for a document; fails where it takes too long."""
    begun = time.process_time()
    work = _work(gateway, document, SyncOptions("synced", ALL, allow_empty=True, cascade=True))
    for step in work.steps:
        if step.plan.changed:
            step.plan.diff(gateway.url)
    took = time.process_time() - begun
    assert took < SECONDS, f"{took:.1f} s of processor time"
    return work


def test_twenty_thousand_entities_are_planned_within_bounds() -> None:
    assert ENTITIES >= 20_000
    gateway = StockedGateway()
    first = _planned(gateway, _document())
    assert len([step for step in first.steps if step.plan.changed]) == ENTITIES
    begun = time.process_time()
    report = Runner(cast(Gateway, gateway), "stop", 10, lambda line: None).run(first)
    assert len(report.done) == ENTITIES
    assert time.process_time() - begun < SECONDS
    second = _planned(gateway, _document())
    assert not [step for step in second.steps if step.plan.changed]
    # All names are new, and each consumer is found again by its custom_id.
    renamed = _planned(gateway, _document("-new"))
    updated = [step for step in renamed.steps if step.plan.operation == "update"]
    assert len([step for step in updated if step.plan.kind.name == "consumer"]) == CONSUMERS
    gone = _planned(gateway, {"_format_version": "3.0", "_info": {"select_tags": ["t"]}})
    assert sum(1 + len(step.cascaded) for step in gone.deletes) == ENTITIES


def test_twenty_thousand_entities_take_little_memory() -> None:
    gateway = StockedGateway()
    document = _document()
    tracemalloc.start()
    try:
        work = _work(gateway, document, SyncOptions("synced", ALL))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(work.writes) == ENTITIES
    assert peak < BYTES, f"{peak / 1e6:.0f} MB"


def test_a_stocked_gateway_keeps_what_it_is_given() -> None:
    gateway = StockedGateway()
    key = str(uuid.uuid4())
    consumers = [{"username": "a", "id": key}]
    work = _work(
        gateway, {"_format_version": "3.0", "consumers": consumers}, SyncOptions("applied")
    )
    Runner(cast(Gateway, gateway), "stop", 1, lambda line: None).run(work)
    assert [each["id"] for each in gateway.stored["consumer"].values()] == [key]
