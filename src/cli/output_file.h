#pragma once

/*
 * A file that is there as a whole or not at all: it is written under another
 * name in its directory, synced, and renamed. What is no file, such as a device
 * or a pipe, is written to as it is, and without a path it is standard output.
 */

#include <stdbool.h>

#include "base/slice.h"

struct output_file {
	int fd;
	char *path;  /* in the end; NULL: it is written to as it is */
	char *draft; /* until then */
};

/* Each answers 0, or the errno of what went wrong. */
int output_file_open(struct output_file *file, const char *path); /* NULL: standard output */
int output_file_write(struct output_file *file, struct slice bytes);

/* Ends it, one way or the other. */
int output_file_commit(struct output_file *file);
void output_file_abandon(struct output_file *file);
