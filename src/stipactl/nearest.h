/* SPDX-License-Identifier: Apache-2.0 */
/* Which known word did somebody mean? */
#ifndef STIPACTL_NEAREST_H
#define STIPACTL_NEAREST_H

struct nearest {
	const char *text;
	const char *best; /* NULL: nothing is near */
	int distance;
};

struct nearest nearest_to(const char *text);
/* Take @word when it is nearer than what was offered before, and at most two letters away or a
 * longer spelling of the text. */
void nearest_offer(struct nearest *nearest, const char *word);

#endif
