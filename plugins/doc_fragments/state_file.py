# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state file, and what is done with it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  src:
    description:
      - Files or directories to read, found as in other actions, in a role's or a play's C(files) first.
      - The lists of several files are joined; a value that two of them write differently is an error.
    type: list
    elements: path
  content:
    description:
      - The document itself, as a mapping or as a string.
      - A string with placeholders needs C(!unsafe), so that Ansible does not take them for templates.
    type: raw
  state:
    description:
      - With V(applied) the document is merged in. Only fields that it has are touched, and nothing is deleted.
      - With V(synced) the gateway is brought to the document. Fields that it leaves out take their defaults, and what it
        owns and does not have is deleted. O(select_tags) or O(purge_kinds) must say what it owns; without a database it
        owns everything.
      - With V(absent) what the document names is deleted.
    type: str
    choices: [synced, applied, absent]
    default: applied
  select_tags:
    description:
      - Tags that say what the document owns. All entities that it has get them.
      - They and C(_info.select_tags) of the document must be the same where both are written.
    type: list
    elements: str
  default_lookup_tags:
    description:
      - Accepted because decK has it. References are looked up among all entities of the gateway, with any tags.
    type: dict
  purge_kinds:
    description:
      - Kinds of which the document owns everything, where there are no tags that say what it owns.
    type: list
    elements: str
    choices:
      - certificate
      - ca_certificate
      - vault
      - key_set
      - partial
      - consumer
      - consumer_group
      - sni
      - key
      - upstream
      - service
      - key_auth
      - basic_auth
      - hmac_auth
      - jwt
      - oauth2
      - acl
      - mtls_auth
      - target
      - route
      - plugin
  protect_tags:
    description:
      - Tags of entities that are never deleted, even if the document owns them. Neither is an entity that cannot be
        deleted without them. The result lists all of these in RV(ignore:protected).
      - A gateway without a database cannot keep what the document does not have, so there it is an error.
    type: list
    elements: str
  cascade:
    description:
      - Whether entities that are not owned may be deleted along with one that they belong to or point at, and with
        those in turn what belongs to them or points at them.
    type: bool
    default: false
  max_deletes:
    description:
      - The highest number of entities that may be deleted, cascaded deletes and memberships of consumer groups
        included; if there are more, the task fails before it writes. Without it there is no limit.
    type: int
  allow_empty:
    description:
      - Whether a document without entities may delete everything that is owned.
    type: bool
    default: false
  concurrency:
    description:
      - Requests at the same time, at most 20, as a gateway gets no more connections.
    type: int
    default: 20
  on_error:
    description:
      - With V(stop) nothing new is begun after a failure. With V(continue) only what needs the failed entity is left out.
      - With V(rollback) what was done is put back, in reverse order. What somebody changed meanwhile is left alone and
        named. So are passwords of basic-auth that were deleted, as a gateway has only hashes of them.
    type: str
    choices: [stop, continue, rollback]
    default: stop
  ignore_konnect:
    description:
      - Whether a document with C(_konnect), which names a control plane of Konnect, may go to an Admin API.
    type: bool
    default: false
"""
