/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: granted to a client for its secret or an assertion, to an API user for his
 * password; ended by their owner; and the report of a secret that has leaked.
 *
 * The database decides and records; a token is made here, goes out once, and only its digest is
 * kept.  An assertion is verified with the key that the database has for its client and kid; a
 * password of a user's own off the loop, by one thread that gives way to everything else and takes
 * a share of a core at most.  What comes before it is verified: sixteen may wait, and a user's
 * name, known or not, may be guessed at so often only.
 *
 * Whoever is unknown costs the same work as whoever is known and wrong: one verification of a
 * signature or of a password, against a key or hash that is nobody's.  Which of the two ways a
 * login takes, its order says, and an edge follows the form of the password alone.
 */
#ifndef OAUTH_OAUTH_H
#define OAUTH_OAUTH_H

#include "base/done.h"
#include "base/log.h"
#include "ipc/access.h"

struct db_desk;
struct event_base;
struct meter;
struct oauth;

struct oauth_options {
	struct event_base *base;
	struct db_desk *desk;
	const struct log *log;
	struct meter *meter;
	const char *environment; /* in the prefix of a token; borrowed */
	unsigned int queue_max;	 /* that wait, of each kind */
	unsigned int failures_per_user_min, failures_per_user_burst; /* 0 a minute: no limit */
	int password_cpu_percent; /* of a core, to verify chosen passwords */
};

struct oauth *oauth_new(const struct oauth_options *options, struct error *error) MUST_CHECK;

/* As long as it is shut nothing is granted and nobody logs in: who asks fails with @why; NULL opens
 * it.  Rights can be taken all the same. */
void oauth_shut(struct oauth *oauth, const char *why);

/* @done runs when the database has committed its verdict, which stands in the answer, or with an
 * error, and then @answer->failed is set: ERROR_UNAVAILABLE as in db/desk.h, or (before this
 * returns) when sixteen passwords wait for the thread, or there is no memory or randomness;
 * ERROR_INTERNAL for what the database does not take. */
void oauth_grant_start(struct oauth *oauth, const struct grant_order *order,
		       struct grant_answer *answer, done_fn done, void *arg);
void oauth_login_start(struct oauth *oauth, const struct login_order *order,
		       struct grant_answer *answer, done_fn done, void *arg);
void oauth_revoke_start(struct oauth *oauth, const struct revoke_order *order,
			struct access_answer *answer, done_fn done, void *arg);
void oauth_report_start(struct oauth *oauth, const struct report_order *order,
			struct access_answer *answer, done_fn done, void *arg);

void oauth_free(struct oauth *oauth); /* after its desk: answers what is being verified */

#endif
