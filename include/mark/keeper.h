/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the mark of a process: exact in memory, on disk within a second of its first change, by a
 * thread, and at the end.  Every 2 s it looks at the disk, where the process of an older or newer
 * generation may have written a higher one.
 *
 * What that pace leaves: a database that comes back older while the process lives is held against
 * memory, and a missing token is always noticed.  Only when the process dies without its last
 * write (SIGKILL, power) and the database comes back as it was within that last second, tokens of
 * that second may be missing unnoticed.
 */
#ifndef MARK_KEEPER_H
#define MARK_KEEPER_H

#include "mark/mark.h"

struct event_base;
struct log;
struct mark_keeper;

/* Opens the file.  @log is borrowed. */
struct mark_keeper *mark_keeper_new(struct event_base *base, const char *folder,
				    const struct log *log, struct error *error) MUST_CHECK;

const struct mark *mark_keeper_mark(const struct mark_keeper *keeper);

/* This token is committed, after all noted before. */
void mark_keeper_note_jti(struct mark_keeper *keeper, const uint8_t jti[16]);
void mark_keeper_note_ledger(struct mark_keeper *keeper, const uint8_t ledger[16]);

/* Write now what is not written yet. */
void mark_keeper_hurry(struct mark_keeper *keeper);

/* Why a change has not reached the disk for 10 s; NULL as a rule. */
const char *mark_keeper_why_late(const struct mark_keeper *keeper);

void mark_keeper_free(struct mark_keeper *keeper); /* writes, and waits for it */

#endif
