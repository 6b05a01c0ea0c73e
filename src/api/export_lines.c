#include "api/export_lines.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "transfer/group_write.h"

enum {
	LINE_BLOCK_BYTES = 512 * 1024, /* of blocks on one line, if they are several */
	PIECES_MAX = 2048,             /* of one unit */
	PIECE_BYTES = 128,             /* what a piece counts for beside its blocks */
};

struct export_unit {
	struct listing_unit *listed;
	size_t refs; /* units of work that write pieces of it; one more while it is open */
};

/* What a unit of work is about. */
struct work {
	struct export_unit *unit;
	struct group_piece *pieces;
	size_t count;
	struct line_counts counts;
	bool is_first;
	bool is_last;
	const struct line_counts *all; /* with the last */
};

static void let_go(struct export_unit *unit)
{
	if (--unit->refs == 0) {
		listing_unit_destroy(unit->listed);
		free(unit);
	}
}

/* ---- Pieces ---- */

static bool is_wanted(const struct export_lines *lines, const struct record_source *source)
{
	struct slice job = labels_find(&source->key, SLICE("job"));
	bool is_wanted_job = lines->job_count == 0;
	for (size_t i = 0; i < lines->job_count && !is_wanted_job; i++) {
		is_wanted_job = slice_equal(lines->jobs[i], job);
	}
	return is_wanted_job;
}

/* What is not exposed comes behind the line of its group, unless all of the group is so. */
static bool is_late(const struct record_source *source)
{
	return source->family_count == 1 && source->families[0].is_shadowed && !source->is_shadowed;
}

/* As many of the record's families as fit on a line; what they have in bytes is added. */
static size_t take_families(const struct record_source *source, size_t first, size_t *bytes_of_work)
{
	size_t bytes = 0;
	size_t count = 0;
	while (first + count < source->family_count && bytes < LINE_BLOCK_BYTES) {
		bytes += block_bytes(source->families[first + count].block);
		count++;
	}
	*bytes_of_work += bytes + PIECE_BYTES;
	return count;
}

static void close_unit(struct export_lines *lines)
{
	let_go(lines->open);
	lines->open = NULL;
}

/* The next piece of the open unit; it is closed behind its last one. */
static void take_piece(struct export_lines *lines, struct work *work, size_t *bytes)
{
	struct record_source *source =
			&LIST_ENTRY(lines->next_record, struct listed_record, link)->source;
	size_t first = lines->next_family;
	if (is_wanted(lines, source)) {
		size_t count = take_families(source, first, bytes);
		work->pieces[work->count++] = (struct group_piece){
			.source = source,
			.first = first,
			.count = count,
			.adds = first > 0 || is_late(source),
		};
		lines->next_family += count;
	} else {
		lines->next_family = source->family_count;
	}
	if (lines->next_family >= source->family_count) {
		lines->next_record = lines->next_record->next;
		lines->next_family = 0;
	}
	if (lines->next_record == &lines->open->listed->records) {
		close_unit(lines);
	}
}

static void open_unit(struct export_lines *lines, struct listing_unit *listed)
{
	if (list_is_empty(&listed->records)) {
		listing_unit_destroy(listed);
		return;
	}
	lines->open = memory_zalloc(1, sizeof(*lines->open));
	*lines->open = (struct export_unit){ .listed = listed, .refs = 1 };
	lines->next_record = listed->records.next;
	lines->next_family = 0;
}

static enum worked_gathering gather_pieces(struct export_lines *lines, struct worked_unit *unit)
{
	struct work *work = unit->data;
	work->unit = lines->open;
	work->unit->refs++;
	work->pieces = arena_alloc(&unit->arena, PIECES_MAX * sizeof(struct group_piece));
	while (lines->open == work->unit && work->count < PIECES_MAX
			&& unit->bytes < WORKED_UNIT_BYTES) {
		take_piece(lines, work, &unit->bytes);
	}
	lines->working++;
	return WORKED_GATHERED;
}

/* ---- The next unit ---- */

static enum worked_gathering begin(struct export_lines *lines, struct worked_unit *unit)
{
	struct work *work = unit->data;
	if (!listing_begin(&lines->listing, lines->store)) {
		return WORKED_NOT_NOW;
	}
	lines->is_begun = true;
	work->is_first = true;
	lines->working++;
	return WORKED_GATHERED;
}

/* The last line says how much there was, which is known when all is written. */
static enum worked_gathering end(struct export_lines *lines, struct worked_unit *unit)
{
	struct work *work = unit->data;
	if (lines->working > 0) {
		return WORKED_AWAITS;
	}
	work->is_last = true;
	work->all = &lines->counts;
	lines->working++;
	return WORKED_LAST;
}

static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct export_lines *lines = LIST_ENTRY(source, struct export_lines, source);
	struct listing_unit *listed;
	unit->data = arena_zalloc(&unit->arena, 1, sizeof(struct work));
	if (!lines->is_begun) {
		return begin(lines, unit);
	}
	if (lines->open == NULL && !lines->is_listed) {
		switch (listing_next(&lines->listing, &listed)) {
		case LISTING_UNIT:
			open_unit(lines, listed);
			break;
		case LISTING_AGAIN:
			return WORKED_NOT_NOW;
		case LISTING_END:
			lines->is_listed = true;
			break;
		}
	}
	if (lines->open != NULL) {
		return gather_pieces(lines, unit);
	}
	return lines->is_listed ? end(lines, unit) : WORKED_NOT_NOW;
}

/* ---- Work ---- */

static void work_unit(struct worked_unit *unit)
{
	struct work *work = unit->data;
	struct line_writer writer;
	struct arena arena;
	arena_init(&arena);
	line_writer_init(&writer, &unit->out);
	if (work->is_first) {
		line_put_header(&writer, clock_wall_ns());
	}
	for (size_t i = 0; i < work->count; i++) {
		group_write(&writer, &work->pieces[i], &arena);
	}
	work->counts = writer.counts;
	if (work->is_last) {
		line_put_end(&writer, work->all);
	}
	arena_finish(&arena);
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct export_lines *lines = LIST_ENTRY(source, struct export_lines, source);
	struct work *work = unit->data;
	lines->working--;
	line_counts_add(&lines->counts, &work->counts);
	if (work->unit != NULL) {
		let_go(work->unit);
	}
}

void export_lines_init(
		struct export_lines *lines, struct store *store, const struct slice *jobs, size_t job_count)
{
	*lines = (struct export_lines){
		.source = { .gather = gather, .work = work_unit, .worked = worked },
		.store = store,
		.jobs = jobs,
		.job_count = job_count,
	};
}

void export_lines_finish(struct export_lines *lines)
{
	if (lines->open != NULL) {
		close_unit(lines);
	}
	if (lines->is_begun) {
		listing_end(&lines->listing);
	}
}
