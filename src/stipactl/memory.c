/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

/* What waits in stdout is dropped: it is not the whole. */
void *memory_or_end(void *memory)
{
	static const char text[] = "stipactl: out of memory; what it was to do may be done\n";

	if (memory != NULL)
		return memory;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_FAILURE);
}

static void *take(size_t size)
{
	return memory_or_end(malloc(size));
}

void memory_of_json(void)
{
	json_set_alloc_funcs(take, free);
}
