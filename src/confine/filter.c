/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "confine/privileges.h"
#include "refused.h"
#include "rules.h"

/* libseccomp gives negative error numbers. */
static bool worked(int result, const char *what, struct error *error)
{
	return result == 0 ||
	       error_set(error, ERROR_INTERNAL, "seccomp: %s: %s", what, strerror(-result));
}

static uint32_t action_of(enum answer answer)
{
	return answer == ALLOW ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS;
}

static bool add_rule(scmp_filter_ctx filter, const struct rule *rule, struct error *error)
{
	const struct scmp_arg_cmp us = SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid());
	int result = seccomp_rule_add_array(filter, action_of(rule->answer), rule->call,
					    rule->of_itself ? 1 : rule->n_when,
					    rule->of_itself ? &us : rule->when);

	return worked(result, "a rule", error);
}

static bool add_rules(scmp_filter_ctx filter, unsigned int parts, struct error *error)
{
	for (size_t i = 0; i < confine_n_rules; i++)
		if (rule_is_of(&confine_rules[i], parts) &&
		    !add_rule(filter, &confine_rules[i], error))
			return false;
	return true;
}

/* One row for each family, as a rule can compare an argument only once; those above are fatal as
 * well, and so is a number that only its lower half makes a family. */
static bool add_families(scmp_filter_ctx filter, unsigned int parts, struct error *error)
{
	static const unsigned int part_of[AF_INET6 + 1] = {
		[AF_UNIX] = CONFINE_UNIX,
		[AF_INET] = CONFINE_INET,
		[AF_INET6] = CONFINE_INET6,
	};
	int result = 0;

	for (scmp_datum_t family = 0; result == 0 && family <= AF_INET6; family++)
		result = seccomp_rule_add(filter, action_of(part_of[family] & parts ? ALLOW : KILL),
					  SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family));
	if (result == 0)
		result = seccomp_rule_add(filter, action_of(KILL), SCMP_SYS(socket), 1,
					  SCMP_A0(SCMP_CMP_GT, AF_INET6));
	return worked(result, "families of sockets", error);
}

/* All threads at once, whatever they do; calls of another architecture of the same machine are
 * fatal; the often-used calls are found as quickly as the others. */
static bool set_attributes(scmp_filter_ctx filter, struct error *error)
{
	return worked(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1), "TSYNC", error) &&
	       worked(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
		      "BADARCH", error) &&
	       worked(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "OPTIMIZE", error);
}

static bool load(unsigned int parts, struct error *error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	bool loaded;

	if (filter == NULL)
		return error_set(error, ERROR_UNAVAILABLE, "seccomp: no memory");
	loaded = set_attributes(filter, error) && add_rules(filter, parts, error) &&
		 add_families(filter, parts, error) &&
		 worked(seccomp_load(filter), "the kernel does not take the filter", error);
	seccomp_release(filter);
	return loaded;
}

bool confine_is_built(void)
{
	return true;
}

bool confine_enter(const struct confine_profile *profile, struct error *error)
{
	tzset(); /* reads a file, once */
	return privileges_none_new(error) && refused_heed(profile, error) &&
	       load(profile->parts, error);
}
