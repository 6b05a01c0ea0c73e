#pragma once

/*
 * Renders samples under a grouping key, as lines of the text format 0.0.4 with
 * their notes; see block.h. Nothing here touches the store.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/batch.h"
#include "model/group_key.h"
#include "store/block.h"

struct key_piece;
struct render_note;

struct renderer {
	struct key_piece *pieces; /* the grouping labels as they are rendered, sorted by name */
	size_t piece_count;
	size_t pieces_bytes; /* of all pieces with their commas */
	uint64_t key_mask;   /* prepare_label_bit() of those that have a value */
	bool key_has_quoted; /* some name needs quotes */
	bool has_overridden; /* a body label gave way to a grouping label of another value */
	struct arena *arena;
	char *series;              /* scratch: a series without its empty labels */
	struct render_note *notes; /* scratch: those of the current chunk */
	size_t note_count;
	size_t note_capacity;
};

/* The key outlives the renderer. */
void renderer_init(struct renderer *r, const struct group_key *key, struct arena *arena);

/* Room for the scratch: the longest line of all. */
void renderer_reserve(struct renderer *r, size_t longest_line);

/* Bytes that a sample's line takes at most. */
size_t render_line_bound(
		const struct renderer *r, const struct batch_family *family, const struct sample *sample);

/* Bytes that its notes take at most, without what each chunk has for its notes as such. */
size_t render_notes_bound(const struct sample *sample);

/*
 * Writes the sample's line at `out`, in a chunk whose text begins at
 * chunk_text; returns its end. What is to be noted of it is kept until
 * render_notes().
 */
char *render_line(struct renderer *r, char *out, const char *chunk_text,
		const struct batch_family *family, const struct sample *sample, uint32_t *ret_id,
		bool *ret_has_quoted);

/*
 * Writes the notes of the lines since the last call at `out`, which is aligned
 * to 4 bytes; returns their end, which is `out` when there are none.
 */
char *render_notes(struct renderer *r, char *out);
