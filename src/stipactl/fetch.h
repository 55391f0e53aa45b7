/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GET for the doctor: one request, one answer of at most FETCH_MAX octets, within FETCH_SECONDS
 * for each wait.  Follows no redirect.
 */
#ifndef STIPACTL_FETCH_H
#define STIPACTL_FETCH_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define FETCH_MAX     (256 * 1024)
#define FETCH_SECONDS 5

struct fetched {
	int status;
	char *body; /* NUL after the last octet */
	size_t len;
	pid_t pid; /* of who listens, from a local socket */
	char *answer;
};

void fetched_clear(struct fetched *fetched);
#define fetched_auto struct fetched __attribute__((cleanup(fetched_clear)))

/* @ca_file: PEM of the authorities to trust; NULL: the system's.  The server must have the name. */
bool fetch_https(const char *url, const char *ca_file, struct fetched *fetched,
		 struct error *error) MUST_CHECK;
bool fetch_local(const char *socket_path, const char *path, struct fetched *fetched,
		 struct error *error) MUST_CHECK;

/* An answer as it came: for tests. */
bool fetched_parse(struct fetched *fetched, size_t len, struct error *error) MUST_CHECK;

#endif
