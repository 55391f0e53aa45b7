/* SPDX-License-Identifier: Apache-2.0 */
/* usage: filtered FILE PROGRAM ARGUMENT...
 * Become PROGRAM with no system calls but those that FILE names, a line each; any other fails with
 * EPERM, as under a unit with SystemCallFilter=. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

/* What this machine does not know, nobody calls. */
static void allow(scmp_filter_ctx filter, char *name)
{
	int number;

	name[strcspn(name, "\n")] = '\0';
	number = seccomp_syscall_resolve_name(name);
	if (number != __NR_SCMP_ERROR && number >= 0 &&
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0)
		exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	FILE *file = argc < 3 ? NULL : fopen(argv[1], "r");
	char name[64];

	if (filter == NULL || file == NULL)
		return EXIT_FAILURE;
	while (fgets(name, sizeof(name), file) != NULL)
		allow(filter, name);
	fclose(file);
	if (seccomp_load(filter) != 0)
		return EXIT_FAILURE;
	seccomp_release(filter);
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return EXIT_FAILURE;
}
