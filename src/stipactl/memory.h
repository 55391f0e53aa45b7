/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory stipactl ends, at once and with a line that says so: a command that is a program
 * of its own has nothing to keep alive, and an answer of which a part is missing would be worse
 * than none.  What the database has not committed by then it undoes.
 */
#ifndef STIPACTL_MEMORY_H
#define STIPACTL_MEMORY_H

/* From here on this holds for all that jansson allocates; before anything else does. */
void memory_of_json(void);

/* What was allocated, or the end. */
void *memory_or_end(void *memory);

#endif
