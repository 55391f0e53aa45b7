/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/verdict.h"

#include <stddef.h>

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
	[VERDICT_ADDRESS_NOT_ALLOWED] = { "address-not-allowed", ERROR_FORBIDDEN, NULL,
					  "the client may not ask from this address" },
	[VERDICT_FINGERPRINT_NOT_PINNED] = { "fingerprint-not-pinned", ERROR_FORBIDDEN, NULL,
					     "fingerprint: not one of those that the client has "
					     "pinned" },
	[VERDICT_INVALID_TOKEN] = { "invalid-token", ERROR_UNAUTHORIZED, NULL,
				    "the access token is not valid" },
	[VERDICT_INSUFFICIENT_SCOPE] = { "insufficient-scope", ERROR_FORBIDDEN, NULL,
					 "the access token is not for this" },
	[VERDICT_RATE] = { "too-many-requests", ERROR_LIMITED, NULL, "the client asks too often" },
	[VERDICT_REPLAYED] = { "replayed", ERROR_UNAUTHORIZED, NULL,
			       "the assertion has been used" },
	[VERDICT_SCOPE_NOT_PERMITTED] = { "scope-not-permitted", ERROR_FORBIDDEN, NULL,
					  "the client may not have this scope" },
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

bool verdict_is_issued(const struct answer *answer, struct error *error)
{
	const struct meaning *meaning;

	if (answer->verdict >= COUNT(meanings))
		return error_set(error, ERROR_INTERNAL, "unknown verdict %d", answer->verdict);
	meaning = &meanings[answer->verdict];
	switch ((enum verdict)answer->verdict) {
	case VERDICT_ISSUED:
		return true;
	case VERDICT_MALFORMED:
		return malformed(answer->defect, error);
	case VERDICT_SPC_AMBIGUOUS:
		return error_set_code(error, meaning->kind, meaning->code,
				      "spc: the account holds several, name one of %.120s",
				      answer->text);
	default:
		return error_set_code(error, meaning->kind,
				      meaning->told == NULL ? meaning->code : meaning->told, "%s",
				      meaning->detail);
	}
}
