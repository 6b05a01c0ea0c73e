#pragma once

/*
 * Reads metrics back from a block, for formats that need structure: the lines
 * of one metric as the samples they were made from, with the grouping labels.
 *
 * Works on any thread while the block is held on to.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "model/batch.h"
#include "store/block.h"

/* A place between two lines. */
struct block_cursor {
	size_t chunk;            /* the one it is in */
	const char *line;        /* the next one */
	const char *end;         /* of the chunk's text */
	const char *text;        /* its start */
	const struct note *note; /* the next one */
	const struct note *notes_end;
	const char *note_text;
};

struct block_reader {
	struct chunk *const *chunks;
	size_t chunk_count;
	size_t end_chunk; /* metrics that begin from here on are another reader's */
	struct slice family;
	struct slice bound_name; /* ptr NULL: each line is a metric */
	enum metric_type type;
	size_t label_count; /* of the last line: a guess for the next */
	struct block_cursor cursor;
};

void block_reader_init(
		struct block_reader *reader, const struct block *block, struct slice family_name);

/*
 * Those metrics that begin in the chunks from first_chunk on, before
 * end_chunk: parts of a block that can be read at the same time.
 */
void block_reader_init_part(struct block_reader *reader, const struct block *block,
		struct slice family_name, size_t first_chunk, size_t end_chunk);

/* Of lines that are in no block: those that weir itself has in a family. */
void block_reader_init_text(struct block_reader *reader, struct slice text, enum metric_type type,
		struct slice family_name);

/*
 * The next metric: one sample, or for summaries and histograms all that have
 * the same labels but the bound, in the order of their lines. They lie in the
 * arena; their text points into the block. False at the end.
 */
bool block_reader_next(struct block_reader *reader, struct arena *arena,
		const struct sample **ret_samples, size_t *ret_count);
