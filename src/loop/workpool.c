/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "loop/workpool.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"

#define BURST_US 250000 /* what a thread may take before it rests for the first time */

STAILQ_HEAD(work_queue, work);

struct workpool {
	pthread_mutex_t lock; /* guards todo, done, queued, stopping and percent */
	pthread_cond_t todo_grew, stops;
	struct work_queue todo;
	struct work_queue done;
	int queued;
	bool stopping;
	int percent; /* of a core, for each thread */

	int queue_max;
	int wake_fd; /* a thread writes, the loop reads */
	struct event *wake;
	int threads;
	pthread_t thread[];
};

/* What a thread may take at once: it flows back as time passes. */
struct budget {
	int64_t left_us, at_us;
};

/* Of this thread, on whatever core. */
static int64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Pay for a job; what it cost too much, in time to rest. */
static int64_t budget_pay(struct budget *budget, int percent, int64_t cost_us)
{
	int64_t now = clock_running_us();

	budget->left_us += (now - budget->at_us) * percent / 100;
	if (budget->left_us > BURST_US)
		budget->left_us = BURST_US;
	budget->left_us -= cost_us;
	budget->at_us = now;
	return budget->left_us < 0 ? -budget->left_us * 100 / percent : 0;
}

static void rest(struct workpool *pool, int64_t us)
{
	int64_t until_us = clock_running_us() + us;
	const struct timespec until = { .tv_sec = until_us / 1000000,
					.tv_nsec = until_us % 1000000 * 1000 };

	pthread_mutex_lock(&pool->lock);
	while (!pool->stopping && pthread_cond_timedwait(&pool->stops, &pool->lock, &until) == 0)
		;
	pthread_mutex_unlock(&pool->lock);
}

static int share(struct workpool *pool)
{
	int percent;

	pthread_mutex_lock(&pool->lock);
	percent = pool->percent;
	pthread_mutex_unlock(&pool->lock);
	return percent;
}

static struct work *next_work(struct workpool *pool)
{
	struct work *work = NULL;

	pthread_mutex_lock(&pool->lock);
	while (STAILQ_EMPTY(&pool->todo) && !pool->stopping)
		pthread_cond_wait(&pool->todo_grew, &pool->lock);
	if (!pool->stopping) {
		work = STAILQ_FIRST(&pool->todo);
		STAILQ_REMOVE_HEAD(&pool->todo, link);
	}
	pthread_mutex_unlock(&pool->lock);
	return work;
}

static void hand_back(struct workpool *pool, struct work *work)
{
	pthread_mutex_lock(&pool->lock);
	STAILQ_INSERT_TAIL(&pool->done, work, link);
	pthread_mutex_unlock(&pool->lock);
	eventfd_write(pool->wake_fd, 1);
}

static void *worker(void *arg)
{
	struct workpool *pool = arg;
	struct budget budget = { BURST_US, clock_running_us() };
	struct work *work;
	int64_t before_us, rest_us;

	while ((work = next_work(pool)) != NULL) {
		before_us = cpu_us();
		work->perform(work);
		hand_back(pool, work);
		rest_us = budget_pay(&budget, share(pool), cpu_us() - before_us);
		if (rest_us > 0)
			rest(pool, rest_us);
	}
	return NULL;
}

static void apply_done(evutil_socket_t fd, short what, void *arg)
{
	struct workpool *pool = arg;
	struct work_queue done = STAILQ_HEAD_INITIALIZER(done);
	struct work *work;
	eventfd_t n;

	(void)what;
	eventfd_read(fd, &n);
	pthread_mutex_lock(&pool->lock);
	STAILQ_CONCAT(&done, &pool->done);
	pthread_mutex_unlock(&pool->lock);

	while ((work = STAILQ_FIRST(&done)) != NULL) {
		STAILQ_REMOVE_HEAD(&done, link);
		pthread_mutex_lock(&pool->lock);
		pool->queued--;
		pthread_mutex_unlock(&pool->lock);
		work->apply(work);
	}
}

bool workpool_submit(struct workpool *pool, struct work *work)
{
	bool room;

	pthread_mutex_lock(&pool->lock);
	room = pool->queued < pool->queue_max;
	if (room) {
		pool->queued++;
		STAILQ_INSERT_TAIL(&pool->todo, work, link);
		pthread_cond_signal(&pool->todo_grew);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

static void conds_init(struct workpool *pool)
{
	pthread_condattr_t steady;

	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->todo_grew, NULL);
	pthread_cond_init(&pool->stops, &steady);
	pthread_condattr_destroy(&steady);
}

static bool wake_make(struct workpool *pool, struct event_base *base)
{
	pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (pool->wake_fd < 0)
		return false;
	pool->wake = event_new(base, pool->wake_fd, EV_READ | EV_PERSIST, apply_done, pool);
	return pool->wake != NULL && event_add(pool->wake, NULL) == 0;
}

static bool threads_start(struct workpool *pool, int threads)
{
	while (pool->threads < threads &&
	       pthread_create(&pool->thread[pool->threads], NULL, worker, pool) == 0)
		pool->threads++;
	return pool->threads > 0;
}

struct workpool *workpool_new(struct event_base *base, int threads, int queue_max)
{
	struct workpool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->thread[0]));

	if (pool == NULL)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	conds_init(pool);
	STAILQ_INIT(&pool->todo);
	STAILQ_INIT(&pool->done);
	pool->queue_max = queue_max;
	pool->percent = 100;
	if (wake_make(pool, base) && threads_start(pool, threads))
		return pool;
	workpool_free(pool);
	return NULL;
}

void workpool_give_way(struct workpool *pool, int percent)
{
	const struct sched_param none = { 0 };

	pthread_mutex_lock(&pool->lock);
	pool->percent = percent;
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->threads; i++)
		(void)pthread_setschedparam(pool->thread[i], SCHED_IDLE, &none);
}

static void threads_stop(struct workpool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->todo_grew);
	pthread_cond_broadcast(&pool->stops);
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
}

void workpool_free(struct workpool *pool)
{
	if (pool == NULL)
		return;
	threads_stop(pool);
	if (pool->wake != NULL)
		event_free(pool->wake);
	if (pool->wake_fd >= 0)
		close(pool->wake_fd);
	pthread_cond_destroy(&pool->todo_grew);
	pthread_cond_destroy(&pool->stops);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
