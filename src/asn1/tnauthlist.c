/* SPDX-License-Identifier: Apache-2.0 */
#include "asn1/tnauthlist.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

static const char *const faults[] = {
	[TNAUTHLIST_GOOD] = "",
	[TNAUTHLIST_NOT_DER] = "TNAuthList: not DER",
	[TNAUTHLIST_NOT_CANONICAL] = "TNAuthList: BER or trailing bytes, want canonical DER",
	[TNAUTHLIST_ENTRIES] = "TNAuthList: want exactly one entry",
	[TNAUTHLIST_NOT_SPC] = "TNAuthList: entry is not an SPC",
	[TNAUTHLIST_SPC] = "TNAuthList: malformed SPC: want digits and upper-case letters",
};
static_assert(sizeof(faults) / sizeof(faults[0]) == TNAUTHLIST_FAULT_COUNT,
	      "every fault has a sentence");

/* The ASN.1 module of RFC 8226, as OpenSSL templates.  Tags are EXPLICIT. */

typedef struct {
	ASN1_IA5STRING *start;
	ASN1_INTEGER *count;
} TN_RANGE;

typedef struct {
	int type;
	union {
		ASN1_IA5STRING *spc;
		TN_RANGE *range;
		ASN1_IA5STRING *one;
	} d;
} TN_ENTRY;

typedef STACK_OF(TN_ENTRY) TN_AUTH_LIST;
DEFINE_STACK_OF(TN_ENTRY)

enum { TN_ENTRY_SPC = 0 };

ASN1_SEQUENCE(TN_RANGE) = {
	ASN1_SIMPLE(TN_RANGE, start, ASN1_IA5STRING),
	ASN1_SIMPLE(TN_RANGE, count, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(TN_RANGE)

ASN1_CHOICE(TN_ENTRY) = {
	ASN1_EXP(TN_ENTRY, d.spc, ASN1_IA5STRING, 0),
	ASN1_EXP(TN_ENTRY, d.range, TN_RANGE, 1),
	ASN1_EXP(TN_ENTRY, d.one, ASN1_IA5STRING, 2),
} static_ASN1_CHOICE_END(TN_ENTRY)

ASN1_ITEM_TEMPLATE(TN_AUTH_LIST) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, entries, TN_ENTRY)
static_ASN1_ITEM_TEMPLATE_END(TN_AUTH_LIST)

IMPLEMENT_STATIC_ASN1_ALLOC_FUNCTIONS(TN_ENTRY)

#define i2d_tn_auth_list(list, der)                                                                \
	ASN1_item_i2d((const ASN1_VALUE *)(list), (der), ASN1_ITEM_rptr(TN_AUTH_LIST))
#define d2i_tn_auth_list(der, len)                                                                 \
	((TN_AUTH_LIST *)ASN1_item_d2i(NULL, (der), (len), ASN1_ITEM_rptr(TN_AUTH_LIST)))

static void tn_auth_list_freep(TN_AUTH_LIST **list)
{
	sk_TN_ENTRY_pop_free(*list, TN_ENTRY_free);
}
#define TN_AUTH_LIST_auto TN_AUTH_LIST __attribute__((cleanup(tn_auth_list_freep)))

static TN_ENTRY *entry_from_spc(const char *spc)
{
	TN_ENTRY *entry = TN_ENTRY_new();

	if (entry == NULL)
		return NULL;
	entry->type = TN_ENTRY_SPC;
	entry->d.spc = ASN1_IA5STRING_new();
	if (entry->d.spc == NULL || !ASN1_STRING_set(entry->d.spc, spc, -1)) {
		TN_ENTRY_free(entry);
		return NULL;
	}
	return entry;
}

bool spc_is_well_formed(const char *spc, size_t len)
{
	if (len < 1 || len > SPC_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(spc[i] >= '0' && spc[i] <= '9') && !(spc[i] >= 'A' && spc[i] <= 'Z'))
			return false;
	return true;
}

bool tnauthlist_encode(const struct tnauthlist *in, uint8_t der[TNAUTHLIST_DER_MAX], size_t *len,
		       struct error *error)
{
	TN_AUTH_LIST_auto *list = NULL;
	TN_ENTRY *entry;
	int n;

	if (!spc_is_well_formed(in->spc, strnlen(in->spc, sizeof(in->spc))))
		return error_set(error, ERROR_INVALID, "%s", faults[TNAUTHLIST_SPC]);

	list = sk_TN_ENTRY_new_null();
	entry = entry_from_spc(in->spc);
	if (list == NULL || entry == NULL || !sk_TN_ENTRY_push(list, entry)) {
		TN_ENTRY_free(entry);
		return error_set(error, ERROR_UNAVAILABLE, "TNAuthList: out of memory");
	}

	n = i2d_tn_auth_list(list, NULL);
	if (n <= 0 || n > TNAUTHLIST_DER_MAX)
		return error_set(error, ERROR_INTERNAL, "TNAuthList: %d bytes of DER", n);
	*len = (size_t)i2d_tn_auth_list(list, &der);
	return true;
}

/* d2i accepts BER.  DER has one encoding only, so encode again and compare. */
static bool is_canonical(const TN_AUTH_LIST *list, const uint8_t *der, size_t len)
{
	uint8_t *again = NULL;
	int n = i2d_tn_auth_list(list, &again);
	bool same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;

	OPENSSL_free(again);
	return same;
}

static enum tnauthlist_fault take_spc(const TN_AUTH_LIST *list, struct tnauthlist *out)
{
	const TN_ENTRY *entry;
	const char *spc;
	size_t len;

	if (sk_TN_ENTRY_num(list) != 1)
		return TNAUTHLIST_ENTRIES;
	entry = sk_TN_ENTRY_value(list, 0);
	if (entry->type != TN_ENTRY_SPC)
		return TNAUTHLIST_NOT_SPC;

	spc = (const char *)ASN1_STRING_get0_data(entry->d.spc);
	len = (size_t)ASN1_STRING_length(entry->d.spc);
	if (!spc_is_well_formed(spc, len))
		return TNAUTHLIST_SPC;
	memcpy(out->spc, spc, len);
	out->spc[len] = '\0';
	return TNAUTHLIST_GOOD;
}

/* OpenSSL has one queue of errors a thread, and its TLS reads it after every call: what a parser
 * leaves there would end some other client's connection. */
static TN_AUTH_LIST *parse_quietly(const uint8_t **p, size_t len)
{
	TN_AUTH_LIST *list;

	if (len > LONG_MAX)
		return NULL;
	ERR_set_mark();
	list = d2i_tn_auth_list(p, (long)len);
	ERR_pop_to_mark();
	return list;
}

enum tnauthlist_fault tnauthlist_check(const uint8_t *der, size_t len, struct tnauthlist *out)
{
	const uint8_t *p = der;
	TN_AUTH_LIST_auto *list = parse_quietly(&p, len);

	if (list == NULL)
		return TNAUTHLIST_NOT_DER;
	if (p != der + len || !is_canonical(list, der, len))
		return TNAUTHLIST_NOT_CANONICAL;
	return take_spc(list, out);
}

bool tnauthlist_decode(const uint8_t *der, size_t len, struct tnauthlist *list, struct error *error)
{
	enum tnauthlist_fault fault = tnauthlist_check(der, len, list);

	return fault == TNAUTHLIST_GOOD || error_set(error, ERROR_INVALID, "%s", faults[fault]);
}
