#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_credential
short_description: Manage credentials of consumers of Kong Gateway
version_added: 1.0.0
description:
  - Creates, updates or deletes a credential of a consumer.
  - A credential is found in the list of its consumer, by the identifying field of its O(type) or by O(id). A credential
    of another consumer is an error.
  - Secrets are never part of a URL, a result or a diff.
extends_documentation_fragment:
  - irishtek.kong.connection
  - irishtek.kong.attributes
  - irishtek.kong.attributes.action_group
  - irishtek.kong.entity
  - irishtek.kong.entity.tags
options:
  type:
    description:
      - Type of the credential, named after the plugin that uses it.
      - It is identified by O(key) with V(key_auth) and V(jwt), by O(username) with V(basic_auth) and V(hmac_auth), by
        O(client_id) with V(oauth2), by O(group) with V(acl) and by O(subject_name) with V(mtls_auth).
      - V(mtls_auth) needs Kong Gateway Enterprise.
    type: str
    choices: [key_auth, basic_auth, hmac_auth, jwt, oauth2, acl, mtls_auth]
    required: true
  consumer:
    description:
      - Username, ID or O(irishtek.kong.kong_consumer#module:custom_id) of the consumer, which must exist.
    type: str
    required: true
  key:
    description:
      - Key of the requests, with O(type=key_auth). It is a secret.
      - Value of the claim C(iss) of tokens, with O(type=jwt). It is not shown either.
    type: str
  ttl:
    description:
      - Seconds after which the gateway deletes the key, with O(type=key_auth). By default the key does not expire.
      - The gateway returns the seconds that are left, so only a new key gets it.
    type: int
  username:
    description:
      - User name of the requests, with O(type=basic_auth) or O(type=hmac_auth).
    type: str
  password:
    description:
      - Password, with O(type=basic_auth).
      - The gateway stores a hash of it, with which O(update_password=always) compares the password, so that a second run
        changes nothing.
    type: str
  secret:
    description:
      - Secret that signs requests or tokens, with O(type=hmac_auth) or O(type=jwt).
      - By default the gateway generates one for a new credential.
    type: str
  rsa_public_key:
    description:
      - Public key (PEM) that verifies tokens, with O(type=jwt). Required with an O(algorithm) that is not
        symmetric.
    type: str
  algorithm:
    description:
      - Algorithm of the signature of tokens, with O(type=jwt). The gateway's default is V(HS256).
    type: str
    choices: [HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512, EdDSA, ES256K, ESB256,
      ESB320, ESB384, ESB512, ESP256, ESP384, ESP512, Ed25519, Ed448]
  name:
    description:
      - Name of the application, with O(type=oauth2). Required for a new application.
    type: str
  client_id:
    description:
      - Client ID of the application, with O(type=oauth2).
    type: str
  client_secret:
    description:
      - Client secret of the application, with O(type=oauth2).
      - By default the gateway generates one for a new application.
    type: str
  client_type:
    description:
      - Whether the application can keep a secret, with O(type=oauth2). The gateway's default is V(confidential).
    type: str
    choices: [confidential, public]
  hash_secret:
    description:
      - Whether the gateway stores only a hash of O(client_secret), with O(type=oauth2). Its default is V(false).
    type: bool
  redirect_uris:
    description:
      - URLs to which users are redirected, with O(type=oauth2). The order does not matter.
    type: list
    elements: str
  group:
    description:
      - Name of the group, with O(type=acl).
    type: str
  subject_name:
    description:
      - Subject name (SAN or CN) of the client's certificate, with O(type=mtls_auth).
    type: str
  ca_certificate:
    description:
      - ID of the CA certificate that must have signed that of the client, with O(type=mtls_auth).
    type: str
  update_password:
    description:
      - With V(always) a O(password) or O(client_secret) replaces the stored one if it differs, also where the gateway
        stores only a hash of it.
      - With V(on_create) they are written to new credentials only.
    type: str
    choices: [always, on_create]
    default: always
seealso:
  - module: irishtek.kong.kong_consumer
  - module: irishtek.kong.kong_plugin
  - name: Consumers
    description: Consumers and their credentials in Kong's documentation.
    link: https://developer.konghq.com/gateway/entities/consumer/
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Create a key
  irishtek.kong.kong_credential:
    admin_url: http://127.0.0.1:8001
    type: key_auth
    consumer: alice
    key: "{{ alice_key }}"

- name: Set the connection once, for several tasks
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  block:
    - name: Create a user with an initial password
      irishtek.kong.kong_credential:
        type: basic_auth
        consumer: alice
        username: alice
        password: "{{ alice_password }}"
        update_password: on_create

    - name: Create a credential for tokens that the consumer signs
      irishtek.kong.kong_credential:
        type: jwt
        consumer: alice
        key: https://issuer.example
        algorithm: RS256
        rsa_public_key: "{{ lookup('ansible.builtin.file', 'issuer.pem') }}"

    - name: Add the consumer to a group of the plugin acl
      irishtek.kong.kong_credential:
        type: acl
        consumer: alice
        group: partners

- name: Delete a key
  irishtek.kong.kong_credential:
    admin_url: http://127.0.0.1:8001
    type: key_auth
    consumer: alice
    key: "{{ alice_old_key }}"
    state: absent
"""

RETURN = r"""
operation:
  description: What was done.
  type: str
  returned: success
  choices: [create, update, delete, none]
  sample: create
credential:
  description:
    - The credential as the gateway has it after the task; empty after O(state=absent).
    - In check mode it is a prediction, and the ID of a new one begins with C(ffffffff).
    - Its secrets are replaced by asterisks.
  type: dict
  returned: success
  sample:
    consumer: {id: 6eed5e9c-5398-4026-9a4c-d48f18a2431e}
    username: alice
    password: "********"
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {status: 409, code: 5, name: unique constraint violation, fields: {username: alice}}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._credential import (
    KONG_CREDENTIAL,
)


def main() -> None:
    run_module(KONG_CREDENTIAL)


if __name__ == "__main__":
    main()
