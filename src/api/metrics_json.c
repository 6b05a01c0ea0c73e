#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "base/memory.h"
#include "base/number.h"
#include "format/json.h"
#include "store/line.h"
#include "store/page.h"

/*
 * All groups as JSON, produced in pieces. Each group is read as of one version
 * of the store; groups that come and go meanwhile may be there or not.
 */
enum { PIECE_BYTES = 128 * 1024 };

struct listed_family {
	struct slice name;
	struct block *block;
};

struct metrics_json {
	struct http_body body;
	struct job job; /* waits for a large push to be committed */
	bool is_waiting;
	bool is_closed;
	struct api *api;
	struct buf out;
	struct slice part; /* of the piece: all of out */
	bool is_begun;
	bool is_ended;
	bool has_groups;
	uint32_t next_group;

	/* The group that is being written. */
	bool in_group;
	struct snapshot snapshot;
	struct arena arena;
	struct listed_family *families; /* sorted by name */
	size_t family_count;
	size_t next_family;

	/* The family that is being written. */
	bool in_family;
	bool has_metrics;
	size_t next_chunk;
	struct slice *lines; /* of one summary or histogram */
	size_t line_count;
	size_t line_capacity;
};

static void append(struct metrics_json *json, struct slice text)
{
	buf_append(&json->out, text);
}

/* ---- Metrics ---- */

/* The labels but that one. */
static void append_labels(struct metrics_json *json, struct slice series, struct slice without)
{
	struct line_labels labels = line_labels_of(series);
	struct label label;
	bool is_first = true;
	append(json, SLICE("\"labels\":{"));
	while (line_labels_next(&labels, &label)) {
		if (slice_equal(label.name, without)) {
			continue;
		}
		append(json, is_first ? SLICE("") : SLICE(","));
		json_append_string(&json->out, label.name);
		append(json, SLICE(":"));
		json_append_escaped(&json->out, label.value);
		is_first = false;
	}
	append(json, SLICE("}"));
}

static struct slice value_of(struct slice line, struct slice series)
{
	return slice_skip(line, series.len + 1);
}

static void begin_metric(struct metrics_json *json)
{
	append(json, json->has_metrics ? SLICE(",{") : SLICE("{"));
	json->has_metrics = true;
}

/* {"labels":{...},"value":"3"} */
static void append_plain(struct metrics_json *json, struct slice line)
{
	struct slice series = line_series(line);
	begin_metric(json);
	append_labels(json, series, SLICE(""));
	append(json, SLICE(",\"value\":"));
	json_append_value(&json->out, value_of(line, series));
	append(json, SLICE("}"));
}

/* "buckets":{"0.1":"1","+Inf":"2"} */
static void append_bounds(struct metrics_json *json, struct slice key, struct slice bound_name)
{
	append(json, key);
	append(json, SLICE(":{"));
	/* The last two lines are sum and count. */
	for (size_t i = 0; i + 2 < json->line_count; i++) {
		struct slice series = line_series(json->lines[i]);
		struct line_labels labels = line_labels_of(series);
		struct label label = { 0 };
		while (line_labels_next(&labels, &label) && !slice_equal(label.name, bound_name)) {
		}
		append(json, i == 0 ? SLICE("") : SLICE(","));
		json_append_escaped(&json->out, label.value);
		append(json, SLICE(":"));
		json_append_value(&json->out, value_of(json->lines[i], series));
	}
	append(json, SLICE("}"));
}

static void append_last_value(struct metrics_json *json, struct slice key, size_t from_end)
{
	struct slice line = json->lines[json->line_count - from_end];
	append(json, key);
	json_append_value(&json->out, value_of(line, line_series(line)));
}

/* The gathered lines of one summary or histogram; keys in order. */
static void append_gathered(struct metrics_json *json, bool is_summary)
{
	struct slice bound_name = is_summary ? SLICE("quantile") : SLICE("le");
	struct slice series = line_series(json->lines[json->line_count - 1]);
	begin_metric(json);
	if (!is_summary) {
		append_bounds(json, SLICE("\"buckets\""), bound_name);
		append(json, SLICE(","));
	}
	append_last_value(json, SLICE("\"count\":"), 1);
	append(json, SLICE(","));
	append_labels(json, series, bound_name);
	if (is_summary) {
		append(json, SLICE(","));
		append_bounds(json, SLICE("\"quantiles\""), bound_name);
	}
	append_last_value(json, SLICE(",\"sum\":"), 2);
	append(json, SLICE("}"));
	json->line_count = 0;
}

static void gather_line(struct metrics_json *json, struct slice line)
{
	if (json->line_count == json->line_capacity) {
		size_t old_bytes = json->line_count * sizeof(struct slice);
		json->line_capacity = json->line_capacity == 0 ? 64 : json->line_capacity * 2;
		json->lines = arena_grow(
				&json->arena, json->lines, old_bytes, json->line_capacity * sizeof(struct slice));
	}
	json->lines[json->line_count++] = line;
}

static void append_line(struct metrics_json *json, const struct block *block, struct slice line)
{
	bool is_summary = block->type == METRIC_SUMMARY;
	if (!is_summary && !metric_type_is_histogram(block->type)) {
		append_plain(json, line);
		return;
	}
	/* The count is a metric's last line, and the only one named so: bounds have labels. */
	struct slice name = line_name(line_series(line));
	gather_line(json, line);
	size_t family_len = json->families[json->next_family].name.len;
	if (slice_equal(slice_skip(name, family_len), SLICE("_count"))) {
		append_gathered(json, is_summary);
	}
}

/* ---- Families ---- */

static void append_family_head(struct metrics_json *json, struct slice name, int64_t pushed_ns,
		enum metric_type type, struct slice help)
{
	append(json, SLICE(","));
	json_append_string(&json->out, name);
	append(json, SLICE(":{\"time_stamp\":"));
	json_append_time(&json->out, pushed_ns);
	append(json, SLICE(",\"type\":"));
	json_append_string(&json->out, metric_type_upper_name(type));
	if (help.len > 0) {
		append(json, SLICE(",\"help\":"));
		json_append_escaped(&json->out, help);
	}
	append(json, SLICE(",\"metrics\":["));
}

static void do_family(struct metrics_json *json)
{
	struct listed_family *family = &json->families[json->next_family];
	struct block *block = family->block;
	if (!json->in_family) {
		struct slice help = block->help == NULL ? slice_make(NULL, 0) : block->help->text;
		append_family_head(json, family->name, block_pack(block)->pushed_ns, block->type, help);
		json->in_family = true;
		json->has_metrics = false;
		json->next_chunk = 0;
	}
	struct slice text = chunk_text(block->chunks[json->next_chunk++]);
	while (text.len > 0) {
		const char *feed = slice_find_byte(text, '\n');
		append_line(json, block, slice_between(text.ptr, feed));
		text = slice_skip(text, (size_t)(feed + 1 - text.ptr));
	}
	if (json->next_chunk == block->chunk_count) {
		append(json, SLICE("]}"));
		json->in_family = false;
		json->next_family++;
	}
}

/* ---- Groups ---- */

static int compare_names(const void *a, const void *b)
{
	return slice_compare(
			((const struct listed_family *)a)->name, ((const struct listed_family *)b)->name);
}

static void list_families(struct metrics_json *json, const struct group *group)
{
	json->families =
			arena_alloc(&json->arena, (group->member_count + 1) * sizeof(struct listed_family));
	json->family_count = 0;
	json->next_family = 0;
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct slot *slot = slots_at(&member->family->slots, member->slot);
		struct listed_family listed = { member->family->name, slot_content(*slot) };
		/* These names are taken by the group itself. */
		bool is_taken = slice_equal(listed.name, SLICE("labels"))
				|| slice_equal(listed.name, SLICE("last_push_successful"));
		if (listed.block != NULL && !is_taken) {
			json->families[json->family_count++] = listed;
		}
	}
	qsort(json->families, json->family_count, sizeof(json->families[0]), compare_names);
}

static void append_time(struct metrics_json *json, const struct group *group, const char *name,
		const char *help, int64_t value_ns)
{
	char value[NUMBER_TEXT_MAX];
	int64_t pushed_ns = group->times.pushed_ns;
	append_family_head(json, slice_of_string(name), pushed_ns != 0 ? pushed_ns : value_ns,
			METRIC_GAUGE, slice_of_string(help));
	struct slice series =
			arena_printf(&json->arena, "%s{" SLICE_FMT "}", name, SLICE_ARG(group->label_text));
	size_t len = number_format((double)value_ns / 1e9, value);
	append(json, SLICE("{"));
	append_labels(json, series, SLICE(""));
	append(json, SLICE(",\"value\":\""));
	append(json, slice_make(value, len));
	append(json, SLICE("\"}]}"));
}

static void append_group_head(struct metrics_json *json, const struct group *group)
{
	append(json, json->has_groups ? SLICE(",{\"labels\":{") : SLICE("{\"labels\":{"));
	json->has_groups = true;
	for (size_t i = 0; i < group->key.labels.count; i++) {
		const struct label *label = &group->key.labels.pairs[i];
		append(json, i == 0 ? SLICE("") : SLICE(","));
		json_append_string(&json->out, label->name);
		append(json, SLICE(":"));
		json_append_escaped(&json->out, label->value);
	}
	bool is_good = group->times.failed_ns <= group->times.pushed_ns;
	append(json, SLICE("},\"last_push_successful\":"));
	append(json, is_good ? SLICE("true") : SLICE("false"));
	append_time(json, group, "push_failure_time_seconds",
			"Last Unix time when changing this group in the Pushgateway failed.",
			group->times.failed_ns);
	append_time(json, group, "push_time_seconds",
			"Last Unix time when changing this group in the Pushgateway succeeded.",
			group->times.pushed_ns);
}

/* False while a large push goes in and there is no version to read. */
static bool begin_group(struct metrics_json *json)
{
	struct contents *contents = json->api->store->contents;
	if (json->next_group >= contents->group_slots.len) {
		append(json, SLICE("]}"));
		json->is_ended = true;
		return true;
	}
	struct group *group = slot_content(*slots_at(&contents->group_slots, json->next_group));
	if (group == NULL) {
		json->next_group++;
		return true;
	}
	if (!snapshot_open(&json->snapshot, json->api->store)) {
		return false;
	}
	json->in_group = true;
	json->next_group++;
	list_families(json, group);
	append_group_head(json, group);
	return true;
}

static void end_group(struct metrics_json *json)
{
	append(json, SLICE("}"));
	snapshot_close(&json->snapshot);
	json->in_group = false;
	json->lines = NULL;
	json->line_capacity = 0;
	arena_reset(&json->arena);
}

/* ---- The body ---- */

/* False when the next step has to wait. */
static bool do_step(struct metrics_json *json)
{
	if (!json->is_begun) {
		append(json, SLICE("{\"status\":\"success\",\"data\":["));
		json->is_begun = true;
	} else if (!json->in_group) {
		return begin_group(json);
	} else if (json->next_family < json->family_count) {
		do_family(json);
	} else {
		end_group(json);
	}
	return true;
}

static void free_json(struct metrics_json *json)
{
	buf_finish(&json->out);
	free(json);
}

static void on_turn(struct job *job)
{
	struct metrics_json *json =
			(struct metrics_json *)(void *)((char *)job - offsetof(struct metrics_json, job));
	json->is_waiting = false;
	if (json->is_closed) {
		free_json(json);
	} else {
		json->body.ready(json->body.ready_data);
	}
}

static enum http_body_state next_piece(struct http_body *body, struct http_piece *ret_piece)
{
	struct metrics_json *json = (struct metrics_json *)body;
	json->out.len = 0;
	while (!json->is_ended && json->out.len < PIECE_BYTES && do_step(json)) {
	}
	if (!json->is_ended && json->out.len == 0) {
		json->is_waiting = true;
		json->job.done = on_turn;
		executor_defer(json->api->executor, &json->job);
		return HTTP_BODY_LATER;
	}
	json->part = buf_slice(&json->out);
	ret_piece->parts = &json->part;
	ret_piece->count = 1;
	return json->part.len > 0 ? HTTP_BODY_PIECE : HTTP_BODY_END;
}

static void close_json(struct http_body *body)
{
	struct metrics_json *json = (struct metrics_json *)body;
	if (json->in_group) {
		snapshot_close(&json->snapshot);
	}
	arena_finish(&json->arena);
	json->is_closed = true;
	if (!json->is_waiting) {
		free_json(json);
	}
}

void metrics_json_handle(struct api *api, struct exchange *exchange)
{
	struct metrics_json *json = memory_zalloc(1, sizeof(*json));
	json->api = api;
	json->body.next = next_piece;
	json->body.close = close_json;
	arena_init(&json->arena);
	buf_init(&json->out, 0);
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.stream = &json->body;
	stats_count_request(api->stats, STATS_HANDLER_API_METRICS, STATS_METHOD_GET, 200);
	exchange_answer(exchange);
}
