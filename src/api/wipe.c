#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"
#include "api/unavailable.h"

struct wiping {
	struct api_task task;
	struct job job;
	struct ack ack;
	struct api *api;
	bool is_ongoing;
};

static void on_acknowledged(struct ack *ack, enum ack_result result)
{
	struct wiping *wiping = LIST_ENTRY(ack, struct wiping, ack);
	struct exchange *exchange = ack->exchange;
	stats_count_request(wiping->api->stats, STATS_HANDLER_WIPE, STATS_METHOD_PUT,
			(unsigned)exchange->response.status);
	exchange_answer(exchange);
}

static void refuse(struct wiping *wiping, struct exchange *exchange, struct slice text)
{
	struct api *api = wiping->api;
	if (wiping->is_ongoing) {
		api_task_leave(&wiping->task);
	}
	unavailable_answer(api, exchange, ENDPOINT_API_WIPE, text);
}

/* While a large push is being applied it waits: what that brings is wiped, too. */
static void run(struct wiping *wiping, struct exchange *exchange)
{
	struct slice away = away_text(wiping->api, NULL, &exchange->arena);
	if (away.ptr != NULL) {
		refuse(wiping, exchange, away);
		return;
	}
	if (!store_wipe(wiping->api->store)) {
		if (!wiping->is_ongoing) {
			wiping->is_ongoing = true;
			api_task_begin(&wiping->task, wiping->api, exchange);
		}
		executor_defer(wiping->api->executor, &wiping->job);
		return;
	}
	if (wiping->is_ongoing) {
		api_task_leave(&wiping->task);
	}
	ack_when_durable(wiping->api, &wiping->ack, exchange, NULL, on_acknowledged);
}

static void on_turn(struct job *job)
{
	struct wiping *wiping = (struct wiping *)(void *)((char *)job - offsetof(struct wiping, job));
	run(wiping, wiping->task.exchange);
}

void wipe_handle(struct api *api, struct exchange *exchange)
{
	struct wiping *wiping = arena_zalloc(&exchange->arena, 1, sizeof(*wiping));
	wiping->api = api;
	wiping->job.done = on_turn;
	answer_empty(exchange, 202);
	run(wiping, exchange);
}
