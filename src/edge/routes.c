/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/routes.h"

#include "edge/certificates.h"
#include "edge/health.h"
#include "edge/token_request.h"

#define TOKEN_BODY_MAX 4096

/* clang-format off */
const struct http_route edge_public_routes[] = {
	{ "POST", "/sti-pa/account/{id}/token", TOKEN_BODY_MAX, token_request_handle, "token" },
	{ "POST", "/account/{id}/token", TOKEN_BODY_MAX, token_request_handle, "token" },
	{ "GET", "/sti-pa/certs/{name}", 0, certificate_handle, "certificate" },
	{ "GET", "/sti-pa/cert.crt", 0, certificate_signer_handle, "signer-certificate" },
	{ 0 },
};

const struct http_route edge_local_routes[] = {
	{ "GET", "/livez", 0, health_live_handle, "livez" },
	{ "GET", "/readyz", 0, health_ready_handle, "readyz" },
	{ 0 },
};
/* clang-format on */
