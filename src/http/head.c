/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include <string.h>
#include <strings.h>

#include "head_text.h"

/* Reads from left to right and stops at the first thing that is wrong, so that no later byte can
 * change what was said.  What concerns one line is judged when that line is complete. */
struct parse {
	const char *bytes;
	size_t at, end;
	unsigned int seen; /* bits of fields_known */
	struct http_head *head;
};

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
};
#define N_METHODS (sizeof(method_names) / sizeof(method_names[0]))

const char *http_method_name(enum http_method method)
{
	return method_names[method];
}

static bool refuse(struct parse *p, int status, const char *why)
{
	p->head->status = status;
	p->head->why = why;
	return false;
}

static bool span_is(const struct parse *p, struct http_span span, const char *text)
{
	return strlen(text) == span.len && memcmp(p->bytes + span.at, text, span.len) == 0;
}

static bool span_is_any_case(const struct parse *p, struct http_span span, const char *text)
{
	return strlen(text) == span.len && strncasecmp(p->bytes + span.at, text, span.len) == 0;
}

static struct http_span span_from_to(size_t from, size_t to)
{
	return (struct http_span){ .at = (uint16_t)from, .len = (uint16_t)(to - from) };
}

/* ---- the request line ---- */

static bool take_method(struct parse *p, struct http_span method)
{
	for (size_t i = 0; i < N_METHODS; i++) {
		if (span_is(p, method, method_names[i])) {
			p->head->method = (enum http_method)i;
			return true;
		}
	}
	if (method.len == 0)
		return refuse(p, 400, "malformed request line");
	for (size_t i = 0; i < method.len; i++)
		if (!is_token(p->bytes[method.at + i]))
			return refuse(p, 400, "malformed request line");
	return refuse(p, 501, "method not supported");
}

static bool take_target(struct parse *p, struct http_span target)
{
	const char *text = p->bytes + target.at;
	const char *mark = memchr(text, '?', target.len);
	size_t path_len = mark != NULL ? (size_t)(mark - text) : target.len;
	size_t query_at = mark != NULL ? path_len + 1 : path_len;
	const char *fault;

	if (target.len == 0 || text[0] != '/')
		return refuse(p, 400, "target is not a path");
	p->head->path = span_from_to(target.at, target.at + path_len);
	p->head->query = span_from_to(target.at + query_at, (size_t)target.at + target.len);
	fault = path_fault(text, path_len);
	if (fault == NULL)
		fault = query_fault(text + query_at, target.len - query_at);
	return fault == NULL || refuse(p, 400, fault);
}

static bool take_version(struct parse *p, struct http_span version)
{
	if (memchr(p->bytes + version.at, ' ', version.len) != NULL || version.len == 0)
		return refuse(p, 400, "malformed request line");
	if (!span_is(p, version, "HTTP/1.1"))
		return refuse(p, 505, "only HTTP/1.1 is spoken here");
	return true;
}

/* RFC 9112 section 3: method SP target SP version, one blank each. */
static bool take_request_line(struct parse *p, struct http_span line)
{
	const char *text = p->bytes + line.at;
	const char *first = memchr(text, ' ', line.len);
	const char *second;
	size_t a, b, end = (size_t)line.at + line.len;

	if (first == NULL)
		return refuse(p, 400, "malformed request line");
	a = line.at + (size_t)(first - text);
	second = memchr(first + 1, ' ', end - a - 1);
	if (second == NULL)
		return refuse(p, 400, "malformed request line");
	b = line.at + (size_t)(second - text);
	return take_method(p, span_from_to(line.at, a)) &&
	       take_version(p, span_from_to(b + 1, end)) && take_target(p, span_from_to(a + 1, b));
}

/* ---- fields that mean something here ---- */

static bool take_host(struct parse *p, struct http_span value)
{
	const char *text = p->bytes + value.at;
	size_t name_len = value.len;

	while (name_len > 0 && is_digit(text[name_len - 1]))
		name_len--;
	if (name_len > 0 && text[name_len - 1] == ':') {
		if (!port_is_fair(text + name_len, value.len - name_len))
			return refuse(p, 400, "malformed Host");
		name_len--;
	} else {
		name_len = value.len;
	}
	if (!host_name_is_fair(text, name_len))
		return refuse(p, 400, "malformed Host");
	p->head->host = span_from_to(value.at, value.at + name_len);
	return true;
}

static bool take_content_length(struct parse *p, struct http_span value)
{
	const char *text = p->bytes + value.at;
	size_t length = 0;

	for (size_t i = 0; i < value.len; i++)
		if (!is_digit(text[i]))
			return refuse(p, 400, "malformed Content-Length");
	if (value.len == 0 || (value.len > 1 && text[0] == '0'))
		return refuse(p, 400, "malformed Content-Length");
	if (value.len > 7)
		return refuse(p, 413, "the body is too long");
	for (size_t i = 0; i < value.len; i++)
		length = length * 10 + (size_t)(text[i] - '0');
	p->head->content_length = length;
	return true;
}

static bool take_connection(struct parse *p, struct http_span value)
{
	size_t end = (size_t)value.at + value.len;

	for (size_t at = value.at; at < end;) {
		size_t from = at, to;

		while (at < end && p->bytes[at] != ',')
			at++;
		to = at++;
		while (from < to && is_blank(p->bytes[from]))
			from++;
		while (to > from && is_blank(p->bytes[to - 1]))
			to--;
		if (span_is_any_case(p, span_from_to(from, to), "close"))
			p->head->close = true;
	}
	return true;
}

static bool take_expect(struct parse *p, struct http_span value)
{
	if (!span_is_any_case(p, value, "100-continue"))
		return refuse(p, 417, "only 100-continue may be expected");
	p->head->expects_continue = true;
	return true;
}

static bool take_unsupported(struct parse *p, struct http_span value)
{
	(void)value;
	return refuse(p, 501, "transfer codings, trailers and upgrades are not supported");
}

static const struct field_known {
	const char *name;
	bool once;
	bool (*take)(struct parse *p, struct http_span value);
} fields_known[] = {
	/* clang-format off */
	{ "Host",              true,  take_host },
	{ "Content-Length",    true,  take_content_length },
	{ "Content-Type",      true,  NULL },
	{ "Authorization",     true,  NULL },
	{ "Cookie",            true,  NULL },
	{ "Origin",            true,  NULL },
	{ "Connection",        true,  take_connection },
	{ "Idempotency-Key",   true,  NULL },
	{ "Expect",            true,  take_expect },
	{ "Transfer-Encoding", false, take_unsupported },
	{ "TE",                false, take_unsupported },
	{ "Trailer",           false, take_unsupported },
	{ "Upgrade",           false, take_unsupported },
	/* clang-format on */
};
#define N_KNOWN (sizeof(fields_known) / sizeof(fields_known[0]))
enum { KNOWN_HOST, KNOWN_CONTENT_LENGTH }; /* places in the table */

static bool heed_field(struct parse *p, const struct http_head_field *field)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		const struct field_known *known = &fields_known[i];

		if (!span_is_any_case(p, field->name, known->name))
			continue;
		if (known->once && (p->seen & 1U << i))
			return refuse(p, 400, "a field stands twice that may stand once");
		p->seen |= 1U << i;
		return known->take == NULL || known->take(p, field->value);
	}
	return true;
}

/* RFC 9112 section 5: no blank before the colon, no line that continues another. */
static bool take_field_line(struct parse *p, struct http_span line)
{
	struct http_head_field *field;
	size_t end = (size_t)line.at + line.len;
	size_t colon = line.at;

	if (p->head->n_fields == HTTP_FIELDS_MAX)
		return refuse(p, 431, "too many fields");
	while (colon < end && is_token(p->bytes[colon]))
		colon++;
	if (colon == line.at || colon == end || p->bytes[colon] != ':')
		return refuse(p, 400, "malformed field name");
	field = &p->head->fields[p->head->n_fields++];
	field->name = span_from_to(line.at, colon);
	colon++;
	while (colon < end && is_blank(p->bytes[colon]))
		colon++;
	while (end > colon && is_blank(p->bytes[end - 1]))
		end--;
	field->value = span_from_to(colon, end);
	return heed_field(p, field);
}

/* ---- the whole ---- */

/* What can be said only when all fields are known. */
static bool take_end(struct parse *p)
{
	struct http_head *head = p->head;
	bool has_length = p->seen & 1U << KNOWN_CONTENT_LENGTH;
	bool carries =
		head->method == HTTP_POST || head->method == HTTP_PUT || head->method == HTTP_PATCH;

	if (!(p->seen & 1U << KNOWN_HOST))
		return refuse(p, 400, "no Host");
	if (carries && !has_length)
		return refuse(p, 411, "no Content-Length");
	if (!carries && head->content_length > 0)
		return refuse(p, 400, "this method takes no body");
	head->len = p->at;
	return true;
}

enum line { LINE_MORE, LINE_MALFORMED, LINE_READY };

/* A byte that no line may hold is refused before the line is complete. */
static enum line next_line(struct parse *p, struct http_span *line)
{
	size_t i = p->at;

	while (i < p->end && is_text(p->bytes[i]))
		i++;
	if (i == p->end)
		return LINE_MORE;
	if (p->bytes[i] != '\r')
		return LINE_MALFORMED;
	if (i + 1 == p->end)
		return LINE_MORE;
	if (p->bytes[i + 1] != '\n')
		return LINE_MALFORMED;
	*line = span_from_to(p->at, i);
	p->at = i + 2;
	return LINE_READY;
}

static bool take_line(struct parse *p, struct http_span line, bool first)
{
	if (first)
		return take_request_line(p, line);
	return line.len == 0 ? take_end(p) : take_field_line(p, line);
}

enum http_head_result http_head_parse(const void *bytes, size_t len, struct http_head *head)
{
	struct parse p = { .bytes = bytes,
			   .end = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX,
			   .head = head };
	struct http_span line;
	enum line next;

	memset(head, 0, sizeof(*head));
	for (bool first = true; (next = next_line(&p, &line)) == LINE_READY; first = false) {
		if (!take_line(&p, line, first))
			return HTTP_HEAD_REFUSED;
		if (head->len > 0)
			return HTTP_HEAD_COMPLETE;
	}
	if (next == LINE_MALFORMED) {
		refuse(&p, 400, "malformed line");
		return HTTP_HEAD_REFUSED;
	}
	if (len < HTTP_HEAD_MAX)
		return HTTP_HEAD_MORE;
	refuse(&p, 431, "the head is too long");
	return HTTP_HEAD_REFUSED;
}
