#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"
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

/* The keys of a group, sorted: what it says of itself, and its families. */
enum listed_kind {
	LISTED_FAMILY,
	LISTED_LABELS,
	LISTED_SUCCESS,
	LISTED_FAILURE_TIME,
	LISTED_PUSH_TIME,
};

struct listed {
	struct slice name;
	enum listed_kind kind;
	struct block *block; /* of a family */
};

struct metrics_json {
	struct http_body body;
	struct api_task task; /* what comes behind on the same connection waits */
	struct job job;       /* waits for a large push to be committed */
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
	struct group_key key; /* copies, like the next two */
	struct slice label_text;
	struct group_times times;
	struct listed *listed; /* sorted by name */
	size_t listed_count;
	size_t next_listed;

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
	size_t family_len = json->listed[json->next_listed].name.len;
	if (slice_equal(slice_skip(name, family_len), SLICE("_count"))) {
		append_gathered(json, is_summary);
	}
}

/* ---- Families ---- */

static void append_family_head(struct metrics_json *json, struct slice name, int64_t pushed_ns,
		enum metric_type type, struct slice help)
{
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
	struct listed *family = &json->listed[json->next_listed];
	struct block *block = family->block;
	if (!json->in_family) {
		append(json, json->next_listed > 0 ? SLICE(",") : SLICE(""));
		struct slice help = block->metadata == NULL ? slice_make(NULL, 0) : block->metadata->help;
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
		json->next_listed++;
	}
}

/* ---- Groups ---- */

static int compare_names(const void *a, const void *b)
{
	return slice_compare(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static bool is_own_name(struct slice name, const struct listed *own, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(own[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* A family with a name that the group needs itself cannot be shown here. */
static void list_keys(struct metrics_json *json, const struct group *group)
{
	static const struct listed own[] = {
		{ SLICE_INIT("labels"), LISTED_LABELS, NULL },
		{ SLICE_INIT("last_push_successful"), LISTED_SUCCESS, NULL },
		{ SLICE_INIT("push_failure_time_seconds"), LISTED_FAILURE_TIME, NULL },
		{ SLICE_INIT("push_time_seconds"), LISTED_PUSH_TIME, NULL },
	};
	enum { OWN = sizeof(own) / sizeof(own[0]) };
	json->listed = arena_alloc(&json->arena, (group->member_count + OWN) * sizeof(struct listed));
	memcpy(json->listed, own, sizeof(own));
	json->listed_count = OWN;
	json->next_listed = 0;
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct slot *slot = slots_at(&member->family->slots, member->slot);
		struct listed listed = { member->family->name, LISTED_FAMILY, slot_content(*slot) };
		if (listed.block != NULL && !is_own_name(listed.name, own, OWN)) {
			json->listed[json->listed_count++] = listed;
		}
	}
	qsort(json->listed, json->listed_count, sizeof(json->listed[0]), compare_names);
}

static void append_time(struct metrics_json *json, struct slice name, const char *help,
		int64_t value_ns, int64_t stamp_ns)
{
	char value[NUMBER_TEXT_MAX];
	append_family_head(json, name, stamp_ns, METRIC_GAUGE, slice_of_string(help));
	struct slice series = arena_printf(&json->arena, SLICE_FMT "{" SLICE_FMT "}", SLICE_ARG(name),
			SLICE_ARG(json->label_text));
	size_t len = number_format((double)value_ns / 1e9, value);
	append(json, SLICE("{"));
	append_labels(json, series, SLICE(""));
	append(json, SLICE(",\"value\":\""));
	append(json, slice_make(value, len));
	append(json, SLICE("\"}]}"));
}

static void append_key(struct metrics_json *json)
{
	append(json, SLICE("\"labels\":{"));
	for (size_t i = 0; i < json->key.labels.count; i++) {
		const struct label *label = &json->key.labels.pairs[i];
		append(json, i == 0 ? SLICE("") : SLICE(","));
		json_append_string(&json->out, label->name);
		append(json, SLICE(":"));
		json_append_escaped(&json->out, label->value);
	}
	append(json, SLICE("}"));
}

/* What the group says of itself. */
static void do_own(struct metrics_json *json)
{
	const struct listed *listed = &json->listed[json->next_listed];
	int64_t pushed_ns = json->times.pushed_ns;
	int64_t failed_ns = json->times.failed_ns;
	append(json, json->next_listed > 0 ? SLICE(",") : SLICE(""));
	switch (listed->kind) {
	case LISTED_LABELS:
		append_key(json);
		break;
	case LISTED_SUCCESS:
		append(json, SLICE("\"last_push_successful\":"));
		append(json, failed_ns <= pushed_ns ? SLICE("true") : SLICE("false"));
		break;
	case LISTED_FAILURE_TIME:
		append_time(json, listed->name,
				"Last Unix time when changing this group in the Pushgateway failed.", failed_ns,
				pushed_ns != 0 ? pushed_ns : failed_ns);
		break;
	case LISTED_PUSH_TIME:
		append_time(json, listed->name,
				"Last Unix time when changing this group in the Pushgateway succeeded.", pushed_ns,
				pushed_ns != 0 ? pushed_ns : failed_ns);
		break;
	case LISTED_FAMILY:
		break;
	}
	json->next_listed++;
}

/* The group may be gone before it is written: what is said of it is copied. */
static void copy_group(struct metrics_json *json, const struct group *group)
{
	struct arena *arena = &json->arena;
	json->times = group->times;
	json->label_text = arena_copy(arena, group->label_text);
	json->key.labels.count = group->key.labels.count;
	json->key.labels.pairs = arena_alloc(arena, group->key.labels.count * sizeof(struct label));
	for (size_t i = 0; i < group->key.labels.count; i++) {
		json->key.labels.pairs[i].name = arena_copy(arena, group->key.labels.pairs[i].name);
		json->key.labels.pairs[i].value = arena_copy(arena, group->key.labels.pairs[i].value);
	}
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
	list_keys(json, group);
	copy_group(json, group);
	append(json, json->has_groups ? SLICE(",{") : SLICE("{"));
	json->has_groups = true;
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
	} else if (json->next_listed == json->listed_count) {
		end_group(json);
	} else if (json->listed[json->next_listed].kind == LISTED_FAMILY) {
		do_family(json);
	} else {
		do_own(json);
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
	api_task_end(&json->task);
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
	api_task_hold(&json->task, api, exchange);
	exchange_answer(exchange);
}
