/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/routes.h"

#include "edge/api_user.h"
#include "edge/certificates.h"
#include "edge/health.h"
#include "edge/oauth_request.h"
#include "edge/oauth_server.h"
#include "edge/secret_report.h"
#include "edge/token_request.h"

#define BODY_MAX 4096 /* of what is asked of the authority */

/* clang-format off */
const struct http_route edge_public_routes[] = {
	/* SPC tokens: ATIS-1000080, RFC 9447, deployed clients */
	{ "POST", "/sti-pa/account/{id}/token", BODY_MAX, token_request_handle, "token" },
	{ "POST", "/account/{id}/token", BODY_MAX, token_request_handle, "token" },
	{ "POST", "/at/account/{id}/token", BODY_MAX, token_request_handle, "token" },
	{ "POST", "/api/v1/account/{id}/token", BODY_MAX, token_request_handle, "token" },
	{ "POST", "/api/v1/account/{id}/token/", BODY_MAX, token_request_handle, "token" },
	{ "POST", "/sti-pa/account/{id}/token/dry-run", BODY_MAX, token_dry_run_handle, "token-dry-run" },
	{ "POST", "/account/{id}/token/dry-run", BODY_MAX, token_dry_run_handle, "token-dry-run" },
	{ "POST", "/at/account/{id}/token/dry-run", BODY_MAX, token_dry_run_handle, "token-dry-run" },
	{ "POST", "/api/v1/account/{id}/token/dry-run", BODY_MAX, token_dry_run_handle, "token-dry-run" },

	/* access tokens: OAuth, deployed clients */
	{ "POST", "/oauth2/token", BODY_MAX, oauth_token_handle, "oauth-token" },
	{ "POST", "/oauth2/revoke", BODY_MAX, oauth_revoke_handle, "oauth-revoke" },
	{ "GET", "/.well-known/oauth-authorization-server", 0, oauth_metadata_handle, "oauth-metadata" },
	{ "POST", "/api/v1/auth/login", BODY_MAX, login_handle, "login" },
	{ "POST", "/api/v1/auth/logout", BODY_MAX, logout_handle, "logout" },
	{ "POST", "/secrets/report", BODY_MAX, secret_report_handle, "secret-report" },

	/* certificates */
	{ "GET", "/sti-pa/certs/{name}", 0, certificate_handle, "certificate" },
	{ "GET", "/sti-pa/cert.crt", 0, certificate_signer_handle, "signer-certificate" },
	{ "GET", "/download/v1/certificate/{name}", 0, certificate_download_handle, "certificate" },
	{ 0 },
};

const struct http_route edge_local_routes[] = {
	{ "GET", "/livez", 0, health_live_handle, "livez" },
	{ "GET", "/readyz", 0, health_ready_handle, "readyz" },
	{ "GET", "/metrics", 0, metrics_handle, "metrics" },
	{ 0 },
};
/* clang-format on */
