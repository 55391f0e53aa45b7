/* SPDX-License-Identifier: Apache-2.0 */
#include "mark/mark.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"

#define SLOTS	  2
#define SLOT_SIZE 4096 /* its own page: a torn write never reaches the other */
#define VERSION	  1

/* As it stands in the file: big-endian, zero up to the end of the slot. */
struct record {
	char magic[8];
	uint64_t version;
	uint64_t sequence;
	uint8_t ledger[16];
	uint8_t jti[16];
	uint64_t number[MARK_NUMBERS];
	uint8_t sha256[SHA256_LEN]; /* of all before it */
};

struct mark_file {
	int fd;
	char path[PATH_MAX];
	uint64_t sequence; /* of the slot that we read or wrote last */
};

static const char magic[8] = "STIPAMRK";

static_assert(sizeof(struct record) == 152 && sizeof(struct record) <= SLOT_SIZE, "no padding");

bool mark_has_jti(const struct mark *mark)
{
	static const uint8_t none[sizeof(mark->jti)];

	return memcmp(mark->jti, none, sizeof(none)) != 0;
}

/* ---- a slot ---- */

static void encode(const struct mark *mark, uint64_t sequence, uint8_t slot[SLOT_SIZE])
{
	struct record record = { .version = htobe64(VERSION), .sequence = htobe64(sequence) };

	memcpy(record.magic, magic, sizeof(magic));
	memcpy(record.ledger, mark->ledger, sizeof(record.ledger));
	memcpy(record.jti, mark->jti, sizeof(record.jti));
	for (int i = 0; i < MARK_NUMBERS; i++)
		record.number[i] = htobe64(mark->number[i]);
	sha256(&record, offsetof(struct record, sha256), record.sha256);
	memset(slot, 0, SLOT_SIZE);
	memcpy(slot, &record, sizeof(record));
}

static bool is_whole(const struct record *record)
{
	uint8_t digest[SHA256_LEN];

	sha256(record, offsetof(struct record, sha256), digest);
	return memcmp(record->magic, magic, sizeof(magic)) == 0 &&
	       be64toh(record->version) == VERSION &&
	       memcmp(record->sha256, digest, sizeof(digest)) == 0;
}

static void decode(const struct record *record, struct mark *mark)
{
	memcpy(mark->ledger, record->ledger, sizeof(mark->ledger));
	memcpy(mark->jti, record->jti, sizeof(mark->jti));
	for (int i = 0; i < MARK_NUMBERS; i++)
		mark->number[i] = be64toh(record->number[i]);
}

/* The newer of the slots that are whole. */
static bool read_newest(int fd, struct mark *mark, uint64_t *sequence)
{
	struct record record;
	bool found = false;

	for (int i = 0; i < SLOTS; i++) {
		if (pread(fd, &record, sizeof(record), (off_t)i * SLOT_SIZE) != sizeof(record) ||
		    !is_whole(&record))
			continue;
		if (found && be64toh(record.sequence) < *sequence)
			continue;
		found = true;
		*sequence = be64toh(record.sequence);
		decode(&record, mark);
	}
	return found;
}

/* ---- the file ---- */

static bool path_make(char path[PATH_MAX], const char *folder, const char *name,
		      struct error *error)
{
	if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return error_set(error, ERROR_INVALID, "%.80s…: the path is too long", folder);
	return true;
}

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

/* All or nothing: it has its name when both slots are in it. */
static bool make_empty(const char *folder, const char *path, struct error *error)
{
	static const struct mark none;
	uint8_t slots[SLOTS][SLOT_SIZE];
	char fresh[PATH_MAX];
	bool made;
	int fd;

	if (!path_make(fresh, folder, "mark.new", error))
		return false;
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return error_set(error, ERROR_INVALID, "%s: %s", folder, strerror(errno));
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(error, ERROR_INVALID, "%s: %s", fresh, strerror(errno));
	for (int i = 0; i < SLOTS; i++)
		encode(&none, (uint64_t)i, slots[i]);
	made = write(fd, slots, sizeof(slots)) == sizeof(slots) && fsync(fd) == 0;
	made = close(fd) == 0 && made && rename(fresh, path) == 0 && sync_folder(folder);
	return made || error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
}

static bool damaged(const char *path, struct error *error)
{
	return error_set(error, ERROR_INVALID,
			 "%s: damaged in both slots, or of a newer version; find out why, and move "
			 "it away to begin anew",
			 path);
}

static bool open_or_make(struct mark_file *file, const char *folder, struct error *error)
{
	file->fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (file->fd < 0 && errno == ENOENT) {
		if (!make_empty(folder, file->path, error))
			return false;
		file->fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	}
	return file->fd >= 0 ||
	       error_set(error, ERROR_INVALID, "%s: %s", file->path, strerror(errno));
}

struct mark_file *mark_file_open(const char *folder, struct mark *mark, struct error *error)
{
	struct mark_file *file = calloc(1, sizeof(*file));

	if (file == NULL) {
		error_set(error, ERROR_UNAVAILABLE, "no memory for the mark");
		return NULL;
	}
	file->fd = -1;
	if (path_make(file->path, folder, "mark", error) && open_or_make(file, folder, error) &&
	    (read_newest(file->fd, mark, &file->sequence) || damaged(file->path, error)))
		return file;
	mark_file_close(file);
	return NULL;
}

/* Somebody else's numbers may be higher than ours. */
static void raise_to(struct mark *mark, const struct mark *other)
{
	if (memcmp(other->jti, mark->jti, sizeof(mark->jti)) > 0)
		memcpy(mark->jti, other->jti, sizeof(mark->jti));
	for (int i = 0; i < MARK_NUMBERS; i++)
		if (other->number[i] > mark->number[i])
			mark->number[i] = other->number[i];
}

/* Into the slot that is not the newest. */
static bool write_locked(struct mark_file *file, struct mark mark, struct error *error)
{
	uint8_t slot[SLOT_SIZE];
	struct mark now = { 0 };
	uint64_t newest = 0, next;

	if (!read_newest(file->fd, &now, &newest))
		return damaged(file->path, error);
	if (newest != file->sequence)
		raise_to(&mark, &now);
	next = newest + 1;
	encode(&mark, next, slot);
	if (pwrite(file->fd, slot, sizeof(slot), (off_t)(next % SLOTS) * SLOT_SIZE) !=
		    sizeof(slot) ||
	    fdatasync(file->fd) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "%s: %s", file->path, strerror(errno));
	file->sequence = next;
	return true;
}

bool mark_file_write(struct mark_file *file, const struct mark *mark, struct error *error)
{
	bool written;

	if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
		return error_set(error, ERROR_UNAVAILABLE, "%s: %s", file->path,
				 errno == EWOULDBLOCK ? "another process writes it"
						      : strerror(errno));
	written = write_locked(file, *mark, error);
	flock(file->fd, LOCK_UN);
	return written;
}

void mark_file_look(const struct mark_file *file, struct mark *mark)
{
	struct mark now = { 0 };
	uint64_t newest = 0;

	if (read_newest(file->fd, &now, &newest) &&
	    memcmp(now.ledger, mark->ledger, sizeof(now.ledger)) == 0)
		raise_to(mark, &now);
}

void mark_file_close(struct mark_file *file)
{
	if (file == NULL)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

bool mark_read(const char *folder, struct mark *mark, struct error *error)
{
	char path[PATH_MAX];
	uint64_t sequence = 0;
	bool whole;
	int fd;

	if (!path_make(path, folder, "mark", error))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT
			       ? error_set_code(error, ERROR_NOT_FOUND, "not-found", "no mark: %s",
						path)
			       : error_set(error, ERROR_INVALID, "%s: %s", path, strerror(errno));
	whole = read_newest(fd, mark, &sequence);
	close(fd);
	return whole || damaged(path, error);
}
