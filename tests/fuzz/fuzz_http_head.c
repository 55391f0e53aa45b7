/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int held)
{
	if (!held)
		abort();
}

static void spans_lie_within(const struct http_head *head)
{
	must((size_t)head->path.at + head->path.len <= head->len && head->path.len > 0);
	must((size_t)head->query.at + head->query.len <= head->len);
	must((size_t)head->host.at + head->host.len <= head->len && head->host.len <= 255);
	for (size_t i = 0; i < head->n_fields; i++)
		must((size_t)head->fields[i].value.at + head->fields[i].value.len <= head->len);
}

/* Every beginning of a short head; of a long one those of its start and its end, and some between.
 */
static size_t after(size_t n, size_t size)
{
	return n < 256 || n + 64 > size ? n + 1 : n + 61;
}

/* Nothing is taken that does not end in CRLF CRLF, and a beginning that was judged is judged the
 * same with all that follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum http_head_result said = HTTP_HEAD_MORE;
	struct http_head first = { 0 }, head;
	char path[HTTP_HEAD_MAX];

	for (size_t n = 0; n <= size && n <= HTTP_HEAD_MAX + 2; n = after(n, size)) {
		enum http_head_result result = http_head_parse(data, n, &head);

		must(said == HTTP_HEAD_MORE ||
		     (result == said && memcmp(&head, &first, sizeof(head)) == 0));
		if (result == HTTP_HEAD_COMPLETE) {
			must(head.len <= n && memcmp(data + head.len - 4, "\r\n\r\n", 4) == 0);
			spans_lie_within(&head);
			http_path_decode((const char *)data + head.path.at, head.path.len, path);
		}
		said = result;
		first = head;
	}
	return 0;
}
