/* SPDX-License-Identifier: Apache-2.0 */
#include "json_body.h"

#include <string.h>

#include "edge/token_parse.h"
#include "http/request.h"

#define DEPTH_MAX 16 /* RFC 8259 section 9 lets us; {"atc":{…}} has 2 */

bool json_is_shallow(const char *body, size_t len)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string && body[i] == '\\')
			i++;
		else if (body[i] == '"')
			in_string = !in_string;
		else if (!in_string && (body[i] == '{' || body[i] == '['))
			depth++;
		else if (!in_string && (body[i] == '}' || body[i] == ']') && depth > 0)
			depth--;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

static bool refuse(struct error *error, const char *code, const char *why)
{
	return error_set_code(error, ERROR_INVALID, code, "%s", why);
}

static bool load(const char *body, size_t len, json_t **value, struct error *error)
{
	json_error_t fault = { 0 };

	if (len == 0 || !json_is_shallow(body, len))
		return refuse(error, "json", "body: not JSON (RFC 8259)");
	*value = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
	if (*value != NULL)
		return true;
	if (json_error_code(&fault) == json_error_duplicate_key)
		return refuse(error, "duplicate-member", "body: a member stands twice");
	return refuse(error, "json", "body: not JSON (RFC 8259)");
}

json_t *json_body_read(const struct http_request *http, struct error *error)
{
	json_t *value = NULL;
	size_t len;
	const char *body = http_body(http, &len);

	if (!media_type_is_json(http_header(http, "content-type"))) {
		refuse(error, "media-type", "Content-Type: want application/json");
		return NULL;
	}
	if (load(body, len, &value, error) && !json_is_object(value))
		refuse(error, "not-an-object", "body: want a JSON object");
	if (error->kind == ERROR_NONE)
		return value;
	json_decref(value);
	return NULL;
}

const char *json_body_text(const json_t *object, const struct json_text *text, struct error *error)
{
	const json_t *value = json_object_get(object, text->name);

	if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
		error_set_code(error, ERROR_INVALID, text->missing, "%s: missing", text->name);
	else if (!json_is_string(value))
		error_set_code(error, ERROR_INVALID, text->type, "%s: want a string", text->name);
	else
		return json_string_value(value);
	return NULL;
}

void json_text_wipe(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value))
		explicit_bzero((char *)json_string_value(value), json_string_length(value));
}
