/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "loop/workpool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"

#define BURST_US 250000 /* what a thread may take before it rests for the first time */

/* A thread that gives way may stand still for long, also where it holds a lock.  So the loop takes
 * none: work goes to and fro by two lists that are only ever pushed to, or taken whole. */
typedef _Atomic(struct work *) work_list; /* the newest first */

struct workpool {
	/* the loop's */
	int queued, queue_max;
	struct event *wake;

	/* between the loop and the threads */
	work_list submitted, done;
	sem_t todo;  /* one for each that was submitted, and for each thread at the end */
	int wake_fd; /* a thread writes, the loop reads */
	atomic_bool stopping;
	atomic_int percent; /* of a core, for each thread */

	/* the threads' */
	pthread_mutex_t lock;
	pthread_cond_t stops;
	struct work *first; /* taken from submitted, in their order */
	int threads;
	pthread_t thread[];
};

static void push(work_list *list, struct work *work)
{
	work->next = atomic_load(list);
	while (!atomic_compare_exchange_weak(list, &work->next, work))
		;
}

/* All of them, the oldest first. */
static struct work *take(work_list *list)
{
	struct work *from = atomic_exchange(list, NULL), *to = NULL, *next;

	for (; from != NULL; from = next) {
		next = from->next;
		from->next = to;
		to = from;
	}
	return to;
}

/* ---- the threads ---- */

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

/* NULL: the end. */
static struct work *next_work(struct workpool *pool)
{
	struct work *work;

	while (sem_wait(&pool->todo) != 0 && errno == EINTR)
		;
	if (pool->stopping)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	if (pool->first == NULL)
		pool->first = take(&pool->submitted);
	work = pool->first; /* analyzer: the semaphore counts what stands there */
	pool->first = work->next;
	pthread_mutex_unlock(&pool->lock);
	return work;
}

static void hand_back(struct workpool *pool, struct work *work)
{
	push(&pool->done, work);
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
		rest_us = budget_pay(&budget, pool->percent, cpu_us() - before_us);
		if (rest_us > 0)
			rest(pool, rest_us);
	}
	return NULL;
}

/* ---- the loop ---- */

static void apply_done(evutil_socket_t fd, short what, void *arg)
{
	struct workpool *pool = arg;
	struct work *next;
	eventfd_t n;

	(void)what;
	eventfd_read(fd, &n);
	for (struct work *work = take(&pool->done); work != NULL; work = next) {
		next = work->next;
		pool->queued--;
		work->apply(work); /* it may free the work, or submit it anew */
	}
}

bool workpool_submit(struct workpool *pool, struct work *work)
{
	if (pool->queued >= pool->queue_max)
		return false;
	pool->queued++;
	push(&pool->submitted, work);
	sem_post(&pool->todo);
	return true;
}

/* ---- life ---- */

static void stops_init(struct workpool *pool)
{
	pthread_condattr_t steady;

	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
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
	stops_init(pool);
	sem_init(&pool->todo, 0, 0);
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

	pool->percent = percent;
	for (int i = 0; i < pool->threads; i++)
		(void)pthread_setschedparam(pool->thread[i], SCHED_IDLE, &none);
}

static void threads_stop(struct workpool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->stops);
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->threads; i++)
		sem_post(&pool->todo);
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
	sem_destroy(&pool->todo);
	pthread_cond_destroy(&pool->stops);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
