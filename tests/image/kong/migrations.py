# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kong migrations`: what it does with a database, what it says, and its exit status."""

from __future__ import annotations

from collections.abc import Callable

from image.kong import database
from image.kong.database import State
from image.kong.settings import Invalid, Settings

PENDING = "Database has pending migrations; run 'kong migrations finish'"
NEW = "New migrations available; run 'kong migrations up' to proceed"


def check(settings: Settings) -> None:
    """`Invalid` where a gateway would not start; with pending migrations it does."""
    state = database.state(settings)
    if state is None:
        raise Invalid(
            "Database needs bootstrapping or is older than Kong 1.0.\n\n"
            "To start a new Kong database, run 'kong migrations bootstrap'"
        )
    if state.new is not None:
        raise Invalid(NEW)


def _known(settings: Settings) -> State:
    state = database.state(settings)
    if state is None:
        raise Invalid("Database needs bootstrapping: run 'kong migrations bootstrap'")
    return state


def _said(name: str, how: str) -> None:
    print(f"migrating core on database 'kong'...\ncore migrated up to: {name} ({how})")
    print(f"1 migration processed\n1 {how}")


def bootstrap(settings: Settings) -> int:
    """Prepare an empty database; nothing is pending after it."""
    if database.state(settings) is not None:
        print("Database already bootstrapped")
        return 0
    database.migrate(settings)
    print("Database is up-to-date")
    return 0


def up(settings: Settings) -> int:
    """Run what is new, which the old release can live with; what it could not stays pending."""
    state = _known(settings)
    if state.pending is not None:
        raise Invalid(PENDING)
    if state.new is None:
        print("Database is already up-to-date")
    elif database.migrate(settings).pending is None:
        print("Database is up-to-date")
    else:
        _said(state.new, "pending")
        print(f"\n{PENDING} when ready")
    return 0


def finish(settings: Settings) -> int:
    """Run what is pending, too."""
    state = _known(settings)
    if state.pending is not None:
        database.finish(settings)
        _said(state.pending, "executed")
        # The gateway looks again after its work, and says this of what it finds then.
        print(f"\n{NEW}" if state.new else "No pending migrations to finish")
    elif state.new is None:
        print("Database is already up-to-date")
    else:
        database.migrate(settings)
        database.finish(settings)
        print("Database is up-to-date")
    return 0


def show(settings: Settings) -> int:
    """Tell what was run and what was not. 3: never prepared, 4: pending ones, 5: new ones."""
    state = database.state(settings)
    if state is None:
        print("Database needs bootstrapping or is older than Kong 1.0.")
        return 3
    print("Executed migrations:\ncore: 000_base")
    if state.pending is not None:
        print(f"\nPending migrations:\ncore: {state.pending}")
    if state.new is not None:
        print(f"\nNew migrations available:\ncore: {state.new}")
    if state.pending is not None:
        print("\nRun 'kong migrations finish' when ready")
        return 4
    if state.new is not None:
        print("\nRun 'kong migrations up' to proceed")
        return 5
    return 0


def reset(settings: Settings) -> int:
    """Forget all entities."""
    database.empty(settings)
    return 0


ACTIONS: dict[str, Callable[[Settings], int]] = {
    "bootstrap": bootstrap,
    "up": up,
    "finish": finish,
    "list": show,
    "reset": reset,
}
