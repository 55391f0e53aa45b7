/* SPDX-License-Identifier: Apache-2.0 */
/* The table of system calls: which parts may do what. */
#ifndef CONFINE_RULES_H
#define CONFINE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <seccomp.h>

enum answer {
	ALLOW,
	KILL, /* SIGSYS, to the whole process */
};

enum { EVERYBODY = 0 };

/* A row is for the profiles that have a part of @has, and none of @lacks. */
struct rule {
	unsigned int has;   /* or EVERYBODY */
	unsigned int lacks; /* or 0 */
	enum answer answer;
	int call;
	struct scmp_arg_cmp when[2];
	unsigned int n_when;
	bool of_itself; /* the first argument must be our own process */
};

extern const struct rule confine_rules[];
extern const size_t confine_n_rules;

bool rule_is_of(const struct rule *rule, unsigned int parts);

#endif
