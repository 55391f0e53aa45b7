/* SPDX-License-Identifier: Apache-2.0 */
/* The database as the node sees it, and the audit as an auditor does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit_walk.h"
#include "command.h"
#include "doctor.h"
#include "issue/schema.h"
#include "mark_text.h"
#include "registry/health.h"
#include "registry/mark.h"

#define POSTGRES_LEAST	 150000
#define CONNECTIONS_FEW	 5
#define CLOCK_WARNING_S	 0.5
#define CLOCK_FAILED_S	 2.0 /* issue_tokens() judges by this */
#define PARTITIONS_GOOD	 3   /* this month and the next two */
#define PARTITIONS_LEAST 2

static const char *field(const PGresult *row, const char *name)
{
	return PQgetvalue(row, 0, PQfnumber(row, name));
}

void doctor_database(struct doctor *doctor)
{
	struct error error = { 0 };
	PGresult_auto *row = NULL;

	doctor->node = db_open(doctor->config->database, "stipactl doctor", &error);
	row = doctor->node != NULL ? health_settings(doctor->node, &error) : NULL;
	if (row == NULL)
		doctor_find(doctor, FOUND_FAILED,
			    "start it, or mend 'database' of stipad.conf; run this as the user of "
			    "stipad",
			    "%s", error.detail);
	else if (atoi(field(row, "number")) < POSTGRES_LEAST)
		doctor_find(doctor, FOUND_FAILED, "PostgreSQL 15 or later is needed",
			    "PostgreSQL %s", field(row, "version"));
	else if (strcmp(field(row, "user"), "stipa_authority") != 0)
		doctor_find(doctor, FOUND_WARNING,
			    "a node has its own role: let it connect as stipa_authority",
			    "PostgreSQL %s, as %s", field(row, "version"), field(row, "user"));
	else
		doctor_find(doctor, FOUND_OK, "", "PostgreSQL %s, as %s", field(row, "version"),
			    field(row, "user"));
}

/* What the server may not do; in a demo some of it may be. */
static const struct {
	const char *setting, *bad, *to_do;
	bool is_fatal;
} bad_settings[] = {
	{ "read_only", "on", "let the node reach the primary", true },
	{ "synchronous_commit", "off", "what is acknowledged must be durable: set it on", true },
	{ "synchronous_commit", "local", "what is acknowledged must be durable: set it on", true },
	{ "isolation", "repeatable read", "set default_transaction_isolation to read committed",
	  true },
	{ "isolation", "serializable", "set default_transaction_isolation to read committed",
	  true },
	{ "fsync", "off", "a crash would lose tokens that were handed out: set it on", false },
	{ "full_page_writes", "off", "a crash would damage the ledger: set it on", false },
};

void doctor_settings(struct doctor *doctor)
{
	bool is_demo = strcmp(doctor->config->environment, "demo") == 0;
	struct error error = { 0 };
	PGresult_auto *row = doctor->node != NULL ? health_settings(doctor->node, &error) : NULL;
	int found = 0;

	if (row == NULL)
		return;
	for (size_t i = 0; i < sizeof(bad_settings) / sizeof(bad_settings[0]); i++) {
		if (strcmp(field(row, bad_settings[i].setting), bad_settings[i].bad) != 0)
			continue;
		doctor_find(doctor,
			    is_demo && !bad_settings[i].is_fatal ? FOUND_WARNING : FOUND_FAILED,
			    bad_settings[i].to_do, "%s is %s", bad_settings[i].setting,
			    bad_settings[i].bad);
		found++;
	}
	if (atoi(field(row, "connections")) < CONNECTIONS_FEW) {
		doctor_find(doctor, FOUND_WARNING, "raise max_connections",
			    "%s connections of the server are free", field(row, "connections"));
		found++;
	}
	if (found == 0)
		doctor_find(doctor, FOUND_OK, "", "durable, read committed, %s connections free",
			    field(row, "connections"));
}

void doctor_schema(struct doctor *doctor)
{
	struct error error = { 0 };
	PGresult_auto *row = doctor->node != NULL ? health_schema(doctor->node, &error) : NULL;
	long is = row != NULL ? atol(field(row, "schema")) : 0;

	if (doctor->node == NULL)
		return;
	if (row == NULL)
		doctor_find(doctor, FOUND_FAILED, "see 'stipactl db status'", "%s", error.detail);
	else if (is < SCHEMA_OLDEST)
		doctor_find(doctor, FOUND_FAILED, "run 'stipactl db migrate'",
			    "version %ld, and this program wants %d", is, SCHEMA_OLDEST);
	else if (is > SCHEMA_NEWEST)
		doctor_find(doctor, FOUND_FAILED, "install the newer stipa on this machine",
			    "version %ld, and this program knows %d", is, SCHEMA_NEWEST);
	else
		doctor_find(doctor, FOUND_OK, "", "version %ld", is);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void doctor_clock(struct doctor *doctor)
{
	struct error error = { 0 };
	double before = seconds_now(), after, ahead;
	PGresult_auto *row = doctor->node != NULL ? health_clock(doctor->node, &error) : NULL;

	if (row == NULL)
		return;
	after = seconds_now();
	ahead = (before + after) / 2 - strtod(field(row, "seconds"), NULL);
	doctor_find(doctor,
		    fabs(ahead) > CLOCK_FAILED_S    ? FOUND_FAILED
		    : fabs(ahead) > CLOCK_WARNING_S ? FOUND_WARNING
						    : FOUND_OK,
		    fabs(ahead) > CLOCK_WARNING_S ? "see to the time service of both machines" : "",
		    "this machine is %.3f s %s the database", fabs(ahead),
		    ahead < 0 ? "behind" : "ahead of");
}

void doctor_partitions(struct doctor *doctor)
{
	struct error error = { 0 };
	PGresult_auto *row = doctor->node != NULL ? health_partitions(doctor->node, &error) : NULL;
	int months;

	if (row == NULL)
		return;
	months = atoi(field(row, "months"));
	doctor_find(doctor,
		    months < PARTITIONS_LEAST  ? FOUND_FAILED
		    : months < PARTITIONS_GOOD ? FOUND_WARNING
					       : FOUND_OK,
		    months < PARTITIONS_GOOD ? "run 'stipactl db partitions', by a timer" : "",
		    "the ledger has partitions for %d month%s from now on", months,
		    months == 1 ? "" : "s");
}

void doctor_mark(struct doctor *doctor)
{
	struct mark_text text;
	struct error error = { 0 };
	PGresult_auto *row = NULL;

	if (!mark_text_read(doctor->config->state, &text, &error)) {
		doctor_find(doctor, error.kind == ERROR_NOT_FOUND ? FOUND_WARNING : FOUND_FAILED,
			    error.kind == ERROR_NOT_FOUND ? "stipad makes it when it starts"
							  : "see stipactl(1), mark",
			    "%s", error.detail);
		return;
	}
	if (doctor->node != NULL)
		row = mark_state(doctor->node, mark_text_or_null(text.jti),
				 mark_text_or_null(text.ledger), &error);
	if (row == NULL)
		return;
	if (strcmp(field(row, "known"), "yes") != 0)
		doctor_find(doctor, FOUND_FAILED,
			    "find the right copy of the database; or decide, and run "
			    "'stipactl mark accept'",
			    "the database lacks token %s of %s, which this node issued", text.jti,
			    text.at);
	else
		doctor_find(doctor, FOUND_OK, "", "%s%s",
			    text.jti[0] == '\0' ? "nothing issued yet" : "the database has token ",
			    text.jti);
}

void doctor_issuing(struct doctor *doctor)
{
	struct error error = { 0 };
	PGresult_auto *row = NULL;
	char now[32];
	struct tm tm;
	time_t seconds = time(NULL);

	if (doctor->node == NULL || doctor->kid[0] == '\0')
		return;
	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	row = health_issuing(doctor->node, doctor->kid, now, &error);
	if (row == NULL)
		return;
	if (PQgetisnull(row, 0, 0))
		doctor_find(doctor, FOUND_OK, "", "a token could be issued now");
	else
		doctor_find(doctor, FOUND_FAILED, "this is what the node waits for", "%s",
			    PQgetvalue(row, 0, 0));
}

void doctor_audit(struct doctor *doctor)
{
	struct audit_chain chain = { 0 };
	struct error error = { 0 };

	if (doctor->registry == NULL)
		doctor_find(doctor, FOUND_WARNING,
			    "give stipactl.conf a 'database' (as stipa_operator)",
			    "not looked at: no connection to the registry");
	else if (!audit_walk(doctor->registry, &chain, &error))
		doctor_find(doctor, FOUND_FAILED,
			    "find out who wrote to the database; compare with an export", "%s",
			    error.detail);
	else
		doctor_find(doctor, FOUND_OK, "", "%lld events, the chain is whole", chain.last);
}
