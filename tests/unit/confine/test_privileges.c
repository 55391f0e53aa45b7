/* SPDX-License-Identifier: Apache-2.0 */
/* Each in a process of its own, as none of it is taken back.  Run as root it becomes "nobody"; run
 * as somebody else it is told that it cannot become "daemon". */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../suite.h"
#include "base/sanitizer.h"
#include "confine/privileges.h"

static int status_of(int (*act)(void))
{
	pid_t pid;
	int how;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(act());
	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* Is that line in /proc/self/status? */
static bool status_has(const char *wanted)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[4096];
	bool found = false;

	while (status != NULL && fgets(line, sizeof(line), status) != NULL)
		found = found || strcmp(line, wanted) == 0;
	fclose(status);
	return found;
}

/* ---- the user ---- */

static int becomes_nobody(void)
{
	const gid_t more[] = { 1, 2, 3 };
	struct error error = { 0 };

	if (getuid() != 0)
		return !privileges_become("daemon", &error) && error.kind == ERROR_INVALID &&
				       strstr(error.detail, "becomes another user") != NULL
			       ? 0
			       : 1;
	if (setgroups(3, more) != 0 || !privileges_become("nobody", &error))
		return 2;
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0 ||
	    getgroups(0, NULL) != 0 || strcmp(getenv("HOME"), getpwuid(getuid())->pw_dir) != 0)
		return 3;
	if (!privileges_drop(&error) || !status_has("CapBnd:\t0000000000000000\n"))
		return 4;
	return setuid(0) != 0 && setgid(0) != 0 ? 0 : 5;
}

static int is_it_already(void)
{
	struct error error = { 0 };
	const struct passwd *nobody = getpwnam("nobody");

	if (getuid() == 0 && (nobody == NULL || setuid(nobody->pw_uid) != 0))
		return 1;
	nobody = getpwuid(getuid());
	return nobody != NULL && privileges_become(nobody->pw_name, &error) ? 0 : 2;
}

static const struct {
	const char *user, *why;
} wrong[] = {
	{ "root", "is root" },
	{ "stipa-nobody-has-this-name", "there is none" },
	{ "", "there is none" },
};

static int wrong_users_are_refused(void)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct error error = { 0 };

		if (privileges_become(wrong[i].user, &error) || error.kind != ERROR_INVALID ||
		    strstr(error.detail, wrong[i].why) == NULL)
			return 1 + (int)i;
	}
	return 0;
}

static void test_it_becomes_another_user(void)
{
	CU_ASSERT_EQUAL(status_of(becomes_nobody), 0);
	CU_ASSERT_EQUAL(status_of(is_it_already), 0);
	CU_ASSERT_EQUAL(status_of(wrong_users_are_refused), 0);
}

/* ---- capabilities ---- */

static int drops_everything(void)
{
	struct error error = { 0 };

	if (!privileges_drop(&error))
		return 1;
	if (!status_has("CapEff:\t0000000000000000\n") ||
	    !status_has("CapPrm:\t0000000000000000\n") ||
	    !status_has("CapAmb:\t0000000000000000\n") || !status_has("NoNewPrivs:\t1\n"))
		return 2;
	if (getuid() == 0 && !status_has("CapBnd:\t0000000000000000\n"))
		return 3;
	return privileges_drop(&error) ? 0 : 4; /* nothing is left, which is as wanted */
}

/* The control: what nobody could do is a matter of having dropped it. */
static int may_set_the_host_name(bool dropped)
{
	struct error error = { 0 };
	char name[256];

	if (gethostname(name, sizeof(name)) != 0 || (dropped && !privileges_drop(&error)))
		return 1;
	return (sethostname(name, strlen(name)) == 0) == (getuid() == 0 && !dropped) ? 0 : 2;
}

static int may_before(void)
{
	return may_set_the_host_name(false);
}

static int may_not_after(void)
{
	return may_set_the_host_name(true);
}

static void test_it_drops_every_capability(void)
{
	CU_ASSERT_EQUAL(status_of(drops_everything), 0);
	CU_ASSERT_EQUAL(status_of(may_before), 0);
	CU_ASSERT_EQUAL(status_of(may_not_after), 0);
}

/* ---- limits ---- */

static bool limit_is(int resource, rlim_t wanted)
{
	struct rlimit now;

	return getrlimit((__rlimit_resource_t)resource, &now) == 0 && now.rlim_cur == wanted &&
	       now.rlim_max == wanted;
}

static int no_dumps(void)
{
	struct error error = { 0 };

	if (!privileges_no_dumps(&error) || !limit_is(RLIMIT_CORE, 0))
		return 1;
#if !HAS_ADDRESS_SANITIZER
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 2;
#endif
	return 0;
}

static int few_descriptors(void)
{
	struct error error = { 0 };

	if (!privileges_limit_descriptors(100, &error) || !limit_is(RLIMIT_NOFILE, 100))
		return 1;
	/* it only goes down */
	return privileges_limit_descriptors(200, &error) && limit_is(RLIMIT_NOFILE, 100) ? 0 : 2;
}

static int no_processes(void)
{
	struct error error = { 0 };

	if (getuid() == 0 && setuid(65533) != 0)
		return 1;
	if (!privileges_limit_processes(&error))
		return 2;
#if !HAS_ADDRESS_SANITIZER
	if (!limit_is(RLIMIT_NPROC, 0) || fork() >= 0 || errno != EAGAIN)
		return 3;
#endif
	return 0;
}

static void test_limits_hold(void)
{
	CU_ASSERT_EQUAL(status_of(no_dumps), 0);
	CU_ASSERT_EQUAL(status_of(few_descriptors), 0);
	CU_ASSERT_EQUAL(status_of(no_processes), 0);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "it becomes another user", test_it_becomes_another_user },
		{ "it drops every capability", test_it_drops_every_capability },
		{ "limits hold", test_limits_hold },
		CU_TEST_INFO_NULL,
	};

	return run_suite("privileges", tests);
}
