/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/audit_chain.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define HEX_LEN	   (2 * SHA256_LEN)
#define EPOCH_2000 946684800LL /* 2000-01-01 in Unix seconds */

#define broken(error, ...) error_set_code((error), ERROR_CONFLICT, AUDIT_BROKEN, __VA_ARGS__)

static bool hex_decode(const char *hex, uint8_t bytes[SHA256_LEN])
{
	if (strlen(hex) != HEX_LEN || strspn(hex, "0123456789abcdef") != HEX_LEN)
		return false;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		const char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

/* Exactly "2026-01-31T12:00:00.123456Z", in microseconds since 2000. */
static bool time_decode(const char *text, int64_t *microseconds)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
	struct tm tm = { 0 };
	long fraction;

	if (strlen(text) != strlen(form))
		return false;
	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6ldZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fraction) != 7)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*microseconds = (timegm(&tm) - EPOCH_2000) * 1000000 + fraction;
	return true;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--)
		*at++ = (uint8_t)(number >> (8 * i));
	return at;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
	size_t len = strlen(text);

	at = put_number(at, len, 4);
	memcpy(at, text, len);
	return at + len;
}

/* What the event's hash must be after @previous. */
static bool row_hash(const struct audit_row *row, const uint8_t previous[SHA256_LEN],
		     uint8_t hash[SHA256_LEN], struct error *error)
{
	const char *const texts[] = { row->actor, row->action, row->subject, row->reason,
				      row->evidence };
	size_t len = SHA256_LEN + 8 + 8;
	int64_t at_us;
	uint8_t *bytes, *at;

	if (!time_decode(row->at, &at_us))
		return broken(error, "event %lld: its time is none: %.40s", row->id, row->at);
	for (size_t i = 0; i < 5; i++)
		len += 4 + strlen(texts[i]);
	bytes = malloc(len);
	if (bytes == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "no memory");
	memcpy(bytes, previous, SHA256_LEN);
	at = put_number(bytes + SHA256_LEN, (uint64_t)row->id, 8);
	at = put_number(at, (uint64_t)at_us, 8);
	for (size_t i = 0; i < 5; i++)
		at = put_text(at, texts[i]);
	sha256(bytes, len, hash);
	free(bytes);
	return true;
}

/* Before the first event of a whole chain there is number 0, with a hash of zeros. */
static bool check_place(const struct audit_chain *chain, const struct audit_row *row,
			const uint8_t previous[SHA256_LEN], struct error *error)
{
	if (chain->first == 0 && chain->is_part)
		return true;
	if (row->id <= chain->last)
		return broken(error, "event %lld stands after event %lld", row->id, chain->last);
	if (row->id != chain->last + 1)
		return broken(error, "event %lld is missing: event %lld follows event %lld",
			      chain->last + 1, row->id, chain->last);
	if (memcmp(previous, chain->head, SHA256_LEN) != 0)
		return broken(error,
			      "event %lld: the hash of the event before it is not the one it names",
			      row->id);
	return true;
}

bool audit_chain_add(struct audit_chain *chain, const struct audit_row *row, struct error *error)
{
	uint8_t previous[SHA256_LEN], hash[SHA256_LEN], is[SHA256_LEN];

	if (!hex_decode(row->previous, previous) || !hex_decode(row->hash, is))
		return broken(error, "event %lld: a hash is not 64 hexadecimals", row->id);
	if (!check_place(chain, row, previous, error) || !row_hash(row, previous, hash, error))
		return false;
	if (memcmp(hash, is, SHA256_LEN) != 0)
		return broken(error, "event %lld: its content is not what was hashed", row->id);
	if (chain->expected != NULL && strcasecmp(chain->expected, row->hash) == 0)
		chain->was_met = true;
	if (chain->first == 0)
		chain->first = row->id;
	chain->last = row->id;
	memcpy(chain->head, hash, SHA256_LEN);
	return true;
}

bool audit_chain_end(const struct audit_chain *chain, struct error *error)
{
	if (chain->expected == NULL || chain->was_met)
		return true;
	return broken(error, "no event has the hash %s: the chain was cut off, or written anew",
		      chain->expected);
}

void audit_chain_head(const struct audit_chain *chain, char hex[HEX_LEN + 1])
{
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", chain->head[i]);
}
