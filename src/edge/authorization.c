/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/authorization.h"

#include <string.h>
#include <strings.h>

#include "base/base64url.h"
#include "crypto/client_secret.h"
#include "crypto/digest.h"

#define CREDENTIALS_MAX 512 /* bytes of "client:secret"; ours have far fewer */

/* ---- environments ---- */

const char *secret_foreign(const char *secret, const char *environment)
{
	struct client_secret_kind kind;

	return client_secret_read(secret, strlen(secret), &kind) &&
			       strcmp(kind.environment, environment) != 0
		       ? kind.environment
		       : NULL;
}

bool secret_refuse_foreign(const char *foreign, const char *environment, struct error *error)
{
	return error_set_code(error, ERROR_FORBIDDEN, "foreign-environment",
			      "this secret is one of %s; this is %s", foreign, environment);
}

/* ---- Basic ---- */

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	return false;
}

/* RFC 9110 section 11.4: one space or more lie between the scheme and what follows it. */
static const char *parameter_of(const char *header)
{
	header += strcspn(header, " ");
	return header + strspn(header, " ");
}

/* base64 of user-id ":" password; no colon in the former, no control characters in either.  A NUL
 * would also blur where the client id ends in the digest. */
bool authorization_basic(const char *header, char *text, size_t size, const char **user,
			 const char **password)
{
	const char *encoded = parameter_of(header);
	size_t len;
	char *colon;

	if (!base64_decode_any(encoded, strlen(encoded), (uint8_t *)text, size - 1, &len))
		len = 0;
	colon = memchr(text, ':', len);
	if (colon == NULL || has_control(text, len)) {
		explicit_bzero(text, size);
		return false;
	}
	text[len] = *colon = '\0';
	*user = text;
	*password = colon + 1;
	return true;
}

static void read_basic(const char *header, const char *environment,
		       struct authorization *authorization)
{
	char text[CREDENTIALS_MAX];
	const char *user, *password;

	if (!authorization_basic(header, text, sizeof(text), &user, &password))
		return;
	credential_digest_basic(user, strlen(user), password, strlen(password),
				authorization->digest);
	authorization->foreign = secret_foreign(password, environment);
	explicit_bzero(text, sizeof(text));
}

/* ---- access tokens ---- */

/* RFC 6750 section 2.1: b64token. */
static bool is_token(const char *text)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
	size_t len = strspn(text, bytes);

	return len > 0 && text[len + strspn(text + len, "=")] == '\0';
}

static void read_token(const char *token, const char *environment,
		       struct authorization *authorization)
{
	if (!is_token(token))
		return;
	credential_digest_token(token, strlen(token), authorization->digest);
	authorization->foreign = secret_foreign(token, environment);
}

/* ---- the field ---- */

static bool is_scheme(const char *header, size_t len, const char *scheme)
{
	return len == strlen(scheme) && strncasecmp(header, scheme, len) == 0;
}

enum authorization_kind authorization_kind_of(const char *header)
{
	size_t len = header == NULL ? 0 : strcspn(header, " ");

	if (len == 0)
		return AUTHORIZATION_NONE;
	if (is_scheme(header, len, "Basic"))
		return AUTHORIZATION_BASIC;
	/* One word is a token without its scheme. */
	if (is_scheme(header, len, "Bearer") || header[len] == '\0')
		return AUTHORIZATION_TOKEN;
	return AUTHORIZATION_NONE;
}

void authorization_read(const char *header, const char *environment,
			struct authorization *authorization)
{
	memset(authorization, 0, sizeof(*authorization));
	authorization->kind = authorization_kind_of(header);
	if (authorization->kind == AUTHORIZATION_BASIC)
		read_basic(header, environment, authorization);
	else if (authorization->kind == AUTHORIZATION_TOKEN && strcasecmp(header, "Bearer") != 0)
		read_token(strchr(header, ' ') != NULL ? parameter_of(header) : header, environment,
			   authorization);
}
