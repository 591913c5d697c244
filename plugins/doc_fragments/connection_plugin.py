# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which a plugin that is no module reaches a gateway; the same as a module's."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - httpx
options:
  admin_url:
    description:
      - URL of the gateway's Admin API, for example V(http://127.0.0.1:8001).
      - The default is the environment variable E(KONG_ADMIN_URL).
    type: str
  admin_token:
    description:
      - Token of an RBAC user, sent as the header C(Kong-Admin-Token).
      - The default is the environment variable E(KONG_ADMIN_TOKEN).
    type: str
  konnect_token:
    description:
      - Token of Kong Konnect, for a control plane of Konnect instead of an Admin API.
      - The default is the environment variable E(KONNECT_TOKEN), else E(KONG_TOKEN).
    type: str
  konnect_region:
    description:
      - Region of Konnect.
      - The default is the environment variable E(KONNECT_REGION), else V(us).
    type: str
    choices: [us, eu, au, me, in, sg]
  konnect_url:
    description:
      - URL of Konnect's API, instead of O(konnect_region).
      - The default is the environment variable E(KONNECT_URL).
    type: str
  control_plane:
    description:
      - Name or ID of the control plane of Konnect.
      - The default is the environment variable E(KONNECT_CONTROL_PLANE), else V(default).
    type: str
  admin_headers:
    description:
      - Headers to send with every request, for an Admin API behind a proxy with its own authentication.
    type: dict
  workspace:
    description:
      - Workspace (Kong Gateway Enterprise) of the entities. The default is the default workspace.
    type: str
    env:
      - name: KONG_WORKSPACE
  validate_certs:
    description:
      - Whether the certificate of an C(https) Admin API is verified.
    type: bool
    default: true
    env:
      - name: KONG_VALIDATE_CERTS
  ca_path:
    description:
      - File (PEM) or hashed directory of the certificate authorities to trust instead of the system's.
    type: path
    env:
      - name: KONG_CA_PATH
  client_cert:
    description:
      - File (PEM) with the client certificate for the Admin API.
    type: path
    env:
      - name: KONG_CLIENT_CERT
  client_key:
    description:
      - File (PEM, no passphrase) with the private key of O(client_cert).
    type: path
    env:
      - name: KONG_CLIENT_KEY
  request_timeout:
    description:
      - Timeout of each request in seconds.
    type: float
    default: 10.0
  request_retries:
    description:
      - How often a request is sent again after a connection error, HTTP 500, 502, 503 or 504.
      - All attempts together take no longer than O(request_timeout) times one more than this.
      - HTTP 429 is not counted. The plugin waits as long as C(Retry-After) says, up to 60 seconds and ten times.
    type: int
    default: 3
notes:
  - C(HTTP_PROXY), C(HTTPS_PROXY) and C(NO_PROXY) are used; loopback addresses are never proxied.
"""
