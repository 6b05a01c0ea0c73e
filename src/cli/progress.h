#pragma once

/*
 * What a long command is doing, on a line of a terminal that is written anew
 * now and then; nothing where stderr is none.
 */

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *verb; /* "exported" */
	bool is_shown;
	uint64_t began_ns;
	uint64_t shown_ns;
	uint64_t groups;
	uint64_t series; /* 0: not known */
	uint64_t bytes;
	uint64_t total; /* bytes that there are; 0: not known */
};

void progress_init(struct progress *progress, const char *verb, bool is_quiet);

/* After the numbers have changed. */
void progress_show(struct progress *progress);

/* Takes the line away, so that something else can be written. */
void progress_clear(struct progress *progress);
