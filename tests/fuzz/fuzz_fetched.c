/* SPDX-License-Identifier: Apache-2.0 */
/* What a server answers to stipactl: the body lies within the answer and ends with a NUL; sent
 * again in either form it is read the same, and one octet less is told. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/stipactl/fetch.h"

#define HEAD_MAX 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* @bytes as they would have been received. */
static bool parse(const void *bytes, size_t size, struct fetched *fetched)
{
	struct error error = { 0 };
	bool good;

	*fetched = (struct fetched){ .answer = malloc(size + 1) };
	require(fetched->answer != NULL);
	if (size > 0)
		memcpy(fetched->answer, bytes, size);
	fetched->answer[size] = '\0';
	good = fetched_parse(fetched, size, &error);
	require(good || error.kind == ERROR_UNAVAILABLE);
	if (!good)
		return false;
	require(fetched->status >= 100 && fetched->status <= 999);
	require(fetched->body >= fetched->answer + strlen("HTTP/1.1 200\r\n\r\n"));
	require(fetched->body + fetched->len <= fetched->answer + size);
	require(fetched->body[fetched->len] == '\0');
	return true;
}

static void check_again(const struct fetched *first, const char *head, const char *tail)
{
	size_t size = strlen(head) + first->len + strlen(tail);
	char *answer = malloc(size);
	fetched_auto again = { 0 }, cut = { 0 };

	require(answer != NULL);
	memcpy(answer, head, strlen(head));
	memcpy(answer + strlen(head), first->body, first->len);
	memcpy(answer + size - strlen(tail), tail, strlen(tail));
	require(parse(answer, size, &again));
	require(again.status == first->status && again.len == first->len);
	require(memcmp(again.body, first->body, first->len) == 0);
	require(!parse(answer, size - 1, &cut));
	free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fetched_auto fetched = { 0 };
	char head[HEAD_MAX];

	if (size > FETCH_MAX || !parse(data, size, &fetched))
		return 0;
	snprintf(head, sizeof(head), "HTTP/1.1 %d \r\nContent-Length: %zu\r\n\r\n", fetched.status,
		 fetched.len);
	check_again(&fetched, head, "");
	snprintf(head, sizeof(head), "HTTP/1.1 %d \r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
		 fetched.status, fetched.len);
	check_again(&fetched, head, fetched.len == 0 ? "\r\n" : "\r\n0\r\n\r\n");
	return 0;
}
