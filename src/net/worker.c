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

static void on_turn_closed(void *data)
{
	struct worker *worker = data;
	LIST_EACH (link, &worker->spares) {
		free(LIST_ENTRY(link, struct task, link));
	}
	if (worker->on_closed != NULL) {
		worker->on_closed(worker);
	}
}

static void close_when_done(struct worker *worker)
{
	if (worker->closing && worker->submitted == 0 && list_is_empty(&worker->deferred)) {
		turn_close(&worker->turn, on_turn_closed);
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

void worker_open(struct worker *worker, uv_loop_t *loop)
{
	*worker = (struct worker){
		.executor = { .submit = submit, .defer = defer },
		.loop = loop,
	};
	list_init(&worker->deferred);
	list_init(&worker->spares);
	turn_open(&worker->turn, loop, run_deferred, worker);
}

void worker_close(struct worker *worker, void (*on_closed)(struct worker *worker))
{
	worker->closing = true;
	worker->on_closed = on_closed;
	close_when_done(worker);
}
