/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark: what a node remembers beside the database, so that a database which has gone back (a
 * restored copy, a standby that had not received everything) is noticed before it issues again.
 *
 * It is a small file in the node's state folder: two slots of 4 KiB, written in turn, each with a
 * version, a sequence number and a SHA-256, so that a torn write leaves the slot before.  A node
 * whose old and new processes overlap has two writers: they lock the file, and what is higher
 * stays.
 */
#ifndef MARK_MARK_H
#define MARK_MARK_H

#include <stdint.h>

#include "base/error.h"

#define MARK_NUMBERS 8

struct mark {
	uint8_t ledger[16];	       /* the ledger issued from; zero: none yet */
	uint8_t jti[16];	       /* the last token known committed; zero: none yet */
	uint64_t number[MARK_NUMBERS]; /* room for the numbers of editions */
};

bool mark_has_jti(const struct mark *mark);

struct mark_file;

/* Open @folder/mark; what is not there is made, the folder too when its parent is there.  Answers
 * what it holds in @mark.  ERROR_INVALID: cannot be opened, or both slots are damaged. */
struct mark_file *mark_file_open(const char *folder, struct mark *mark,
				 struct error *error) MUST_CHECK;
/* Durable when it returns, which may take as long as the disk does.  Where another process has
 * written since, the higher numbers stay.  May run on a thread, one at a time. */
bool mark_file_write(struct mark_file *file, const struct mark *mark,
		     struct error *error) MUST_CHECK;
/* What another process of the node has written to the mark of the same ledger, where it is higher;
 * a slot that is being written is passed over.  May run on a thread beside mark_file_write(). */
void mark_file_look(const struct mark_file *file, struct mark *mark);
void mark_file_close(struct mark_file *file);

/* For tools: only look.  ERROR_NOT_FOUND when there is no mark. */
bool mark_read(const char *folder, struct mark *mark, struct error *error) MUST_CHECK;

#endif
