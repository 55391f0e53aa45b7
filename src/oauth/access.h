/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One order about access tokens on its way.  Each kind of order is a table of the steps that it
 * takes; the steps stand in the file of what they do.
 *
 *	grant   [ask key → verify] → make → grant → keep
 *	login   [admit → ask hash → verify] → make → grant → keep
 *	revoke  [ask key → verify] → revoke → judge
 *	report  report → judge
 */
#ifndef OAUTH_ACCESS_H
#define OAUTH_ACCESS_H

#include "crypto/digest.h"
#include "crypto/password.h"
#include "crypto/secret.h"
#include "db/desk.h"
#include "loop/flow.h"
#include "loop/workpool.h"
#include "oauth/oauth.h"

#define ACCOUNT_NAME_MAX 63

#define PASSWORDS_MAX 17 /* one is verified, sixteen wait */

struct access {
	struct db_ask ask; /* in one lane at a time */
	struct flow flow;
	struct oauth *oauth;
	const char *what; /* for the log: "grant" */

	/* what was asked */
	struct client_proof proof; /* of METHOD_LOGIN and _PASSWORD too: client is the user */
	uint8_t scopes;
	uint8_t token[SHA256_LEN];  /* digest of the token that is made, or to be ended */
	uint8_t secret[SHA256_LEN]; /* digest of what is reported, if not a token */
	uint8_t peer[16];
	char request_id[REQUEST_ID_MAX + 1];

	/* what comes of it */
	enum verdict verdict;
	int64_t exp, scopes_granted;
	struct secret made; /* the token */
	char client[CLIENT_ID_MAX + 1], account[ACCOUNT_NAME_MAX + 1];
	bool hit; /* of a report */

	/* the answer to the call that was last sent; for the length of one step */
	const PGresult *rows;
	int row;

	/* a password that is being verified */
	struct work work;
	struct secret given;
	char hash[PASSWORD_HASH_MAX + 1];
	uint8_t name[SHA256_LEN]; /* digest of the user's name, as @guesses knows it */
	bool has_hash, admitted, matches;
	struct error verified; /* why it does not match */
	TAILQ_ENTRY(access) verifying;

	/* who waits: one of the two */
	struct grant_answer *granted;
	struct access_answer *done_answer;
	done_fn done;
	void *arg;
};

/* Calls that go together, a batch at a time. */
enum lane { LANE_KEYS, LANE_HASHES, LANE_GRANTS, LANE_REVOCATIONS, LANE_REPORTS, LANE_COUNT };

struct oauth {
	struct event_base *base;
	const struct log *log;
	const char *environment;
	struct db_lane *lanes[LANE_COUNT]; /* the desk owns them */
	struct meter *meter;
	struct workpool *pool;
	struct buckets *guesses; /* wrong passwords, of each user's name */
	unsigned int admitted;	 /* passwords, from their order to their verification */
	TAILQ_HEAD(, access) verifying;
};

/* lanes.c */
bool lanes_make(struct oauth *oauth, struct db_desk *desk, unsigned int queue_max,
		struct error *error) MUST_CHECK;

/* NULL: no memory, and @done has been told so. */
struct access *access_new(struct oauth *oauth, const char *what, done_fn done, void *arg);
struct access *access_of(struct flow *flow);

/* The end of each order's flow: answer, log, free. */
void access_finish(struct flow *flow);

/* Wait in @lane; the next step finds its row. */
enum flow_next access_ask(struct access *access, enum lane lane);

/* End with this verdict. */
enum flow_next access_refuse(struct access *access, enum verdict verdict);

/* ---- steps ---- */

/* proof.c: a verified assertion goes on, any other is a stranger's. */
enum flow_next access_ask_key(struct flow *flow);
enum flow_next access_verify_assertion(struct flow *flow);

/* login.c: the same for a password of the user's own. */
enum flow_next access_admit_password(struct flow *flow);
enum flow_next access_ask_hash(struct flow *flow);
enum flow_next access_verify_password(struct flow *flow);
enum flow_next access_judge_password(struct flow *flow);
void access_leave_password(struct access *access); /* whatever became of it */

#endif
