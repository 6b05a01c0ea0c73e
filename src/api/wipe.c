#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"

struct wiping {
	struct api_task task;
	struct job job;
};

static void on_turn(struct job *job)
{
	struct wiping *wiping = (struct wiping *)(void *)((char *)job - offsetof(struct wiping, job));
	if (store_wipe(wiping->task.api->store)) {
		api_task_end(&wiping->task);
	} else {
		executor_defer(wiping->task.api->executor, &wiping->job);
	}
}

void wipe_handle(struct api *api, struct exchange *exchange)
{
	answer_empty(exchange, 202);
	stats_count_request(api->stats, STATS_HANDLER_WIPE, STATS_METHOD_PUT, 202);
	if (store_wipe(api->store)) {
		exchange_answer(exchange);
		return;
	}
	/* A large push is being applied: what it brings is wiped, too. */
	struct wiping *wiping = arena_zalloc(&exchange->arena, 1, sizeof(*wiping));
	wiping->job.done = on_turn;
	api_task_begin(&wiping->task, api, exchange);
	executor_defer(api->executor, &wiping->job);
}
