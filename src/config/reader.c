/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

/*
 * libconfuse gives up at the first fault that it finds itself: an unknown name, a number that is
 * none.  So every option is a text to it, checked here when its validating callback runs (which
 * also knows the line), and an unknown name is added to what it knows, and the file read again.
 */

enum {
	FAULTS_MAX = 64,
	UNKNOWN_MAX = 32,
	OPTIONS_MAX = 64,
	FILE_MAX = 256 * 1024,
};

/* No name of an option: the entry that leads libconfuse's callbacks to their reading. */
#define ANCHOR "\x1f"

struct fault {
	int line; /* 0: of the file as a whole */
	char text[320];
};

struct reading {
	char *anchor; /* libconfuse's, set by a file that has its name; first, so that its address
			 is ours */
	const struct config_option *options;
	void *into;
	int given_at[OPTIONS_MAX];	      /* line, or 0 */
	const struct config_option *repeated; /* whose values are passed over */
	char *unknown[UNKNOWN_MAX];
	size_t n_unknown;
	bool again; /* an unknown name was found: what was read is to be read anew */
	struct fault faults[FAULTS_MAX];
	size_t n_faults;
	size_t n_kept; /* faults that a second reading does not find again */
};

static struct reading *reading_of(cfg_t *cfg)
{
	return (struct reading *)(void *)cfg_getopt(cfg, ANCHOR)->simple_value.string;
}

__attribute__((format(printf, 3, 4))) static void fault(struct reading *reading, int line,
							const char *fmt, ...)
{
	struct fault *f;
	va_list ap;

	if (reading->n_faults == FAULTS_MAX)
		return;
	f = &reading->faults[reading->n_faults++];
	f->line = line;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	for (char *c = f->text; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e) /* what the file has must not act on a terminal */
			*c = '?';
}

/* ---- values ---- */

static void *member(const struct config_option *option, void *into)
{
	return (char *)into + option->offset;
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = strdup(value); /* analyzer: the options own it; config_clear frees them */
	if (*text == NULL)
		abort(); /* at start, or in a check: there is nothing to save */
}

static void list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->item[i]);
	*list = (struct config_list){ 0 };
}

static bool check(const struct config_option *option, const char *value, struct error *error)
{
	for (const char *c = value; *c != '\0'; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return error_set(error, ERROR_INVALID, "printable ASCII only");
	}
	return option->check == NULL || option->check(value, error);
}

static bool set_number(const struct config_option *option, void *into, const char *value,
		       struct error *error)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (end == value || *end != '\0' || value[0] == '+' || value[0] == ' ')
		return error_set(error, ERROR_INVALID, "\"%.40s\" is not a number", value);
	if (errno != 0 || number < option->min || number > option->max)
		return error_set(error, ERROR_INVALID, "%.40s is not within %ld to %ld", value,
				 option->min, option->max);
	/* analyzer: strtol has set it */
	memcpy(member(option, into), &number, sizeof(number));
	return true;
}

static bool add_item(const struct config_option *option, void *into, const char *value,
		     struct error *error)
{
	struct config_list *list = member(option, into);

	if (list->n == CONFIG_LIST_MAX)
		return error_set(error, ERROR_INVALID, "more than %d items", CONFIG_LIST_MAX);
	if (!check(option, value, error))
		return false;
	set_text(&list->item[list->n++], value);
	return true;
}

static bool set_value(const struct config_option *option, void *into, const char *value,
		      struct error *error)
{
	switch (option->type) {
	case CONFIG_NUMBER:
		return set_number(option, into, value, error);
	case CONFIG_LIST:
		return add_item(option, into, value, error);
	case CONFIG_TEXT:
	default:
		if (!check(option, value, error))
			return false;
		set_text(member(option, into), value);
		return true;
	}
}

/* ---- libconfuse's callbacks ---- */

static const struct config_option *option_named(const struct config_option *options,
						const char *name)
{
	while (options->name != NULL && strcmp(options->name, name) != 0)
		options++;
	return options->name == NULL ? NULL : options;
}

static int *given_at(struct reading *reading, const struct config_option *option)
{
	return &reading->given_at[option - reading->options];
}

/* The first value of an option: false when the option has one already, which is told once. */
static bool begin(struct reading *reading, const struct config_option *option, int line)
{
	int *first = given_at(reading, option);

	reading->repeated = *first != 0 ? option : NULL;
	if (reading->repeated != NULL)
		fault(reading, line, "%s: given twice, first in line %d", option->name, *first);
	else
		*first = line;
	return reading->repeated == NULL;
}

/* One value has been read, or one item of a list: here the line is still its own. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reading *reading = reading_of(cfg);
	const struct config_option *option = option_named(reading->options, cfg_opt_name(opt));
	bool is_first = cfg_opt_size(opt) <= 1; /* "+=" goes on with a list */
	struct error error = { 0 };

	*(const char **)result = value;
	if (is_first ? !begin(reading, option, cfg->line) : reading->repeated == option)
		return 0;
	if (!set_value(option, reading->into, value, &error))
		fault(reading, cfg->line, "%s: %s", option->name, error.detail);
	return 0;
}

static void note_unknown(struct reading *reading, int line, const char *name)
{
	if (reading->n_unknown == UNKNOWN_MAX)
		return;
	reading->unknown[reading->n_unknown] = strdup(name);
	if (reading->unknown[reading->n_unknown] == NULL)
		return;
	reading->n_unknown++;
	reading->again = true;
	/* these are kept, the others will be found again */
	reading->n_faults = reading->n_kept;
	fault(reading, line, "%s: no such option", name);
	reading->n_kept = reading->n_faults;
}

__attribute__((format(printf, 2, 0))) static void on_fault(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reading *reading = reading_of(cfg);
	char text[200];

	if (strcmp(fmt, "no such option '%s'") == 0) {
		note_unknown(reading, cfg->line, va_arg(ap, const char *));
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	fault(reading, cfg->line, "syntax: %s", text);
}

/* ---- reading ---- */

static cfg_t *parser_new(struct reading *reading)
{
	cfg_opt_t table[OPTIONS_MAX + UNKNOWN_MAX + 2];
	size_t n = 0;
	cfg_t *cfg;

	table[n++] = (cfg_opt_t)CFG_SIMPLE_STR(ANCHOR, &reading->anchor);
	for (const struct config_option *o = reading->options; o->name != NULL; o++) {
		if (o->type == CONFIG_LIST)
			table[n++] = (cfg_opt_t)CFG_STR_LIST(o->name, NULL, CFGF_NODEFAULT);
		else
			table[n++] = (cfg_opt_t)CFG_STR(o->name, NULL, CFGF_NODEFAULT);
		table[n - 1].parsecb = on_value;
	}
	for (size_t i = 0; i < reading->n_unknown; i++)
		table[n++] = (cfg_opt_t)CFG_STR_LIST(reading->unknown[i], NULL, CFGF_NODEFAULT);
	table[n] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(table, CFGF_NONE);
	if (cfg == NULL)
		abort();
	cfg_set_error_function(cfg, on_fault);
	return cfg;
}

static void parse_once(struct reading *reading, const char *text)
{
	cfg_t *cfg = parser_new(reading);

	reading->again = false;
	config_clear(reading->options, reading->into);
	memset(reading->given_at, 0, sizeof(reading->given_at));
	cfg_parse_buf(cfg, text);
	cfg_free(cfg);
	if (reading->anchor != NULL)
		fault(reading, 0, "a control character is no name");
	free(reading->anchor);
	reading->anchor = NULL;
}

/* The whole file as one text, or NULL and a fault. */
static char *read_text(struct reading *reading, const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, FILE_MAX + 2);
	size_t len = file == NULL || text == NULL ? 0 : fread(text, 1, FILE_MAX + 1, file);
	bool good = file != NULL && text != NULL && !ferror(file);

	if (!good)
		fault(reading, 0, "%s", strerror(errno));
	else if (len > FILE_MAX)
		fault(reading, 0, "more than %d bytes", FILE_MAX);
	else if (memchr(text, '\0', len) != NULL)
		fault(reading, 0, "not a text");
	if (file != NULL)
		fclose(file);
	if (reading->n_faults == 0)
		return text;
	free(text);
	return NULL;
}

static bool parse(struct reading *reading, const char *path)
{
	char *text = read_text(reading, path);

	if (text == NULL)
		return false;
	do {
		parse_once(reading, text);
	} while (reading->again);
	free(text);
	return true;
}

static void set_fallback(const struct config_option *option, void *into)
{
	struct error error = { 0 };

	if (option->fallback != NULL && !set_value(option, into, option->fallback, &error))
		abort(); /* a table that refuses its own value */
}

static void complete(struct reading *reading)
{
	for (const struct config_option *o = reading->options; o->name != NULL; o++) {
		if (*given_at(reading, o) != 0)
			continue;
		if (o->required)
			fault(reading, 0, "%s: missing", o->name);
		else
			set_fallback(o, reading->into);
	}
}

/* ---- telling ---- */

static int by_line(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;

	return (x->line == 0) != (y->line == 0) ? (x->line == 0) - (y->line == 0)
						: x->line - y->line;
}

static void tell(struct reading *reading, const char *path, FILE *faults)
{
	qsort(reading->faults, reading->n_faults, sizeof(reading->faults[0]), by_line);
	for (size_t i = 0; i < reading->n_faults; i++) {
		const struct fault *f = &reading->faults[i];

		if (f->line == 0)
			fprintf(faults, "%s: %s\n", path, f->text);
		else
			fprintf(faults, "%s:%d: %s\n", path, f->line, f->text);
	}
}

bool config_read(const struct config_option *options, const char *path, void *into, FILE *faults)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	bool good;

	if (reading == NULL)
		abort();
	reading->options = options;
	reading->into = into;
	if (parse(reading, path))
		complete(reading);
	tell(reading, path, faults);
	good = reading->n_faults == 0;
	for (size_t i = 0; i < reading->n_unknown; i++)
		free(reading->unknown[i]);
	free(reading);
	return good;
}

void config_clear(const struct config_option *options, void *into)
{
	for (const struct config_option *o = options; o->name != NULL; o++) {
		char **text = member(o, into);

		if (o->type == CONFIG_LIST) {
			list_clear(member(o, into));
		} else if (o->type == CONFIG_TEXT) {
			free(*text);
			*text = NULL;
		}
	}
}

/* ---- printing ---- */

static void print_quoted(const char *text, FILE *file)
{
	putc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\' || *text == '$')
			putc('\\', file);
		putc(*text, file);
	}
	putc('"', file);
}

static void print_list(const struct config_list *list, FILE *file)
{
	fputs("{ ", file);
	for (size_t i = 0; i < list->n; i++) {
		fputs(i == 0 ? "" : ", ", file);
		print_quoted(list->item[i], file);
	}
	fputs(" }\n", file);
}

static void print_fallback(const struct config_option *option, FILE *file)
{
	if (option->required || option->fallback == NULL) {
		fprintf(file, "# %s = \n", option->name);
		return;
	}
	fprintf(file, "%s = ", option->name);
	if (option->type == CONFIG_NUMBER)
		fputs(option->fallback, file);
	else
		print_quoted(option->fallback, file);
	putc('\n', file);
}

static void print_value(const struct config_option *option, const void *from, FILE *file)
{
	const void *value = (const char *)from + option->offset;
	const char *const *text = value;
	const long *number = value;

	if (option->type == CONFIG_TEXT && *text == NULL) {
		print_fallback(option, file);
		return;
	}
	fprintf(file, "%s = ", option->name);
	switch (option->type) {
	case CONFIG_NUMBER:
		fprintf(file, "%ld\n", *number);
		break;
	case CONFIG_LIST:
		print_list(value, file);
		break;
	case CONFIG_TEXT:
	default:
		print_quoted(*text, file);
		putc('\n', file);
	}
}

void config_print(const struct config_option *options, const void *from, FILE *file)
{
	for (const struct config_option *o = options; o->name != NULL; o++) {
		fprintf(file, "# %s", o->help);
		if (o->type == CONFIG_NUMBER)
			fprintf(file, " (%ld to %ld)", o->min, o->max);
		fprintf(file, "%s\n", o->required ? "; required" : "");
		if (from == NULL)
			print_fallback(o, file);
		else
			print_value(o, from, file);
		putc('\n', file);
	}
}
