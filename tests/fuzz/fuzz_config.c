/* SPDX-License-Identifier: Apache-2.0 */
/* stipad.conf: a file reads the same each time, what is taken keeps to the table and reads again
 * when it is printed, and faults are lines that a terminal can bear. */
#define _GNU_SOURCE 1 /* memfd_create() */
#include <stdint.h>
#include <string.h>

#include "config/config.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct loaded {
	struct config *config;
	char *faults;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct loaded load(const char *path)
{
	struct loaded loaded;
	size_t len;
	FILE *faults = open_memstream(&loaded.faults, &len);

	require(faults != NULL);
	loaded.config = config_load(path, faults);
	fclose(faults);
	require(strlen(loaded.faults) == len);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	config_free(loaded->config);
	free(loaded->faults);
}

static void check_faults(const char *path, const char *faults)
{
	while (*faults != '\0') {
		size_t len = strcspn(faults, "\n");

		require(strncmp(faults, path, strlen(path)) == 0 && faults[len] == '\n');
		for (size_t i = 0; i < len; i++)
			require(faults[i] >= ' ' && faults[i] <= '~');
		faults += len + 1;
	}
}

static void check_text(const struct config_option *option, const char *text)
{
	struct error error = { 0 };

	for (const char *c = text; *c != '\0'; c++)
		require(*c >= ' ' && *c <= '~');
	require(option->check == NULL || option->check(text, &error));
}

static void check_value(const struct config_option *option, const void *value)
{
	const char *const *text = value;
	const struct config_list *list = value;
	const long *number = value;

	switch (option->type) {
	case CONFIG_NUMBER:
		require(*number >= option->min && *number <= option->max);
		break;
	case CONFIG_LIST:
		require(list->n <= CONFIG_LIST_MAX && (list->n > 0 || !option->required));
		for (size_t i = 0; i < list->n; i++)
			check_text(option, list->item[i]);
		break;
	case CONFIG_TEXT:
	default:
		require(*text != NULL || (!option->required && option->fallback == NULL));
		if (*text != NULL)
			check_text(option, *text);
	}
}

static char *printed(const struct config *config, size_t *len)
{
	char *text;
	FILE *file = open_memstream(&text, len);

	require(file != NULL);
	config_print(config_options, config, file);
	fclose(file);
	return text;
}

static void check_printed(const struct config *config)
{
	size_t len, again_len;
	char path[MEMORY_PATH_MAX], *text = printed(config, &len), *again;
	int fd = memory_file(text, len, path);
	struct loaded loaded = load(path);

	require(loaded.config != NULL);
	again = printed(loaded.config, &again_len);
	require(strcmp(text, again) == 0);
	unload(&loaded);
	close(fd);
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[MEMORY_PATH_MAX];
	int fd = memory_file(data, size, path);
	struct loaded first = load(path), second = load(path);

	require((first.config == NULL) == (first.faults[0] != '\0'));
	require((first.config == NULL) == (second.config == NULL));
	require(strcmp(first.faults, second.faults) == 0);
	check_faults(path, first.faults);
	if (first.config != NULL) {
		for (const struct config_option *o = config_options; o->name != NULL; o++)
			check_value(o, (const char *)first.config + o->offset);
		check_printed(first.config);
	}
	unload(&first);
	unload(&second);
	close(fd);
	return 0;
}
