/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <limits.h>
#include <string.h>

#define WORD_MAX 40
#define FAR	 2

/* Levenshtein's distance, or FAR + 1 for what is too long to be a word of ours. */
static int distance(const char *a, const char *b)
{
	size_t n = strlen(b);
	int row[WORD_MAX + 1];

	if (strlen(a) > WORD_MAX || n > WORD_MAX)
		return FAR + 1;
	for (size_t j = 0; j <= n; j++)
		row[j] = (int)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		int diagonal = row[0];

		row[0] = (int)i + 1;
		for (size_t j = 0; j < n; j++) {
			int change = diagonal + (a[i] != b[j]);
			int other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			diagonal = row[j + 1];
			row[j + 1] = change < other ? change : other;
		}
	}
	return row[n];
}

struct nearest nearest_to(const char *text)
{
	return (struct nearest){ .text = text, .distance = INT_MAX };
}

void nearest_offer(struct nearest *nearest, const char *word)
{
	size_t len = strlen(nearest->text);
	int d = len >= 2 && strncmp(nearest->text, word, len) == 0 ? 1
								   : distance(nearest->text, word);

	if (d > FAR || d >= nearest->distance || d >= (int)strlen(word))
		return;
	nearest->best = word;
	nearest->distance = d;
}
