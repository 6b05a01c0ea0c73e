#include "api/endpoints.h"
#include "api/targets_api.h"
#include "api/task.h"
#include "api/unavailable.h"
#include "base/clock.h"

/*
 * Requests about targets while what is stored of them is being loaded. Most often that is done in
 * a moment, so they wait for one.
 */

enum { PATIENCE_MS = 500 /* since weir began to load */ };

struct targets_wait {
	struct api_task task;
	struct list link;
};

static void refuse(struct api *api, struct exchange *exchange)
{
	struct slice why = api->targets->loading_why;
	unavailable_add_retry(exchange);
	targets_answer_error(api, exchange, 503,
			why.len == 0
					? SLICE("the targets are being loaded")
					: ARENA_JOIN(&exchange->arena,
							SLICE("the targets are being loaded, which cannot be at present: "),
							why));
}

/* Each one once: those that have to wait on come to the end of the list. */
static void retry_all(struct api *api)
{
	struct list waiting;
	list_init(&waiting);
	list_append_all(&waiting, &api->targets_waiting);
	while (!list_is_empty(&waiting)) {
		struct list *link = list_first(&waiting);
		list_remove(link);
		/* It may be gone with its exchange when this returns. */
		api_task_retry(&LIST_ENTRY(link, struct targets_wait, link)->task);
	}
}

static void on_patience(struct job *job)
{
	struct api *api = LIST_ENTRY(job, struct api, targets_patience);
	api->has_targets_patience = false;
	retry_all(api);
}

static void wait_for(struct api *api, struct exchange *exchange, uint64_t ms)
{
	struct targets_wait *wait = arena_zalloc(&exchange->arena, 1, sizeof(*wait));
	api_task_begin(&wait->task, api, exchange);
	list_append(&api->targets_waiting, &wait->link);
	if (!api->has_targets_patience) {
		api->has_targets_patience = true;
		api->targets_patience = (struct job){ .done = on_patience, .is_watch = true };
		executor_later(api->executor, &api->targets_patience, ms);
	}
}

bool targets_wait(struct api *api, struct exchange *exchange)
{
	uint64_t passed_ms = (clock_monotonic_ns() - api->targets->loading_ns) / 1000000;
	bool is_patient =
			api->targets->is_loading && passed_ms < PATIENCE_MS && !api->has_given_targets_up;
	if (is_patient) {
		wait_for(api, exchange, PATIENCE_MS - passed_ms);
	}
	return is_patient;
}

bool targets_are_loading(struct api *api, struct exchange *exchange)
{
	if (!api->targets->is_loading) {
		return false;
	}
	if (!targets_wait(api, exchange)) {
		refuse(api, exchange);
	}
	return true;
}

void api_end_loading_targets(struct api *api)
{
	retry_all(api);
}

void api_give_up_loading_targets(struct api *api)
{
	api->has_given_targets_up = true;
	retry_all(api);
}
