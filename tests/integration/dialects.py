# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests run on an Admin API and on a control plane of Konnect, and which of them cannot."""

from __future__ import annotations

import re

ADMIN, KONNECT = "admin", "konnect"

# Files whose tests run in both dialects.
BOTH = (
    "test_every_kind",
    "test_prediction",
    "test_state",
    "test_state_deletes",
    "test_state_faults",
    "test_state_partials",
    "test_state_undo",
    "test_failures_of_kinds",
)

# Patterns of the tests that do not run on Konnect, with the reason.
EXCEPTIONS: dict[str, str] = {
    r"\boauth2\b": "Konnect has no credentials for OAuth 2.0",
    r"\[workspace-": "Konnect's JSON Schemas do not say which empty records it fills in",
    r"test_the_open_edition": "Konnect has the kinds of the enterprise edition",
    r"test_the_health_of_a_target": "Konnect does not have the health of targets",
    r"test_check_mode_knows_the_health": "Konnect does not have the health of targets",
    r"test_all_that_goes_with_a_certificate_is_shown": "a certificate comes without its SNIs, so "
    "messages call it by its ID",
    r"test_kong_info_shows_it_as_its_module_does\[certificate": "kong_info shows entities as the "
    "gateway returns them, and Konnect returns certificates without their SNIs",
    r"test_the_konnect_variant": "test_konnect has the file that names a control plane",
    r"test_stream_routes_become": "to do: the prediction of stream routes differs on Konnect",
    r"test_both_ways_to_run": "to do: it writes the options of an Admin API",
}


def reason_against(name: str) -> str | None:
    """Why a test does not run on Konnect; None where it does."""
    return next((why for pattern, why in EXCEPTIONS.items() if re.search(pattern, name)), None)
