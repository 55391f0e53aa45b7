/* SPDX-License-Identifier: Apache-2.0 */
#include "lists.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"

#define ITEM_MAX	120
#define FINGERPRINT_LEN 32

/* The next item, without its comma; false at the end of the list.  A NUL item is a fault of the
 * list: too long, or empty. */
static bool next_item(const char **list, char item[ITEM_MAX + 1])
{
	size_t len = strcspn(*list, ",");

	if (*list[0] == '\0')
		return false;
	snprintf(item, ITEM_MAX + 1, "%.*s", len > ITEM_MAX ? 0 : (int)len, *list);
	*list += len;
	if (*list[0] == ',' && (*list)[1] != '\0')
		(*list)++;
	else if (*list[0] == ',')
		item[0] = '\0'; /* a comma at the end */
	if (item[0] == '\0')
		*list += strlen(*list);
	return true;
}

/* ---- fingerprints ---- */

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at;

	at = strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* With a colon between all octets, or between none. */
static bool hex_read(const char *text, uint8_t bytes[FINGERPRINT_LEN])
{
	bool colons = strlen(text) == 3 * FINGERPRINT_LEN - 1;

	if (!colons && strlen(text) != 2 * FINGERPRINT_LEN)
		return false;
	for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
		const char *pair = text + i * (colons ? 3 : 2);
		int high = hex_digit(pair[0]), low = hex_digit(pair[1]);

		if (high < 0 || low < 0 || (colons && i + 1 < FINGERPRINT_LEN && pair[2] != ':'))
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool fingerprint_read(const char *text, uint8_t bytes[FINGERPRINT_LEN])
{
	size_t used = 0;

	if (strncmp(text, "SHA256 ", 7) == 0 || strncmp(text, "SHA256:", 7) == 0)
		return hex_read(text + 7, bytes);
	if (strlen(text) == BASE64URL_LEN(FINGERPRINT_LEN))
		return base64url_decode(text, strlen(text), bytes, FINGERPRINT_LEN, &used) &&
		       used == FINGERPRINT_LEN;
	return hex_read(text, bytes);
}

static bool is_nothing(const uint8_t bytes[FINGERPRINT_LEN])
{
	static const uint8_t zeros[FINGERPRINT_LEN];

	return memcmp(bytes, zeros, FINGERPRINT_LEN) == 0;
}

bool fingerprints_read(const char *list, char hex[FINGERPRINTS_TEXT_MAX], struct error *error)
{
	uint8_t bytes[FINGERPRINT_LEN];
	char item[ITEM_MAX + 1];
	size_t n = 0;

	for (; next_item(&list, item); n++) {
		if (n == FINGERPRINTS_MAX)
			return error_set(error, ERROR_INVALID, "more than %d fingerprints",
					 FINGERPRINTS_MAX);
		if (!fingerprint_read(item, bytes))
			return error_set(error, ERROR_INVALID,
					 "want 'SHA256 ' and 32 octets as hexadecimals with "
					 "colons, or a thumbprint of 43 characters; several by "
					 "comma; or 'any'");
		if (is_nothing(bytes))
			return error_set(error, ERROR_INVALID,
					 "a fingerprint of zeros alone is that of no key");
		if (n > 0)
			*hex++ = ',';
		for (size_t i = 0; i < FINGERPRINT_LEN; i++, hex += 2)
			snprintf(hex, 3, "%02x", bytes[i]);
	}
	return true;
}

bool check_fingerprints(const char *text, struct error *error)
{
	char hex[FINGERPRINTS_TEXT_MAX];

	return strcmp(text, "any") == 0 || fingerprints_read(text, hex, error);
}

/* ---- networks ---- */

static bool network_is_right(char *network)
{
	unsigned char bytes[16];
	char *slash = strchr(network, '/'), *end = NULL;
	long bits = 0;
	bool is_4;

	if (slash != NULL) {
		*slash = '\0';
		bits = strtol(slash + 1, &end, 10);
		if (strspn(slash + 1, "0123456789") == 0 || *end != '\0')
			return false;
	}
	is_4 = inet_pton(AF_INET, network, bytes) == 1;
	return (is_4 || inet_pton(AF_INET6, network, bytes) == 1) && bits <= (is_4 ? 32 : 128);
}

bool check_networks(const char *text, struct error *error)
{
	char item[ITEM_MAX + 1];

	if (strcmp(text, "everywhere") == 0)
		return true;
	while (next_item(&text, item))
		if (!network_is_right(item))
			return error_set(error, ERROR_INVALID,
					 "want networks like 192.0.2.0/24 or 2001:db8::/32 by "
					 "comma, or 'everywhere'");
	return true;
}

/* ---- scopes ---- */

static const struct {
	const char *name;
	int bit;
} scopes[] = {
	{ "spc-token", 1 },
	{ "spc-token:ca", 2 },
	{ "revoke", 4 },
};

int scopes_read(const char *list)
{
	char item[ITEM_MAX + 1];
	int sum = 0;

	if (strcmp(list, "none") == 0)
		return 0;
	while (next_item(&list, item)) {
		int bit = 0;

		for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
			if (strcmp(item, scopes[i].name) == 0)
				bit = scopes[i].bit;
		if (bit == 0 || (sum & bit) != 0)
			return -1;
		sum |= bit;
	}
	return sum;
}

bool check_scopes(const char *text, struct error *error)
{
	return scopes_read(text) >= 0 ||
	       error_set(error, ERROR_INVALID,
			 "want 'none' or a list of spc-token, spc-token:ca and revoke");
}
