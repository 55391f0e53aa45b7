/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/token_answer.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/bytes.h"
#include "base/json_text.h"
#include "config/config.h"

#define BEFORE_SPC   "{\"status\":\"success\",\"message\":\"SPC token for SPC "
#define BEFORE_TOKEN " created\",\"token\":\""

struct token_answer {
	char *after[2]; /* the token: its quotation mark, crl and iss; [1] for deployed clients */
	size_t after_len[2];
};

static const char *text_or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static bool end_write(struct token_answer *answer, int deployed, const char *crl, const char *iss,
		      struct error *error)
{
	json_auto_t *json = json_pack("{ssss}", "crl", crl, "iss", text_or_empty(iss));
	char *text = json_text(json);

	if (text == NULL)
		return error_set(error, ERROR_INVALID, "crl_url or crl_issuer: not UTF-8");
	answer->after_len[deployed] = strlen(text) + 1;
	answer->after[deployed] = malloc(answer->after_len[deployed] + 1);
	if (answer->after[deployed] != NULL) {
		memcpy(answer->after[deployed], "\",", 2);
		strcpy(answer->after[deployed] + 2, text + 1); /* without its brace */
	}
	free(text);
	return answer->after[deployed] != NULL ||
	       error_set(error, ERROR_UNAVAILABLE, "out of memory");
}

struct token_answer *token_answer_new(const struct config *config, struct error *error)
{
	struct token_answer *answer = calloc(1, sizeof(*answer));
	const char *crl = text_or_empty(config->crl_url);
	const char *deployed = config->crl_url_download == NULL ? crl : config->crl_url_download;

	if (answer == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	if (end_write(answer, 0, crl, config->crl_issuer, error) &&
	    end_write(answer, 1, deployed, config->crl_issuer, error))
		return answer;
	token_answer_free(answer);
	return NULL;
}

void token_answer_free(struct token_answer *answer)
{
	if (answer == NULL)
		return;
	free(answer->after[0]);
	free(answer->after[1]);
	free(answer);
}

static char *put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

char *token_answer_write(const struct token_answer *answer, bool deployed, const char *spc,
			 const char *token, size_t *len)
{
	size_t spc_len = strlen(spc), token_len = strlen(token);
	size_t after_len = answer->after_len[deployed];
	char *body, *to;

	*len = sizeof(BEFORE_SPC) - 1 + spc_len + sizeof(BEFORE_TOKEN) - 1 + token_len + after_len;
	body = bytes_are_plain(spc, spc_len) && bytes_are_plain(token, token_len) ? malloc(*len + 1)
										  : NULL;
	if (body == NULL)
		return NULL;
	to = put(body, BEFORE_SPC, sizeof(BEFORE_SPC) - 1);
	to = put(to, spc, spc_len);
	to = put(to, BEFORE_TOKEN, sizeof(BEFORE_TOKEN) - 1);
	to = put(to, token, token_len);
	put(to, answer->after[deployed], after_len + 1);
	return body;
}
