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
from typing import Any

from image.kong import launch
from image.kong.settings import Invalid, Settings, release

#: Seconds between two looks at what the gateway has written, and those that an answer may take.
EVERY, PATIENCE = 0.2, 5.0

Document = dict[str, Any]


def _asked(settings: Settings, document: Document | None = None) -> Document | None:
    """Read (or, with a document, write) the database; None where it is not there."""
    host, port = settings["pg_host"], settings["pg_port"]
    credentials = f"{settings['pg_user']}:{settings.get('pg_password', '')}"
    request = urllib.request.Request(
        f"http://{host}:{port}/{settings['pg_database']}",
        data=None if document is None else json.dumps(document).encode(),
        method="GET" if document is None else "PUT",
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


def migrated(settings: Settings) -> str | None:
    """The release that the database was last migrated to; None before `bootstrap`."""
    document = _asked(settings)
    return None if document is None else str(document["release"])


def migrate(settings: Settings) -> None:
    """Bring the database to this release, and keep what it holds."""
    document = _asked(settings) or {"entities": {}}
    _asked(settings, {**document, "release": release()["version"]})


def empty(settings: Settings) -> None:
    """What `kong migrations reset` does, short of dropping the database: forget all entities."""
    _asked(settings, {"release": release()["version"], "entities": {}})


class Mirror:
    """Keeps the file that a sandbox works on and the database alike."""

    def __init__(self, settings: Settings, prefix: pathlib.Path) -> None:
        """`Invalid` where the database cannot be reached or is not of this release."""
        document = _asked(settings)
        if document is None:
            raise Invalid("Database needs bootstrapping: run 'kong migrations bootstrap'")
        if document["release"] != release()["version"]:
            raise Invalid("New migrations available; run 'kong migrations up' to proceed")
        self.settings = settings
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
        _asked(self.settings, {"release": release()["version"], "entities": entities})
        self._written = stamp

    def stop(self) -> None:
        """Write what is left; call it once the sandbox has ended."""
        self._ending.set()
        self._thread.join(PATIENCE)
