# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document as the whole configuration of a gateway without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._apply import plugin_kind
from .._document._changes import ChangeSet
from .._document._dbless import dbless_of, refusals
from .._document._dump import ALL_KINDS
from .._document._parse import Document, Item
from .._document._reconcile import SyncOptions, reconcile
from .._document._run import Report, Runner
from .._entities._kind import Field, Kind
from .._errors import InputError, KongError, Refused, flat_reasons
from .._gateway._protocol import Gateway
from .._predict import Checks, PredictingGateway, Predictions
from .._schema import fields_in, missing_in
from .._secrets import redact
from .._spelling import unknown_fields, with_nearest_fields
from ._base import Task


def plan_whole(task: Task, document: Document, options: SyncOptions) -> ChangeSet:
    """What loading the document changes; what it lacks goes.

    :raises InputError: only a part of a configuration is meant, or something is protected.
    """
    if options.state != "synced":
        raise InputError(
            f"state {options.state} needs a gateway with a database: without one a document is the "
            "whole configuration, so only synced is possible"
        )
    everything = replace(document, select_tags=())
    whole = replace(options, purge_kinds=ALL_KINDS, cascade=True)
    # The gateway makes up the IDs, so they are predicted in a real run, too.
    changes = reconcile(_predicting(task), everything, whole, task.warn)
    for protected in changes.protected:
        raise InputError(
            f"{protected.plan.description} cannot be protected at {task.gateway.url}: without a "
            "database the document is the whole configuration; add it to the document"
        )
    return changes


def load_whole(task: Task, document: Document, changes: ChangeSet) -> Report:
    """Load the document if it changes something; check mode finds what would be refused."""
    gateway = _predicting(task)
    report = Runner(gateway, "continue", task.params["concurrency"], lambda line: None).run(changes)
    for warning in _generated(gateway, changes) if report.done else ():
        task.warn(warning)
    if task.check_mode:
        _refuse(task, report, list(_missing(gateway, changes)) if report.done else [])
    elif report.failed:
        _refuse(task, report, [])
    if report.done:
        _load(task, document)
    return report


def _refuse(task: Task, report: Report, missing: Sequence[str]) -> None:
    """Fail where check mode found what the gateway would refuse."""
    found = [
        f"{step.where}: {step.plan.description}: {_reason(task.gateway, step.plan.kind, exc)}"
        for step, exc in report.failed
    ]
    reasons = "; ".join((*found, *missing))
    if not reasons:
        return
    first = report.failed[0][1] if found else InputError("")
    if found:
        first.failure["where"] = report.failed[0][0].where
    first.message = _not_loaded(task, reasons)
    raise first


def _not_loaded(task: Task, reasons: str) -> str:
    return f"Could not load the document at {task.gateway.url}: {reasons}; nothing was changed"


def _reason(gateway: Gateway, kind: Kind, exc: KongError) -> str:
    if isinstance(exc, Refused) and exc.fields:
        return _text_of(gateway, kind, exc.fields)
    return exc.message.removeprefix(f"{exc.failure.get('context')}: ")


def _text_of(gateway: Gateway, kind: Kind | None, fields: Any) -> str:
    """What the gateway says about an entity, with the nearest names of fields."""
    text = "; ".join(flat_reasons(fields))
    unknown = list(unknown_fields(fields)) if kind and isinstance(fields, Mapping) else []
    return with_nearest_fields(text, unknown, gateway.schema_of(kind)) if kind and unknown else text


def _missing(gateway: Gateway, changes: ChangeSet) -> Iterator[str]:
    """Required fields that only the gateway's own entities have: a load replaces these."""
    for step in changes.writes:
        if step.plan.before is not None and step.plan.kind.validated:
            schema = gateway.schema_of(step.plan.kind)
            written = {**step.desired, str(step.plan.kind.parent): step.owner}
            names = ", ".join(missing_in(schema, written))
            if names:
                yield f"{step.where}: {step.plan.description}: {names}: required field missing"


def _generated(gateway: Gateway, changes: ChangeSet) -> Iterator[str]:
    """Secrets that are not written, so that no two loads give the same."""
    for step in changes.writes:
        kind = step.plan.kind
        left_out = {field.name for field in kind.fields if field.secret} - step.desired.keys()
        specs = fields_in(gateway.schema_of(kind)) if left_out and kind.validated else {}
        for name in sorted(left_out & specs.keys()):
            if specs[name].get("auto"):
                yield (
                    f"{step.where}: {step.plan.description}: {name} is not in the document, so the "
                    "gateway generates another one each time that it loads a document"
                )


def _load(task: Task, document: Document) -> None:
    """Make a document the whole configuration; a refusal names the places of its entities."""
    gateway, origins = task.gateway, dict[int, Item]()

    def config_fields(plugin: str) -> Sequence[Field]:
        return plugin_kind(gateway, plugin).field("config").fields

    whole = dbless_of(document.items, config_fields, origins)
    try:
        gateway.load(json.dumps(whole))
    except Refused as exc:
        found = [
            (item, _typed_kind(gateway, item) if item else None, fields)
            for item, fields in refusals(exc.fields, whole, origins)
        ]
        reasons = [
            (f"{item.where}: {item.describe()}: " if item else "") + _text_of(gateway, kind, fields)
            for item, kind, fields in found
        ]
        exc.message = _not_loaded(task, "; ".join(reasons) or exc.message)
        for item, kind, _fields in found:
            if item and kind:
                redact(exc, kind, item.written)
        raise


def _typed_kind(gateway: Gateway, item: Item) -> Kind:
    is_plugin = item.kind.typed_by_name
    return plugin_kind(gateway, str(item.written["name"])) if is_plugin else item.kind


def _predicting(task: Task) -> PredictingGateway:
    """What completes the entities of a diff; check mode also lets the gateway validate them."""
    if isinstance(task.gateway, PredictingGateway):
        return task.gateway.with_checks(Checks(looks_up=False, writes_entities=False))
    checks = Checks(looks_up=False, validates=False, writes_entities=False)
    return PredictingGateway(task.gateway, Predictions(), task.warn, checks)
