/* SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"

#include <stdlib.h>

#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>

static enum failing how_to_fail;
static long fails_at; /* this one from now on, counted down; 0: none */
static int held;
static long n_failed, live;

static bool must_fail(void)
{
	if (held > 0 || fails_at == 0 || --fails_at > 0)
		return false;
	if (how_to_fail == FAILING_ONWARD)
		fails_at = 1;
	n_failed++;
	return true;
}

/* ---- our own, by the names that ld gives them ---- */

/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *memory);

static void *counted(void *memory)
{
	live += memory != NULL;
	return memory;
}

void *__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
	bool was = memory != NULL;
	void *changed = must_fail() ? NULL : __real_realloc(memory, size);

	live += changed != NULL && !was;
	return changed;
}

char *__wrap_strdup(const char *text)
{
	return must_fail() ? NULL : counted(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t max)
{
	return must_fail() ? NULL : counted(__real_strndup(text, max));
}

void __wrap_free(void *memory)
{
	live -= memory != NULL;
	__real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- OpenSSL's, which are not counted ---- */

static void *crypto_take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size == 0 || must_fail() ? NULL : __real_malloc(size);
}

static void *crypto_change(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	if (size == 0) {
		__real_free(memory);
		return NULL;
	}
	return must_fail() ? NULL : __real_realloc(memory, size);
}

static void crypto_give(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	__real_free(memory);
}

bool failing_set_hooks(void)
{
	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	event_set_mem_functions(__wrap_malloc, __wrap_realloc, __wrap_free);
	return CRYPTO_set_mem_functions(crypto_take, crypto_change, crypto_give) == 1;
}

/* ---- torture ---- */

void failing_stop(void)
{
	fails_at = 0;
}

void failing_hold(bool hold)
{
	held += hold ? 1 : -1;
}

void failing_start(long first, enum failing how)
{
	how_to_fail = how;
	fails_at = first;
	n_failed = 0;
}

long failing_count(void)
{
	return n_failed;
}

static long lost_of(void (*scenario)(void), long first, enum failing how)
{
	long before = live;

	failing_start(first, how);
	scenario();
	fails_at = 0;
	held = 0;
	return live - before;
}

struct torture torture(void (*scenario)(void), enum failing how)
{
	struct torture seen = { 0 };

	scenario(); /* what a library makes once and keeps */
	seen.lost = lost_of(scenario, 0, how);
	for (long at = 1;; at++) {
		seen.lost += labs(lost_of(scenario, at, how));
		if (n_failed == 0)
			return seen;
		seen.allocations++;
	}
}
