# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of a sandbox gateway: documents behind a user and a password, over HTTP.

It stands where PostgreSQL stands (`pg_host`, `pg_port`, `pg_user`, `pg_password`, `pg_database`),
so that migrations, refusals and restarts can be tested. `../database.py` serves it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from image.kong import launch
from image.kong.settings import Invalid, Settings, release

#: Seconds between two looks at what the gateway has written, and those that an answer may take.
EVERY, PATIENCE = 0.2, 5.0

Document = dict[str, Any]


def _asked(settings: Settings, document: Document | None = None) -> Document | None:
    """Read the database, or change what a document has of it; None where it is not there."""
    host, port = settings["pg_host"], settings["pg_port"]
    credentials = f"{settings['pg_user']}:{settings.get('pg_password', '')}"
    request = urllib.request.Request(
        f"http://{host}:{port}/{settings['pg_database']}",
        data=None if document is None else json.dumps(document).encode(),
        method="GET" if document is None else "PATCH",
        headers={"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()},
    )
    # Proxies of the environment are not for databases.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        user = settings["pg_user"]
        reason = f'FATAL: password authentication failed for user "{user}"'
        raise Invalid(f"[PostgreSQL error] {reason}") from error
    except OSError as error:
        reason = str(getattr(error, "reason", error))
        raise Invalid(f"[PostgreSQL error] failed to connect to {host}:{port}: {reason}") from error
    found: Document = json.loads(text) if text else {}
    return found


@dataclass(frozen=True)
class State:
    """The migrations that a release finds `new` or `pending`, by name; it knows its own only."""

    new: str | None
    pending: str | None


def _state(document: Document) -> State:
    own, there, before = release()["version"], document["release"], document.get("pending")
    if _number(own) < _number(there):
        return State(None, None)
    new = None if own == there else f"{there}_to_{own}"
    return State(new, None if before is None else f"{before}_to_{there}")


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def state(settings: Settings) -> State | None:
    """What is to be done with the database; None before `bootstrap`."""
    document = _asked(settings)
    return None if document is None else _state(document)


def migrate(settings: Settings) -> State:
    """Bring the database to this release, and keep what it holds; what is left to do then."""
    document = _asked(settings)
    news: Document = {"release": release()["version"], "pending": None}
    if document is None:
        news["entities"] = {}
    elif document["teardown"]:
        news["pending"] = document["release"]
    _asked(settings, news)
    return _state(news)


def finish(settings: Settings) -> None:
    """Leave nothing pending."""
    _asked(settings, {"pending": None})


def empty(settings: Settings) -> None:
    """What `kong migrations reset` does, short of dropping the database: forget all entities."""
    _asked(settings, {"release": release()["version"], "pending": None, "entities": {}})


class Mirror:
    """Keeps the file that a sandbox works on and the database alike."""

    def __init__(self, settings: Settings, prefix: pathlib.Path) -> None:
        """`Invalid` where the database cannot be reached or is of an older release."""
        document = _asked(settings)
        if document is None:
            raise Invalid("Database needs bootstrapping: run 'kong migrations bootstrap'")
        found = _state(document)
        if found.new is not None:
            raise Invalid("New migrations available; run 'kong migrations up' to proceed")
        self.settings, self.pending = settings, found.pending
        self.path = launch.state_file(settings, prefix) or prefix / "database.json"
        self.path.write_text(json.dumps(document["entities"]), encoding="utf-8")
        self._written = self.path.stat().st_mtime_ns
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(EVERY)
            # A database that is away gets it at the next look.
            with contextlib.suppress(Invalid):
                self._push()

    def _push(self) -> None:
        stamp = self.path.stat().st_mtime_ns
        if stamp == self._written:
            return
        entities = json.loads(self.path.read_text(encoding="utf-8"))
        _asked(self.settings, {"entities": entities})
        self._written = stamp

    def stop(self) -> None:
        """Write what is left; call it once the sandbox has ended."""
        self._ending.set()
        self._thread.join(PATIENCE)
