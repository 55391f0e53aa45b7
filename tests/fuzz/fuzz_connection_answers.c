/* SPDX-License-Identifier: Apache-2.0 */
/* What a server has answered on one wire, read as a client would. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem() */
#endif
#include "fuzz_connection.h"

#include <stdlib.h>
#include <string.h>

static const char *find(const char *text, const char *end, const char *what)
{
	return memmem(text, (size_t)(end - text), what, strlen(what));
}

static size_t length_of(const char *head, const char *end)
{
	const char *at = find(head, end, "\r\nContent-Length: ");

	return at != NULL ? strtoul(at + 18, NULL, 10) : 0;
}

/* The numbers of the handlers' answers, each once and upwards. */
static void check_number(const char *head, const char *end, unsigned int newest, unsigned int *last)
{
	const char *at = find(head, end, "\r\nX-Number: ");
	unsigned int number;

	if (at == NULL)
		return;
	number = (unsigned int)strtoul(at + 12, NULL, 16);
	want(number > *last && number <= newest);
	*last = number;
}

/* Answers, whole but for the last one, and none after one that closes.  No body of ours begins like
 * an answer: then it is that of HEAD, which has none. */
void check_answers(const struct wire *wire, unsigned int answers_max, unsigned int newest)
{
	const char *at = wire->out, *end = wire->out + wire->out_len;
	unsigned int finals = 0, last = 0;
	bool closed = false;

	while (at < end) {
		const char *body = find(at, end, "\r\n\r\n");
		size_t left, len;

		want(!closed);
		want(strncmp(at, "HTTP/1.1 ", (size_t)(end - at) < 9 ? (size_t)(end - at) : 9) ==
		     0);
		if (body == NULL)
			break;
		body += 4;
		if (strncmp(at, "HTTP/1.1 100 ", 13) == 0) {
			at = body;
			continue;
		}
		check_number(at, body, newest, &last);
		closed = find(at, body, "\r\nConnection: close\r\n") != NULL;
		left = (size_t)(end - body);
		len = left >= 9 && strncmp(body, "HTTP/1.1 ", 9) == 0 ? 0 : length_of(at, body);
		at = body + (len < left ? len : left);
		finals++;
	}
	want(finals <= answers_max);
}
