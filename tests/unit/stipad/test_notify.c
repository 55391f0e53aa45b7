/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../src/stipad/notify.h"
#include "../suite.h"

/* The test is the service manager: it has a real datagram socket. */

static char folder[] = "/tmp/stipa-notify-XXXXXX";
static char path[64];
static int manager = -1;

/* @name as in NOTIFY_SOCKET. */
static void listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CU_ASSERT_EQUAL_FATAL(
		bind(manager, (struct sockaddr *)&address,
		     (socklen_t)(sizeof(address.sun_family) + len + (name[0] == '/'))),
		0);
}

static void stop_listening(void)
{
	close(manager);
	unlink(path);
}

/* The next message, or "". */
static const char *heard(void)
{
	static char text[1024];
	ssize_t len = recv(manager, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static struct notify open_with(const char *name, const char *usec, const char *pid)
{
	struct notify notify;

	if (name != NULL)
		setenv("NOTIFY_SOCKET", name, 1);
	if (usec != NULL)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
	notify_open(&notify);
	CU_ASSERT_PTR_NULL(getenv("NOTIFY_SOCKET")); /* no child speaks for us */
	CU_ASSERT_PTR_NULL(getenv("WATCHDOG_USEC"));
	CU_ASSERT_PTR_NULL(getenv("WATCHDOG_PID"));
	return notify;
}

static void say_everything(const char *name)
{
	struct notify notify;
	unsigned long long us;
	int end = 0;

	listen_at(name);
	notify = open_with(name, NULL, NULL);
	notify_ready(&notify, "one");
	CU_ASSERT_STRING_EQUAL(heard(), "READY=1\nSTATUS=one\n");
	notify_ready(&notify, NULL);
	CU_ASSERT_STRING_EQUAL(heard(), "READY=1\n\n");
	notify_reloading(&notify, "two");
	CU_ASSERT_EQUAL(
		sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=two\n%n", &us, &end), 1);
	CU_ASSERT_TRUE(us > 0 && end > 0);
	notify_status(&notify, "three");
	CU_ASSERT_STRING_EQUAL(heard(), "STATUS=three\n");
	notify_alive(&notify);
	CU_ASSERT_STRING_EQUAL(heard(), "WATCHDOG=1\n");
	notify_stopping(&notify, "four");
	CU_ASSERT_STRING_EQUAL(heard(), "STOPPING=1\nSTATUS=four\n");
	notify_close(&notify);
	stop_listening();
}

static void test_a_path(void)
{
	say_everything(path);
}

static void test_an_abstract_name(void)
{
	char name[64];

	snprintf(name, sizeof(name), "@stipa-notify-%d", (int)getpid());
	say_everything(name);
}

static void test_nobody_asks(void)
{
	struct notify notify = open_with(NULL, NULL, NULL);

	CU_ASSERT_EQUAL(notify.fd, -1);
	CU_ASSERT_EQUAL(notify.watchdog_us, 0);
	notify_ready(&notify, "unheard");
	notify_close(&notify);
}

static void test_names_that_are_none(void)
{
	static const char *const names[] = { "", "/", "@", "relative", "vsock:2:3" };
	char too_long[200];
	struct notify notify;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		notify = open_with(names[i], NULL, NULL);
		CU_ASSERT_EQUAL(notify.fd, -1);
	}
	memset(too_long, '/', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	notify = open_with(too_long, NULL, NULL);
	CU_ASSERT_EQUAL(notify.fd, -1);
}

static void test_whose_the_watchdog_is(void)
{
	char own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	CU_ASSERT_EQUAL(open_with(NULL, "5000000", NULL).watchdog_us, 5000000);
	CU_ASSERT_EQUAL(open_with(NULL, "5000000", own).watchdog_us, 5000000);
	CU_ASSERT_EQUAL(open_with(NULL, "5000000", "1").watchdog_us, 0);
	CU_ASSERT_EQUAL(open_with(NULL, "-5", own).watchdog_us, 0);
	CU_ASSERT_EQUAL(open_with(NULL, "often", own).watchdog_us, 0);
}

static void test_a_manager_that_has_gone_holds_nobody_up(void)
{
	struct notify notify;

	listen_at(path);
	notify = open_with(path, NULL, NULL);
	for (int i = 0; i < 10000; i++) /* it does not read */
		notify_alive(&notify);
	stop_listening();
	notify_alive(&notify);
	notify_close(&notify);
}

static void test_a_long_status_is_cut(void)
{
	char text[2000];
	struct notify notify;

	listen_at(path);
	notify = open_with(path, NULL, NULL);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	notify_status(&notify, text);
	CU_ASSERT_EQUAL(strlen(heard()), 511);
	notify_close(&notify);
	stop_listening();
}

static int setup(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int teardown(void)
{
	return rmdir(folder);
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "a path", test_a_path },
		{ "an abstract name", test_an_abstract_name },
		{ "nobody asks", test_nobody_asks },
		{ "names that are none", test_names_that_are_none },
		{ "whose the watchdog is", test_whose_the_watchdog_is },
		{ "a manager that has gone holds nobody up",
		  test_a_manager_that_has_gone_holds_nobody_up },
		{ "a long status is cut", test_a_long_status_is_cut },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "notify",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
