/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over its corpus without libFuzzer, so that make check does: every file of
 * the folders named, or of tests/fuzz/corpus/<target> when none is.  An empty corpus fails.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1 << 20)

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data, *exact;
	size_t size;

	if (file == NULL)
		return 0;
	data = malloc(INPUT_MAX);
	if (data == NULL)
		abort();
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	exact = malloc(size == 0 ? 1 : size); /* so that the sanitizer sees the end */
	if (exact == NULL)
		abort();
	memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 1;
}

static int run_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[1024];
	int n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n += run_file(path);
	}
	closedir(dir);
	printf("%s: %d inputs\n", folder, n);
	return n;
}

static int run_own_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strstr(program, "fuzz_");
	char path[1024];

	for (const char *next = name; next != NULL; next = strstr(next + 1, "fuzz_"))
		name = next;
	if (name == NULL)
		return 0;
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		 name + strlen("fuzz_"));
	return run_folder(path);
}

int main(int argc, char **argv)
{
	int n = 0;

	if (argc < 2)
		n = run_own_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		n += run_folder(argv[i]);
	if (n == 0)
		fprintf(stderr, "%s: no corpus\n", argv[0]);
	return n == 0;
}
