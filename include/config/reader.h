/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a configuration file by a table of options into a struct.
 *
 * The file is libconfuse's: name = value, # for comments, lists in braces.  A name that the table
 * does not have, a name given twice, a value of the wrong form or out of its range and a missing
 * required option are faults; all of them are told, not only the first.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

#define CONFIG_LIST_MAX 16

struct config_list {
	size_t n;
	char *item[CONFIG_LIST_MAX + 1]; /* up to a NULL */
};

enum config_type {
	CONFIG_TEXT,   /* char * */
	CONFIG_LIST,   /* struct config_list */
	CONFIG_NUMBER, /* long */
};

struct config_option {
	const char *name;
	enum config_type type;
	size_t offset; /* of the member in the struct */
	const char
		*fallback; /* the value when it is not given; a list's has one item.  NULL: none */
	long min, max;	   /* of a number */
	bool required;
	bool (*check)(const char *value, struct error *error); /* of a text or an item; or NULL */
	const char *help;
};

/* Read @path by @options, up to a row with a NULL name, to @into, which is zero.  Every fault
 * goes to @faults as "file:line: option: what and why".  False when there was one; what has been
 * read is to be cleared in either case. */
bool config_read(const struct config_option *options, const char *path, void *into,
		 FILE *faults) MUST_CHECK;
void config_clear(const struct config_option *options, void *into);

/* Write a file that reads as @from, each option under its help.  With a NULL @from, what holds when
 * nothing is given; required options stand there as comments. */
void config_print(const struct config_option *options, const void *from, FILE *file);

#endif
