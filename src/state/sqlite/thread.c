#include "state/sqlite/thread.h"

#include <stdio.h>

#include "base/clock.h"

/* What there is to do next. */
enum task {
	TASK_SET,
	TASK_DELETE,
	TASK_QUIT,
};

struct order {
	enum task task;
	struct change_set *set;
	struct state_clock clock;
	bool has_clock;
};

/* ---- The thread ---- */

static bool has_dead(const struct sqlite_thread *thread)
{
	return !thread->is_broken && sqlite_commit_has_dead(&thread->commit);
}

/* Waits for something to do. */
static struct order take_order(struct sqlite_thread *thread)
{
	struct order order = { .task = TASK_QUIT };
	uv_mutex_lock(&thread->lock);
	while (thread->todo == NULL && !thread->is_quitting && !has_dead(thread)) {
		uv_cond_wait(&thread->has_news, &thread->lock);
	}
	if (thread->todo != NULL) {
		order.task = TASK_SET;
		order.set = thread->todo;
		order.clock = thread->clock;
		order.has_clock = thread->has_clock;
		thread->todo = NULL;
	} else if (!thread->is_quitting) {
		order.task = TASK_DELETE;
	}
	uv_mutex_unlock(&thread->lock);
	return order;
}

static void report(struct sqlite_thread *thread, const struct sqlite_result *result)
{
	uv_mutex_lock(&thread->lock);
	thread->result = *result;
	uv_mutex_unlock(&thread->lock);
	uv_async_send(thread->event);
}

/* ---- The connections ---- */

static bool open_connections(struct sqlite_thread *thread)
{
	thread->is_open = sqlite_commit_init(&thread->commit, thread->file->db);
	if (thread->is_open) {
		checkpointer_init(&thread->checkpointer, thread->file);
	} else {
		sqlite_commit_finish(&thread->commit);
	}
	return thread->is_open;
}

static void close_connections(struct sqlite_thread *thread)
{
	checkpointer_finish(&thread->checkpointer);
	sqlite_commit_finish(&thread->commit);
	thread->is_open = false;
}

/* False: not yet; tried again with the next set. */
static bool open_again(struct sqlite_thread *thread)
{
	thread->file->db = sqlite_file_open_second(thread->file);
	if (thread->file->db != NULL && !open_connections(thread)) {
		sqlite_file_leave(thread->file);
	}
	if (thread->is_open) {
		checkpointer_go_on_after(&thread->checkpointer, true);
	}
	thread->is_broken = !thread->is_open;
	return thread->is_open;
}

/* See checkpointer_is_lossy(): what the database has is not to be relied on. */
static void reopen(struct sqlite_thread *thread)
{
	close_connections(thread);
	sqlite_file_leave(thread->file);
	open_again(thread);
}

/* ---- What it does ---- */

static void write_set(struct sqlite_thread *thread, const struct order *order)
{
	struct sqlite_result result = { .set = order->set,
		.why = "the database cannot be opened again" };
	uint64_t began_ns = clock_monotonic_ns();
	if (!thread->is_open && !open_again(thread)) {
		report(thread, &result);
		return;
	}
	result.is_stored =
			sqlite_commit_set(&thread->commit, order->set, order->has_clock ? &order->clock : NULL);
	result.seconds = (double)(clock_monotonic_ns() - began_ns) / 1e9;
	if (!result.is_stored) {
		int fault = thread->commit.fault & 0xff;
		result.is_damaged = fault == SQLITE_CORRUPT || fault == SQLITE_NOTADB;
		snprintf(result.why, sizeof(result.why), "%s", thread->commit.why);
	}
	thread->is_broken = !result.is_stored;
	report(thread, &result);
}

static void delete_some(struct sqlite_thread *thread)
{
	thread->is_broken = !sqlite_commit_delete_some(&thread->commit);
}

static void run_thread(void *data)
{
	struct sqlite_thread *thread = data;
	for (;;) {
		struct order order = take_order(thread);
		if (order.task == TASK_QUIT) {
			break;
		}
		if (order.task == TASK_SET) {
			write_set(thread, &order);
		} else {
			delete_some(thread);
		}
		if (thread->is_open) {
			checkpointer_help(&thread->checkpointer);
		}
		if (thread->is_open && checkpointer_is_lossy(&thread->checkpointer)) {
			reopen(thread);
		}
	}
	if (thread->is_open) {
		close_connections(thread);
	}
}

/* ---- The loop ---- */

bool sqlite_thread_start(struct sqlite_thread *thread, struct sqlite_file *file, uv_async_t *event,
		struct buf *reterr_why)
{
	*thread = (struct sqlite_thread){ .file = file, .event = event };
	if (!open_connections(thread)) {
		buf_append_string(reterr_why, thread->commit.why);
		return false;
	}
	uv_mutex_init(&thread->lock);
	uv_cond_init(&thread->has_news);
	int status = uv_thread_create(&thread->thread, run_thread, thread);
	if (status != 0) {
		buf_append_string(reterr_why, uv_strerror(status));
		close_connections(thread);
		return false;
	}
	return true;
}

void sqlite_thread_give(
		struct sqlite_thread *thread, struct change_set *set, const struct state_clock *clock)
{
	uv_mutex_lock(&thread->lock);
	thread->todo = set;
	thread->has_clock = clock != NULL;
	if (clock != NULL) {
		thread->clock = *clock;
	}
	uv_mutex_unlock(&thread->lock);
	uv_cond_signal(&thread->has_news); /* behind it: who wakes finds the lock free */
}

bool sqlite_thread_take_result(struct sqlite_thread *thread, struct sqlite_result *ret_result)
{
	uv_mutex_lock(&thread->lock);
	*ret_result = thread->result;
	thread->result.set = NULL;
	uv_mutex_unlock(&thread->lock);
	return ret_result->set != NULL;
}

void sqlite_thread_quit(struct sqlite_thread *thread)
{
	uv_mutex_lock(&thread->lock);
	thread->is_quitting = true;
	uv_cond_signal(&thread->has_news);
	uv_mutex_unlock(&thread->lock);
}

void sqlite_thread_join(struct sqlite_thread *thread)
{
	uv_thread_join(&thread->thread);
	uv_cond_destroy(&thread->has_news);
	uv_mutex_destroy(&thread->lock);
}
