/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/oauth_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/json_text.h"
#include "config/config.h"
#include "edge/services.h"
#include "http/request.h"

#define NAME_MAX_LEN 511

enum { ISSUER, TOKEN_ENDPOINT, REVOCATION_ENDPOINT, NAMES };

struct oauth_server {
	char names[NAMES][NAME_MAX_LEN + 1];
	const char *audiences[NAMES + 1];
	char *metadata;
};

static const char *const paths[NAMES] = {
	[ISSUER] = "",
	[TOKEN_ENDPOINT] = "/oauth2/token",
	[REVOCATION_ENDPOINT] = "/oauth2/revoke",
};

static bool set_names(struct oauth_server *server, const char *issuer, struct error *error)
{
	for (size_t i = 0; i < NAMES; i++) {
		int len = snprintf(server->names[i], sizeof(server->names[i]), "%s%s", issuer,
				   paths[i]);

		if (len < 0 || (size_t)len >= sizeof(server->names[i]))
			return error_set(error, ERROR_INVALID, "base_url: too long");
		server->audiences[i] = server->names[i];
	}
	return true;
}

/* RFC 8414 section 2: whoever takes a signed assertion names the algorithms, and never "none". */
static bool set_metadata(struct oauth_server *server, struct error *error)
{
	static const char methods[] = "[sss]";
	json_auto_t *json = NULL;
	char format[160];

	snprintf(format, sizeof(format), "{s:s,s:s,s:s,s:[],s:[s],s:[sss],s:%s,s:[s],s:%s,s:[s]}",
		 methods, methods);
	json = json_pack(format, "issuer", server->names[ISSUER], "token_endpoint",
			 server->names[TOKEN_ENDPOINT], "revocation_endpoint",
			 server->names[REVOCATION_ENDPOINT], "response_types_supported",
			 "grant_types_supported", "client_credentials", "scopes_supported",
			 "spc-token", "spc-token:ca", "revoke",
			 "token_endpoint_auth_methods_supported", "client_secret_basic",
			 "client_secret_post", "private_key_jwt",
			 "token_endpoint_auth_signing_alg_values_supported", "ES256",
			 "revocation_endpoint_auth_methods_supported", "client_secret_basic",
			 "client_secret_post", "private_key_jwt",
			 "revocation_endpoint_auth_signing_alg_values_supported", "ES256");
	server->metadata = json_text(json);
	return server->metadata != NULL || error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

struct oauth_server *oauth_server_new(const struct config *config, struct error *error)
{
	struct oauth_server *server = calloc(1, sizeof(*server));
	char issuer[NAME_MAX_LEN + 1];

	if (server == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	if (config->base_url != NULL)
		snprintf(issuer, sizeof(issuer), "%s", config->base_url);
	else
		snprintf(issuer, sizeof(issuer), "https://%s",
			 config->server_names.n > 0 ? config->server_names.item[0] : "localhost");
	if (set_names(server, issuer, error) && set_metadata(server, error))
		return server;
	oauth_server_free(server);
	return NULL;
}

void oauth_server_free(struct oauth_server *server)
{
	if (server == NULL)
		return;
	free(server->metadata);
	free(server);
}

const char *const *oauth_server_audiences(const struct oauth_server *server)
{
	return server->audiences;
}

void oauth_metadata_handle(struct http_request *http, void *arg)
{
	const struct services *services = arg;
	const struct http_field fields[] = { { "Cache-Control", "public, max-age=3600" }, { 0 } };
	const struct http_reply reply = {
		.status = 200,
		.media_type = "application/json",
		.body = services->oauth->metadata,
		.len = strlen(services->oauth->metadata),
		.fields = fields,
		.store = true,
	};

	http_reply(http, &reply);
}
