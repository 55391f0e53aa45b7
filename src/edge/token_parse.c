/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/token_parse.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include <jansson.h>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "json_body.h"
#include "media_type.h"

#define THUMBPRINT_LEN	BASE64URL_LEN(SHA256_LEN)
#define LENGTH(literal) (sizeof(literal) - 1)

bool media_type_is_json(const char *content_type)
{
	return content_type == NULL || media_type_is(content_type, "application/json");
}

/* ---- members ---- */

static enum order_defect take_tktype(const json_t *value, struct order *order)
{
	(void)order;
	if (value == NULL)
		return DEFECT_TKTYPE_MISSING;
	if (!json_is_string(value))
		return DEFECT_TKTYPE_TYPE;
	return strcmp(json_string_value(value), "TNAuthList") == 0 ? DEFECT_NONE
								   : DEFECT_TKTYPE_VALUE;
}

static const enum order_defect tnauthlist_defects[] = {
	[TNAUTHLIST_GOOD] = DEFECT_NONE,
	[TNAUTHLIST_NOT_DER] = DEFECT_TKVALUE_DER,
	[TNAUTHLIST_NOT_CANONICAL] = DEFECT_TKVALUE_CANONICAL,
	[TNAUTHLIST_ENTRIES] = DEFECT_TKVALUE_ENTRIES,
	[TNAUTHLIST_NOT_SPC] = DEFECT_TKVALUE_NOT_SPC,
	[TNAUTHLIST_SPC] = DEFECT_TKVALUE_SPC,
};
static_assert(sizeof(tnauthlist_defects) / sizeof(tnauthlist_defects[0]) == TNAUTHLIST_FAULT_COUNT,
	      "every fault of a TNAuthList is a defect of tkvalue");
static_assert((TNAUTHLIST_DER_MAX + 2) / 3 * 4 <= TKVALUE_MAX, "a good tkvalue has room");

/* Room is for more than a good list needs, so that a list of ten is told what is wrong with it. */
static enum order_defect take_tkvalue(const json_t *value, struct order *order)
{
	const char *text = json_string_value(value);
	struct tnauthlist list;
	uint8_t der[1024];
	enum order_defect defect;
	size_t len;

	if (value == NULL)
		return DEFECT_TKVALUE_MISSING;
	if (text == NULL)
		return DEFECT_TKVALUE_TYPE;
	if (!base64_decode_any(text, json_string_length(value), der, sizeof(der), &len))
		return DEFECT_TKVALUE_BASE64;
	defect = tnauthlist_defects[tnauthlist_check(der, len, &list)];
	if (defect != DEFECT_NONE)
		return defect;

	memcpy(order->tkvalue, text, json_string_length(value) + 1);
	memcpy(order->spc, list.spc, strlen(list.spc) + 1);
	return DEFECT_NONE;
}

static enum order_defect take_ca(const json_t *value, struct order *order)
{
	if (value != NULL && !json_is_boolean(value))
		return DEFECT_CA_TYPE;
	order->ca = json_is_true(value);
	return DEFECT_NONE;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* "SHA256 " and 32 bytes, each two digits, with colons between them. */
static bool is_hex_fingerprint(const char *text, size_t len)
{
	const char *hex = text + LENGTH("SHA256 ");

	if (len != LENGTH("SHA256 ") + 3 * SHA256_LEN - 1 ||
	    memcmp(text, "SHA256 ", LENGTH("SHA256 ")) != 0)
		return false;
	for (size_t i = 0; i < 3 * SHA256_LEN - 1; i++)
		if (i % 3 == 2 ? hex[i] != ':' : !is_hex(hex[i]))
			return false;
	return true;
}

/* RFC 7638 thumbprint with SHA-256, in its one base64url spelling. */
static bool is_thumbprint(const char *text, size_t len)
{
	uint8_t digest[SHA256_LEN];
	size_t used;

	return len == THUMBPRINT_LEN &&
	       base64url_decode(text, len, digest, sizeof(digest), &used) && used == SHA256_LEN;
}

/* Which key was hashed, and how, cannot be seen from here: the text is kept as it came. */
static enum order_defect take_fingerprint(const json_t *value, struct order *order)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (value == NULL)
		return DEFECT_FINGERPRINT_MISSING;
	if (text == NULL)
		return DEFECT_FINGERPRINT_TYPE;
	if (!is_hex_fingerprint(text, len) && !is_thumbprint(text, len))
		return DEFECT_FINGERPRINT_FORM;
	memcpy(order->fingerprint, text, len + 1);
	return DEFECT_NONE;
}

static enum order_defect take_spc(const json_t *value, struct order *order)
{
	const char *text = json_string_value(value);

	if (value == NULL)
		return DEFECT_NONE;
	if (text == NULL)
		return DEFECT_SPC_TYPE;
	if (!spc_is_well_formed(text, json_string_length(value)))
		return DEFECT_SPC_FORM;
	memcpy(order->spc, text, json_string_length(value) + 1);
	return DEFECT_NONE;
}

/* ---- the body ---- */

struct member {
	const char *name;
	enum order_defect (*take)(const json_t *value, struct order *order); /* NULL: not there */
};

/* RFC 9448 section 5.5 */
static const struct member atc_members[] = {
	{ "tktype", take_tktype },
	{ "tkvalue", take_tkvalue },
	{ "ca", take_ca },
	{ "fingerprint", take_fingerprint },
	{ 0 },
};

/* ATIS-1000080 (2017) section 6.3.4.1; spc is ours */
static const struct member members_2017[] = {
	{ "fingerprint", take_fingerprint },
	{ "spc", take_spc },
	{ 0 },
};

static bool is_one_of(const char *name, const struct member *members)
{
	for (; members->name != NULL; members++)
		if (strcmp(name, members->name) == 0)
			return true;
	return false;
}

static bool has_only(json_t *object, const struct member *members)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) if (!is_one_of(name, members)) return false;
	return true;
}

static enum order_defect take_members(json_t *object, const struct member *members,
				      struct order *order)
{
	enum order_defect defect = DEFECT_NONE;

	if (!has_only(object, members))
		return DEFECT_UNKNOWN_MEMBER;
	for (; members->name != NULL && defect == DEFECT_NONE; members++)
		defect = members->take(json_object_get(object, members->name), order);
	return defect;
}

static enum order_defect take_body(json_t *body, struct order *order)
{
	json_t *atc = json_object_get(body, "atc");

	if (!json_is_object(body))
		return DEFECT_NOT_AN_OBJECT;
	if (json_object_size(body) > 0 && has_only(body, members_2017)) {
		order->form = TOKEN_FORM_2017;
		return take_members(body, members_2017, order);
	}
	if (atc == NULL)
		return take_members(body, atc_members, order);
	if (json_object_size(body) != 1)
		return DEFECT_UNKNOWN_MEMBER;
	return json_is_object(atc) ? take_members(atc, atc_members, order) : DEFECT_ATC_TYPE;
}

/* The last string that ends before @end, as it stands, quotes included; 0 when there is none. */
static size_t last_string(const char *body, size_t end, size_t *start)
{
	size_t len = 0;

	for (size_t i = 0; i < end; i++) {
		size_t from = i;

		if (body[i] != '"')
			continue;
		while (++i < end && body[i] != '"')
			if (body[i] == '\\')
				i++;
		if (i < end) {
			*start = from;
			len = i + 1 - from;
		}
	}
	return len;
}

/* The parser stopped behind @end: at a name that stands twice, or at what is no JSON value. */
static enum order_defect defect_before(const char *body, size_t end, bool twice)
{
	static const struct {
		const char *name;
		enum order_defect twice, literal;
	} known[] = {
		{ "atc", DEFECT_ATC_TWICE, DEFECT_JSON },
		{ "tktype", DEFECT_TKTYPE_TWICE, DEFECT_JSON },
		{ "tkvalue", DEFECT_TKVALUE_TWICE, DEFECT_JSON },
		{ "ca", DEFECT_CA_TWICE, DEFECT_CA_LITERAL },
		{ "fingerprint", DEFECT_FINGERPRINT_TWICE, DEFECT_JSON },
		{ "spc", DEFECT_SPC_TWICE, DEFECT_JSON },
	};
	size_t start = 0, len = last_string(body, end, &start);
	json_auto_t *name = json_loadb(body + start, len, JSON_DECODE_ANY, NULL);

	for (size_t i = 0; name != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(json_string_value(name), known[i].name) == 0)
			return twice ? known[i].twice : known[i].literal;
	return twice ? DEFECT_DUPLICATE_MEMBER : DEFECT_JSON;
}

/* Does a word follow the last name, as in Python's False? */
static bool is_word_before(const char *body, size_t end)
{
	size_t start = 0, i = last_string(body, end, &start) + start;

	while (i < end && memchr(" \t\r\n:", body[i], 5) != NULL)
		i++;
	return i < end && isalpha((unsigned char)body[i]);
}

/* Strict: the whole of the bytes, UTF-8, no NUL, and no member twice, however it is escaped. */
static enum order_defect parse(const char *body, size_t len, json_t **value)
{
	json_error_t fault;
	size_t end;

	if (len == 0 || !json_is_shallow(body, len))
		return DEFECT_JSON;
	*value = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
	if (*value != NULL)
		return DEFECT_NONE;
	end = fault.position < 0 || (size_t)fault.position > len ? 0 : (size_t)fault.position;
	if (json_error_code(&fault) == json_error_duplicate_key)
		return defect_before(body, end, true);
	return is_word_before(body, end) ? defect_before(body, end, false) : DEFECT_JSON;
}

static void clear_members(struct order *order)
{
	order->form = TOKEN_FORM_ATC;
	order->ca = 0;
	memset(order->spc, 0, sizeof(order->spc));
	memset(order->tkvalue, 0, sizeof(order->tkvalue));
	memset(order->fingerprint, 0, sizeof(order->fingerprint));
}

const char *fingerprint_spelling(const char *fingerprint)
{
	const char *hex = fingerprint + LENGTH("SHA256 ");
	bool upper, lower;

	if (fingerprint[0] == '\0')
		return NULL;
	if (strlen(fingerprint) == THUMBPRINT_LEN)
		return "jwk-thumbprint";
	upper = strpbrk(hex, "ABCDEF") != NULL;
	lower = strpbrk(hex, "abcdef") != NULL;
	if (upper && lower)
		return "sha256-hex-mixed";
	return lower ? "sha256-hex-lower" : "sha256-hex-upper";
}

enum order_defect token_body_parse(const char *body, size_t len, struct order *order)
{
	json_auto_t *value = NULL;
	enum order_defect defect;

	clear_members(order);
	defect = parse(body, len, &value);
	if (defect == DEFECT_NONE)
		defect = take_body(value, order);
	if (defect != DEFECT_NONE)
		clear_members(order);
	return defect;
}
