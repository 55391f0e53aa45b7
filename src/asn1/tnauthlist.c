/* SPDX-License-Identifier: Apache-2.0 */
#include "asn1/tnauthlist.h"

#include <ctype.h>
#include <string.h>

#include <openssl/asn1t.h>

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

static bool spc_is_well_formed(const ASN1_IA5STRING *spc)
{
	const unsigned char *s = ASN1_STRING_get0_data(spc);
	int n = ASN1_STRING_length(spc);

	if (n < 1 || n > SPC_MAX)
		return false;
	for (int i = 0; i < n; i++)
		if (!isalnum(s[i]))
			return false;
	return true;
}

bool tnauthlist_encode(const struct tnauthlist *in, uint8_t der[TNAUTHLIST_DER_MAX], size_t *len,
		       struct error *error)
{
	TN_AUTH_LIST_auto *list = sk_TN_ENTRY_new_null();
	TN_ENTRY *entry = entry_from_spc(in->spc);
	int n;

	if (list == NULL || entry == NULL || !sk_TN_ENTRY_push(list, entry)) {
		TN_ENTRY_free(entry);
		return error_set(error, ERROR_UNAVAILABLE, "TNAuthList: out of memory");
	}
	if (!spc_is_well_formed(entry->d.spc))
		return error_set(error, ERROR_INVALID, "TNAuthList: malformed SPC");

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

bool tnauthlist_decode(const uint8_t *der, size_t len, struct tnauthlist *out, struct error *error)
{
	const uint8_t *p = der;
	TN_AUTH_LIST_auto *list = d2i_tn_auth_list(&p, (long)len);
	const TN_ENTRY *entry;

	if (list == NULL)
		return error_set(error, ERROR_INVALID, "TNAuthList: not DER");
	if (p != der + len)
		return error_set(error, ERROR_INVALID, "TNAuthList: trailing bytes");
	if (!is_canonical(list, der, len))
		return error_set(error, ERROR_INVALID, "TNAuthList: BER, not DER");
	if (sk_TN_ENTRY_num(list) != 1)
		return error_set(error, ERROR_INVALID, "TNAuthList: want exactly one entry");

	entry = sk_TN_ENTRY_value(list, 0);
	if (entry->type != TN_ENTRY_SPC)
		return error_set(error, ERROR_INVALID, "TNAuthList: entry is not an SPC");
	if (!spc_is_well_formed(entry->d.spc))
		return error_set(error, ERROR_INVALID, "TNAuthList: malformed SPC");

	memcpy(out->spc, ASN1_STRING_get0_data(entry->d.spc), ASN1_STRING_length(entry->d.spc));
	out->spc[ASN1_STRING_length(entry->d.spc)] = '\0';
	return true;
}
