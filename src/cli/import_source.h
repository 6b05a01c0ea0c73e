#pragma once

/*
 * Where `weir import` has its groups from: a source gives one line of an export
 * after the other (docs/export.md), and whoever posts them need not know whence
 * they are.
 *
 *     source --> lines --> poster
 *
 * To add one: a struct that begins with this, a function that opens it, and its
 * flag in import.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum import_source_result {
	IMPORT_SOURCE_LINE,  /* here is one, of a group */
	IMPORT_SOURCE_END,   /* that was all */
	IMPORT_SOURCE_CUT,   /* it ends before its end, see `fault`; what came is good */
	IMPORT_SOURCE_FAULT, /* it cannot be read on, see `fault` */
};

struct import_source {
	/* For messages: "groups.jsonl", "<stdin>", "http://localhost:9091". */
	const char *name;

	/*
	 * The next group line, without its line feed, valid until the next call;
	 * lines of other kinds are the source's own business. Never called again
	 * after anything but a line.
	 */
	enum import_source_result (*next)(struct import_source *source, struct slice *ret_line);

	/* Says on stderr what it had, at the end; NULL: there is nothing to say. */
	void (*sum_up)(struct import_source *source);

	/* Frees the source. */
	void (*close)(struct import_source *source);

	/* Set by who reads it: the source is about to write to stderr. */
	void (*before_message)(void *data);
	void *data;

	/* Set by the source. */
	uint64_t line;     /* the number that the line has there, from 1; 0: there are no numbers */
	uint64_t bytes;    /* read so far */
	uint64_t total;    /* bytes that there are; 0: unknown */
	const char *hint;  /* what to do next, when all was taken; NULL: nothing to say */
	const char *fault; /* why it was cut or cannot be read on; of the source */
	uint64_t faults;   /* things that it could not make a line of; it has said so on stderr */
};

/* An export in a file; "-" for standard input. NULL when it cannot be opened: errno says why. */
struct import_source *import_file_open(const char *path);
