/* SPDX-License-Identifier: Apache-2.0 */
/* A node's configuration, judged by the node's own code. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "command.h"
#include "config/config.h"
#include "node_config.h"
#include "output.h"

static json_t *value_of(const struct config_option *option, const struct config *config)
{
	const void *member = (const char *)config + option->offset;
	const char *text;
	json_t *list;

	switch (option->type) {
	case CONFIG_NUMBER:
		return json_integer(*(const long *)member);
	case CONFIG_LIST:
		list = json_array();
		for (size_t i = 0; i < ((const struct config_list *)member)->n; i++)
			json_array_append_new(
				list, json_string(((const struct config_list *)member)->item[i]));
		return list;
	default:
		text = *(char *const *)member;
		return text != NULL ? json_string(text) : json_null();
	}
}

static bool check(struct ctl *ctl, struct error *error)
{
	const char *path = ctl_value_or(ctl, "FILE", NODE_CONFIG_FILE);
	json_auto_t *faults = json_array();
	json_auto_t *record = NULL;
	struct config *config = node_config_load(path, faults, error);
	bool right = config != NULL;

	if (!right && error->kind != ERROR_INVALID)
		return false;
	record = json_pack("{s:s,s:b,s:O}", "file", path, "right", right, "faults", faults);
	if (ctl->json)
		output_record(ctl, record);
	else if (right)
		output_note(ctl, "%s is right", path);
	for (size_t i = 0; !ctl->json && i < json_array_size(faults); i++)
		puts(json_string_value(json_array_get(faults, i)));
	config_free(config);
	return right;
}

static bool print(struct ctl *ctl, struct error *error)
{
	const char *path = ctl_value_or(ctl, "FILE", NODE_CONFIG_FILE);
	json_auto_t *record = json_object();
	struct config *config = node_config_load(path, NULL, error);

	if (config == NULL)
		return false;
	for (const struct config_option *o = config_options; o->name != NULL; o++)
		json_object_set_new(record, o->name, value_of(o, config));
	if (ctl->json)
		output_record(ctl, record);
	else
		config_print(config_options, config, stdout);
	config_free(config);
	return true;
}

/* clang-format off */
static const struct param file_params[] = {
	{ "FILE", NULL, 0, NULL, "the node's configuration [" NODE_CONFIG_FILE "]" },
	{ 0 },
};

const struct command config_commands[] = {
	{ "config", "check", NEEDS_NOTHING, check,
	  "tell every fault of a node's configuration, with file and line", file_params },
	{ "config", "print", NEEDS_NOTHING, print,
	  "print it as it is read, with what has its default", file_params },
	{ 0 },
};
/* clang-format on */
