/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: is this node well?  Everything that issuing stands on is looked at; nothing is changed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "command.h"
#include "crypto/x509.h"
#include "db/query.h"
#include "doctor.h"
#include "node_config.h"
#include "output.h"

#define DISK_DEFAULT "1024"

/* In this order: a check may use what one before it has opened. */
static const struct {
	const char *name;
	void (*look)(struct doctor *doctor);
} checks[] = {
	{ "environment", doctor_environment },
	{ "database", doctor_database },
	{ "database-settings", doctor_settings },
	{ "schema", doctor_schema },
	{ "clock", doctor_clock },
	{ "partitions", doctor_partitions },
	{ "signer-key", doctor_signer_key },
	{ "signer-chain", doctor_signer_chain },
	{ "signer-registered", doctor_signer_registered },
	{ "signer-days", doctor_signer_days },
	{ "mark", doctor_mark },
	{ "issuing", doctor_issuing },
	{ "tls-key", doctor_tls_key },
	{ "tls-days", doctor_tls_days },
	{ "tls-names", doctor_tls_names },
	{ "node", doctor_ready },
	{ "x5u", doctor_x5u },
	{ "file-modes", doctor_modes },
	{ "disk", doctor_disk },
	{ "limits", doctor_limits },
	{ "audit", doctor_audit },
};

static const char *const findings[] = {
	[FOUND_OK] = "ok",
	[FOUND_WARNING] = "warning",
	[FOUND_FAILED] = "failed",
};

void doctor_find(struct doctor *doctor, enum finding finding, const char *to_do, const char *fmt,
		 ...)
{
	char found[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(found, sizeof(found), fmt, ap);
	va_end(ap);
	doctor->warnings += finding == FOUND_WARNING;
	doctor->failed += finding == FOUND_FAILED;
	json_array_append_new(doctor->rows, json_pack("{s:s,s:s,s:o,s:s}", "check", doctor->check,
						      "result", findings[finding], "found",
						      json_stringn_nocheck(found, strlen(found)),
						      "to_do", to_do));
}

/* What does not open is told by the checks that need it. */
static void open_all(struct doctor *doctor)
{
	struct error error = { 0 };

	if (ctl_settings(doctor->ctl, &error) && ctl_connect(doctor->ctl, NEEDS_DATABASE, &error))
		doctor->registry = doctor->ctl->pg;
	doctor->chain = x509_chain_read(doctor->config->signer_certificate, &doctor->no_chain);
	doctor->tls = x509_chain_read(doctor->config->tls_certificate, &doctor->no_tls);
	error = (struct error){ 0 };
	if (!signer_kid_from_file(doctor->config->signer_certificate, doctor->kid, &error))
		doctor->kid[0] = '\0';
}

static void close_all(struct doctor *doctor)
{
	PQfinish(doctor->node);
	X509_stack_free(doctor->chain);
	X509_stack_free(doctor->tls);
	config_free(doctor->config);
	json_decref(doctor->rows);
}

static bool look_at_config(struct doctor *doctor)
{
	struct error error = { 0 };

	doctor->check = "configuration";
	doctor->config = node_config_load(doctor->config_file, NULL, &error);
	if (doctor->config == NULL)
		doctor_find(doctor, FOUND_FAILED, "see 'stipactl config check'", "%s",
			    error.detail);
	else
		doctor_find(doctor, FOUND_OK, "", "%s is right", doctor->config_file);
	return doctor->config != NULL;
}

/* For people the table has what was found, and below it what is to be done. */
static void show(struct doctor *doctor)
{
	json_auto_t *table = json_array();
	json_t *row;
	size_t i;

	if (doctor->ctl->json) {
		output_list(doctor->ctl, doctor->rows);
		return;
	}
	json_array_foreach(doctor->rows, i, row)
	{
		json_t *left = json_copy(row);

		json_object_del(left, "to_do");
		json_array_append_new(table, left);
	}
	output_list(doctor->ctl, table);
	output_note(doctor->ctl, "%s",
		    doctor->warnings + doctor->failed > 0 ? "\nWhat to do:"
							  : "\nThe node is well.");
	json_array_foreach(doctor->rows, i, row)
	{
		const char *to_do = json_string_value(json_object_get(row, "to_do"));

		if (to_do[0] != '\0')
			output_note(doctor->ctl, "  %s: %s",
				    json_string_value(json_object_get(row, "check")), to_do);
	}
}

static bool examine(struct ctl *ctl, struct error *error)
{
	struct doctor doctor = {
		.ctl = ctl,
		.now = ctl->now,
		.config_file = ctl_value_or(ctl, "FILE", NODE_CONFIG_FILE),
		.tls_ca = ctl_value(ctl, "--tls-ca"),
		.disk_mib = atol(ctl_value_or(ctl, "--disk", DISK_DEFAULT)),
		.rows = json_array(),
	};
	int failed;

	if (look_at_config(&doctor)) {
		open_all(&doctor);
		for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
			doctor.check = checks[i].name;
			checks[i].look(&doctor);
		}
	}
	show(&doctor);
	failed = doctor.failed;
	close_all(&doctor);
	return failed == 0 || error_set_code(error, ERROR_CONFLICT, "not-well", "%d check%s failed",
					     failed, failed == 1 ? "" : "s");
}

/* clang-format off */
static const struct param params[] = {
	{ "FILE", NULL, 0, NULL, "the node's configuration [" NODE_CONFIG_FILE "]" },
	{ "--tls-ca", "FILE", 0, NULL,
	  "PEM of the authority above the TLS of x5u [the system's]" },
	{ "--disk", "MIB", 0, check_number, "least free space [" DISK_DEFAULT "]" },
	{ 0 },
};

const struct command doctor_commands[] = {
	{ "doctor", "", NEEDS_NOTHING, examine, "is this node well?", params },
	{ 0 },
};
/* clang-format on */
