#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"
#include "api/unavailable.h"

struct deletion {
	struct api_task task;
	struct job job;
	struct ack ack;
	struct api *api;
	struct group_key key;
	bool is_ongoing;
};

static void count(struct api *api, struct exchange *exchange)
{
	stats_count_request(api->stats, STATS_HANDLER_DELETE, STATS_METHOD_DELETE,
			(unsigned)exchange->response.status);
}

static void on_acknowledged(struct ack *ack, enum ack_result result)
{
	struct deletion *deletion = LIST_ENTRY(ack, struct deletion, ack);
	struct exchange *exchange = ack->exchange;
	count(deletion->api, exchange);
	exchange_answer(exchange);
}

static void refuse(struct deletion *deletion, struct exchange *exchange, struct slice text)
{
	struct api *api = deletion->api;
	if (deletion->is_ongoing) {
		api_task_leave(&deletion->task);
	}
	unavailable_answer(api, exchange, ENDPOINT_PUSH, text);
}

static void on_turn(struct job *job);

/* It is left to wait while a push to the group is being applied, or others in slices. */
static void run(struct deletion *deletion, struct exchange *exchange)
{
	struct api *api = deletion->api;
	bool is_begun = store_is_deleting(api->store, &deletion->key);
	struct slice away = away_text(api, &deletion->key, &exchange->arena);
	if (away.ptr != NULL && !is_begun) {
		refuse(deletion, exchange, away);
		return;
	}
	if (store_delete(api->store, &deletion->key) == STORE_DELETE_WAIT) {
		if (!deletion->is_ongoing) {
			deletion->is_ongoing = true;
			api_task_begin(&deletion->task, api, exchange);
		}
		executor_defer(api->executor, &deletion->job);
		return;
	}
	if (deletion->is_ongoing) {
		api_task_leave(&deletion->task);
	}
	ack_when_durable(api, &deletion->ack, exchange, &deletion->key, on_acknowledged);
}

static void on_turn(struct job *job)
{
	struct deletion *deletion =
			(struct deletion *)(void *)((char *)job - offsetof(struct deletion, job));
	run(deletion, deletion->task.exchange);
}

void delete_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct deletion *deletion = arena_zalloc(&exchange->arena, 1, sizeof(*deletion));
	deletion->api = api;
	deletion->job.done = on_turn;
	if (!answer_read_key(api, exchange, route, &deletion->key)) {
		count(api, exchange);
		exchange_answer(exchange);
		return;
	}
	answer_empty(exchange, 202);
	run(deletion, exchange);
}
