/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever starts us, a child ends up as somebody who owns nothing but what it needs, can do nothing
 * that not everybody can, and cannot become anybody else.
 */
#ifndef CONFINE_PRIVILEGES_H
#define CONFINE_PRIVILEGES_H

#include <stddef.h>

#include "base/error.h"

/* Become @user, of its own group and no other, with its home in the environment.  Asks for root, or
 * who has CAP_SETUID and CAP_SETGID, unless we are that user already.  ERROR_INVALID: no such user,
 * or root.  The parent's death signal is lost with it: ask for that afterwards. */
bool privileges_become(const char *user, struct error *error) MUST_CHECK;

/* No capability and none to come, for good; includes privileges_none_new(). */
bool privileges_drop(struct error *error) MUST_CHECK;

/* No program that we become brings privileges. */
bool privileges_none_new(struct error *error) MUST_CHECK;

/* No core file and no core pipe; nobody of the same user reads our memory or traces us.  In this
 * process and those that it forks. */
bool privileges_no_dumps(struct error *error) MUST_CHECK;

/* At most so many descriptors; fewer, where the limit is lower already. */
bool privileges_limit_descriptors(unsigned int most, struct error *error) MUST_CHECK;

/* No further process or thread of this user by us.  (Of root there is no such limit.) */
bool privileges_limit_processes(struct error *error) MUST_CHECK;

#endif
