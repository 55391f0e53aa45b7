/* SPDX-License-Identifier: Apache-2.0 */
#include "token_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64url.h"

bool token_text_read(const struct ctl *ctl, char text[TOKEN_TEXT_MAX + 2], struct error *error)
{
	const char *given = ctl_value(ctl, "TOKEN");
	size_t len, start = 0;

	if (strcmp(given, "-") == 0)
		len = fread(text, 1, TOKEN_TEXT_MAX + 1, stdin);
	else
		len = (size_t)snprintf(text, TOKEN_TEXT_MAX + 1, "%s", given);
	if (len > TOKEN_TEXT_MAX)
		return error_set(error, ERROR_INVALID, "a token of more than %d characters",
				 TOKEN_TEXT_MAX);
	text[len] = '\0';
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	while (isspace((unsigned char)text[start]))
		start++;
	memmove(text, text + start, len - start + 1);
	return len > start || error_set(error, ERROR_INVALID, "no token");
}

json_t *token_part_load(const char *name, const char *text, struct error *error)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(object))
		return object;
	json_decref(object);
	error_set(error, ERROR_INVALID, "the %s is not one JSON object without duplicate members",
		  name);
	return NULL;
}

static bool spc_of_tkvalue(const char *tkvalue, struct tnauthlist *list, struct error *error)
{
	uint8_t der[TNAUTHLIST_DER_MAX];
	size_t len;

	if (!base64_decode_any(tkvalue, strlen(tkvalue), der, sizeof(der), &len))
		return error_set(error, ERROR_INVALID,
				 "tkvalue is not base64 of a list with one SPC");
	return tnauthlist_decode(der, len, list, error);
}

static bool spc_of_sub(const json_t *sub, struct tnauthlist *list, struct error *error)
{
	const char *spc = json_string_value(json_array_get(sub, 0));

	if (json_array_size(sub) != 1 || spc == NULL || !spc_is_well_formed(spc, strlen(spc)))
		return error_set(error, ERROR_INVALID, "sub is not an array of one SPC");
	snprintf(list->spc, sizeof(list->spc), "%s", spc);
	return true;
}

bool token_is_2017(const json_t *payload)
{
	return json_object_get(payload, "atc") == NULL && json_object_get(payload, "sub") != NULL;
}

bool token_spc(const json_t *payload, struct tnauthlist *list, struct error *error)
{
	const json_t *atc = json_object_get(payload, "atc");
	const char *tkvalue = json_string_value(json_object_get(atc, "tkvalue"));

	if (token_is_2017(payload))
		return spc_of_sub(json_object_get(payload, "sub"), list, error);
	if (tkvalue == NULL)
		return error_set(error, ERROR_INVALID, "atc.tkvalue is not there");
	return spc_of_tkvalue(tkvalue, list, error);
}

void token_time_words(int64_t seconds, char words[TOKEN_WORDS_MAX])
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "day", 86400 }, { "hour", 3600 }, { "minute", 60 }, { "second", 1 } };
	int64_t left = llabs(seconds);
	size_t unit = 0,
	       len = (size_t)snprintf(words, TOKEN_WORDS_MAX, "%s", seconds < 0 ? "" : "in");

	while (unit < 3 && left < units[unit].seconds)
		unit++;
	for (size_t i = unit; i < 4 && i < unit + 2; i++) {
		int64_t n = left / units[i].seconds;

		left %= units[i].seconds;
		if (n > 0 || i == unit)
			len += (size_t)snprintf(words + len, TOKEN_WORDS_MAX - len,
						"%s%" PRId64 " %s%s", len > 0 ? " " : "", n,
						units[i].name, n == 1 ? "" : "s");
	}
	if (seconds < 0)
		snprintf(words + len, TOKEN_WORDS_MAX - len, " ago");
}
