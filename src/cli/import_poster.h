#pragma once

/*
 * Posts lines of groups to a weir, some at a time, and says on stderr what was
 * refused. In a rehearsal nothing is posted: lines are only read, as far as
 * they can be judged without a weir.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/import_source.h"
#include "cli/remote.h"

enum { IMPORT_LINES_MAX = 500 }; /* in one request */

struct import_poster {
	struct remote *remote; /* NULL: a rehearsal */
	bool only_newer;       /* what was pushed later than what the line says stays */
	const struct import_source *source;
	struct buf body;
	struct buf answer;
	struct arena arena;
	uint64_t numbers[IMPORT_LINES_MAX]; /* in the source, of the lines in the body */
	size_t starts[IMPORT_LINES_MAX];    /* in the body */
	size_t count;

	/* So far. */
	uint64_t groups;
	uint64_t series;
	uint64_t unchanged;
	uint64_t kept;
	uint64_t expired;
	uint64_t refused;
	uint64_t faults_shown;
	void (*before_message)(void *data); /* something is about to be written to stderr */
	void *data;
};

void import_poster_init(
		struct import_poster *poster, struct remote *remote, const struct import_source *source);
void import_poster_finish(struct import_poster *poster);

/* The line that the source gave last. False when there is no going on, which has been said. */
bool import_poster_add(struct import_poster *poster, struct slice line);

/* Posts what is left. */
bool import_poster_flush(struct import_poster *poster);
