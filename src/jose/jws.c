/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include <string.h>

#include "base/base64url.h"
#include "crypto/digest.h"

#define SIG_TEXT_LEN BASE64URL_LEN(ES256_SIG_LEN)

bool jws_begin(struct jws *jws, const char *header, const char *payload, uint8_t digest[32],
	       struct error *error)
{
	size_t header_len = strlen(header), payload_len = strlen(payload);
	char *at = jws->text;

	if (header_len > sizeof(jws->text) || payload_len > sizeof(jws->text) ||
	    BASE64URL_LEN(header_len) + BASE64URL_LEN(payload_len) + SIG_TEXT_LEN + 3 >
		    sizeof(jws->text))
		return error_set(error, ERROR_INTERNAL, "JWS: %zu bytes of claims are too many",
				 payload_len);
	at += base64url_encode(header, header_len, at);
	*at++ = '.';
	at += base64url_encode(payload, payload_len, at);
	jws->len = (size_t)(at - jws->text);
	sha256(jws->text, jws->len, digest);
	return true;
}

bool jws_finish(struct jws *jws, const uint8_t sig[ES256_SIG_LEN], struct error *error)
{
	if (jws->len == 0 || jws->len + SIG_TEXT_LEN + 2 > sizeof(jws->text))
		return error_set(error, ERROR_INTERNAL, "JWS: no room for the signature");
	jws->text[jws->len++] = '.';
	jws->len += base64url_encode(sig, ES256_SIG_LEN, jws->text + jws->len);
	return true;
}

/* Decode text that must hold no NUL, and end it with one. */
static bool decode_text(const char *name, const char *part, size_t len, char *text, size_t size,
			struct error *error)
{
	size_t used;

	if (len == 0)
		return error_set(error, ERROR_INVALID, "JWS: the %s is empty", name);
	if (len > BASE64URL_LEN(size - 1))
		return error_set(error, ERROR_INVALID, "JWS: the %s is too long", name);
	if (!base64url_decode(part, len, (uint8_t *)text, size - 1, &used))
		return error_set(error, ERROR_INVALID, "JWS: the %s is not unpadded base64url",
				 name);
	text[used] = '\0';
	if (strlen(text) != used)
		return error_set(error, ERROR_INVALID, "JWS: the %s holds a NUL byte", name);
	return true;
}

static bool decode_sig(const char *part, size_t len, uint8_t sig[ES256_SIG_LEN],
		       struct error *error)
{
	size_t used;

	/* RFC 7518 section 3.4: 64 octets, never DER. */
	if (!base64url_decode(part, len, sig, ES256_SIG_LEN, &used) || used != ES256_SIG_LEN)
		return error_set(error, ERROR_INVALID,
				 "JWS: the signature is not 64 octets of unpadded base64url");
	return true;
}

bool jws_parse(const char *text, struct jws_parts *parts, struct error *error)
{
	const char *payload = strchr(text, '.');
	const char *sig = payload == NULL ? NULL : strchr(payload + 1, '.');

	if (sig == NULL || strchr(sig + 1, '.') != NULL)
		return error_set(error, ERROR_INVALID, "JWS: want three parts between two dots");
	if (!decode_text("header", text, (size_t)(payload - text), parts->header,
			 sizeof(parts->header), error) ||
	    !decode_text("payload", payload + 1, (size_t)(sig - payload - 1), parts->payload,
			 sizeof(parts->payload), error) ||
	    !decode_sig(sig + 1, strlen(sig + 1), parts->sig, error))
		return false;
	sha256(text, (size_t)(sig - text), parts->digest);
	return true;
}
