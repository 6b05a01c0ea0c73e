#include "api/query_series.h"

#include "base/clock.h"
#include "format/json_series.h"
#include "store/read.h"

enum { METRICS_BYTES = 64 * 1024 }; /* of memory, before it is used again */

void query_series_init(struct query_series *series, struct buf *out, struct arena *arena)
{
	series->out = out;
	series->began_ns = clock_monotonic_ns();
	arena_init(&series->arena);
	arena_init(&series->name_arena);
	pattern_scratch_init(&series->scratch, arena);
}

void query_series_finish(struct query_series *series)
{
	series->has_failed_pattern = series->scratch.failed != NULL;
	series->work_ns = clock_monotonic_ns() - series->began_ns;
	arena_finish(&series->arena);
	arena_finish(&series->name_arena);
}

/* ---- What is selected ---- */

/* By the name: once for all series of a family. */
static bool select_names(struct query_series *series, struct slice family)
{
	bool is_any = false;
	arena_reset(&series->name_arena);
	for (size_t role = 0; role < QUERY_ROLES; role++) {
		struct slice suffix = sample_suffix((enum sample_role)role);
		struct slice name =
				suffix.len == 0 ? family : ARENA_JOIN(&series->name_arena, family, suffix);
		series->names[role] = name;
		series->is_selected[role] =
				selectors_match_names(&series->query->selectors, &name, 1, &series->scratch) != 0;
		is_any = is_any || series->is_selected[role];
	}
	return is_any;
}

static bool is_selected(struct query_series *series, const struct sample *sample)
{
	return series->is_selected[sample->role]
			&& selectors_match_labels(&series->query->selectors, 1, &sample->labels,
					slice_make(NULL, 0), &series->scratch);
}

/* ---- Writing ---- */

/* Whether one more may be written; the comma in front of it is. */
static bool begin_one(struct query_series *series)
{
	if (series->written == series->left) {
		series->is_cut = true;
		return false;
	}
	series->written++;
	buf_append_byte(series->out, ',');
	return true;
}

static void write_sample(struct query_series *series, const struct sample *sample)
{
	if (is_selected(series, sample) && series->scratch.failed == NULL && begin_one(series)) {
		json_append_series(series->out, series->names[sample->role], &sample->labels,
				series->query->time, sample->value);
	}
}

/* The native histogram has the family's name and no bound. */
static bool is_native_selected(struct query_series *series, const struct sample *last)
{
	return series->is_selected[SAMPLE_PLAIN] && json_series_is_native(last)
			&& selectors_match_labels(&series->query->selectors, 1, &last->labels,
					slice_make(NULL, 0), &series->scratch);
}

static void write_metric(struct query_series *series, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count && !query_series_is_over(series); i++) {
		write_sample(series, &samples[i]);
	}
	if (!query_series_is_over(series) && is_native_selected(series, &samples[count - 1])
			&& series->scratch.failed == NULL && begin_one(series)) {
		json_append_native_series(series->out, series->names[SAMPLE_PLAIN], samples, count,
				series->query->time, &series->arena);
	}
}

static void look_at_clock(struct query_series *series)
{
	series->is_late = clock_monotonic_ns() - series->began_ns >= series->work_ns_left;
}

static void write_metrics(struct query_series *series, struct block_reader *reader)
{
	const struct sample *samples;
	size_t count;
	while (!query_series_is_over(series)
			&& block_reader_next(reader, &series->arena, &samples, &count)) {
		write_metric(series, samples, count);
		look_at_clock(series);
		series->has_failed_pattern = series->scratch.failed != NULL;
		if (series->arena.used_bytes > METRICS_BYTES) {
			arena_reset(&series->arena);
		}
	}
}

void query_series_write(struct query_series *series, const struct query_part *part)
{
	struct block_reader reader;
	if (!select_names(series, part->family)) {
		return;
	}
	block_reader_init_text(&reader, part->lines.text, part->own_type, part->family);
	write_metrics(series, &reader);
	for (size_t i = 0; i < part->lines.range_count; i++) {
		const struct lines_range *range = &part->lines.ranges[i];
		block_reader_init_part(
				&reader, range->block, part->family, range->first_chunk, range->end_chunk);
		write_metrics(series, &reader);
	}
}
