#include "api/json_group.h"

#include <stdlib.h>

#include "base/number.h"
#include "format/json.h"
#include "format/json_metric.h"
#include "store/read.h"

enum {
	STEP_CHUNKS = 8,           /* of a block, read at a time */
	METRICS_BYTES = 64 * 1024, /* of memory, before it is used again */
	ITEM_BYTES = 128,          /* what an item counts for beside its text */
	SUFFIXES_MAX = 6,
};

static const struct json_item own_items[] = {
	{ .name = SLICE_INIT("labels"), .kind = JSON_ITEM_LABELS },
	{ .name = SLICE_INIT("last_push_successful"), .kind = JSON_ITEM_SUCCESS },
	{ .name = SLICE_INIT("push_failure_time_seconds"),
			.kind = JSON_ITEM_FAILURE_TIME,
			.help = SLICE_INIT(
					"Last Unix time when changing this group in the Pushgateway failed.") },
	{ .name = SLICE_INIT("push_time_seconds"),
			.kind = JSON_ITEM_PUSH_TIME,
			.help = SLICE_INIT(
					"Last Unix time when changing this group in the Pushgateway succeeded.") },
};

enum { OWN_COUNT = sizeof(own_items) / sizeof(own_items[0]) };

size_t json_group_items_max(size_t families)
{
	return families + OWN_COUNT;
}

void json_group_init(struct json_group *group, struct json_item *items)
{
	*group = (struct json_group){ .items = items, .item_count = OWN_COUNT };
	memcpy(items, own_items, sizeof(own_items));
}

bool json_group_takes(struct slice family_name)
{
	for (size_t i = 0; i < OWN_COUNT; i++) {
		if (slice_equal(own_items[i].name, family_name)) {
			return false;
		}
	}
	return true;
}

void json_writer_init(struct json_writer *writer, struct buf *out,
		const struct selectors *selectors, struct arena *arena)
{
	*writer = (struct json_writer){ .out = out, .selectors = selectors };
	pattern_scratch_init(&writer->scratch, arena);
	arena_init(&writer->arena);
}

void json_writer_finish(struct json_writer *writer)
{
	arena_finish(&writer->arena);
}

/* ---- Pieces ---- */

static void append_labels(const struct json_group *group, struct buf *out)
{
	buf_append(out, SLICE("\"labels\":{"));
	for (size_t i = 0; i < group->labels.count; i++) {
		const struct label *label = &group->labels.pairs[i];
		if (i > 0) {
			buf_append_byte(out, ',');
		}
		json_append_escaped(out, label->name);
		buf_append_byte(out, ':');
		json_append_escaped(out, label->value);
	}
	buf_append_byte(out, '}');
}

static void append_success(const struct json_group *group, struct buf *out)
{
	bool is_successful = group->times.failed_ns <= group->times.pushed_ns;
	buf_append(out, SLICE("\"last_push_successful\":"));
	buf_append(out, is_successful ? SLICE("true") : SLICE("false"));
}

static void begin_key(struct json_group *group, struct buf *out)
{
	buf_append(out, group->is_open ? SLICE(",") : SLICE(",{"));
	group->is_open = true;
}

/* What comes before the first key behind it, and is left out without one. */
static void pay(struct json_group *group, struct buf *out)
{
	if (group->owes_labels) {
		group->owes_labels = false;
		begin_key(group, out);
		append_labels(group, out);
	}
	if (group->owes_success) {
		group->owes_success = false;
		begin_key(group, out);
		append_success(group, out);
	}
}

static void append_family_head(struct buf *out, const struct json_item *item, enum metric_type type)
{
	json_append_escaped(out, item->name);
	buf_append(out, SLICE(":{\"time_stamp\":"));
	json_append_time(out, item->pushed_ns);
	buf_append(out, SLICE(",\"type\":"));
	json_append_string(out, metric_type_upper_name(type));
	if (item->help.len > 0) {
		buf_append(out, SLICE(",\"help\":"));
		json_append_escaped(out, item->help);
	}
	buf_append(out, SLICE(",\"metrics\":["));
}

/* ---- Metrics ---- */

static struct slice join(struct arena *arena, struct slice a, struct slice b)
{
	char *text = arena_text(arena, a.len + b.len);
	memcpy(text, a.ptr, a.len);
	memcpy(text + a.len, b.ptr, b.len);
	return slice_make(text, a.len + b.len);
}

/* A bit for each selector that may select metrics of that family. */
static uint64_t select_family(struct json_writer *writer, struct slice name, enum metric_type type)
{
	struct slice names[SUFFIXES_MAX];
	size_t count = 0;
	if (writer->selectors == NULL) {
		return 1;
	}
	names[count++] = name;
	if (metric_type_has_bounds(type)) {
		bool is_open_gauge = type == METRIC_OPEN_GAUGE_HISTOGRAM;
		enum sample_role sum = is_open_gauge ? SAMPLE_GSUM : SAMPLE_SUM;
		enum sample_role total = is_open_gauge ? SAMPLE_GCOUNT : SAMPLE_COUNT;
		names[count++] = join(&writer->arena, name, sample_suffix(sum));
		names[count++] = join(&writer->arena, name, sample_suffix(total));
		if (type != METRIC_SUMMARY) {
			names[count++] = join(&writer->arena, name, sample_suffix(SAMPLE_BUCKET));
		}
	}
	return selectors_match_names(writer->selectors, names, count, &writer->scratch);
}

static bool is_selected(struct json_writer *writer, uint64_t selected, enum metric_type type,
		const struct sample *last)
{
	struct slice bound_name = slice_make(NULL, 0);
	if (writer->selectors == NULL) {
		return true;
	}
	if (metric_type_has_bounds(type)) {
		bound_name = metric_type_bound_name(type);
	}
	return selectors_match_labels(
			writer->selectors, selected, &last->labels, bound_name, &writer->scratch);
}

static void write_metrics(struct json_group *group, struct json_writer *writer,
		const struct json_item *item, struct block_reader *reader, uint64_t selected)
{
	const struct sample *samples;
	size_t count;
	enum metric_type type = reader->type;
	while (selected != 0 && block_reader_next(reader, &writer->arena, &samples, &count)) {
		if (is_selected(writer, selected, type, &samples[count - 1])) {
			if (group->family_is_open) {
				buf_append_byte(writer->out, ',');
			} else {
				pay(group, writer->out);
				begin_key(group, writer->out);
				append_family_head(writer->out, item, type);
				group->family_is_open = true;
			}
			json_append_metric(writer->out, type, samples, count, &writer->arena);
		}
		if (writer->arena.used_bytes > METRICS_BYTES) {
			arena_reset(&writer->arena);
		}
	}
}

/* ---- Items ---- */

static void end_item(struct json_group *group, struct json_writer *writer)
{
	if (group->family_is_open) {
		buf_append(writer->out, SLICE("]}"));
		group->family_is_open = false;
	}
	group->next_item++;
	group->next_chunk = 0;
}

/* Some chunks of the family's block; returns how many bytes they have. */
static size_t write_family(
		struct json_group *group, struct json_writer *writer, const struct json_item *item)
{
	const struct block *block = item->block;
	size_t end_chunk = group->next_chunk + STEP_CHUNKS;
	size_t bytes = 0;
	struct block_reader reader;
	if (end_chunk > block->chunk_count) {
		end_chunk = block->chunk_count;
	}
	uint64_t selected = select_family(writer, item->name, (enum metric_type)block->type);
	if (selected == 0) {
		end_chunk = block->chunk_count;
	} else {
		block_reader_init_part(&reader, block, item->name, group->next_chunk, end_chunk);
		write_metrics(group, writer, item, &reader, selected);
		for (size_t i = group->next_chunk; i < end_chunk; i++) {
			bytes += chunk_bytes(block->chunks[i]);
		}
	}
	group->next_chunk = end_chunk;
	if (end_chunk == block->chunk_count) {
		end_item(group, writer);
	}
	return bytes;
}

static struct slice time_line(const struct json_group *group, struct json_writer *writer,
		struct slice name, struct slice value)
{
	const struct slice parts[] = { name, SLICE("{"), group->label_text, SLICE("} "), value,
		SLICE("\n") };
	struct slice line = SLICE("");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		line = join(&writer->arena, line, parts[i]);
	}
	return line;
}

static void write_time(struct json_group *group, struct json_writer *writer,
		const struct json_item *listed, int64_t time_ns)
{
	char value[NUMBER_TEXT_MAX];
	struct json_item item = *listed;
	struct block_reader reader;
	int64_t pushed_ns = group->times.pushed_ns;
	item.pushed_ns = pushed_ns != 0 ? pushed_ns : group->times.failed_ns;
	size_t len = number_format((double)time_ns / 1e9, value);
	struct slice line = time_line(group, writer, item.name, slice_make(value, len));
	uint64_t selected = select_family(writer, item.name, METRIC_GAUGE);
	block_reader_init_text(&reader, line, METRIC_GAUGE, item.name);
	write_metrics(group, writer, &item, &reader, selected);
	end_item(group, writer);
}

/* Returns about how much there was to read. */
static size_t write_item(struct json_group *group, struct json_writer *writer)
{
	const struct json_item *item = &group->items[group->next_item];
	switch (item->kind) {
	case JSON_ITEM_FAMILY:
		return ITEM_BYTES + write_family(group, writer, item);
	case JSON_ITEM_LABELS:
		group->owes_labels = true;
		end_item(group, writer);
		break;
	case JSON_ITEM_SUCCESS:
		group->owes_success = true;
		end_item(group, writer);
		break;
	case JSON_ITEM_FAILURE_TIME:
		write_time(group, writer, item, group->times.failed_ns);
		break;
	case JSON_ITEM_PUSH_TIME:
		write_time(group, writer, item, group->times.pushed_ns);
		break;
	}
	if (group->is_open) {
		pay(group, writer->out);
	}
	return ITEM_BYTES;
}

/* ---- The group ---- */

static int compare_names(const void *a, const void *b)
{
	const struct json_item *left = a;
	const struct json_item *right = b;
	return slice_compare(left->name, right->name);
}

bool json_group_write(struct json_group *group, struct json_writer *writer, size_t bytes)
{
	size_t done = 0;
	if (!group->is_sorted) {
		qsort(group->items, group->item_count, sizeof(*group->items), compare_names);
		group->is_sorted = true;
	}
	while (group->next_item < group->item_count) {
		if (done >= bytes) {
			return false;
		}
		done += write_item(group, writer);
		if (writer->arena.used_bytes > METRICS_BYTES) {
			arena_reset(&writer->arena);
		}
	}
	if (group->is_open) {
		buf_append_byte(writer->out, '}');
	}
	return true;
}
