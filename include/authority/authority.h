/* SPDX-License-Identifier: Apache-2.0 */
/* The process that decides, records and signs: it has the keys and the database, and reads only
 * fixed-size orders. */
#ifndef AUTHORITY_AUTHORITY_H
#define AUTHORITY_AUTHORITY_H

#include <stdbool.h>

#include "base/log.h"

struct config;
struct meter;

struct authority_options {
	const struct config *config;
	const struct log *log;
	struct meter *meter; /* where this process counts */
	int control_fd;	     /* ipc/control.h: brings edges; its end means drain */
	bool confined;	     /* for good, once everything is open */
};

/* Run until drained; returns the exit status of the process. */
int authority_run(const struct authority_options *options);

#endif
