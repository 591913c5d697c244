#!/usr/bin/python
# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kong_probe
short_description: Send requests through a gateway's proxy and compare the responses with what is expected
version_added: 1.0.0
description:
  - Sends requests to a URL and checks the statuses, how the responses are shared among servers, and how long they took.
  - Can wait until all of it holds, since a proxy applies a change some seconds after the Admin API accepted it.
extends_documentation_fragment:
  - irishtek.kong.attributes.read_only
attributes:
  check_mode:
    support: full
    description:
      - Sends no requests in check mode, since the targets may only be predicted. The task is skipped.
options:
  url:
    description:
      - URL to send the requests to, with the path of a route of the gateway. Redirects are not followed.
    type: str
    required: true
  method:
    description:
      - HTTP method of the requests.
    type: str
    default: GET
  headers:
    description:
      - Headers of the requests, such as C(Host) for a route that matches hosts.
      - The values of headers with names such as C(Authorization) or C(X-Api-Key) are not shown.
    type: dict
  body:
    description:
      - Body of the requests. It is not shown.
    type: str
  requests:
    description:
      - Number of requests.
      - By default two rounds of the weights in O(expected), one round or V(100) requests where two are more than V(100),
        and V(1) without O(expected).
    type: int
  concurrency:
    description:
      - Number of connections, at most V(50), over which the requests are sent at the same time. Each of them is kept open.
      - A gateway with several workers balances in each of them, so that shares are exact over one connection only.
    type: int
    default: 1
  statuses:
    description:
      - Statuses that a response may have.
    type: list
    elements: int
    default: [200]
  server_header:
    description:
      - Header of the response with the name of the server that sent it.
    type: str
  server_field:
    description:
      - Field of the JSON body of the response with the name of the server that sent it. Dots lead into inner objects.
    type: str
  expected:
    description:
      - Servers and their weights, which give the share of the responses that each of them is expected to send.
      - A response of a server that is not in the list, or that has the weight V(0), is an error.
      - Needs O(server_header) or O(server_field).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - What the server calls itself.
          - Servers without a name are compared by their number of responses, the highest one with the highest weight.
        type: str
      weight:
        description:
          - Weight of the server.
        type: int
        required: true
  tolerance:
    description:
      - Number of responses by which the share of a server may differ from what its weight gives.
      - At least a tenth of O(requests) where these are not a whole number of rounds of the weights.
    type: int
    default: 0
  max_latency:
    description:
      - Seconds that a response may take, up to its end. Not checked by default.
    type: float
  latency_percentile:
    description:
      - Percentage of the responses that have to keep O(max_latency); all of them by default.
    type: float
    default: 100.0
  wait_timeout:
    description:
      - Seconds to repeat the probe until all of it holds. With V(0) the probe is done once.
      - While there is time left, an attempt begins with one request and ends there if its response is not as expected.
    type: int
    default: 0
  wait_interval:
    description:
      - Seconds between two attempts.
    type: float
    default: 1.0
  request_timeout:
    description:
      - Seconds to wait for a response.
    type: float
    default: 10.0
  validate_certs:
    description:
      - Whether the certificate of an C(https) URL must be valid.
    type: bool
    default: true
  ca_path:
    description:
      - File or directory with the certificates of authorities to trust, in place of those of the system.
    type: path
  client_cert:
    description:
      - File with a client certificate (PEM), for a route that asks for one.
    type: path
  client_key:
    description:
      - File with the key of O(client_cert), without a passphrase.
    type: path
notes:
  - The module sends requests to a proxy and connects to no Admin API, so it is not part of the action group
    C(irishtek.kong.kong).
seealso:
  - module: irishtek.kong.kong_target
  - module: irishtek.kong.kong_info
author:
  - irishtek (@irishtek)
"""

EXAMPLES = r"""
- name: Wait until the route responds
  irishtek.kong.kong_probe:
    url: http://127.0.0.1:8000/api
    wait_timeout: 60

- name: Check that three of four responses come from web1
  irishtek.kong.kong_probe:
    url: http://127.0.0.1:8000/api
    server_header: X-Echo-Server
    expected:
      - name: web1
        weight: 300
      - name: web2
        weight: 100
    wait_timeout: 60
  register: probe

- name: Show the result
  ansible.builtin.debug:
    var: probe.table

- name: Check a release under load
  module_defaults:
    irishtek.kong.kong_probe:
      validate_certs: false
      statuses: [200, 204]
  block:
    - name: Check that 95 of 100 responses take at most 300 ms
      irishtek.kong.kong_probe:
        url: https://127.0.0.1:8443/orders
        headers:
          Host: orders.example
        requests: 200
        concurrency: 10
        max_latency: 0.3
        latency_percentile: 95
"""

RETURN = r"""
msg:
  description: What was seen, in a sentence.
  type: str
  returned: always
  sample: "8 of 8 requests to http://127.0.0.1:8000/api had an expected response: web1 6 (weight 300), web2 2 (weight 100)"
url:
  description: URL that the requests were sent to.
  type: str
  returned: when requests were sent
  sample: http://127.0.0.1:8000/api
requests:
  description: Number of requests of the last attempt.
  type: int
  returned: when requests were sent
  sample: 8
statuses:
  description: Responses by status; requests without a response by the reason.
  type: dict
  returned: when requests were sent
  sample: {"200": 8}
counts:
  description: Responses by server, where O(server_header) or O(server_field) tells it.
  type: dict
  returned: when requests were sent
  sample: {"web1": 6, "web2": 2}
shares:
  description: Each server with its weight, the number of responses that it gives, and the number that was seen.
  type: list
  elements: dict
  returned: when requests were sent
  sample: [{"name": "web1", "weight": 300, "expected": 6.0, "count": 6, "percent": 75.0}]
latency:
  description: Seconds that the responses took.
  type: dict
  returned: when requests were sent
  sample: {"min": 0.001, "median": 0.0012, "p95": 0.002, "max": 0.0031}
table:
  description: What was seen, as lines for people.
  type: list
  elements: str
  returned: when requests were sent
  sample: ["server  weight  expected  responses", "web1    300     6         6", "200: 8"]
problems:
  description: What is not as expected, a sentence each.
  type: list
  elements: str
  returned: when requests were sent
  sample: []
attempts:
  description: How often the probe was done.
  type: int
  returned: when requests were sent
  sample: 1
failure:
  description: Details of a failure.
  type: dict
  returned: failure
  sample: {}
"""

from ansible_collections.irishtek.kong.plugins.module_utils._module import run_module
from ansible_collections.irishtek.kong.plugins.module_utils._operations._probe import KONG_PROBE


def main() -> None:
    run_module(KONG_PROBE)


if __name__ == "__main__":
    main()
