/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SCHED_IDLE */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <event2/event.h>

#include "../suite.h"
#include "base/clock.h"
#include "loop/workpool.h"

enum { JOBS = 50 };

struct job {
	struct work work;
	int in;
	int out;
	pthread_t performed_on;
	int scheduler;
	int64_t end_ms;
};

static struct event_base *base;
static pthread_t loop_thread;
static int left;
static int sum;

static void perform(struct work *work)
{
	struct job *job = (struct job *)work;

	job->out = job->in * 2;
	job->performed_on = pthread_self();
	job->scheduler = sched_getscheduler(0);
}

static void apply(struct work *work)
{
	struct job *job = (struct job *)work;

	CU_ASSERT_TRUE(pthread_equal(pthread_self(), loop_thread));
	CU_ASSERT_FALSE(pthread_equal(job->performed_on, loop_thread));
	sum += job->out;
	if (--left == 0)
		event_base_loopbreak(base);
}

static void test_jobs_run_on_threads_and_return_to_the_loop(void)
{
	struct workpool *pool = workpool_new(base, 3, JOBS);
	struct job jobs[JOBS + 1];

	left = JOBS;
	sum = 0;
	for (int i = 0; i <= JOBS; i++) {
		jobs[i] = (struct job){ .work = { perform, apply }, .in = i };
		CU_ASSERT_EQUAL(workpool_submit(pool, &jobs[i].work), i < JOBS);
	}
	event_base_dispatch(base);
	CU_ASSERT_EQUAL(sum, JOBS * (JOBS - 1));
	workpool_free(pool);
}

static void test_a_pool_that_gives_way_is_idle(void)
{
	for (int gives_way = 0; gives_way <= 1; gives_way++) {
		struct workpool *pool = workpool_new(base, 1, 1);
		struct job job = { .work = { perform, apply } };

		if (gives_way)
			workpool_give_way(pool, 100);
		left = 1;
		CU_ASSERT_TRUE(workpool_submit(pool, &job.work));
		event_base_dispatch(base);
		CU_ASSERT_EQUAL(job.scheduler == SCHED_IDLE, gives_way == 1);
		workpool_free(pool);
	}
}

/* Keep the thread busy for so many milliseconds of its own time.  In the idle class, and on a
 * machine with other work, that could take for ever: where it may, it leaves it. */
static void burn(struct work *work)
{
	const struct sched_param none = { 0 };
	struct job *job = (struct job *)work;
	struct timespec now;
	long start;

	(void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	start = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < start + job->in);
	job->performed_on = pthread_self();
	job->end_ms = clock_running_ms();
}

/* Of 500 ms a quarter of a second is spent at once, and what is left takes four times as long; the
 * last job waits for those before it only. */
static void test_threads_rest_between_jobs(void)
{
	struct workpool *pool = workpool_new(base, 1, 10);
	struct job jobs[10];
	int64_t start_ms = clock_running_ms();

	workpool_give_way(pool, 25);
	left = 10;
	for (int i = 0; i < 10; i++) {
		jobs[i] = (struct job){ .work = { burn, apply }, .in = 50 };
		CU_ASSERT_TRUE(workpool_submit(pool, &jobs[i].work));
	}
	event_base_dispatch(base);
	CU_ASSERT(clock_running_ms() - start_ms >= (450 - 250) * 4 - 50);
	workpool_free(pool);
}

/* Far from half a minute.  An idle thread may wait for long before its job is done. */
static void test_who_rests_can_be_ended(void)
{
	struct workpool *pool = workpool_new(base, 1, 1);
	struct job job = { .work = { burn, apply }, .in = 550 };

	workpool_give_way(pool, 1);
	left = 1;
	CU_ASSERT_TRUE(workpool_submit(pool, &job.work));
	event_base_dispatch(base);
	workpool_free(pool);
	CU_ASSERT(clock_running_ms() - job.end_ms < 20000);
}

static int setup(void)
{
	loop_thread = pthread_self();
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
	static CU_TestInfo tests[] = {
		{ "jobs run on threads", test_jobs_run_on_threads_and_return_to_the_loop },
		{ "a pool that gives way is idle", test_a_pool_that_gives_way_is_idle },
		{ "threads rest between jobs", test_threads_rest_between_jobs },
		{ "who rests can be ended", test_who_rests_can_be_ended },
		CU_TEST_INFO_NULL,
	};
	static CU_SuiteInfo suites[] = {
		{ .pName = "workpool",
		  .pInitFunc = setup,
		  .pCleanupFunc = teardown,
		  .pTests = tests },
		CU_SUITE_INFO_NULL,
	};

	return run_suites(suites);
}
