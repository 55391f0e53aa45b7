/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/client_secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "base/base64url.h"

#define RANDOM_LEN   32
#define CHECKSUM_LEN 6

static const struct {
	const char *environment, *prefix;
} prefixes[] = {
	{ "production", "stipa_prod_" },
	{ "staging", "stipa_stg_" },
	{ "demo", "stipa_demo_" },
};

#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static const char *const infixes[] = {
	[SECRET_OF_CLIENT] = "",
	[SECRET_ACCESS_TOKEN] = "at_",
	[SECRET_PASSWORD] = "pw_",
};

#define FORMS ((int)(sizeof(infixes) / sizeof(infixes[0])))

#define BODY_LEN (BASE64URL_LEN(RANDOM_LEN) + CHECKSUM_LEN)

static const char *prefix_of(const char *environment)
{
	for (size_t i = 0; i < PREFIXES; i++)
		if (strcmp(environment, prefixes[i].environment) == 0)
			return prefixes[i].prefix;
	return NULL;
}

/* Of the first @len characters. */
static void checksum_of(const char *text, size_t len, char checksum[CHECKSUM_LEN + 1])
{
	uint8_t digest[SHA256_LEN];
	char encoded[BASE64URL_LEN(SHA256_LEN) + 1];

	sha256(text, len, digest);
	base64url_encode(digest, sizeof(digest), encoded);
	memcpy(checksum, encoded, CHECKSUM_LEN);
	checksum[CHECKSUM_LEN] = '\0';
}

bool client_secret_make(struct secret *secret, enum client_secret_form form,
			const char *environment, struct error *error)
{
	const char *prefix = prefix_of(environment);
	uint8_t bytes[RANDOM_LEN];
	char *end;

	if (prefix == NULL)
		return error_set(error, ERROR_INVALID, "'%s' is no environment", environment);
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_set(error, ERROR_UNAVAILABLE, "no randomness: %s", strerror(errno));
	end = stpcpy(stpcpy(secret->bytes, prefix), infixes[form]);
	end += base64url_encode(bytes, sizeof(bytes), end);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	checksum_of(secret->bytes, (size_t)(end - secret->bytes), end);
	secret->len = strlen(secret->bytes);
	return true;
}

static bool begins_with(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(text, prefix, n) == 0;
}

static size_t prefix_index(const char *text, size_t len)
{
	size_t i = 0;

	while (i < PREFIXES && !begins_with(text, len, prefixes[i].prefix))
		i++;
	return i;
}

static bool checksum_is_right(const char *text, size_t len)
{
	char checksum[CHECKSUM_LEN + 1];

	checksum_of(text, len - CHECKSUM_LEN, checksum);
	return memcmp(text + len - CHECKSUM_LEN, checksum, CHECKSUM_LEN) == 0;
}

static bool is_base64url(const char *text, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr(alphabet, text[i]) == NULL)
			return false;
	return true;
}

/* The length tells a client's secret that happens to go on with "at_". */
bool client_secret_read(const char *text, size_t len, struct client_secret_kind *kind)
{
	size_t i = prefix_index(text, len), prefix;

	if (i == PREFIXES)
		return false;
	prefix = strlen(prefixes[i].prefix);
	if (!is_base64url(text + prefix, len - prefix))
		return false;
	for (int form = 0; form < FORMS; form++) {
		if (len != prefix + strlen(infixes[form]) + BODY_LEN ||
		    !begins_with(text + prefix, len - prefix, infixes[form]))
			continue;
		*kind = (struct client_secret_kind){
			.form = (enum client_secret_form)form,
			.environment = prefixes[i].environment,
			.whole = checksum_is_right(text, len),
		};
		return true;
	}
	return false;
}

bool client_secret_check(const struct secret *secret, const char *environment, struct error *error)
{
	size_t i = prefix_index(secret->bytes, secret->len);

	if (i == PREFIXES)
		return error_set(error, ERROR_INVALID, "a client's secret begins with stipa_");
	if (strcmp(prefixes[i].environment, environment) != 0)
		return error_set(error, ERROR_INVALID,
				 "this is a secret of the %s environment, not of %s",
				 prefixes[i].environment, environment);
	if (secret->len != strlen(prefixes[i].prefix) + BODY_LEN)
		return error_set(error, ERROR_INVALID, "the secret is cut short or too long");
	if (!checksum_is_right(secret->bytes, secret->len))
		return error_set(error, ERROR_INVALID,
				 "the secret is mistyped: its checksum is wrong");
	return true;
}

void client_secret_digest(const struct secret *secret, const char *client,
			  uint8_t digest[SHA256_LEN])
{
	credential_digest_basic(client, strlen(client), secret->bytes, secret->len, digest);
}
