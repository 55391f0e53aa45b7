/* SPDX-License-Identifier: Apache-2.0 */
#include "act.h"

#include <string.h>

struct act ctl_act(struct ctl *ctl)
{
	return (struct act){ .actor = ctl->actor, .reason = ctl_reason(ctl) };
}

const char *ctl_time(const struct ctl *ctl, const char *name, enum when_direction direction,
		     char utc[WHEN_TEXT_MAX])
{
	const char *text = ctl_value(ctl, name);
	struct error error = { 0 };

	return text != NULL && when_parse(text, direction, ctl->now, utc, &error) ? utc : NULL;
}

/* A call of a void function has one column too, named after the function: not for people. */
static void take_outcome(json_t *record, const PGresult *acted)
{
	json_auto_t *rows = rows_from_result(acted);
	const json_t *row = json_array_get(rows, 0);

	if (json_object_get(row, "at") != NULL)
		json_object_set(record, "at", json_object_get(row, "at"));
}

bool show_acted_with(struct ctl *ctl, const PGresult *acted, const PGresult *shown,
		     const json_t *extra, struct error *error)
{
	json_auto_t *rows = NULL;
	json_auto_t *record = NULL;

	if (acted == NULL)
		return false;
	if (shown == NULL)
		return error_context(error, "it is done, but cannot be shown");
	rows = rows_from_result(shown);
	record = json_array_size(rows) > 0 ? json_copy(json_array_get(rows, 0)) : json_object();
	take_outcome(record, acted);
	if (extra != NULL)
		json_object_update(record, (json_t *)extra);
	output_record(ctl, record);
	return true;
}

bool show_acted(struct ctl *ctl, const PGresult *acted, const PGresult *shown, struct error *error)
{
	return show_acted_with(ctl, acted, shown, NULL, error);
}

bool show_record(struct ctl *ctl, const PGresult *shown, struct error *error)
{
	json_auto_t *rows = NULL;

	(void)error;
	if (shown == NULL)
		return false;
	rows = rows_from_result(shown);
	output_record(ctl, json_array_get(rows, 0));
	return true;
}

bool show_list(struct ctl *ctl, const PGresult *shown, struct error *error)
{
	json_auto_t *rows = NULL;

	(void)error;
	if (shown == NULL)
		return false;
	rows = rows_from_result(shown);
	output_list(ctl, rows);
	return true;
}
