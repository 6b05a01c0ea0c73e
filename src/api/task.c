#include "api/task.h"

#include "api/endpoints.h"

struct api_waiter {
	struct list link;
	struct exchange *exchange;
};

void api_task_begin(struct api_task *task, struct api *api, struct exchange *exchange)
{
	task->api = api;
	task->exchange = exchange;
	task->session = exchange->session;
	list_init(&task->waiting);
	list_append(&api->ongoing, &task->link);
}

void api_task_hold(struct api_task *task, struct api *api, struct exchange *exchange)
{
	api_task_begin(task, api, exchange);
	task->exchange = NULL;
}

static struct api_task *find_task(const struct api *api, const struct http_session *session)
{
	LIST_EACH (link, &api->ongoing) {
		struct api_task *task = LIST_ENTRY(link, struct api_task, link);
		if (task->session == session && session != NULL) {
			return task;
		}
	}
	return NULL;
}

static void wait_for(struct api_task *task, struct exchange *exchange)
{
	struct api_waiter *waiter = arena_alloc(&exchange->arena, sizeof(*waiter));
	waiter->exchange = exchange;
	list_append(&task->waiting, &waiter->link);
}

bool api_task_waits(struct api *api, struct exchange *exchange)
{
	struct api_task *task = find_task(api, exchange->session);
	if (task == NULL) {
		return false;
	}
	wait_for(task, exchange);
	return true;
}

/* The task may lie in the exchange's arena: it is gone after this. */
static void end(struct api_task *task, bool is_answered)
{
	struct api *api = task->api;
	struct list waiting;
	list_init(&waiting);
	list_append_all(&waiting, &task->waiting);
	list_remove(&task->link);
	if (!is_answered) {
		api_carry_out(api, task->exchange);
	} else if (task->exchange != NULL) {
		exchange_answer(task->exchange);
	}
	LIST_EACH (link, &waiting) {
		struct api_waiter *waiter = LIST_ENTRY(link, struct api_waiter, link);
		list_remove(link);
		/* This one may take long, too; then the rest waits for it. */
		api_carry_out(api, waiter->exchange);
	}
}

void api_task_end(struct api_task *task)
{
	end(task, true);
}

void api_task_retry(struct api_task *task)
{
	end(task, false);
}

void api_task_leave(struct api_task *task)
{
	task->exchange = NULL;
	api_task_end(task);
}
