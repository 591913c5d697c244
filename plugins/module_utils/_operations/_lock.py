# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take and release the lock of a gateway: the operation behind ``kong_lock``."""

from __future__ import annotations

import datetime
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from .._argspec import ArgumentSpec
from .._deadline import Deadline, is_temporary, poll, seconds_until, unix_time
from .._entities._kind import Entity
from .._entities._upstream import LOCK_NAME, UPSTREAM
from .._errors import InputError, KongError, Unreachable
from .._gateway._errors import UniqueViolation
from .._gateway._protocol import Gateway
from .._plan import CREATE, DELETE, NONE, diff_entry
from .._process import has_ended, user_and_host
from ._base import Operation, Result, Task
from ._entity import STATE

_OWNER, _RUN, _SINCE = "owner:", "run:", "since:"
# A tag may have any printable character but a comma and a slash.
_PRINTED = "@:. ()-_"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    :param run: the run that holds it, empty where the owner was written.
    :param since: Unix time, None where the tag with it is missing.
    """

    owner: str
    run: str = ""
    since: int | None = None


def lock_of(holder: Holder) -> Entity:
    """The upstream that says who holds the lock."""
    run = [_RUN + quote(holder.run, safe=_PRINTED)] if holder.run else []
    owner = _OWNER + quote(holder.owner, safe=_PRINTED)
    return {"name": LOCK_NAME, "tags": [LOCK_NAME, owner, *run, f"{_SINCE}{holder.since}"]}


def holder_of(lock: Entity) -> Holder:
    tags = lock.get("tags") or ()
    values = {
        prefix: unquote(tag.removeprefix(prefix))
        for tag in tags
        for prefix in (_OWNER, _RUN, _SINCE)
        if tag.startswith(prefix)
    }
    since = values.get(_SINCE, "")
    return Holder(
        values.get(_OWNER, "unknown"),
        values.get(_RUN, ""),
        int(since) if since.isdecimal() else None,
    )


def run_lock(task: Task) -> Result:
    gateway = task.gateway
    try:
        _refuse_unusable(task, gateway)
        if task.removes:
            return _release(task, gateway)
        timeout = task.params["wait_timeout"]
        if not timeout:
            return _take(task, gateway)
        return poll(
            lambda: _take(task, gateway),
            Deadline(timeout),
            temporary=lambda exc: isinstance(exc, _Held) or is_temporary(exc),
            pause=1.0,
            longest_pause=5.0,
        )
    except KongError as exc:
        exc.within(f"lock of {task.gateway.url}")
        raise


class _Held(KongError):
    """Somebody else has the lock."""


def _refuse_unusable(task: Task, gateway: Gateway) -> None:
    if not gateway.traits().writes_entities:
        raise InputError(
            "a gateway without a database cannot hold a lock, as single entities cannot be written"
        )
    if not task.params.get("owner", "-").strip():
        raise InputError("owner must not be empty")
    for name in ("stale_after", "wait_timeout"):
        if task.params[name] < 0:
            raise InputError(f"{name} must be at least 0, got {task.params[name]}")


def _own(task: Task) -> Holder:
    """This task as the holder of a lock, from now on."""
    owner = task.params.get("owner") or user_and_host()
    return Holder(owner, task.params.get("run") or "", unix_time())


def _take(task: Task, gateway: Gateway) -> Result:
    """Create the lock; only where that is refused, look who holds it."""
    wanted = _own(task)
    if not task.check_mode and _create(gateway, wanted):
        return _result(task, wanted, None)
    current = _stored(gateway)
    if current is None:
        return _result(task, wanted, None) if task.check_mode else _retake(task, gateway, wanted)
    holder = holder_of(current)
    if _is_own(wanted, holder):
        return _result(task, holder, holder)
    _refuse_live(task, holder)
    if not task.check_mode:
        # By its ID, so that a lock which somebody else took meanwhile stays.
        gateway.delete(UPSTREAM, current)
        _retake(task, gateway, wanted)
        _warn_broken(task, holder)
    return _result(task, wanted, holder)


def _stored(gateway: Gateway) -> Entity | None:
    return gateway.find_by(UPSTREAM, "name", LOCK_NAME)


def _retake(task: Task, gateway: Gateway, wanted: Holder) -> Result:
    """Take a lock that was just released, unless somebody else is faster."""
    if _create(gateway, wanted):
        return _result(task, wanted, None)
    holder = holder_of(_stored(gateway) or {})
    raise _Held(_sentence(holder), **_shown(holder))


def _create(gateway: Gateway, wanted: Holder) -> bool:
    """Whether the lock is ours; False where somebody has it."""
    try:
        gateway.create(UPSTREAM, lock_of(wanted))
    except UniqueViolation:
        return False
    except Unreachable:
        # The answer may be lost, and the lock taken.
        with suppress(KongError):
            found = _stored(gateway)
            if found is not None and holder_of(found) == wanted:
                return True
        raise
    return True


def _release(task: Task, gateway: Gateway) -> Result:
    current = _stored(gateway)
    if current is None:
        return _result(task, None, None)
    holder = holder_of(current)
    if not _is_own(_own(task), holder):
        _refuse_live(task, holder)
        _warn_broken(task, holder)
    if not task.check_mode:
        gateway.delete(UPSTREAM, current)
    return _result(task, None, holder)


def _is_own(own: Holder, holder: Holder) -> bool:
    return (holder.owner, holder.run) == (own.owner, own.run)


def _refuse_live(task: Task, holder: Holder) -> None:
    """Refuse to break a lock, unless its run has ended or it is stale and that is asked for."""
    if holder.run and has_ended(holder.run):
        return
    stale = _age(holder) >= task.params["stale_after"]
    if stale and task.params["force"]:
        return
    hint = "; it is stale: set force to true to break it" if stale else ""
    raise _Held(_sentence(holder) + hint, **_shown(holder), stale=stale)


def _age(holder: Holder) -> float:
    return -seconds_until(holder.since) if holder.since is not None else float("inf")


def _sentence(holder: Holder) -> str:
    return f"{holder.owner} holds it since {_time(holder)}"


def _time(holder: Holder) -> str:
    if holder.since is None:
        return "an unknown time"
    utc = datetime.timezone.utc
    return datetime.datetime.fromtimestamp(holder.since, utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _warn_broken(task: Task, holder: Holder) -> None:
    task.warn(f"the lock of {holder.owner}, held since {_time(holder)}, was broken")


def _shown(holder: Holder) -> dict[str, Any]:
    return {"owner": holder.owner, "since": _time(holder)}


def _result(task: Task, after: Holder | None, before: Holder | None) -> Result:
    changed = after != before
    operation = NONE if not changed else DELETE if after is None else CREATE
    was, is_now = ({} if each is None else _shown(each) for each in (before, after))
    result: Result = {"changed": changed, "operation": operation, "lock": is_now}
    if task.diff:
        result["diff"] = diff_entry(f"lock of {task.gateway.url}", was or "", is_now or "")
    return result


KONG_LOCK = Operation(run_lock, ArgumentSpec(
    options={
        **STATE,
        "owner": {"type": "str"},
        "run": {"type": "str"},
        "stale_after": {"type": "int", "default": 3600},
        "force": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 0},
    },
))
