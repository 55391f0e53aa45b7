/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each profile in processes of their own, one for each call that is tried: the call works, is
 * refused and told, or kills.  The control is the same table without a profile: there the calls
 * work, so it is the profile that makes the difference.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../suite.h"
#include "calls.h"
#include "confine/confine.h"

enum { WORKED, REFUSED, FAILED, NOT_CONFINED = 99 };

static const struct {
	const char *name;
	unsigned int parts;
} profiles[] = {
	{ "edge", CONFINE_SERVES },
	{ "authority by folder", CONFINE_DIALS | CONFINE_RECORDS | CONFINE_UNIX },
	{ "authority by address", CONFINE_DIALS | CONFINE_RECORDS | CONFINE_INET | CONFINE_READS },
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static char folder[] = "/tmp/stipa-confine-XXXXXX";
static int told[2]; /* the log */

static struct log log_to_us(void)
{
	return (struct log){ .fd = told[1], .least = LOG_LEVEL_INFO, .process = "test" };
}

static void enter(unsigned int parts)
{
	static struct log log;
	const struct confine_profile profile = { .parts = parts, .log = &log };
	struct error error = { 0 };

	log = log_to_us();
	if (confine_enter(&profile, &error))
		return;
	fprintf(stderr, "%s\n", error.detail);
	_exit(NOT_CONFINED);
}

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

static const char *log_text(void)
{
	static char text[65536];
	ssize_t n = read(told[0], text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

/* How a child that tries the call ends: 'w', 'r', 'k', or what else there is. */
static char try_in_child(const struct try *try, bool confined, unsigned int parts)
{
	pid_t pid;
	int how, error;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		no_core();
		if (confined)
			enter(parts);
		error = try->call();
		_exit(error == 0 ? WORKED : error == EPERM ? REFUSED : FAILED);
	}
	waitpid(pid, &how, 0);
	if (WIFSIGNALED(how))
		return WTERMSIG(how) == SIGSYS ? 'k' : '!';
	return WEXITSTATUS(how) < 3 ? "wrf"[WEXITSTATUS(how)] : '?';
}

static bool log_names(const char *text, const char *call)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"call\":\"%s\"", call);
	return strstr(text, "system call refused") != NULL && strstr(text, wanted) != NULL;
}

static bool as_expected(const struct try *try, size_t profile)
{
	char got = try_in_child(try, true, profiles[profile].parts);
	const char *text = log_text();
	bool good = got == try->expected[profile] &&
		    (got == 'r' ? log_names(text, try->logged_as) : text[0] == '\0');

	if (!good)
		printf("\n  %s, %s: %c, not %c; %s", profiles[profile].name, try->name, got,
		       try->expected[profile], text);
	return good;
}

static void test_each_profile_answers_each_call(void)
{
	for (size_t profile = 0; profile < PROFILES; profile++)
		for (size_t i = 0; i < n_tries; i++)
			CU_ASSERT_TRUE(as_expected(&tries[i], profile));
}

static void test_control_without_a_profile_each_call_works(void)
{
	for (size_t i = 0; i < n_tries; i++) {
		char got = try_in_child(&tries[i], false, 0);

		if (got != 'w')
			printf("\n  without a profile, %s: %c", tries[i].name, got);
		CU_ASSERT_TRUE(got == 'w' || tries[i].may_lack);
	}
}

/* ---- how a process ends ---- */

static int end_of(void (*act)(void))
{
	pid_t pid;
	int how;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		no_core();
		act();
		_exit(FAILED);
	}
	waitpid(pid, &how, 0);
	return how;
}

static void abort_confined(void)
{
	enter(CONFINE_SERVES);
	abort();
}

static void exit_confined(void)
{
	enter(CONFINE_SERVES);
	exit(7);
}

static void test_it_ends_as_others_do(void)
{
	int how = end_of(abort_confined);

	CU_ASSERT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
	how = end_of(exit_confined);
	CU_ASSERT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == 7);
	CU_ASSERT_STRING_EQUAL(log_text(), "");
}

/* ---- threads that were there before ---- */

static int go[2];

static void *open_later(void *arg)
{
	char byte;

	(void)arg;
	if (read(go[0], &byte, 1) != 1)
		return NULL;
	errno = 0;
	return open("/dev/null", O_RDONLY) < 0 && errno == EPERM ? &go : NULL;
}

static void confine_threads(void)
{
	pthread_t thread;
	void *refused = NULL;

	if (pipe(go) != 0 || pthread_create(&thread, NULL, open_later, NULL) != 0)
		_exit(FAILED);
	enter(CONFINE_SERVES); /* it may not even have come to its first line */
	if (write(go[1], "a", 1) != 1)
		_exit(FAILED);
	pthread_join(thread, &refused);
	_exit(refused == NULL ? WORKED : REFUSED);
}

static void test_threads_of_before_are_confined(void)
{
	int how = end_of(confine_threads);

	CU_ASSERT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == REFUSED);
	CU_ASSERT_TRUE(log_names(log_text(), "openat"));
}

/* ---- what the kernel and the log say ---- */

static void confine_nobody(void)
{
	char status[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY);

	if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(FAILED);
	enter(CONFINE_SERVES);
	if (read(fd, status, sizeof(status) - 1) <= 0)
		_exit(FAILED);
	_exit(strstr(status, "Seccomp:\t2") != NULL && strstr(status, "NoNewPrivs:\t1") != NULL
		      ? WORKED
		      : FAILED);
}

static void test_it_takes_no_privilege(void)
{
	int how = end_of(confine_nobody);

	CU_ASSERT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == WORKED);
}

static _Atomic uint64_t *count;

static void ask_again_and_again(void)
{
	static struct log log;
	const struct confine_profile profile = { .log = &log, .refused = count };
	struct error error = { 0 };

	log = log_to_us();
	if (!confine_enter(&profile, &error))
		_exit(NOT_CONFINED);
	for (int i = 0; i < 300; i++)
		(void)!chdir("/");
	_exit(WORKED);
}

static void test_the_log_has_an_end_and_the_count_has_none(void)
{
	const char *text, *line;
	int how, lines = 0;

	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	how = end_of(ask_again_and_again);
	text = log_text();
	CU_ASSERT_TRUE(WIFEXITED(how) && WEXITSTATUS(how) == WORKED);
	CU_ASSERT_EQUAL(*count, 300);
	for (line = text; (line = strchr(line, '\n')) != NULL; line++)
		lines++;
	CU_ASSERT_EQUAL(lines, 101);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "no more of them are told"));
}

static int prepare(void)
{
	if (mkdtemp(folder) == NULL || pipe2(told, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	chmod(folder, 0755);
	calls_prepare(folder);
	return 0;
}

static int clean(void)
{
	static const char *const names[] = { "file", "other", "socket" };
	char path[64];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "each profile answers each call", test_each_profile_answers_each_call },
		{ "control without a profile each call works",
		  test_control_without_a_profile_each_call_works },
		{ "it ends as others do", test_it_ends_as_others_do },
		{ "threads of before are confined", test_threads_of_before_are_confined },
		{ "it takes no privilege", test_it_takes_no_privilege },
		{ "the log has an end and the count has none",
		  test_the_log_has_an_end_and_the_count_has_none },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ .pName = "confine",
		  .pInitFunc = prepare,
		  .pCleanupFunc = clean,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
