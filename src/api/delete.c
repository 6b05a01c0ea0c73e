#include "api/answer.h"
#include "api/endpoints.h"
#include "api/task.h"

struct deletion {
	struct api_task task;
	struct job job;
	struct api *api;
	struct group_key key;
};

static void count(struct api *api, struct exchange *exchange)
{
	stats_count_request(api->stats, STATS_HANDLER_DELETE, STATS_METHOD_DELETE,
			(unsigned)exchange->response.status);
}

/* A push to the group is being applied: the deletion comes after it. */
static void on_turn(struct job *job)
{
	struct deletion *deletion =
			(struct deletion *)(void *)((char *)job - offsetof(struct deletion, job));
	if (store_delete(deletion->api->store, &deletion->key) == STORE_DELETE_WAIT) {
		executor_defer(deletion->api->executor, &deletion->job);
	} else {
		api_task_end(&deletion->task);
	}
}

static void wait_for_turn(struct api *api, struct exchange *exchange, const struct group_key *key)
{
	struct deletion *deletion = arena_zalloc(&exchange->arena, 1, sizeof(*deletion));
	deletion->api = api;
	deletion->key = *key;
	deletion->job.done = on_turn;
	api_task_begin(&deletion->task, api, exchange);
	executor_defer(api->executor, &deletion->job);
}

void delete_handle(struct api *api, struct exchange *exchange, const struct route *route)
{
	struct group_key key;
	if (!answer_read_key(api, exchange, route, &key)) {
		count(api, exchange);
		exchange_answer(exchange);
		return;
	}
	answer_empty(exchange, 202);
	count(api, exchange);
	if (store_delete(api->store, &key) == STORE_DELETE_WAIT) {
		wait_for_turn(api, exchange, &key);
	} else {
		exchange_answer(exchange);
	}
}
