# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests run on an Admin API and on a control plane, and which of them cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping

ADMIN, KONNECT = "admin", "konnect"

# Files whose tests run in both dialects.
BOTH = (
    "test_every_kind",
    "test_lock",
    "test_playbook_follow_service",
    "test_prediction",
    "test_state",
    "test_state_deletes",
    "test_state_faults",
    "test_state_partials",
    "test_state_undo",
    "test_failures_of_kinds",
    "test_interrupted",
    "test_budgets",
    "test_deck_round_trip",
    "test_check_mode",
    "test_plugin_partials",
    "test_plugins",
    "test_state_roundtrip",
    "test_target_states",
    "test_names_like_ids",
    "test_secrets_of_kinds",
    "test_secrets_of_modules",
    "test_state_races",
    "test_state_renames",
    "test_state_strings",
    "test_protect_tags",
    "test_plan",
    "test_refusals",
    "test_state_format",
    "test_failures",
    "test_state_budgets",
    "test_secrets",
    "test_secrets_of_both_ways",
    "test_one_sentence",
    "test_targets",
    "test_traffic",
)

NO_HEALTH = "Konnect does not have the health of targets"

# Patterns of the tests that do not run on Konnect, with the reason.
EXCEPTIONS: dict[str, str] = {
    r"\boauth2\b": "Konnect has no credentials for OAuth 2.0",
    r"\[workspace-": "Konnect's JSON Schemas do not say which empty records it fills in",
    r"test_(made_as_predicted|an_id_that_is_free).*\[vault-konnect": "Konnect has no schema of the "
    "settings of vaults; test_konnect has what check mode says then",
    r"test_the_open_edition": "Konnect has the kinds of the enterprise edition",
    r"test_the_health_of_a_target": NO_HEALTH,
    r"test_each_task_predicts_what_it_then_does\[\w+-(1-kong_info|5-kong_target)": NO_HEALTH,
    r"test_waiting_ends_when_active_checks_find_targets_healthy": NO_HEALTH,
    r"test_health_checks_that_are_off_are_not_waited_for": NO_HEALTH,
    r"test_a_target_that_fails_its_checks_is_not_waited_for_without_end": NO_HEALTH,
    r"test_a_name_that_nobody_knows_is_said": NO_HEALTH,
    r"test_check_mode_knows_the_health": NO_HEALTH,
    r"test_all_that_goes_with_a_certificate_is_shown": "a certificate comes without its SNIs, so "
    "messages call it by its ID",
    r"test_kong_info_shows_it_as_its_module_does\[certificate": "kong_info shows entities as the "
    "gateway returns them, and Konnect returns certificates without their SNIs",
    r"test_the_konnect_variant": "test_konnect has the file that names a control plane",
    r"test_(pods_that_are_not_ready|one_run_removes|a_service_has_to_be)": "the filter and the "
    "guards are the same for each dialect",
    r"test_the_proxy_in_the_place_of|test_a_token_among_the_headers": "only an Admin API is meant",
    r"test_(two_files_that_write_the_same|files_that_agree)": "what reads files knows no dialect",
    r"test_lists_are_read_side_by_side": "all targets are in one list",
    r"test_a_target_passes\[konnect-.*-module": "both ways to run it read the same options, and "
    "test_secrets runs both with Konnect's",
    r"test_a_target_passes\[konnect-kong_target_health": NO_HEALTH,
    r"test_a_target_passes\[konnect-kong_(ping|info|probe)": "they ask for what only a gateway "
    "has; test_konnect and test_every_kind have them with Konnect",
    r"test_a_target_of_the_enterprise_edition": "Konnect has no editions",
    r"test_a_target_passes\[konnect-kong_workspace": "Konnect's JSON Schemas do not say which "
    "empty records it fills in",
    r"test_a_target_passes\[konnect-kong_(ca_certificate|consumer-|key|partial|sni|vault)": "it is "
    "only declared, as kong_service is; test_every_kind has it in both dialects",
    r"test_a_target_passes\[konnect-rollout_files": "it knows no gateway",
    r"test_secrets_of_entities_are_seen_nowhere\[konnect-module": "what a module "
    "logs knows no dialect; test_secrets runs modules with Konnect's options",
    r"test_no_request_fails_while_the_pods_scale": "a control plane has no proxy",
}

# The same for a control plane of Kong Gateway.
NO_BALANCER = "a control plane has no balancer and no health of targets"
NOT_ON_CONTROL_PLANE: dict[str, str] = {
    **{pattern: NO_BALANCER for pattern, reason in EXCEPTIONS.items() if reason == NO_HEALTH},
    r"test_(the_)?examples_run_as_they_stand$": "some examples wait for the health of targets",
    "test_each_command_leaves_the_weights_that_the_page_says": NO_BALANCER,
    r"-acme\]$": "a control plane refuses the storage that acme has by default",
    r"test_each_command_prints_what_the_page_says\[first_steps": "the page waits for the gateway's "
    "own balancer",
}


def control_plane(dialect: str) -> str:
    """The control plane of Konnect that tests use; none for an Admin API."""
    return "default" if dialect == KONNECT else ""


def reason_against(name: str, table: Mapping[str, str]) -> str | None:
    """Why a test does not run there; None where it does."""
    return next((why for pattern, why in table.items() if re.search(pattern, name)), None)
