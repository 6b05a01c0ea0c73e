#pragma once

/*
 * A store written as an export, and an export put into a store, all at once:
 * for tests of the lines without a server.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "state/listing.h"
#include "store/push.h"
#include "store/same.h"
#include "transfer/group_write.h"
#include "transfer/line_prepare.h"
#include "transfer/line_read.h"

/* ---- Out ---- */

static inline void line_store_put_unit(
		struct line_writer *writer, const struct listing_unit *unit, struct arena *arena)
{
	LIST_EACH (link, &unit->records) {
		const struct record_source *source = &LIST_ENTRY(link, struct listed_record, link)->source;
		struct group_piece piece = {
			.source = source,
			.count = source->family_count,
			.adds = source->family_count == 1 && source->families[0].is_shadowed
					&& !source->is_shadowed,
		};
		group_write(writer, &piece, arena);
	}
}

/* A listing that has begun, to its end. */
static inline void line_store_export_rest(struct listing *listing, struct buf *out)
{
	struct line_writer writer;
	struct listing_unit *unit;
	struct arena arena;
	enum listing_result result;
	arena_init(&arena);
	line_writer_init(&writer, out);
	line_put_header(&writer, 1);
	while ((result = listing_next(listing, &unit)) != LISTING_END) {
		if (result == LISTING_UNIT) {
			line_store_put_unit(&writer, unit, &arena);
			listing_unit_destroy(unit);
		}
	}
	listing_end(listing);
	line_put_end(&writer, &writer.counts);
	arena_finish(&arena);
}

static inline void line_store_export(struct store *store, struct buf *out)
{
	struct listing listing;
	bool is_begun = listing_begin(&listing, store);
	assert(is_begun);
	line_store_export_rest(&listing, out);
}

/* ---- In ---- */

enum line_store_result {
	LINE_STORE_TAKEN,
	LINE_STORE_UNCHANGED,
	LINE_STORE_OTHER,  /* no line of a group */
	LINE_STORE_WRONG,  /* it cannot be read */
	LINE_STORE_FAULTY, /* what it says is wrong by itself */
	LINE_STORE_REFUSED,
};

static inline enum line_store_result line_store_put(
		struct store *store, const struct line *line, struct arena *arena, struct slice *ret_what)
{
	struct prepare_options options = { .is_checked = store->options.is_checked,
		.max_bytes = SIZE_MAX };
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	enum push_result result;
	if (line_prepare(line, &options, arena, &prepared, &fault) != PREPARE_OK) {
		*ret_what = fault.text;
		return LINE_STORE_FAULTY;
	}
	push_init(&op, store, line->group.adds ? STORE_POST : STORE_PUT, &line->group.key, &prepared,
			arena);
	uint64_t gaps = 1000000;
	op.times = &line->group.times;
	op.place = line->group.place;
	push_limit_places(&op, &gaps);
	if (line->group.expires_ns != 0) {
		op.deadline_ns = (int64_t)clock_monotonic_ns() + line->group.expires_ns - clock_wall_ns();
	}
	if (push_changes_nothing(&op)) {
		prepared_push_drop(&prepared);
		return LINE_STORE_UNCHANGED;
	}
	do {
		result = push_step(&op);
	} while (result == PUSH_AGAIN);
	*ret_what = op.fault.text;
	if (result != PUSH_OK) {
		prepared_push_drop(&prepared);
		return LINE_STORE_REFUSED;
	}
	return LINE_STORE_TAKEN;
}

/* `text` is one line; what was wrong with it lies in the arena. */
static inline enum line_store_result line_store_import_line(
		struct store *store, struct slice text, struct arena *arena, struct slice *ret_what)
{
	struct line line;
	struct line_error error;
	*ret_what = SLICE("");
	if (!line_read(text, arena, &line, &error)) {
		*ret_what = error.what;
		return LINE_STORE_WRONG;
	}
	return line.kind == LINE_GROUP ? line_store_put(store, &line, arena, ret_what)
								   : LINE_STORE_OTHER;
}
