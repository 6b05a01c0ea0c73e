#pragma once

/*
 * Files of settings for tests: each is written to a directory of its own,
 * which is removed again, and its path is left out of errors.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

static char config_file_directory[] = "/tmp/weir-test-XXXXXX";
static char config_file_path[64];

static inline void config_file_init(void)
{
	if (mkdtemp(config_file_directory) == NULL) {
		perror("mkdtemp");
		exit(1);
	}
	snprintf(config_file_path, sizeof(config_file_path), "%s/f.yml", config_file_directory);
}

static inline void config_file_finish(void)
{
	unlink(config_file_path);
	rmdir(config_file_directory);
}

static inline const char *config_file_write(struct slice text)
{
	FILE *file = fopen(config_file_path, "w");
	if (file == NULL || fwrite(text.ptr, 1, text.len, file) != text.len) {
		perror(config_file_path);
		exit(1);
	}
	fclose(file);
	return config_file_path;
}

/* The errors with "f.yml" for the path, NUL-terminated; the caller frees it. */
static inline char *config_file_errors(const struct buf *errors)
{
	struct buf shown;
	buf_init(&shown, 0);
	struct slice rest = buf_slice(errors);
	size_t directory = strlen(config_file_directory) + 1;
	while (rest.len > 0) {
		bool is_path = slice_starts_with(rest, slice_of_string(config_file_directory));
		rest = is_path ? slice_skip(rest, directory) : rest;
		buf_append_byte(&shown, rest.ptr[0]);
		rest = slice_skip(rest, 1);
	}
	buf_append_byte(&shown, '\0');
	return shown.ptr;
}
