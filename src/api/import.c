#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/import_state.h"
#include "api/limit_text.h"
#include "api/unavailable.h"
#include "base/clock.h"
#include "base/memory.h"
#include "config/jobs.h"
#include "store/same.h"

/*
 * Lines become groups, some at a time:
 *
 *     decode     the content coding undone                thread
 *     read       lines read and made ready, some          thread
 *     apply      those put into the store, in slices      loop; then on to the next lines
 *
 * One import at a time goes through these; others wait. Only who may wipe may
 * import, so nobody keeps them waiting but others of that kind.
 */
enum {
	ITEMS_A_TURN = 64, /* put into the store on one turn of the loop */
	SERIES_A_TURN = 8 * 1024,
	INLINE_BYTES = 16 * 1024, /* what is larger, or coded, is read on a thread */
	FEW_GAPS = 4096,
	BODY_BYTES_A_GAP = 8,
};

static void on_begin(struct job *job);
static void read_on(struct import *import);

static void defer(struct import *import, void (*then)(struct job *job))
{
	import->job = (struct job){ .done = then };
	executor_defer(import->api->executor, &import->job);
}

/* ---- The end ---- */

static void begin_next(struct api *api)
{
	struct list *next = list_first(&api->imports_waiting);
	api->is_importing = next != NULL;
	if (next != NULL) {
		list_remove(next);
		defer(LIST_ENTRY(next, struct import, link), on_begin);
	}
}

static void on_acknowledged(struct ack *ack, enum ack_result result)
{
	struct import *import = LIST_ENTRY(ack, struct import, ack);
	struct exchange *exchange = ack->exchange;
	stats_count_request(import->api->stats, STATS_HANDLER_API_IMPORT, STATS_METHOD_POST,
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}

/* The import lies in the exchange's arena: it may be gone when that is answered. */
static void let_go(struct import *import)
{
	job_rules_unref(import->rules);
	buf_finish(&import->decoded);
	buf_finish(&import->content_error);
	arena_finish(&import->arena);
	begin_next(import->api);
	api_task_leave(&import->task);
}

/* The response is set; it is given when all that was taken is durable. */
static void finish(struct import *import)
{
	struct api *api = import->api;
	let_go(import);
	ack_when_durable(api, &import->ack, import->exchange, NULL, on_acknowledged);
}

/* Before anything of it is in the store. */
static void finish_away(struct import *import, struct slice text)
{
	struct api *api = import->api;
	struct exchange *exchange = import->exchange;
	let_go(import);
	unavailable_answer(api, exchange, ENDPOINT_API_IMPORT, text);
}

static void finish_undecoded(struct import *import)
{
	struct slice text = buf_slice(&import->content_error);
	bool is_corrupt = import->content == HTTP_CONTENT_E_CORRUPT;
	import->api->stats->rejected[STATS_REJECTED_BODY]++;
	import->api->decoded_too_large += !is_corrupt;
	import_set_error(import->exchange, is_corrupt ? 400 : 413,
			slice_first(text, text.len > 0 ? text.len - 1 : 0));
	finish(import);
}

/* ---- Into the store ---- */

/* What is left of its life, under the cap. False when it is over. */
static bool find_deadline(const struct import_item *item, int64_t *ret_deadline_ns)
{
	int64_t max_ns = item->terms.ttl.max_ns;
	int64_t expires_ns = item->line.group.expires_ns;
	int64_t left_ns = expires_ns == 0 ? 0 : expires_ns - clock_wall_ns();
	if (expires_ns != 0 && left_ns <= 0) {
		return false;
	}
	if (max_ns != 0 && (left_ns == 0 || left_ns > max_ns)) {
		left_ns = max_ns;
	}
	/* So late that it cannot be said: never. */
	bool is_never = left_ns == 0
			|| __builtin_add_overflow((int64_t)clock_monotonic_ns(), left_ns, ret_deadline_ns);
	*ret_deadline_ns = is_never ? 0 : *ret_deadline_ns;
	return true;
}

/*
 * Whether the group is to stay as it is. If not, it keeps the later time of a
 * push that was refused.
 */
static bool is_newer_here(struct import *import, struct import_item *item)
{
	struct group_times *times = &item->line.group.times;
	const struct group *group =
			import->only_newer ? store_find_group(import->api->store, &item->line.group.key) : NULL;
	if (group == NULL) {
		return false;
	}
	if (group->times.failed_ns > times->failed_ns) {
		times->failed_ns = group->times.failed_ns;
	}
	return group->times.pushed_ns > times->pushed_ns;
}

/* Families are only added to the group that they were part of. */
static bool may_add(struct import *import, struct import_item *item)
{
	const struct group *group = store_find_group(import->api->store, &item->line.group.key);
	struct group_times *times = &item->line.group.times;
	if (!item->line.group.adds) {
		return true;
	}
	if (group == NULL || group->times.pushed_ns != times->pushed_ns) {
		item->reason = SLICE("its families are to be added to the group, which is not there or "
							 "was pushed at another time");
		return false;
	}
	*times = group->times;
	return true;
}

/* False when there is nothing to be put into the store. */
static bool begin_item(struct import *import, struct import_item *item)
{
	struct import_outcome *outcome = &import->outcome;
	const struct line_group *group = &item->line.group;
	int64_t deadline_ns;
	if (is_newer_here(import, item)) {
		outcome->kept += !group->adds;
		return false;
	}
	if (!find_deadline(item, &deadline_ns)) {
		outcome->expired++;
		return false;
	}
	if (!may_add(import, item)) {
		return false;
	}
	push_init(&item->op, import->api->store, group->adds ? STORE_POST : STORE_PUT, &group->key,
			&item->prepared, &import->arena);
	item->op.times = &group->times;
	item->op.deadline_ns = deadline_ns;
	item->op.job_limits = item->terms.store;
	item->op.place = group->place;
	push_limit_places(&item->op, &import->gaps);
	if (push_changes_nothing(&item->op)) {
		outcome->unchanged++;
		outcome->groups += !group->adds;
		outcome->series += item->line.series;
		return false;
	}
	return true;
}

static struct slice describe_contradiction(struct import *import, const struct batch_fault *fault)
{
	return fault->holder.len == 0 ? fault->text
								  : ARENA_JOIN(&import->arena, fault->text,
										  SLICE("; what stands against it: "), fault->holder);
}

/* False when the item needs further turns. */
static bool put_item(struct import *import, struct import_item *item)
{
	struct slice away = away_text(import->api, &item->line.group.key, &import->arena);
	if (away.ptr != NULL && push_retreat(&item->op)) {
		item->reason = away;
		return true;
	}
	/* Until its first step is done it may have to start over. */
	bool is_begun = item->op.shape != NULL;
	if (!is_begun && !begin_item(import, item)) {
		return true;
	}
	switch (push_step(&item->op)) {
	case PUSH_AGAIN:
	case PUSH_WAIT:
		return false;
	case PUSH_OK:
		import->outcome.groups += !item->line.group.adds;
		import->outcome.series += item->line.series;
		return true;
	case PUSH_E_INCONSISTENT:
		item->reason = describe_contradiction(import, &item->op.fault);
		return true;
	case PUSH_E_LIMIT:
		item->reason = limit_text_of_store(&import->arena, &item->op, &item->terms);
		return true;
	}
	return true;
}

static void apply(struct job *job)
{
	struct import *import = LIST_ENTRY(job, struct import, job);
	uint64_t series = 0;
	for (size_t i = 0; i < ITEMS_A_TURN && series < SERIES_A_TURN; i++) {
		if (import->next_item == import->item_count) {
			read_on(import);
			return;
		}
		struct import_item *item = &import->items[import->next_item];
		if (item->reason.ptr == NULL && !put_item(import, item)) {
			break;
		}
		if (item->reason.ptr != NULL) {
			import_refuse(import, item, item->reason);
		}
		prepared_push_drop(&item->prepared);
		series += item->line.series;
		import->next_item++;
	}
	defer(import, apply);
}

/* ---- Lines ---- */

static void work(struct job *job)
{
	struct import *import = LIST_ENTRY(job, struct import, job);
	if (!import->is_decoded) {
		import_decode(import);
	}
	if (import->content == HTTP_CONTENT_OK) {
		import_read_lines(import);
	}
}

static void on_worked(struct job *job)
{
	struct import *import = LIST_ENTRY(job, struct import, job);
	if (import->content == HTTP_CONTENT_OK) {
		apply(job);
	} else {
		finish_undecoded(import);
	}
}

static void read_on(struct import *import)
{
	if (import->is_decoded && import->rest.len == 0) {
		import_set_answer(import);
		finish(import);
		return;
	}
	import->job = (struct job){ .work = work, .done = on_worked };
	if (import->is_decoded && import->rest.len <= INLINE_BYTES) {
		work(&import->job);
		defer(import, on_worked);
	} else {
		executor_submit(import->api->executor, &import->job);
	}
}

/* ---- The beginning ---- */

static void on_begin(struct job *job)
{
	struct import *import = LIST_ENTRY(job, struct import, job);
	struct slice body = import->exchange->request.body;
	struct slice away = away_text(import->api, NULL, &import->exchange->arena);
	if (away.ptr != NULL) {
		finish_away(import, away);
		return;
	}
	import->coding =
			http_coding_by_name(exchange_header(import->exchange, SLICE("Content-Encoding")));
	if (import->coding == HTTP_CODING_IDENTITY) {
		import->rest = body;
		import->is_decoded = true;
	}
	read_on(import);
}

/* Without, lines replace what is there. */
static bool read_condition(struct exchange *exchange, bool *ret_only_newer)
{
	struct slice condition = exchange_query_parameter(exchange, SLICE("if"));
	*ret_only_newer = condition.ptr != NULL;
	return condition.ptr == NULL
			|| (answer_decode_query(condition, &exchange->arena, &condition)
					&& slice_equal(condition, SLICE("newer")));
}

void import_handle(struct api *api, struct exchange *exchange)
{
	bool only_newer;
	if (!read_condition(exchange, &only_newer)) {
		import_set_error(exchange, 400, SLICE("the only condition that there is: if=newer"));
		stats_count_request(api->stats, STATS_HANDLER_API_IMPORT, STATS_METHOD_POST, 400);
		exchange_answer(exchange);
		return;
	}
	struct import *import = arena_zalloc(&exchange->arena, 1, sizeof(*import));
	import->api = api;
	import->exchange = exchange;
	import->only_newer = only_newer;
	import->options = api->options;
	import->rules = job_rules_ref(api->job_rules);
	/* A slot takes 16 bytes: so many as the body has, twice, and some. */
	import->gaps = FEW_GAPS + exchange->request.body.len / BODY_BYTES_A_GAP;
	buf_init(&import->decoded, 0);
	buf_init(&import->content_error, 0);
	arena_init(&import->arena);
	api_task_begin(&import->task, api, exchange);
	if (api->is_importing) {
		list_append(&api->imports_waiting, &import->link);
		return;
	}
	api->is_importing = true;
	on_begin(&import->job);
}
