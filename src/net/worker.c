#include "net/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SPARES_MAX = 32 };

struct task {
	uv_work_t work;
	struct list link;
	struct worker *worker;
	struct job *job;
	uint64_t due_ms; /* of one put off, on the loop's clock */
};

static struct task *take_task(struct worker *worker, struct job *job)
{
	struct list *link = list_first(&worker->spares);
	struct task *task;
	if (link == NULL) {
		task = memory_alloc(sizeof(*task));
		task->worker = worker;
		task->work.data = task;
		list_init(&task->link);
	} else {
		list_remove(link);
		worker->spare_count--;
		task = LIST_ENTRY(link, struct task, link);
	}
	task->job = job;
	return task;
}

/* Returns the job, whose done() is to be called. */
static struct job *give_back(struct task *task)
{
	struct worker *worker = task->worker;
	struct job *job = task->job;
	list_remove(&task->link);
	if (worker->spare_count == SPARES_MAX) {
		free(task);
		return job;
	}
	list_append(&worker->spares, &task->link);
	worker->spare_count++;
	return job;
}

static void count_closed(struct worker *worker)
{
	if (--worker->open_handles > 0) {
		return;
	}
	LIST_EACH (link, &worker->spares) {
		free(LIST_ENTRY(link, struct task, link));
	}
	if (worker->on_closed != NULL) {
		worker->on_closed(worker);
	}
}

static void on_turn_closed(void *data)
{
	count_closed(data);
}

static void on_timer_closed(uv_handle_t *timer)
{
	count_closed(timer->data);
}

bool worker_is_idle(const struct worker *worker)
{
	LIST_EACH (link, &worker->put_off) {
		if (!LIST_ENTRY(link, struct task, link)->job->is_watch) {
			return false;
		}
	}
	return worker->submitted == 0 && list_is_empty(&worker->deferred);
}

static void close_when_done(struct worker *worker)
{
	bool is_done = worker->submitted == 0 && list_is_empty(&worker->deferred)
			&& list_is_empty(&worker->put_off);
	if (worker->closing && is_done && !uv_is_closing((uv_handle_t *)&worker->timer)) {
		turn_close(&worker->turn, on_turn_closed);
		uv_close((uv_handle_t *)&worker->timer, on_timer_closed);
	}
}

static void on_work(uv_work_t *work)
{
	struct task *task = work->data;
	task->job->work(task->job);
}

static void on_worked(uv_work_t *work, int status)
{
	struct task *task = work->data;
	struct worker *worker = task->worker;
	struct job *job = give_back(task);
	job->done(job);
	worker->submitted--;
	close_when_done(worker);
}

static void submit(struct executor *executor, struct job *job)
{
	struct worker *worker = LIST_ENTRY(executor, struct worker, executor);
	struct task *task = take_task(worker, job);
	worker->submitted++;
	int status = uv_queue_work(worker->loop, &task->work, on_work, on_worked);
	assert(status == 0);
}

static void defer(struct executor *executor, struct job *job)
{
	struct worker *worker = LIST_ENTRY(executor, struct worker, executor);
	struct task *task = take_task(worker, job);
	list_append(&worker->deferred, &task->link);
	turn_arm(&worker->turn);
}

/* Each job once; those that come in meanwhile have their turn after the next input. */
static bool run_deferred(void *data)
{
	struct worker *worker = data;
	struct list *last = worker->deferred.prev;
	bool is_last = list_is_empty(&worker->deferred);
	while (!is_last) {
		struct list *link = list_first(&worker->deferred);
		is_last = link == last;
		struct job *job = give_back(LIST_ENTRY(link, struct task, link));
		job->done(job);
	}
	bool more = !list_is_empty(&worker->deferred);
	close_when_done(worker);
	return more;
}

static void on_timer(uv_timer_t *timer);

/* For the first of those put off; while closing, for all of them at once. */
static void set_timer(struct worker *worker)
{
	struct list *first = list_first(&worker->put_off);
	if (first == NULL) {
		return;
	}
	uint64_t due_ms = LIST_ENTRY(first, struct task, link)->due_ms;
	uint64_t now_ms = uv_now(worker->loop);
	bool is_due = worker->closing || due_ms <= now_ms;
	uv_timer_start(&worker->timer, on_timer, is_due ? 0 : due_ms - now_ms, 0);
}

/* Those that are put off again meanwhile are due on a later turn at the earliest. */
static void on_timer(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	uint64_t now_ms = uv_now(worker->loop);
	struct list due;
	list_init(&due);
	LIST_EACH (link, &worker->put_off) {
		if (worker->closing || LIST_ENTRY(link, struct task, link)->due_ms <= now_ms) {
			list_remove(link);
			list_append(&due, link);
		}
	}
	while (!list_is_empty(&due)) {
		struct job *job = give_back(LIST_ENTRY(list_first(&due), struct task, link));
		job->done(job);
	}
	set_timer(worker);
	close_when_done(worker);
}

static void later(struct executor *executor, struct job *job, uint64_t ms)
{
	struct worker *worker = LIST_ENTRY(executor, struct worker, executor);
	struct task *task = take_task(worker, job);
	task->due_ms = uv_now(worker->loop) + ms;
	/* The longest wait is most often the newest. */
	struct list *before = worker->put_off.prev;
	while (before != &worker->put_off
			&& LIST_ENTRY(before, struct task, link)->due_ms > task->due_ms) {
		before = before->prev;
	}
	list_append(before->next, &task->link);
	set_timer(worker);
}

void worker_open(struct worker *worker, uv_loop_t *loop)
{
	*worker = (struct worker){
		.executor = { .submit = submit, .defer = defer, .later = later },
		.loop = loop,
		.open_handles = 2,
	};
	list_init(&worker->deferred);
	list_init(&worker->put_off);
	list_init(&worker->spares);
	turn_open(&worker->turn, loop, run_deferred, worker);
	uv_timer_init(loop, &worker->timer);
	worker->timer.data = worker;
}

void worker_close(struct worker *worker, void (*on_closed)(struct worker *worker))
{
	worker->closing = true;
	worker->on_closed = on_closed;
	set_timer(worker);
	close_when_done(worker);
}
