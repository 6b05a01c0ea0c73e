#include "api/answer.h"
#include "api/endpoints.h"
#include "api/json_answer.h"
#include "api/targets_api.h"
#include "api/targets_write.h"
#include "api/task.h"
#include "targets/targets_read.h"
#include "transfer/line_json.h"

/*
 * Many targets at once, one a line, as an export has them: all of them or, when one is
 * wrong, none. Those that are there by their labels are configured anew; those that were not
 * configured by hand are left out, since they come about by themselves.
 */

enum { LINES_A_TURN = 500 };

struct targets_import {
	struct api_task task; /* begun when it takes more than one turn */
	struct job job;
	struct api *api;
	struct exchange *exchange;
	struct slice rest; /* lines that are still to be read */
	size_t line;       /* the number of the last one */
	bool is_ongoing;
	struct targets_read *items;
	size_t count;
	size_t capacity;
	size_t skipped;
};

/* What is behind it on its connection goes on. */
static void leave(struct targets_import *import)
{
	if (import->is_ongoing) {
		import->is_ongoing = false;
		api_task_leave(&import->task);
	}
}

static bool refuse(struct targets_import *import, int status, struct slice text)
{
	struct arena *arena = &import->exchange->arena;
	leave(import);
	targets_answer_error(import->api, import->exchange, status,
			ARENA_JOIN(arena, arena_printf(arena, "line %zu: ", import->line), text));
	return false;
}

static struct targets_read *add_item(struct targets_import *import)
{
	size_t old_bytes = import->capacity * sizeof(*import->items);
	if (import->count == import->capacity) {
		import->capacity = import->capacity == 0 ? 64 : import->capacity * 2;
		import->items = arena_grow(&import->exchange->arena, import->items, old_bytes,
				import->capacity * sizeof(*import->items));
	}
	struct targets_read *item = &import->items[import->count++];
	*item = (struct targets_read){ 0 };
	return item;
}

static bool read_line(struct targets_import *import, struct slice line)
{
	struct arena *arena = &import->exchange->arena;
	struct slice text;
	cJSON *tree = line_json_parse(line, arena, &text);
	if (tree == NULL) {
		return refuse(import, 400, ARENA_JOIN(arena, SLICE("no JSON: "), text));
	}
	struct targets_read *item = add_item(import);
	bool is_good = targets_read(item, tree, &import->api->options.format_options, arena, &text);
	cJSON_Delete(tree);
	if (!is_good) {
		return refuse(import, 422, text);
	}
	if (item->key.labels.count == 0) {
		return refuse(import, 422, SLICE("\"labels\" are needed, a job among them"));
	}
	import->skipped += !item->is_configured;
	import->count -= !item->is_configured;
	return true;
}

/* Some lines more; false when one is wrong, and the exchange was answered. */
static bool read_some(struct targets_import *import)
{
	for (size_t i = 0; i < LINES_A_TURN && import->rest.len > 0; i++) {
		struct slice line = slice_trim(slice_take_line(&import->rest));
		import->line++;
		if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
			line.len--;
		}
		if (import->line > TARGETS_IMPORT_LINES_MAX) {
			return refuse(import, 413, SLICE("too many lines: 20000 are allowed"));
		}
		if (line.len > 0 && !read_line(import, line)) {
			return false;
		}
	}
	return true;
}

static void answer_imported(struct targets_write *write)
{
	struct exchange *exchange = write->exchange;
	const struct targets_import *import = write->data;
	json_answer_data(exchange, 200,
			arena_printf(&exchange->arena, "{\"created\":%zu,\"updated\":%zu,\"skipped\":%zu}",
					write->change.created, write->change.updated, import->skipped));
	targets_answer(write->api, exchange);
}

static void apply_all(struct targets_import *import)
{
	struct targets_write *write = targets_write_create(
			import->api, import->exchange, TARGET_CHANGE_IMPORT, import->count, answer_imported);
	for (size_t i = 0; i < import->count; i++) {
		const struct targets_read *read = &import->items[i];
		struct target_change_item *item = &write->change.items[i];
		item->key = read->key;
		item->config = read->config;
		item->id = read->id;
		item->has_id = read->has_id;
	}
	write->data = import;
	leave(import);
	targets_write_submit(write);
}

static void on_turn(struct job *job);

static void run(struct targets_import *import)
{
	if (!read_some(import)) {
		return;
	}
	if (import->rest.len == 0) {
		apply_all(import);
		return;
	}
	if (!import->is_ongoing) {
		import->is_ongoing = true;
		api_task_begin(&import->task, import->api, import->exchange);
	}
	import->job = (struct job){ .done = on_turn };
	executor_defer(import->api->executor, &import->job);
}

static void on_turn(struct job *job)
{
	run(LIST_ENTRY(job, struct targets_import, job));
}

void targets_import_handle(struct api *api, struct exchange *exchange)
{
	struct targets_import *import = arena_zalloc(&exchange->arena, 1, sizeof(*import));
	import->api = api;
	import->exchange = exchange;
	if (!targets_are_loading(api, exchange)
			&& targets_take_body(api, exchange, TARGETS_IMPORT_MAX, &import->rest)) {
		run(import);
	}
}
