/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "when.h"

#define LOWER	   "abcdefghijklmnopqrstuvwxyz"
#define UPPER	   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	   "0123456789"
#define CLIENT_MAX 255 /* enough to call it too long */

static bool consists_of(const char *text, size_t min, size_t max, const char *letters)
{
	size_t len = strlen(text);

	return len >= min && len <= max && strspn(text, letters) == len;
}

bool check_account(const char *text, struct error *error)
{
	if (strncmp(text, "sp-", 3) == 0 && text[3] != '-' &&
	    consists_of(text + 3, 1, 32, LOWER DIGITS "-"))
		return true;
	return error_set(error, ERROR_INVALID,
			 "an account is 'sp-' and 1 to 32 of a-z, 0-9 and '-', not '-' first");
}

bool check_alias(const char *text, struct error *error)
{
	if (consists_of(text, 1, 63, LOWER UPPER DIGITS "._~-") && strncmp(text, "sp-", 3) != 0)
		return true;
	return error_set(error, ERROR_INVALID,
			 "an alias is 1 to 63 of A-Z, a-z, 0-9 and '._~-', and does not begin with "
			 "'sp-'");
}

bool check_client(const char *text, struct error *error)
{
	if (consists_of(text, 3, 64, LOWER UPPER DIGITS "_-"))
		return true;
	return error_set(error, ERROR_INVALID, "a client is 3 to 64 of A-Z, a-z, 0-9, '_' and '-'");
}

bool check_clients(const char *text, struct error *error)
{
	char client[CLIENT_MAX + 1];
	const char *end;

	for (;; text = end + 1) {
		end = text + strcspn(text, ",");
		if (end - text > CLIENT_MAX)
			return check_client(text, error);
		memcpy(client, text, (size_t)(end - text));
		client[end - text] = '\0';
		if (!check_client(client, error))
			return false;
		if (*end == '\0')
			return true;
	}
}

bool check_kid(const char *text, struct error *error)
{
	if (consists_of(text, 1, 64, LOWER UPPER DIGITS "._~:=+/-"))
		return true;
	return error_set(error, ERROR_INVALID, "a kid is 1 to 64 of A-Z, a-z, 0-9 and '._~:=+/-'");
}

bool check_number(const char *text, struct error *error)
{
	if (consists_of(text, 1, 18, DIGITS) && strtoll(text, NULL, 10) > 0)
		return true;
	return error_set(error, ERROR_INVALID, "want a number from 1 on");
}

bool check_reason(const char *text, struct error *error)
{
	bool says_something = false;

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (*c < ' ' || *c == 0x7f)
			return error_set(error, ERROR_INVALID, "want one line of text");
		says_something |= *c != ' ';
	}
	if (!says_something)
		return error_set(error, ERROR_INVALID, "is empty");
	return true;
}

bool check_spc(const char *text, struct error *error)
{
	if (consists_of(text, 1, 16, UPPER DIGITS))
		return true;
	return error_set(error, ERROR_INVALID,
			 "an SPC is of 0-9 and A-Z (a US OCN: 4 or 5 of them), at most 16");
}

bool check_distance(const char *text, struct error *error)
{
	long seconds;

	return when_parse_distance(text, &seconds, error);
}

bool check_time(const char *text, struct error *error)
{
	char utc[WHEN_TEXT_MAX];

	return when_parse(text, WHEN_AHEAD, time(NULL), utc, error);
}

bool check_time_ahead(const char *text, struct error *error)
{
	char utc[WHEN_TEXT_MAX], now_utc[WHEN_TEXT_MAX];
	time_t now = time(NULL);
	struct tm tm;

	if (!when_parse(text, WHEN_AHEAD, now, utc, error))
		return false;
	strftime(now_utc, sizeof(now_utc), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	if (strcmp(utc, now_utc) > 0)
		return true;
	return error_set(error, ERROR_INVALID, "is in the past");
}

bool check_time_back(const char *text, struct error *error)
{
	char utc[WHEN_TEXT_MAX];

	return when_parse(text, WHEN_BACK, time(NULL), utc, error);
}

bool check_user(const char *text, struct error *error)
{
	if (consists_of(text, 1, 64, LOWER UPPER DIGITS "._@+-"))
		return true;
	return error_set(error, ERROR_INVALID, "a user is 1 to 64 of A-Z, a-z, 0-9 and '._@+-'");
}

bool check_uuid(const char *text, struct error *error)
{
	bool right = strlen(text) == 36;

	for (size_t i = 0; right && i < 36; i++)
		right = i == 8 || i == 13 || i == 18 || i == 23
				? text[i] == '-'
				: isxdigit((unsigned char)text[i]) != 0;
	if (right)
		return true;
	return error_set(error, ERROR_INVALID, "want a jti: a UUID like 019a2b3c-…");
}

/* What x5u begins with: https, host and port, nothing else, so that every client can fetch it. */
bool check_base_url(const char *text, struct error *error)
{
	static const char host[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   ".-:[]";

	if (strncmp(text, "https://", 8) != 0 || text[8] == '\0' ||
	    text[8 + strspn(text + 8, host)] != '\0')
		return error_set(error, ERROR_INVALID,
				 "want https://HOST or https://HOST:PORT, without a final slash");
	if (strlen(text) > 150)
		return error_set(error, ERROR_INVALID, "longer than 150 characters");
	return true;
}

bool check_crl_url(const char *text, struct error *error)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(error, ERROR_INVALID, "a space or a non-ASCII character");
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ||
	       error_set(error, ERROR_INVALID, "want http:// or https://");
}

bool check_environment_name(const char *text, struct error *error)
{
	return strcmp(text, "production") == 0 || strcmp(text, "staging") == 0 ||
	       strcmp(text, "demo") == 0 ||
	       error_set(error, ERROR_INVALID, "want production, staging or demo");
}
