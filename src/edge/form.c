/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/form.h"

#include <string.h>

#include "media_type.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at @text stands for; -1 when there is none, or it is a control. */
static int escape_value(const char *text, size_t left)
{
	int high = left < 3 ? -1 : hex_value(text[1]);
	int low = left < 3 ? -1 : hex_value(text[2]);
	int value = high * 16 + low;

	return high < 0 || low < 0 || value < ' ' || value == 0x7f ? -1 : value;
}

bool form_decode(char *text, size_t len, size_t *decoded)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		int value = (unsigned char)text[i];

		if (value <= ' ' || value > '~')
			return false;
		if (value == '+')
			value = ' ';
		if (value == '%') {
			value = escape_value(text + i, len - i);
			i += 2;
		}
		if (value < 0)
			return false;
		text[out++] = (char)value;
	}
	*decoded = out;
	return true;
}

/* ---- parameters ---- */

static bool refuse(struct error *error, const char *why)
{
	return error_set_code(error, ERROR_INVALID, "invalid_request", "body: %s", why);
}

static const struct form_parameter *find(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++)
		if (strcmp(form->parameters[i].name, name) == 0)
			return &form->parameters[i];
	return NULL;
}

/* One text of @len bytes, which something stands behind that may be overwritten. */
static const char *take_text(char *text, size_t len)
{
	size_t decoded;

	if (!form_decode(text, len, &decoded))
		return NULL;
	text[decoded] = '\0';
	return text;
}

/* The first "=" ends the name. */
static bool take_pair(char *pair, size_t len, struct form *form, struct error *error)
{
	char *equals = memchr(pair, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - pair);
	size_t value_len = equals == NULL ? 0 : len - name_len - 1;
	const char *value = equals == NULL ? "" : take_text(equals + 1, value_len);
	const char *name = take_text(pair, name_len);

	if (name == NULL || value == NULL)
		return refuse(error, "not application/x-www-form-urlencoded");
	if (find(form, name) != NULL)
		return refuse(error, "a parameter stands twice");
	if (form->n == FORM_PARAMETERS_MAX)
		return refuse(error, "too many parameters");
	form->parameters[form->n++] = (struct form_parameter){ name, value };
	return true;
}

bool form_parse(char *body, size_t len, struct form *form, struct error *error)
{
	size_t at = 0;

	form->n = 0;
	while (at < len) {
		char *amp = memchr(body + at, '&', len - at);
		size_t pair = amp == NULL ? len - at : (size_t)(amp - body) - at;

		if (pair > 0 && !take_pair(body + at, pair, form, error))
			return false;
		at += pair + 1;
	}
	return true;
}

const char *form_value(const struct form *form, const char *name)
{
	const struct form_parameter *parameter = find(form, name);

	return parameter != NULL && parameter->value[0] != '\0' ? parameter->value : NULL;
}

bool media_type_is_form(const char *content_type)
{
	return content_type != NULL &&
	       media_type_is(content_type, "application/x-www-form-urlencoded");
}
