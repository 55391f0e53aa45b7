/* SPDX-License-Identifier: Apache-2.0 */
/* An assertion (RFC 7523): the edge has read it, the database knows its key, here it is verified.
 */
#include "access.h"
#include "crypto/es256.h"
#include "oauth_db.h"

/* A key that nobody has: its private half was never kept. */
static const uint8_t nobodys_key[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
	0x04, 0x12, 0x35, 0x82, 0xc5, 0xfa, 0xf3, 0x77, 0x34, 0x14, 0x1e, 0x5b, 0x54,
	0x8f, 0xcd, 0x93, 0x20, 0xbe, 0x81, 0xa0, 0x04, 0x1b, 0xac, 0x10, 0x77, 0xf2,
	0xea, 0x8a, 0xa0, 0x6d, 0xe3, 0xd9, 0x4a, 0x96, 0x7e, 0xff, 0x7a, 0x3c, 0x15,
	0x72, 0x54, 0x3d, 0x41, 0x58, 0x28, 0x98, 0xb2, 0xab, 0x06, 0x22, 0x5a, 0x94,
	0x0e, 0xe5, 0x90, 0xad, 0xcc, 0xb8, 0xec, 0x5b, 0xb8, 0xb8, 0xd2, 0x9d, 0x95
};

enum flow_next access_ask_key(struct flow *flow)
{
	struct access *access = access_of(flow);

	if (access->proof.method != METHOD_ASSERTION)
		return FLOW_NEXT;
	return access_ask(access, LANE_KEYS);
}

static bool is_verified(const uint8_t *spki, size_t len, const struct client_proof *proof,
			struct error *error)
{
	struct es256_key *key = es256_key_from_spki(spki, len, error);
	bool ok = key != NULL && es256_verify(key, proof->input_digest, proof->signature, error);

	es256_key_free(key);
	return ok;
}

enum flow_next access_verify_assertion(struct flow *flow)
{
	struct access *access = access_of(flow);
	const uint8_t *spki = nobodys_key;
	size_t len = sizeof(nobodys_key);
	struct error why = { 0 };
	bool is_known;

	if (access->proof.method != METHOD_ASSERTION)
		return FLOW_NEXT;
	is_known = oauth_key_read(access, &spki, &len);
	if (!is_verified(spki, len, &access->proof, &why) || !is_known)
		return access_refuse(access, VERDICT_STRANGER);
	return FLOW_NEXT;
}
