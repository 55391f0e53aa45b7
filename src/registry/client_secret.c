/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/client_secret.h"

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

bool client_secret_make(struct secret *secret, const char *environment, struct error *error)
{
	const char *prefix = prefix_of(environment);
	uint8_t bytes[RANDOM_LEN];
	char *end;

	if (prefix == NULL)
		return error_set(error, ERROR_INVALID, "'%s' is no environment", environment);
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_set(error, ERROR_UNAVAILABLE, "no randomness: %s", strerror(errno));
	end = stpcpy(secret->bytes, prefix);
	end += base64url_encode(bytes, sizeof(bytes), end);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	checksum_of(secret->bytes, (size_t)(end - secret->bytes), end);
	secret->len = strlen(secret->bytes);
	return true;
}

static size_t prefix_index(const struct secret *secret)
{
	size_t i = 0;

	while (i < PREFIXES &&
	       strncmp(secret->bytes, prefixes[i].prefix, strlen(prefixes[i].prefix)) != 0)
		i++;
	return i;
}

static bool checksum_is_right(const struct secret *secret)
{
	char checksum[CHECKSUM_LEN + 1];

	checksum_of(secret->bytes, secret->len - CHECKSUM_LEN, checksum);
	return memcmp(secret->bytes + secret->len - CHECKSUM_LEN, checksum, CHECKSUM_LEN) == 0;
}

bool client_secret_check(const struct secret *secret, const char *environment, struct error *error)
{
	size_t i = prefix_index(secret);

	if (i == PREFIXES)
		return error_set(error, ERROR_INVALID, "a client's secret begins with stipa_");
	if (strcmp(prefixes[i].environment, environment) != 0)
		return error_set(error, ERROR_INVALID,
				 "this is a secret of the %s environment, not of %s",
				 prefixes[i].environment, environment);
	if (secret->len != strlen(prefixes[i].prefix) + BASE64URL_LEN(RANDOM_LEN) + CHECKSUM_LEN)
		return error_set(error, ERROR_INVALID, "the secret is cut short or too long");
	if (!checksum_is_right(secret))
		return error_set(error, ERROR_INVALID,
				 "the secret is mistyped: its checksum is wrong");
	return true;
}

void client_secret_digest(const struct secret *secret, const char *client,
			  uint8_t digest[SHA256_LEN])
{
	credential_digest_basic(client, strlen(client), secret->bytes, secret->len, digest);
}
