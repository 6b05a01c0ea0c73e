#include "api/answer.h"
#include "api/endpoints.h"
#include "api/json_answer.h"
#include "api/targets_api.h"
#include "api/targets_read.h"
#include "transfer/line_json.h"

/*
 * Many targets at once, one a line, as an export has them: all of them or, when one is
 * wrong, none. Those that are there by their labels are configured anew; those that were not
 * configured by hand are left out, since they come about by themselves.
 */

struct import {
	struct api *api;
	struct exchange *exchange;
	struct targets_read *items;
	size_t count;
	size_t capacity;
	size_t created;
	size_t updated;
	size_t skipped;
};

static bool refuse(struct import *import, size_t line, int status, struct slice text)
{
	struct arena *arena = &import->exchange->arena;
	targets_answer_error(import->api, import->exchange, status,
			ARENA_JOIN(arena, arena_printf(arena, "line %zu: ", line), text));
	return false;
}

static struct targets_read *add_item(struct import *import)
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

static bool read_line(struct import *import, struct slice line, size_t number)
{
	struct arena *arena = &import->exchange->arena;
	struct slice text;
	cJSON *tree = line_json_parse(line, arena, &text);
	if (tree == NULL) {
		return refuse(import, number, 400, ARENA_JOIN(arena, SLICE("no JSON: "), text));
	}
	struct targets_read *item = add_item(import);
	bool is_good = targets_read(item, tree, &import->api->options.format_options, arena, &text);
	cJSON_Delete(tree);
	if (!is_good) {
		return refuse(import, number, 422, text);
	}
	if (item->key.labels.count == 0) {
		return refuse(import, number, 422, SLICE("\"labels\" are needed, a job among them"));
	}
	import->skipped += !item->is_configured;
	import->count -= !item->is_configured;
	return true;
}

static bool read_lines(struct import *import, struct slice rest)
{
	for (size_t number = 1; rest.len > 0; number++) {
		struct slice line = slice_trim(slice_take_line(&rest));
		if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
			line.len--;
		}
		if (number > TARGETS_IMPORT_LINES_MAX) {
			return refuse(import, number, 413, SLICE("too many lines: 20000 are allowed"));
		}
		if (line.len > 0 && !read_line(import, line, number)) {
			return false;
		}
	}
	return true;
}

/* Even if they are all new. */
static bool has_room(struct import *import)
{
	struct registry *registry = import->api->targets;
	size_t missing = 0;
	for (size_t i = 0; i < import->count; i++) {
		missing += registry_find(registry, &import->items[i].key) == NULL;
	}
	return missing + registry_len(registry) <= registry->options.limit;
}

static void apply(struct import *import, const struct targets_read *item)
{
	struct registry *registry = import->api->targets;
	struct target *target = registry_find(registry, &item->key);
	if (target != NULL) {
		registry_configure(registry, target, &item->config);
		import->updated++;
		return;
	}
	bool is_free = item->has_id && registry_find_by_id(registry, &item->id) == NULL;
	registry_create(registry, &item->key, &item->config, is_free ? &item->id : NULL, &target);
	import->created++;
}

void targets_import_handle(struct api *api, struct exchange *exchange)
{
	struct import import = { .api = api, .exchange = exchange };
	struct slice body;
	if (targets_are_loading(api, exchange)
			|| !targets_take_body(api, exchange, TARGETS_IMPORT_MAX, &body)
			|| !read_lines(&import, body)) {
		return;
	}
	if (!has_room(&import)) {
		targets_answer_error(
				api, exchange, 429, SLICE("there would be too many targets (--targets.limit)"));
		return;
	}
	for (size_t i = 0; i < import.count; i++) {
		apply(&import, &import.items[i]);
	}
	json_answer_data(exchange, 200,
			arena_printf(&exchange->arena, "{\"created\":%zu,\"updated\":%zu,\"skipped\":%zu}",
					import.created, import.updated, import.skipped));
	targets_answer(api, exchange);
}
