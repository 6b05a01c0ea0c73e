/*
 * Runs a fuzz target over every file of the directories given, as a test.
 */

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes end where the memory does, so that a sanitizer sees one read too many. */
static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	long size = ftell(file);
	rewind(file);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	if (size < 0 || data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
}

static int run_directory(const char *directory)
{
	DIR *dir = opendir(directory);
	if (dir == NULL) {
		perror(directory);
		exit(1);
	}
	int count = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		char path[PATH_MAX];
		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		run_file(path);
		count++;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;
	for (int i = 1; i < argc; i++) {
		count += run_directory(argv[i]);
	}
	printf("%d files\n", count);
	return count == 0;
}
