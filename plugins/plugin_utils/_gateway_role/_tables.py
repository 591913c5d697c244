# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data from Kong's own lists: names of ``kong.conf``, lines of the gateway and their keys."""

from __future__ import annotations

import re

# The names of the lines 3.4 to 3.15, from the gateway's own reference of each
# (developer.konghq.com, app/_data/kong-conf) and from its source.
_NAMES = """
_debug_pg_ttl_cleanup_interval admin_access_log admin_api_uri admin_emails_from
admin_emails_reply_to admin_error_log admin_gui_access_log admin_gui_api_url admin_gui_auth
admin_gui_auth_change_password_attempts admin_gui_auth_change_password_ttl admin_gui_auth_conf
admin_gui_auth_header admin_gui_auth_login_attempts admin_gui_auth_login_attempts_ttl
admin_gui_auth_password_complexity admin_gui_csp_header admin_gui_csp_header_value
admin_gui_error_log admin_gui_flags admin_gui_footer_bg_color admin_gui_footer_txt
admin_gui_footer_txt_color admin_gui_forgot_password_email_enable admin_gui_header_bg_color
admin_gui_header_txt admin_gui_header_txt_color admin_gui_hide_konnect_cta admin_gui_listen
admin_gui_login_banner_body admin_gui_login_banner_title admin_gui_path admin_gui_session_conf
admin_gui_ssl_cert admin_gui_ssl_cert_key admin_gui_ssl_protocols admin_gui_url
admin_invitation_email admin_invitation_expiry admin_listen admin_reset_email
admin_reset_success_email admin_ssl_cert admin_ssl_cert_key ai_mcp_listener_enabled
allow_debug_header allow_inconsistent_data_plane_plugins analytics_buffer_size_limit
analytics_debug analytics_flush_interval anonymous_reports audit_log audit_log_ignore_methods
audit_log_ignore_paths audit_log_ignore_tables audit_log_payload_exclude audit_log_record_ttl
audit_log_signing_key client_body_buffer_size client_max_body_size client_ssl client_ssl_cert
client_ssl_cert_key cluster_allowed_common_names cluster_ca_cert cluster_cert cluster_cert_key
cluster_cjson cluster_control_plane cluster_data_plane_purge_delay cluster_dp_labels
cluster_fallback_config_export cluster_fallback_config_export_delay cluster_fallback_config_import
cluster_fallback_config_storage cluster_fallback_export_s3_config cluster_listen
cluster_max_payload cluster_mtls cluster_ocsp cluster_rpc cluster_rpc_sync cluster_server_name
cluster_telemetry_endpoint cluster_telemetry_listen cluster_telemetry_server_name
cluster_use_proxy concurrency_timeout consumers_mem_cache_size custom_plugin_streaming_enabled
database db_cache_neg_ttl db_cache_ttl db_cache_warmup_entities db_resurrect_ttl
db_update_frequency db_update_propagation debug_access_log debug_error_log debug_listen
debug_listen_local debug_ssl_cert debug_ssl_cert_key declarative_config
declarative_config_encryption_mode declarative_config_string dedicated_config_processing
dns_cache_size dns_error_ttl dns_hostsfile dns_no_sync dns_not_found_ttl dns_order dns_resolver
dns_stale_ttl dns_valid_ttl enforce_rbac enforce_route_path_pattern error_default_type
error_template_html error_template_json error_template_plain error_template_xml
event_hooks_enabled fips generate_trace_details headers headers_upstream identity_service
incremental_sync keyring_blob_path keyring_enabled keyring_encrypt_license keyring_private_key
keyring_public_key keyring_recovery_public_key keyring_strategy
keyring_vault_approle_response_wrapping keyring_vault_approle_role_id
keyring_vault_approle_secret_id keyring_vault_approle_secret_id_file keyring_vault_auth_method
keyring_vault_host keyring_vault_kube_api_token_file keyring_vault_kube_role keyring_vault_mount
keyring_vault_path keyring_vault_token kic konnect_mode legacy_dns_client legacy_worker_events
license_data license_path lmdb_environment_path lmdb_map_size log_level lru_cache_size
lua_gc_tuning lua_max_post_args lua_max_req_headers lua_max_resp_headers lua_max_uri_args
lua_package_cpath lua_package_path lua_socket_pool_size lua_ssl_protocols
lua_ssl_trusted_certificate lua_ssl_verify_depth mem_cache_size new_dns_client nginx_daemon
nginx_optimizations nginx_user nginx_worker_processes node_id openresty_path opentelemetry_tracing
opentelemetry_tracing_sampling_rate pdk_response_exit_header_filter_early_exit pg_azure_auth
pg_azure_client_id pg_azure_client_secret pg_azure_tenant_id pg_backlog pg_database pg_gcp_auth
pg_gcp_service_account_json pg_host pg_iam_auth pg_iam_auth_assume_role_arn
pg_iam_auth_role_session_name pg_iam_auth_sts_endpoint_url pg_keepalive_timeout
pg_max_concurrent_queries pg_oauth_audience pg_oauth_auth pg_oauth_client_id
pg_oauth_client_secret pg_oauth_discovery_endpoint pg_oauth_grant_type pg_oauth_password
pg_oauth_resource pg_oauth_scope pg_oauth_token_endpoint pg_oauth_token_endpoint_auth_method
pg_oauth_username pg_password pg_pool_size pg_port pg_ro_azure_auth pg_ro_azure_client_id
pg_ro_azure_client_secret pg_ro_azure_tenant_id pg_ro_backlog pg_ro_database pg_ro_gcp_auth
pg_ro_gcp_service_account_json pg_ro_host pg_ro_iam_auth pg_ro_iam_auth_assume_role_arn
pg_ro_iam_auth_role_session_name pg_ro_iam_auth_sts_endpoint_url pg_ro_keepalive_timeout
pg_ro_max_concurrent_queries pg_ro_oauth_audience pg_ro_oauth_auth pg_ro_oauth_client_id
pg_ro_oauth_client_secret pg_ro_oauth_discovery_endpoint pg_ro_oauth_grant_type
pg_ro_oauth_password pg_ro_oauth_resource pg_ro_oauth_scope pg_ro_oauth_token_endpoint
pg_ro_oauth_token_endpoint_auth_method pg_ro_oauth_username pg_ro_password pg_ro_pool_size
pg_ro_port pg_ro_schema pg_ro_semaphore_timeout pg_ro_ssl pg_ro_ssl_required pg_ro_ssl_verify
pg_ro_ssl_version pg_ro_timeout pg_ro_user pg_schema pg_semaphore_timeout pg_ssl pg_ssl_cert
pg_ssl_cert_key pg_ssl_required pg_ssl_verify pg_ssl_version pg_timeout pg_user plugins
pluginserver_names port_maps portal portal_access_request_email portal_api_access_log
portal_api_error_log portal_api_listen portal_api_ssl_cert portal_api_ssl_cert_key portal_api_url
portal_app_auth portal_application_request_email portal_application_service_requested_email
portal_application_status_email portal_approved_email portal_auth portal_auth_conf
portal_auth_login_attempts portal_auth_password_complexity portal_auto_approve portal_cors_origins
portal_email_verification portal_emails_from portal_emails_reply_to portal_gui_access_log
portal_gui_error_log portal_gui_host portal_gui_listen portal_gui_protocol portal_gui_ssl_cert
portal_gui_ssl_cert_key portal_gui_url portal_gui_use_subdomains portal_invite_email
portal_is_legacy portal_reset_email portal_reset_success_email portal_session_conf
portal_smtp_admin_emails portal_token_exp prefix privileged_worker proxy_access_log
proxy_error_log proxy_listen proxy_server proxy_server_ssl_verify proxy_stream_access_log
proxy_stream_error_log proxy_url rbac_auth_header real_ip_header real_ip_recursive request_debug
request_debug_token resolver_address resolver_error_ttl resolver_family resolver_hosts_file
resolver_lru_cache_size resolver_mem_cache_size resolver_stale_ttl resolver_valid_ttl role
route_match_calculation route_validation_strategy router_consistency router_flavor
schema_alias_conflict_mode smtp_admin_emails smtp_auth_type smtp_domain smtp_host smtp_mock
smtp_password smtp_port smtp_ssl smtp_starttls smtp_timeout_connect smtp_timeout_read
smtp_timeout_send smtp_username ssl_cert ssl_cert_key ssl_cipher_suite ssl_ciphers ssl_dhparam
ssl_prefer_server_ciphers ssl_protocols ssl_session_cache_size ssl_session_tickets
ssl_session_timeout status_access_log status_error_log status_listen status_ssl_cert
status_ssl_cert_key stream_listen tls_certificate_verify tracing tracing_debug_header
tracing_instrumentations tracing_sampling_rate tracing_time_threshold tracing_types
tracing_write_endpoint tracing_write_strategy trusted_ips untrusted_lua
untrusted_lua_sandbox_environment untrusted_lua_sandbox_requires upstream_keepalive_idle_timeout
upstream_keepalive_max_requests upstream_keepalive_pool_size vault_env_prefix vaults
vaults_lazy_load_secrets via_header_comply_rfc vitals vitals_delete_interval_pg
vitals_flush_interval vitals_prometheus_address vitals_prometheus_auth_header
vitals_prometheus_auth_password vitals_prometheus_auth_user vitals_prometheus_cluster_filter
vitals_prometheus_scrape_interval vitals_statsd_address vitals_statsd_prefix
vitals_statsd_udp_packet_size vitals_strategy vitals_tsdb_address vitals_tsdb_password
vitals_tsdb_user vitals_ttl_days vitals_ttl_minutes vitals_ttl_seconds wasm wasm_filters
wasm_filters_path worker_consistency worker_events_max_payload worker_state_update_frequency
"""
NAMES = frozenset(_NAMES.split())
# Families of names that the gateway makes up as it reads them.
FAMILIES = re.compile(
    r"(nginx_(admin|admin_gui|cluster|conf|debug|events|http|location|main|portal|proxy|sproxy|status"
    r"|stream|supstream|upstream|wasm)|pluginserver|vault)_[A-Za-z0-9_]+"
)
SECRETS = re.compile(
    r".*(password|secret|secret_id|_token|_conf|access_key|nonce|account_json)"
    r"|declarative_config_string|license_data|proxy_server|cluster_fallback_export_s3_config"
)
# Paths and switches whose names only look like those of secrets.
OPEN = re.compile(
    r"nginx_.*|.*_(attempts|ttl|complexity|enable|file|lazy_load_secrets|auth_method)"
)
PRIVATE_KEYS = re.compile(r".*(cert_key|private_key|signing_key)")
# Settings of the process itself, which a reload of a package's gateway does not take over.
PROCESS = re.compile(
    r"prefix|role|database|pg_.*|.*_listen|plugins|lua_package_.*|declarative_config|lmdb_.*"
    r"|nginx_main_.*|nginx_user|nginx_daemon|mem_cache_size|konnect_mode|cluster_.*"
)
# What a gateway listens on by default.
LISTEN = {
    "proxy_listen": "0.0.0.0:8000, 0.0.0.0:8443 ssl",
    "admin_listen": "127.0.0.1:8001, 127.0.0.1:8444 ssl",
}
# Listeners that only the host itself reaches, unless gateway_ports publishes them.
PRIVATE = ("admin_listen", "admin_gui_listen", "status_listen", "debug_listen")
# Blocks of nginx that files can be included in.
BLOCKS = ("main", "events", "http", "proxy", "admin", "status", "stream", "upstream")

# The version of each edition that is installed by default. Source: developer.konghq.com,
# app/_data/products/gateway.yml and app/_data/support/gateway.yml (August 2026). The open edition
# has no line after 3.9; 3.14 is the newest line with long support.
DEFAULTS = {"community": "3.9.3", "enterprise": "3.14.0.13"}
LAST_LINE = "3.9"
# Each line, the end of its support, and the published keys of its repository: that of deb packages
# and that of rpm packages; a repository of rpm packages needs both (public_keys of gateway.yml).
_LINES = """
3.4   2026-08-31  6B5D054B0707DE3B  182B189D58356D29
3.5   2024-11-08  501204D36929F3AE  143557F9AEBB4856
3.6   2025-02-12  1D935A6039ECFC53  6D312E174BE30B5A
3.7   2025-05-28  C05D9BEAEB9E8E18  A757CBAFE0D65143
3.8   2025-09-11  8F87A07D181DAA6B  E4186B13EAE1A2D5
3.9   2025-12-12  B9DCD032B1696A89  EE30089B2CC28C9A
3.10  2028-03-31  5F07A9706C09A6C6  F95F9D51CE8D04A7
3.11  2026-07-03  CF9CDA9D288571F9  D0099E9501A25DF6
3.12  2026-10-01  875433A518B93006  CF99E3B118DABBFB
3.13  2026-12-18  B3A98B904066BD1F  45BBB5BD8790E760
3.14  2029-04-07  1B7E2AF3C3BF8153  D7B3E1CFBAE1C1CA
3.15  2027-07-02  70F548ACDD3D34DB  AECCD277A6B82E42
"""
_ROWS = [row.split() for row in _LINES.strip().splitlines()]
END_OF_LIFE = {line: end for line, end, *_keys in _ROWS}
KEYS = {line: tuple(keys) for line, _end, *keys in _ROWS}
PACKAGES = {"community": "kong", "enterprise": "kong-enterprise-edition"}
REPOSITORIES = "https://packages.konghq.com/public"
IMAGES = {"community": "docker.io/library/kong", "enterprise": "docker.io/kong/kong-gateway"}
