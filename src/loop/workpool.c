/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SCHED_IDLE */
#include "loop/workpool.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

STAILQ_HEAD(work_queue, work);

struct workpool {
	pthread_mutex_t lock; /* guards todo, done, queued and stopping */
	pthread_cond_t todo_grew;
	struct work_queue todo;
	struct work_queue done;
	int queued;
	bool stopping;

	int queue_max;
	int wake_fd; /* a thread writes, the loop reads */
	struct event *wake;
	int threads;
	pthread_t thread[];
};

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
	struct work *work;

	while ((work = next_work(pool)) != NULL) {
		work->perform(work);
		hand_back(pool, work);
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

struct workpool *workpool_new(struct event_base *base, int threads, int queue_max)
{
	struct workpool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->thread[0]));

	if (pool == NULL)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->todo_grew, NULL);
	STAILQ_INIT(&pool->todo);
	STAILQ_INIT(&pool->done);
	pool->queue_max = queue_max;
	pool->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pool->wake = event_new(base, pool->wake_fd, EV_READ | EV_PERSIST, apply_done, pool);
	event_add(pool->wake, NULL);
	while (pool->threads < threads &&
	       pthread_create(&pool->thread[pool->threads], NULL, worker, pool) == 0)
		pool->threads++;
	return pool;
}

/* A lower class than the loop's: whoever floods us with such work slows that work down. */
void workpool_give_way(struct workpool *pool)
{
	const struct sched_param none = { 0 };

	for (int i = 0; i < pool->threads; i++)
		(void)pthread_setschedparam(pool->thread[i], SCHED_IDLE, &none);
}

void workpool_free(struct workpool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->todo_grew);
	pthread_mutex_unlock(&pool->lock);
	for (int i = 0; i < pool->threads; i++)
		pthread_join(pool->thread[i], NULL);
	event_free(pool->wake);
	close(pool->wake_fd);
	pthread_cond_destroy(&pool->todo_grew);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
