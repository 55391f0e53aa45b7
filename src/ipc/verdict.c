/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/verdict.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A stranger, an expired secret and a disabled client are told alike: whoever guesses learns
 * nothing.  The names tell them apart in our own log. */
static const struct meaning {
	const char *code;
	enum error_kind kind;
	const char *told; /* the code that the client sees, where it differs */
	const char *detail;
} meanings[] = {
	[VERDICT_ISSUED] = { "issued", ERROR_NONE, NULL, "" },
	[VERDICT_STRANGER] = { "stranger", ERROR_FORBIDDEN, "invalid-credentials",
			       "the credentials are not valid" },
	[VERDICT_CREDENTIAL_EXPIRED] = { "credential-expired", ERROR_FORBIDDEN,
					 "invalid-credentials", "the credentials are not valid" },
	[VERDICT_CLIENT_DISABLED] = { "client-disabled", ERROR_FORBIDDEN, "invalid-credentials",
				      "the credentials are not valid" },
	[VERDICT_NO_SUCH_ACCOUNT] = { "no-such-account", ERROR_NOT_FOUND, NULL, "no such account" },
	[VERDICT_ACCOUNT_NOT_ACTIVE] = { "account-not-active", ERROR_FORBIDDEN, NULL,
					 "the account is not active" },
	[VERDICT_ACCOUNT_LAPSED] = { "account-lapsed", ERROR_FORBIDDEN, NULL,
				     "the account's verification has lapsed" },
	[VERDICT_MALFORMED] = { "malformed", ERROR_INVALID, NULL, NULL },
	[VERDICT_FORM_NOT_PERMITTED] = { "form-not-permitted", ERROR_FORBIDDEN, NULL,
					 "the 2017 token form is not in use here: send atc" },
	[VERDICT_SPC_AMBIGUOUS] = { "spc-ambiguous", ERROR_CONFLICT, NULL, NULL },
	[VERDICT_SPC_NOT_HELD] = { "spc-not-held", ERROR_FORBIDDEN, NULL,
				   "the account does not hold this SPC" },
	[VERDICT_SPC_LAPSED] = { "spc-lapsed", ERROR_FORBIDDEN, NULL,
				 "the verification of this SPC has lapsed" },
	[VERDICT_NO_DELEGATION] = { "no-delegation", ERROR_FORBIDDEN, NULL,
				    "ca: no delegation is in force for this client and SPC" },
	[VERDICT_SIGNER_NOT_ACTIVE] = { "signer-not-active", ERROR_UNAVAILABLE, "unavailable",
					"this node cannot issue now" },
	[VERDICT_CLOCK] = { "clock", ERROR_UNAVAILABLE, "unavailable",
			    "this node cannot issue now" },
	[VERDICT_ADDRESS_NOT_ALLOWED] = { "address-not-allowed", ERROR_FORBIDDEN, NULL, NULL },
	[VERDICT_FINGERPRINT_NOT_PINNED] = { "fingerprint-not-pinned", ERROR_FORBIDDEN, NULL,
					     "fingerprint: not one of those that this client has "
					     "pinned" },
	[VERDICT_INVALID_TOKEN] = { "invalid-token", ERROR_UNAUTHORIZED, NULL,
				    "the access token is not valid" },
	[VERDICT_INSUFFICIENT_SCOPE] = { "insufficient-scope", ERROR_FORBIDDEN, NULL,
					 "the access token lacks the scope for this" },
	[VERDICT_RATE] = { "too-many-requests", ERROR_LIMITED, NULL, "this client asks too often" },
	[VERDICT_REPLAYED] = { "replayed", ERROR_UNAUTHORIZED, NULL,
			       "the assertion has been used" },
	[VERDICT_SCOPE_NOT_PERMITTED] = { "scope-not-permitted", ERROR_INVALID, NULL,
					  "scope: the client may not have one of these" },
};

static const struct {
	const char *code;
	const char *detail;
} defects[] = {
	[DEFECT_NONE] = { "none", NULL },
	[DEFECT_MEDIA_TYPE] = { "media-type", "Content-Type: want application/json" },
	[DEFECT_JSON] = { "json", "body: not JSON (RFC 8259)" },
	[DEFECT_DUPLICATE_MEMBER] = { "duplicate-member", "body: a member stands twice" },
	[DEFECT_NOT_AN_OBJECT] = { "not-an-object", "body: want a JSON object" },
	[DEFECT_UNKNOWN_MEMBER] = { "unknown-member",
				    "body: want atc with tktype, tkvalue, ca, fingerprint only" },
	[DEFECT_ATC_TYPE] = { "atc-type", "atc: want an object" },
	[DEFECT_TKTYPE_MISSING] = { "tktype-missing", "tktype: missing" },
	[DEFECT_TKTYPE_TYPE] = { "tktype-type", "tktype: want a string" },
	[DEFECT_TKTYPE_VALUE] = { "tktype-value", "tktype: want \"TNAuthList\" exactly" },
	[DEFECT_TKVALUE_MISSING] = { "tkvalue-missing", "tkvalue: missing" },
	[DEFECT_TKVALUE_TYPE] = { "tkvalue-type", "tkvalue: want a string" },
	[DEFECT_TKVALUE_BASE64] = { "tkvalue-base64", "tkvalue: want base64 or base64url, short" },
	[DEFECT_TKVALUE_DER] = { "tkvalue-der", "tkvalue: not a DER TNAuthList (RFC 8226)" },
	[DEFECT_TKVALUE_CANONICAL] = { "tkvalue-canonical",
				       "tkvalue: BER or trailing bytes, want canonical DER" },
	[DEFECT_TKVALUE_ENTRIES] = { "tkvalue-entries", "tkvalue: want exactly one SPC" },
	[DEFECT_TKVALUE_NOT_SPC] = { "tkvalue-not-spc",
				     "tkvalue: want an SPC, not a telephone number or range" },
	[DEFECT_TKVALUE_SPC] = { "tkvalue-spc",
				 "tkvalue: an SPC has digits and upper-case letters only" },
	[DEFECT_CA_TYPE] = { "ca-type", "ca: want true or false" },
	[DEFECT_FINGERPRINT_MISSING] = { "fingerprint-missing", "fingerprint: missing" },
	[DEFECT_FINGERPRINT_TYPE] = { "fingerprint-type", "fingerprint: want a string" },
	[DEFECT_FINGERPRINT_FORM] = { "fingerprint-form",
				      "fingerprint: want \"SHA256 \" and 32 bytes as hex with "
				      "colons, or a 43-character thumbprint (RFC 7638)" },
	[DEFECT_SPC_TYPE] = { "spc-type", "spc: want a string" },
	[DEFECT_SPC_FORM] = { "spc-form", "spc: an SPC has digits and upper-case letters only" },
	[DEFECT_CA_LITERAL] = { "ca-literal",
				"ca: JSON writes true and false, without quotes or capitals" },
	[DEFECT_ATC_TWICE] = { "atc-twice", "atc: stands twice" },
	[DEFECT_TKTYPE_TWICE] = { "tktype-twice", "tktype: stands twice" },
	[DEFECT_TKVALUE_TWICE] = { "tkvalue-twice", "tkvalue: stands twice" },
	[DEFECT_CA_TWICE] = { "ca-twice", "ca: stands twice" },
	[DEFECT_FINGERPRINT_TWICE] = { "fingerprint-twice", "fingerprint: stands twice" },
	[DEFECT_SPC_TWICE] = { "spc-twice", "spc: stands twice" },
};

static_assert(COUNT(meanings) == VERDICT_COUNT, "every verdict has a meaning");
static_assert(COUNT(defects) == DEFECT_COUNT, "every defect has a sentence");

const char *verdict_code(unsigned int verdict)
{
	return verdict < COUNT(meanings) ? meanings[verdict].code : "unknown";
}

const char *defect_code(unsigned int defect)
{
	return defect < COUNT(defects) ? defects[defect].code : "unknown";
}

static bool malformed(unsigned int defect, struct error *error)
{
	if (defect == DEFECT_NONE || defect >= COUNT(defects))
		return error_set(error, ERROR_INTERNAL, "unknown defect %u", defect);
	return error_set_code(error, ERROR_INVALID, defects[defect].code, "%s",
			      defects[defect].detail);
}

const char *order_scope(const struct order *order)
{
	return order->ca ? "spc-token:ca" : "spc-token";
}

/* An IPv4 address as people write it. */
static bool address_not_allowed(const uint8_t peer[16], struct error *error)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_4 = memcmp(peer, mapped, sizeof(mapped)) == 0;
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(is_4 ? AF_INET : AF_INET6, is_4 ? peer + sizeof(mapped) : peer, address,
		  sizeof(address));
	return error_set_code(error, ERROR_FORBIDDEN, "address-not-allowed",
			      "the client may not ask from the address %s", address);
}

static const struct meaning *meaning_of(unsigned int verdict, struct error *error)
{
	if (verdict < COUNT(meanings))
		return &meanings[verdict];
	error_set(error, ERROR_INTERNAL, "unknown verdict %u", verdict);
	return NULL;
}

bool verdict_is_good(unsigned int verdict, const uint8_t peer[16], struct error *error)
{
	const struct meaning *meaning = meaning_of(verdict, error);

	if (meaning == NULL)
		return false;
	if (verdict == VERDICT_ISSUED)
		return true;
	if (verdict == VERDICT_ADDRESS_NOT_ALLOWED)
		return address_not_allowed(peer, error);
	if (meaning->detail == NULL)
		return error_set(error, ERROR_INTERNAL, "%s: not without an order", meaning->code);
	return error_set_code(error, meaning->kind,
			      meaning->told == NULL ? meaning->code : meaning->told, "%s",
			      meaning->detail);
}

/* As many whole names as there is room for: a part of one would be another's. */
static bool several_spcs(const char *names, struct error *error)
{
	static const char sentence[] = "spc: the account holds several, name one of ";
	size_t room = sizeof(error->detail) - sizeof(sentence), len = strlen(names);

	if (len > room)
		for (len = room; len > 0 && names[len] != ',';)
			len--;
	return error_set_code(error, ERROR_CONFLICT, "spc-ambiguous", "%s%.*s", sentence, (int)len,
			      names);
}

bool verdict_is_issued(const struct order *order, const struct answer *answer, struct error *error)
{
	switch ((enum verdict)answer->verdict) {
	case VERDICT_MALFORMED:
		return malformed(answer->defect, error);
	case VERDICT_SPC_AMBIGUOUS:
		return several_spcs(answer->text, error);
	case VERDICT_INSUFFICIENT_SCOPE:
		return error_set_code(error, ERROR_FORBIDDEN, "insufficient-scope",
				      "the access token lacks the scope %s", order_scope(order));
	default:
		return verdict_is_good(answer->verdict, order->peer, error);
	}
}
