/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One visit of the doctor: a table of checks in cmd_doctor.c, each a function that looks at one
 * thing of a node and says what it finds.  A check that cannot be made because another one found a
 * fault says nothing: each fault is told once, where it can be mended.
 */
#ifndef STIPACTL_DOCTOR_H
#define STIPACTL_DOCTOR_H

#include <jansson.h>
#include <libpq-fe.h>
#include <sys/types.h>
#include <time.h>

#include "config/config.h"
#include "crypto/openssl.h"
#include "keys/signer.h"

struct ctl;

enum finding { FOUND_OK, FOUND_WARNING, FOUND_FAILED };

struct doctor {
	struct ctl *ctl;
	time_t now;
	const char *config_file;
	struct config *config;
	const char *tls_ca;	/* PEM of the authority above the node's TLS; NULL: the system's */
	long disk_mib;		/* least free space */
	PGconn *node;		/* as the node connects; NULL: it could not */
	PGconn *registry;	/* as stipactl connects; NULL: it could not */
	STACK_OF(X509) * chain; /* of the token signer; NULL: @no_chain says why */
	STACK_OF(X509) * tls;	/* of the HTTPS server; NULL: @no_tls */
	struct error no_chain, no_tls;
	char kid[SIGNER_KID_MAX + 1];
	char x5u[512];	/* as registered; empty: unknown */
	pid_t node_pid; /* of the process that listens on the local socket; 0: none */

	const char *check; /* that runs now */
	json_t *rows;
	int warnings, failed, in_check;
};

/* Tell what was found.  @to_do is a sentence, "" when all is well. */
void doctor_find(struct doctor *doctor, enum finding finding, const char *to_do, const char *fmt,
		 ...) __attribute__((format(printf, 4, 5)));

/* doctor_database.c */
void doctor_database(struct doctor *doctor);
void doctor_settings(struct doctor *doctor);
void doctor_schema(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);
void doctor_mark(struct doctor *doctor);
void doctor_issuing(struct doctor *doctor);
void doctor_partitions(struct doctor *doctor);
void doctor_audit(struct doctor *doctor);
/* doctor_keys.c */
void doctor_signer_key(struct doctor *doctor);
void doctor_signer_registered(struct doctor *doctor);
void doctor_signer_chain(struct doctor *doctor);
void doctor_signer_days(struct doctor *doctor);
void doctor_tls_key(struct doctor *doctor);
void doctor_tls_days(struct doctor *doctor);
void doctor_tls_names(struct doctor *doctor);
/* doctor_host.c */
void doctor_environment(struct doctor *doctor);
void doctor_modes(struct doctor *doctor);
void doctor_disk(struct doctor *doctor);
void doctor_limits(struct doctor *doctor);
/* doctor_net.c */
void doctor_ready(struct doctor *doctor);
void doctor_x5u(struct doctor *doctor);

#endif
