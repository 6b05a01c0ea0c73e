#include <assert.h>

#include "api/api.h"
#include "api/target_lines.h"
#include "base/memory.h"

/*
 * Families that weir has something to say about whoever pushes to them: its
 * own metrics, the push times of the groups, and the names that every client
 * library for Go exposes. A Pushgateway exposes those itself and so holds
 * pushes to their types; here only the types are settled.
 */

static const struct family_declaration push_times[] = {
	{ .name = SLICE_INIT("push_failure_time_seconds"),
			.type = METRIC_GAUGE,
			.source = DECLARATION_FAILURE_TIMES,
			.help = SLICE_INIT(
					"Last Unix time when changing this group in the Pushgateway failed.") },
	{ .name = SLICE_INIT("push_time_seconds"),
			.type = METRIC_GAUGE,
			.source = DECLARATION_PUSH_TIMES,
			.help = SLICE_INIT(
					"Last Unix time when changing this group in the Pushgateway succeeded.") },
};

static const struct {
	struct slice name;
	enum metric_type type;
} go_families[] = {
	{ SLICE_INIT("go_gc_cycles_automatic_gc_cycles_total"), METRIC_COUNTER },
	{ SLICE_INIT("go_gc_duration_seconds"), METRIC_SUMMARY },
	{ SLICE_INIT("go_gc_gogc_percent"), METRIC_GAUGE },
	{ SLICE_INIT("go_gc_gomemlimit_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_goroutines"), METRIC_GAUGE },
	{ SLICE_INIT("go_info"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_alloc_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_alloc_bytes_total"), METRIC_COUNTER },
	{ SLICE_INIT("go_memstats_buck_hash_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_frees_total"), METRIC_COUNTER },
	{ SLICE_INIT("go_memstats_gc_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_alloc_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_idle_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_inuse_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_objects"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_released_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_heap_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_last_gc_time_seconds"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_mallocs_total"), METRIC_COUNTER },
	{ SLICE_INIT("go_memstats_mcache_inuse_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_mcache_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_mspan_inuse_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_mspan_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_next_gc_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_other_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_stack_inuse_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_stack_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_memstats_sys_bytes"), METRIC_GAUGE },
	{ SLICE_INIT("go_sched_gomaxprocs_threads"), METRIC_GAUGE },
	{ SLICE_INIT("go_threads"), METRIC_GAUGE },
};

enum {
	PUSH_TIMES_COUNT = sizeof(push_times) / sizeof(push_times[0]),
	GO_COUNT = sizeof(go_families) / sizeof(go_families[0]),
	DECLARATIONS_MAX = 256,
};

/* Own rows first, so that a row and its declaration have the same number. */
static struct family_declaration declarations[DECLARATIONS_MAX];

const struct family_declaration *api_declarations(size_t *ret_count)
{
	size_t count = 0;
	assert(stats_row_count + PUSH_TIMES_COUNT + GO_COUNT + TARGET_LINES_COUNT <= DECLARATIONS_MAX);
	for (size_t i = 0; i < stats_row_count; i++) {
		declarations[count++] = (struct family_declaration){
			.name = stats_rows[i].name,
			.type = stats_rows[i].type,
			.source = DECLARATION_OWN,
			.help = stats_rows[i].help,
			.help_must_match = stats_rows[i].help_must_match,
		};
	}
	for (size_t i = 0; i < PUSH_TIMES_COUNT; i++) {
		declarations[count++] = push_times[i];
	}
	for (size_t i = 0; i < GO_COUNT; i++) {
		declarations[count++] = (struct family_declaration){
			.name = go_families[i].name,
			.type = go_families[i].type,
			.source = DECLARATION_NOTHING,
		};
	}
	for (size_t i = 0; i < TARGET_LINES_COUNT; i++) {
		declarations[count++] = target_lines_declarations[i];
	}
	*ret_count = count;
	return declarations;
}

/* Whose lines are wanted. */
struct wanted {
	const struct slice *names; /* NULL: all */
	size_t count;
};

static bool is_wanted(const struct wanted *wanted, struct slice name)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (slice_equal(wanted->names[i], name)) {
			return true;
		}
	}
	return wanted->names == NULL;
}

static void set_stats_lines(struct slice *lines, struct api *api, struct buf *text,
		const struct wanted *wanted, struct arena *arena)
{
	bool is_collected = false;
	for (size_t i = 0; i < stats_row_count; i++) {
		text->len = 0;
		if (is_wanted(wanted, stats_rows[i].name)) {
			if (!is_collected) {
				is_collected = true;
				stats_collect(api->stats);
			}
			stats_rows[i].render(api->stats, &stats_rows[i], text);
			lines[i] = arena_copy(arena, buf_slice(text));
		}
	}
}

static void set_target_lines(struct slice *lines, const struct api *api, struct buf *text,
		const struct wanted *wanted, const struct target *one, struct arena *arena)
{
	size_t first = stats_row_count + PUSH_TIMES_COUNT + GO_COUNT;
	for (enum target_lines i = 0; i < TARGET_LINES_COUNT; i++) {
		text->len = 0;
		if (is_wanted(wanted, target_lines_declarations[i].name)) {
			target_lines_append(api, text, i, one);
			lines[first + i] = arena_copy(arena, buf_slice(text));
		}
	}
}

const struct slice *api_target_lines(
		struct api *api, const struct target *target, struct arena *arena)
{
	struct slice *lines = arena_zalloc(arena, DECLARATIONS_MAX, sizeof(*lines));
	struct buf text;
	buf_init(&text, 0);
	set_target_lines(lines, api, &text, &(struct wanted){ 0 }, target, arena);
	buf_finish(&text);
	return lines;
}

const struct slice *api_own_lines_of(
		struct api *api, const struct slice *names, size_t count, struct arena *arena)
{
	struct slice *lines = arena_zalloc(arena, DECLARATIONS_MAX, sizeof(*lines));
	const struct wanted wanted = { .names = names, .count = count };
	struct buf text;
	buf_init(&text, 0);
	set_stats_lines(lines, api, &text, &wanted, arena);
	set_target_lines(lines, api, &text, &wanted, NULL, arena);
	buf_finish(&text);
	return lines;
}

const struct slice *api_own_lines(struct api *api, struct arena *arena)
{
	return api_own_lines_of(api, NULL, 0, arena);
}
