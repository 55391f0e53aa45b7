/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "../suite.h"
#include "base/log.h"
#include "mark/keeper.h"

static char folder[64], path[80];
static struct event_base *base;
static const struct log quiet = { .fd = -1, .least = LOG_LEVEL_ERROR + 1 };

static struct mark mark_of(int n)
{
	struct mark mark = { .ledger = "a ledger", .number = { (uint64_t)n } };

	memset(mark.jti, n, sizeof(mark.jti));
	return mark;
}

static struct mark mark_on_disk(void)
{
	struct mark mark = { 0 };
	struct error error = { 0 };

	CU_ASSERT_TRUE(mark_read(folder, &mark, &error));
	return mark;
}

static bool is_on_disk(int n)
{
	struct mark wanted = mark_of(n), is = mark_on_disk();

	return memcmp(wanted.jti, is.jti, sizeof(is.jti)) == 0;
}

static struct mark_file *open_mark(struct mark *mark)
{
	struct error error = { 0 };
	struct mark_file *file = mark_file_open(folder, mark, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	return file;
}

static void write_mark(struct mark_file *file, int n)
{
	struct mark mark = mark_of(n);
	struct error error = { 0 };

	CU_ASSERT_TRUE(mark_file_write(file, &mark, &error));
}

/* Bytes of a slot become something else, as in a write that was torn. */
static void damage(int slot)
{
	int fd = open(path, O_WRONLY);

	CU_ASSERT_EQUAL(pwrite(fd, "torn", 4, slot * 4096 + 40), 4);
	close(fd);
}

/* ---- the file ---- */

static void test_a_new_one_is_empty(void)
{
	struct mark mark;
	struct error error = { 0 };
	struct stat st;

	CU_ASSERT_FALSE(mark_read(folder, &mark, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_NOT_FOUND);
	mark_file_close(open_mark(&mark));
	CU_ASSERT_FALSE(mark_has_jti(&mark));
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(st.st_size, 8192);
}

static void test_what_was_written_is_read(void)
{
	struct mark mark, wanted = mark_of(7);
	struct mark_file *file = open_mark(&mark);

	for (int n = 1; n <= 7; n++) {
		write_mark(file, n);
		CU_ASSERT_TRUE(is_on_disk(n));
	}
	mark_file_close(file);
	mark_file_close(open_mark(&mark));
	CU_ASSERT_EQUAL(memcmp(&mark, &wanted, sizeof(mark)), 0);
}

static void test_a_torn_write_leaves_the_one_before(void)
{
	struct mark mark;
	struct mark_file *file = open_mark(&mark);

	for (int n = 1; n <= 4; n++) {
		write_mark(file, n);
		damage((n + 1) % 2); /* the first of them goes where number 2 does */
		CU_ASSERT_TRUE(is_on_disk(n - 1) || is_on_disk(n));
		write_mark(file, n);
		CU_ASSERT_TRUE(is_on_disk(n));
	}
	mark_file_close(file);
}

static void test_both_torn_is_said_and_left_alone(void)
{
	struct mark mark;
	struct error error = { 0 };

	mark_file_close(open_mark(&mark));
	damage(0);
	damage(1);
	CU_ASSERT_PTR_NULL(mark_file_open(folder, &mark, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "damaged"));
	error = (struct error){ 0 };
	CU_ASSERT_FALSE(mark_read(folder, &mark, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_INVALID);
}

static void test_a_half_made_one_is_made_anew(void)
{
	char fresh[96];
	struct mark mark;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT, 0600);
	CU_ASSERT_EQUAL(write(fd, "half", 4), 4);
	close(fd);
	mark_file_close(open_mark(&mark));
	CU_ASSERT_FALSE(mark_has_jti(&mark));
	CU_ASSERT_NOT_EQUAL(access(fresh, F_OK), 0);
}

/* The old processes of a node write once more when the new ones already do. */
static void test_of_two_writers_the_higher_stays(void)
{
	struct mark mark;
	struct mark_file *old = open_mark(&mark), *new = open_mark(&mark);

	write_mark(old, 3);
	write_mark(new, 5);
	write_mark(old, 4);
	CU_ASSERT_TRUE(is_on_disk(5));
	CU_ASSERT_EQUAL(mark_on_disk().number[0], 5);
	write_mark(old, 2); /* alone, a process may note what its last commit was */
	CU_ASSERT_TRUE(is_on_disk(2));
	mark_file_close(old);
	mark_file_close(new);
}

static void test_a_lock_is_not_waited_for(void)
{
	struct mark mark;
	struct error error = { 0 };
	struct mark_file *file = open_mark(&mark);
	int other = open(path, O_RDWR);

	CU_ASSERT_EQUAL(flock(other, LOCK_EX), 0);
	CU_ASSERT_FALSE(mark_file_write(file, &mark, &error));
	CU_ASSERT_EQUAL(error.kind, ERROR_UNAVAILABLE);
	close(other);
	write_mark(file, 1);
	mark_file_close(file);
}

static void test_a_folder_that_cannot_be_made_is_said(void)
{
	struct mark mark;
	struct error error = { 0 };

	CU_ASSERT_PTR_NULL(mark_file_open("/proc/none/state", &mark, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.detail, "/proc/none/state"));
}

/* ---- the keeper ---- */

static struct mark_keeper *keeper_new(void)
{
	struct error error = { 0 };
	struct mark_keeper *keeper = mark_keeper_new(base, folder, &quiet, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(keeper);
	return keeper;
}

static void run_until_on_disk(int n)
{
	const struct timeval slice = { .tv_usec = 20000 };

	for (int i = 0; i < 500 && !is_on_disk(n); i++) {
		event_base_loopexit(base, &slice);
		event_base_dispatch(base);
	}
	CU_ASSERT_TRUE(is_on_disk(n));
}

static void note(struct mark_keeper *keeper, int n)
{
	struct mark mark = mark_of(n);

	mark_keeper_note_jti(keeper, mark.jti);
}

static void test_it_is_written_soon_but_not_each_time(void)
{
	struct mark_keeper *keeper = keeper_new();
	int64_t writes;

	for (int n = 1; n <= 100; n++)
		note(keeper, n);
	CU_ASSERT_FALSE(is_on_disk(100));
	CU_ASSERT_TRUE(mark_has_jti(mark_keeper_mark(keeper)));
	run_until_on_disk(100);
	writes = 0;
	for (int n = 1; n < 100; n++)
		writes += is_on_disk(n);
	CU_ASSERT_EQUAL(writes, 0);
	CU_ASSERT_PTR_NULL(mark_keeper_why_late(keeper));
	mark_keeper_free(keeper);
}

static void test_hurry_writes_in_the_next_turn(void)
{
	struct mark_keeper *keeper = keeper_new();

	note(keeper, 9);
	mark_keeper_hurry(keeper);
	run_until_on_disk(9);
	mark_keeper_free(keeper);
}

static void test_the_end_writes_what_is_left(void)
{
	struct mark_keeper *keeper = keeper_new();

	note(keeper, 8);
	mark_keeper_free(keeper);
	CU_ASSERT_TRUE(is_on_disk(8));
}

static bool has(const struct mark_keeper *keeper, int n)
{
	struct mark wanted = mark_of(n);

	return memcmp(mark_keeper_mark(keeper)->jti, wanted.jti, sizeof(wanted.jti)) == 0;
}

static void run_until_it_has(const struct mark_keeper *keeper, int n)
{
	const struct timeval slice = { .tv_usec = 20000 };

	for (int i = 0; i < 3000 && !has(keeper, n); i++) {
		event_base_loopexit(base, &slice);
		event_base_dispatch(base);
	}
	CU_ASSERT_TRUE(has(keeper, n));
}

/* The old process of a reload issues on after the new one has opened the mark; never downwards. */
static void test_what_another_process_writes_is_learnt(void)
{
	const struct timeval a_look = { .tv_sec = 3 };
	struct mark_keeper *keeper;
	struct mark mark;
	struct mark_file *other = open_mark(&mark);

	write_mark(other, 3);
	keeper = keeper_new();
	CU_ASSERT_TRUE(has(keeper, 3));
	write_mark(other, 5);
	run_until_it_has(keeper, 5);
	note(keeper, 7);
	event_base_loopexit(base, &a_look);
	event_base_dispatch(base);
	CU_ASSERT_TRUE(has(keeper, 7));
	mark_keeper_free(keeper);
	CU_ASSERT_TRUE(is_on_disk(7));
	mark_file_close(other);
}

/* A mark of another ledger says nothing of this one's tokens. */
static void test_another_ledgers_mark_is_not_learnt(void)
{
	const struct timeval a_look = { .tv_sec = 3 };
	struct mark_keeper *keeper;
	struct mark mark;
	struct mark_file *other = open_mark(&mark);

	write_mark(other, 3);
	keeper = keeper_new();
	mark_keeper_note_ledger(keeper, (const uint8_t *)"another ledger..");
	run_until_on_disk(3);
	event_base_loopexit(base, &a_look);
	event_base_dispatch(base);
	write_mark(other, 6);
	event_base_loopexit(base, &a_look);
	event_base_dispatch(base);
	CU_ASSERT_TRUE(has(keeper, 3));
	mark_keeper_free(keeper);
	mark_file_close(other);
}

static void test_what_was_not_written_is_tried_again(void)
{
	const struct timeval slice = { .tv_usec = 100000 };
	struct mark_keeper *keeper = keeper_new();
	int other = open(path, O_RDWR);

	CU_ASSERT_EQUAL(flock(other, LOCK_EX), 0);
	note(keeper, 6);
	mark_keeper_hurry(keeper);
	event_base_loopexit(base, &slice);
	event_base_dispatch(base);
	CU_ASSERT_FALSE(is_on_disk(6));
	close(other);
	run_until_on_disk(6);
	mark_keeper_free(keeper);
}

/* ---- the frame ---- */

static void before_each(void)
{
	strcpy(folder, "/tmp/stipa-mark-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/mark", folder);
}

static void after_each(void)
{
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

static int setup(void)
{
	base = event_base_new();
	return base == NULL;
}

static int teardown(void)
{
	event_base_free(base);
	return 0;
}

int main(void)
{
	CU_TestInfo file[] = {
		{ "a new one", test_a_new_one_is_empty },
		{ "written and read", test_what_was_written_is_read },
		{ "torn", test_a_torn_write_leaves_the_one_before },
		{ "both torn", test_both_torn_is_said_and_left_alone },
		{ "half made", test_a_half_made_one_is_made_anew },
		{ "two writers", test_of_two_writers_the_higher_stays },
		{ "locked", test_a_lock_is_not_waited_for },
		{ "no folder", test_a_folder_that_cannot_be_made_is_said },
		CU_TEST_INFO_NULL,
	};
	CU_TestInfo keeper[] = {
		{ "soon", test_it_is_written_soon_but_not_each_time },
		{ "hurry", test_hurry_writes_in_the_next_turn },
		{ "the end", test_the_end_writes_what_is_left },
		{ "what another process writes is learnt",
		  test_what_another_process_writes_is_learnt },
		{ "another ledger's mark is not", test_another_ledgers_mark_is_not_learnt },
		{ "again", test_what_was_not_written_is_tried_again },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = {
		{ "file", NULL, NULL, before_each, after_each, file },
		{ "keeper", setup, teardown, before_each, after_each, keeper },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
