# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which every module reaches a gateway."""

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
      - Personal or system account token of Kong Konnect, for a control plane of Konnect instead of an Admin API.
        Cannot be combined with O(admin_url).
      - The default is the environment variable E(KONNECT_TOKEN), else E(KONG_TOKEN).
      - Only the environment variables of the product whose options are set are used. If none are set, E(KONG_ADMIN_URL)
        and E(KONNECT_TOKEN) cannot be combined.
    type: str
  konnect_region:
    description:
      - Region of Konnect. A control plane of another region is not found.
      - The default is the environment variable E(KONNECT_REGION), else V(us).
    type: str
    choices: [us, eu, au, me, in, sg]
  konnect_url:
    description:
      - URL of Konnect's API, instead of O(konnect_region). It must be C(https), unless the host is loopback.
      - The default is the environment variable E(KONNECT_URL).
    type: str
  control_plane:
    description:
      - Name or ID of the control plane in Konnect, which is looked up once a run.
      - The default is the environment variable E(KONNECT_CONTROL_PLANE), else V(default).
    type: str
  admin_headers:
    description:
      - Headers to send with every request, for an Admin API behind a proxy with its own authentication.
      - Values of headers with names of credentials (C(Authorization), C(Cookie), C(X-Api-Key) and similar ones) are
        treated as secrets.
    type: dict
  workspace:
    description:
      - Workspace (Kong Gateway Enterprise, Konnect) of the entities.
      - The default is the environment variable E(KONG_WORKSPACE), else the default workspace.
      - Version and edition are read outside of it, or at its path C(kong) if the account may read only this workspace.
    type: str
  validate_certs:
    description:
      - Whether the certificate of an C(https) Admin API is verified.
      - The default is the environment variable E(KONG_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - File (PEM) or hashed directory of the certificate authorities to trust instead of the system's.
      - The default is the environment variable E(KONG_CA_PATH).
    type: path
  client_cert:
    description:
      - File (PEM) with the client certificate for the Admin API.
      - The default is the environment variable E(KONG_CLIENT_CERT).
    type: path
  client_key:
    description:
      - File (PEM, no passphrase) with the private key of O(client_cert).
      - The default is the environment variable E(KONG_CLIENT_KEY).
    type: path
  request_timeout:
    description:
      - Timeout of each request in seconds.
    type: float
    default: 10.0
  request_retries:
    description:
      - How often a request is sent again after a connection error or HTTP 500, 502, 503 or 504, if that does no harm.
        If the outcome of a create is not known, the entity is looked up first.
      - All attempts together take no longer than O(request_timeout) times one more than this.
      - HTTP 429 is not counted. The task waits as long as C(Retry-After) says, up to 60 seconds and ten times.
    type: int
    default: 3
notes:
  - Tasks whose connection is C(local) run inside Ansible's own process, which is many times faster than a
    module. Set the environment variable E(KONG_ANSIBLE_IN_PROCESS) or the host variable
    C(kong_ansible_in_process) to V(false) to run them as ordinary modules.
  - C(HTTP_PROXY), C(HTTPS_PROXY) and C(NO_PROXY) are used; loopback addresses are never proxied.
"""
