/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: files, disks, limits. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command.h"
#include "doctor.h"

#define FILES_SPARE 128 /* descriptors of an edge that are no connection */

void doctor_environment(struct doctor *doctor)
{
	const char *ours = doctor->ctl->settings.environment;
	const char *node = doctor->config->environment;

	if (ours == NULL)
		doctor_find(doctor, FOUND_WARNING, "say 'environment' in stipactl.conf", "%s; %s",
			    node, "stipactl.conf names none");
	else if (strcmp(ours, node) != 0)
		doctor_find(doctor, FOUND_FAILED, "let stipad.conf and stipactl.conf say the same",
			    "the node is of %s, stipactl.conf of %s", node, ours);
	else
		doctor_find(doctor, FOUND_OK, "", "%s", node);
}

/* ---- modes ---- */

/* Wrong when @path has one of the bits of @forbidden; answers whether it was. */
static bool wrong_mode(struct doctor *doctor, const char *path, mode_t forbidden, const char *to_do)
{
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 || (st.st_mode & forbidden) == 0)
		return false; /* who needs the file says that it is missing */
	doctor_find(doctor, FOUND_FAILED, to_do, "%s: mode %04o", path,
		    (unsigned int)(st.st_mode & 07777));
	return true;
}

static bool is_credential(const char *path)
{
	return strncmp(path, "/run/credentials/", strlen("/run/credentials/")) == 0;
}

static bool wrong_mode_of_secret(struct doctor *doctor, const char *path)
{
	mode_t forbidden = is_credential(path) ? 0337 : 0177;

	return wrong_mode(doctor, path, forbidden,
			  "chmod 600: nobody but its owner may read it; if others did, replace it");
}

void doctor_modes(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	const char *const secrets[] = { config->signer_key, config->signer_passphrase,
					config->tls_key };
	const char *const others[] = { doctor->config_file, config->signer_certificate,
				       config->tls_certificate, config->certificates };
	int wrong = 0;

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		wrong += wrong_mode_of_secret(doctor, secrets[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		wrong += wrong_mode(doctor, others[i], S_IWGRP | S_IWOTH,
				    "chmod go-w: others may not change it");
	if (wrong == 0)
		doctor_find(doctor, FOUND_OK, "",
			    "keys and passphrase are private, the rest is "
			    "its owner's to write");
}

/* ---- disk ---- */

/* The folder of the database's socket, when it has one. */
static const char *socket_folder(const struct doctor *doctor)
{
	const char *host = doctor->node != NULL ? PQhost(doctor->node) : NULL;

	return host != NULL && host[0] == '/' ? host : NULL;
}

struct disk {
	const char *what;
	char path[PATH_MAX];
	dev_t device;
};

/* The nearest folder that is there. */
static bool disk_of(struct disk *disk, const char *what, const char *path)
{
	struct stat st;

	if (path == NULL || strlen(path) >= sizeof(disk->path))
		return false;
	disk->what = what;
	strcpy(disk->path, path);
	while (stat(disk->path, &st) != 0) {
		char parent[PATH_MAX];

		strcpy(parent, disk->path);
		strcpy(disk->path, dirname(parent));
		if (strcmp(disk->path, "/") == 0 || strcmp(disk->path, ".") == 0)
			break;
	}
	disk->device = stat(disk->path, &st) == 0 ? st.st_dev : 0;
	return true;
}

static void find_disk(struct doctor *doctor, const struct disk *disk)
{
	struct statvfs fs;
	uint64_t free_mib;

	if (statvfs(disk->path, &fs) != 0) {
		doctor_find(doctor, FOUND_WARNING, "see whether it is there", "%s: %s", disk->path,
			    strerror(errno));
		return;
	}
	free_mib = (uint64_t)fs.f_bavail * fs.f_frsize / (1024 * 1024);
	doctor_find(doctor, free_mib < (uint64_t)doctor->disk_mib ? FOUND_FAILED : FOUND_OK,
		    free_mib < (uint64_t)doctor->disk_mib ? "make room, or give it a disk" : "",
		    "%s (%s): %" PRIu64 " MiB free", disk->path, disk->what, free_mib);
}

/* A disk that several paths lie on is looked at once. */
void doctor_disk(struct doctor *doctor)
{
	const struct {
		const char *what, *path;
	} places[] = {
		{ "database", socket_folder(doctor) },
		{ "local socket", doctor->config->local_socket },
		{ "certificates", doctor->config->certificates },
		{ "log", "/var/log" },
	};
	struct disk disks[sizeof(places) / sizeof(places[0])];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		bool is_new = disk_of(&disks[n], places[i].what, places[i].path);

		for (size_t j = 0; is_new && j < n; j++)
			is_new = disks[j].device != disks[n].device;
		if (is_new)
			find_disk(doctor, &disks[n++]);
	}
}

/* ---- limits ---- */

/* "Max open files            1024                 524288               files": the hard one, for
 * stipad raises the soft one to it. */
static bool limit_of_process(pid_t pid, unsigned long long *limit)
{
	char path[64], line[256], hard[32];
	FILE *file;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	file = fopen(path, "re");
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = sscanf(line, "Max open files %*s %31s", hard) == 1;
	if (file != NULL)
		fclose(file);
	if (found)
		*limit = strcmp(hard, "unlimited") == 0 ? ULLONG_MAX : strtoull(hard, NULL, 10);
	return found;
}

static bool limit_of_ours(unsigned long long *limit)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return false;
	*limit = files.rlim_max == RLIM_INFINITY ? ULLONG_MAX : files.rlim_max;
	return true;
}

void doctor_limits(struct doctor *doctor)
{
	unsigned long long needed =
		(unsigned long long)doctor->config->connections_max + FILES_SPARE;
	unsigned long long limit = 0;
	bool of_node = doctor->node_pid > 0 && limit_of_process(doctor->node_pid, &limit);

	if (!of_node && !limit_of_ours(&limit))
		return;
	/* the node makes do with fewer connections, and says so in its log */
	doctor_find(doctor,
		    limit < needed / 2 ? FOUND_FAILED
		    : limit < needed   ? FOUND_WARNING
				       : FOUND_OK,
		    limit < needed ? "raise LimitNOFILE of the unit, or lower connections_max" : "",
		    "%s may open %llu files; connections_max wants %llu",
		    of_node ? "the node" : "(no node runs) this session", limit, needed);
}
