#include <stdlib.h>

#include "base/buf.h"
#include "base/memory.h"
#include "targets/sqlite/database.h"
#include "targets/sqlite/statements.h"
#include "targets/storage_backend.h"

/*
 * A thread of its own has the database, since SQLite waits for the disk.
 *
 *      loop                               thread
 *      order -------------------------->  carried out
 *      async, on_event() <-------------   event
 *
 * One order at a time; the last one is to quit.
 */

enum order {
	ORDER_NONE,
	ORDER_CONNECT,
	ORDER_RUN,
	ORDER_QUIT,
};

enum event {
	EVENT_NONE,
	EVENT_CONNECTED,
	EVENT_LOST,
	EVENT_UNUSABLE,
	EVENT_DONE,
	EVENT_ENDED,
};

struct sqlite_storage {
	struct storage_backend backend;
	const char *path;
	uv_thread_t thread;
	uv_async_t async;

	/* Between the two, under the lock. */
	uv_mutex_t lock;
	uv_cond_t has_order;
	enum order order;
	enum event event;
	struct storage_task *task;
	struct buf why;

	/* The thread's own. */
	struct statements statements;
	bool is_open;
};

/* ---- The thread ---- */

static void close_database(struct sqlite_storage *sqlite)
{
	if (sqlite->is_open) {
		statements_finish(&sqlite->statements);
		sqlite3_close(sqlite->statements.db);
		sqlite->is_open = false;
	}
}

static enum event open_database(struct sqlite_storage *sqlite)
{
	static const enum event events[] = {
		[DATABASE_OK] = EVENT_CONNECTED,
		[DATABASE_E_UNUSABLE] = EVENT_UNUSABLE,
		[DATABASE_E_AWAY] = EVENT_LOST,
	};
	sqlite3 *db;
	close_database(sqlite);
	buf_reset(&sqlite->why, 0);
	enum database_result result = database_open(sqlite->path, &db, &sqlite->why);
	if (result == DATABASE_OK) {
		sqlite->is_open = true;
		if (!statements_init(&sqlite->statements, db, &sqlite->why)) {
			close_database(sqlite);
			return EVENT_LOST;
		}
	}
	return events[result];
}

static enum order wait_for_order(struct sqlite_storage *sqlite)
{
	uv_mutex_lock(&sqlite->lock);
	while (sqlite->order == ORDER_NONE) {
		uv_cond_wait(&sqlite->has_order, &sqlite->lock);
	}
	enum order order = sqlite->order;
	sqlite->order = ORDER_NONE;
	uv_mutex_unlock(&sqlite->lock);
	return order;
}

static void tell(struct sqlite_storage *sqlite, enum event event)
{
	uv_mutex_lock(&sqlite->lock);
	sqlite->event = event;
	uv_mutex_unlock(&sqlite->lock);
	uv_async_send(&sqlite->async);
}

static void run_thread(void *data)
{
	struct sqlite_storage *sqlite = data;
	enum order order;
	while ((order = wait_for_order(sqlite)) != ORDER_QUIT) {
		if (order == ORDER_CONNECT) {
			tell(sqlite, open_database(sqlite));
		} else {
			statements_run(&sqlite->statements, sqlite->task);
			tell(sqlite, EVENT_DONE);
		}
	}
	close_database(sqlite);
	tell(sqlite, EVENT_ENDED);
}

/* ---- The loop ---- */

static struct sqlite_storage *of(struct storage_backend *backend)
{
	return LIST_ENTRY(backend, struct sqlite_storage, backend);
}

static void give(struct sqlite_storage *sqlite, enum order order)
{
	uv_mutex_lock(&sqlite->lock);
	sqlite->order = order;
	uv_mutex_unlock(&sqlite->lock);
	uv_cond_signal(&sqlite->has_order);
}

static void connect_to(struct storage_backend *backend)
{
	give(of(backend), ORDER_CONNECT);
}

static void run(struct storage_backend *backend, struct storage_task *task)
{
	of(backend)->task = task;
	give(of(backend), ORDER_RUN);
}

/* The thread closes what it has when it is told to connect. */
static void drop(struct storage_backend *backend)
{
}

static void on_async_closed(uv_handle_t *handle)
{
	struct sqlite_storage *sqlite = handle->data;
	struct storage *storage = sqlite->backend.storage;
	buf_finish(&sqlite->why);
	free(sqlite);
	storage_on_backend_closed(storage);
}

static void end(struct sqlite_storage *sqlite)
{
	uv_thread_join(&sqlite->thread);
	uv_cond_destroy(&sqlite->has_order);
	uv_mutex_destroy(&sqlite->lock);
	uv_close((uv_handle_t *)&sqlite->async, on_async_closed);
}

static enum event take_event(struct sqlite_storage *sqlite)
{
	uv_mutex_lock(&sqlite->lock);
	enum event event = sqlite->event;
	sqlite->event = EVENT_NONE;
	uv_mutex_unlock(&sqlite->lock);
	return event;
}

static void on_event(uv_async_t *async)
{
	struct sqlite_storage *sqlite = async->data;
	struct storage *storage = sqlite->backend.storage;
	switch (take_event(sqlite)) {
	case EVENT_NONE:
		break;
	case EVENT_CONNECTED:
		storage_on_connected(storage);
		break;
	case EVENT_LOST:
		storage_on_lost(storage, buf_slice(&sqlite->why));
		break;
	case EVENT_UNUSABLE:
		storage_on_unusable(storage, buf_slice(&sqlite->why));
		break;
	case EVENT_DONE:
		storage_on_done(storage, sqlite->task);
		break;
	case EVENT_ENDED:
		end(sqlite);
		break;
	}
}

/* What runs comes to its end before. */
static void close_backend(struct storage_backend *backend)
{
	give(of(backend), ORDER_QUIT);
}

struct storage_backend *storage_sqlite_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage)
{
	static const struct storage_backend_type type = {
		.connect = connect_to,
		.run = run,
		.drop = drop,
		.close = close_backend,
	};
	struct sqlite_storage *sqlite = memory_zalloc(1, sizeof(*sqlite));
	sqlite->backend = (struct storage_backend){ .type = &type, .storage = storage };
	sqlite->path = options->sqlite_path;
	buf_init(&sqlite->why, 0);
	uv_mutex_init(&sqlite->lock);
	uv_cond_init(&sqlite->has_order);
	uv_async_init(loop, &sqlite->async, on_event);
	sqlite->async.data = sqlite;
	if (uv_thread_create(&sqlite->thread, run_thread, sqlite) != 0) {
		abort();
	}
	return &sqlite->backend;
}
