#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "targets/postgres/conn.h"
#include "targets/postgres/migrate.h"
#include "targets/postgres/url.h"
#include "targets/postgres/work.h"
#include "targets/storage_backend.h"

/*
 * Two connections to the same server: one on which tasks are carried out, and one that
 * hears what others change. They are had together or not at all, and in this order, so
 * that nothing is missed between listening and reading:
 *
 *     resolve, then for each address:
 *         main      connect, migrate
 *         listener  connect, LISTEN, and hold a lock that says that this replica is there
 *         storage_on_connected()
 */

enum phase {
	PHASE_AWAY,
	PHASE_RESOLVING,
	PHASE_CONNECTING, /* the one or the other */
	PHASE_CONNECTED,
	PHASE_CLOSING,
};

struct postgres_storage {
	struct storage_backend backend;
	uint64_t connect_ms;
	enum phase phase;
	struct postgres_url url;
	size_t address; /* the one being tried, or used */
	struct postgres_conn main;
	struct postgres_conn listener;
	struct postgres_migration migration;
	const char *replica;
	struct postgres_query listen;
	struct work work;
	int open_parts;
};

static void drop_both(struct postgres_storage *postgres)
{
	postgres_conn_drop(&postgres->main);
	postgres_conn_drop(&postgres->listener);
}

static void lose(struct postgres_storage *postgres, struct slice why)
{
	drop_both(postgres);
	postgres->phase = PHASE_AWAY;
	storage_on_lost(postgres->backend.storage, why);
}

/* ---- Connecting ---- */

static void connect_one(struct postgres_storage *postgres, struct postgres_conn *conn)
{
	const char *keywords[POSTGRES_KEYWORDS_MAX];
	const char *values[POSTGRES_KEYWORDS_MAX];
	postgres_url_parameters(&postgres->url, postgres->address, keywords, values);
	postgres_conn_connect(conn, keywords, values, postgres->connect_ms);
}

static void on_resolved(struct postgres_url *url)
{
	struct postgres_storage *postgres = url->data;
	if (url->address_count == 0) {
		lose(postgres, buf_slice(&url->why));
		return;
	}
	postgres->phase = PHASE_CONNECTING;
	postgres->address = 0;
	connect_one(postgres, &postgres->main);
}

/* Of several addresses, another one may do. */
static void on_lost(struct postgres_conn *conn, struct slice why)
{
	struct postgres_storage *postgres = conn->events.data;
	bool has_next = postgres->address + 1 < postgres->url.address_count;
	if (postgres->phase == PHASE_CONNECTING && has_next) {
		drop_both(postgres);
		postgres->address++;
		connect_one(postgres, &postgres->main);
	} else {
		lose(postgres, why);
	}
}

static void on_main_ready(struct postgres_conn *conn)
{
	struct postgres_storage *postgres = conn->events.data;
	postgres_migrate(&postgres->migration, conn);
}

static void on_migrated(struct postgres_migration *migration, enum postgres_migrate_result result)
{
	struct postgres_storage *postgres = migration->data;
	switch (result) {
	case POSTGRES_MIGRATE_OK:
		postgres_conn_pipe(&postgres->main);
		connect_one(postgres, &postgres->listener);
		break;
	case POSTGRES_MIGRATE_E_NEWER:
		drop_both(postgres);
		postgres->phase = PHASE_AWAY;
		storage_on_unusable(postgres->backend.storage, buf_slice(&migration->why));
		break;
	case POSTGRES_MIGRATE_E_FAILED:
		lose(postgres, buf_slice(&migration->why));
		break;
	}
}

/* ---- Listening ---- */

static void on_listening(struct postgres_query *query, const PGresult *result)
{
	struct postgres_storage *postgres = LIST_ENTRY(query, struct postgres_storage, listen);
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		struct buf why;
		buf_init(&why, 0);
		postgres_append_message(&why, PQresultErrorMessage(result));
		lose(postgres, buf_slice(&why));
		buf_finish(&why);
		return;
	}
	postgres->phase = PHASE_CONNECTED;
	storage_on_connected(postgres->backend.storage);
}

static void on_listener_ready(struct postgres_conn *conn)
{
	struct postgres_storage *postgres = conn->events.data;
	char *replica = PQescapeLiteral(conn->pg, postgres->replica, strlen(postgres->replica));
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text,
			"LISTEN weir_target; SELECT pg_advisory_lock_shared(2003135858, hashtext(%s));"
			"%s",
			replica == NULL ? "''" : replica, POSTGRES_STAY_TEXT);
	buf_append_byte(&text, '\0');
	PQfreemem(replica);
	postgres->listen.done = on_listening;
	postgres_conn_send(conn, &postgres->listen, text.ptr, NULL, 0);
	buf_finish(&text);
}

/* What this weir changed it knows. */
static void on_notice(struct postgres_conn *conn, const PGnotify *notice)
{
	struct postgres_storage *postgres = conn->events.data;
	if (conn == &postgres->listener && notice->be_pid != PQbackendPID(postgres->main.pg)) {
		storage_on_notice(postgres->backend.storage, slice_of_string(notice->extra));
	}
}

/* ---- Tasks ---- */

static void on_done(struct work *work)
{
	struct postgres_storage *postgres = work->data;
	storage_on_done(postgres->backend.storage, work->task);
}

static void on_broken(struct work *work, struct slice why)
{
	lose(work->data, why);
}

/* ---- The backend ---- */

static struct postgres_storage *of(struct storage_backend *backend)
{
	return LIST_ENTRY(backend, struct postgres_storage, backend);
}

static void connect_to(struct storage_backend *backend)
{
	struct postgres_storage *postgres = of(backend);
	postgres->phase = PHASE_RESOLVING;
	postgres_url_resolve(&postgres->url);
}

static void run(struct storage_backend *backend, struct storage_task *task)
{
	struct postgres_storage *postgres = of(backend);
	work_run(&postgres->work, &postgres->main, task);
}

static void drop(struct storage_backend *backend)
{
	drop_both(of(backend));
	of(backend)->phase = PHASE_AWAY;
}

static void release(struct postgres_storage *postgres)
{
	struct storage *storage = postgres->backend.storage;
	if (--postgres->open_parts == 0) {
		postgres_migration_finish(&postgres->migration);
		work_finish(&postgres->work);
		free(postgres);
		storage_on_backend_closed(storage);
	}
}

static void on_conn_closed(struct postgres_conn *conn)
{
	release(conn->events.data);
}

static void on_url_closed(struct postgres_url *url)
{
	release(url->data);
}

static void close_backend(struct storage_backend *backend)
{
	struct postgres_storage *postgres = of(backend);
	postgres->phase = PHASE_CLOSING;
	postgres->open_parts = 3;
	postgres_conn_close(&postgres->main);
	postgres_conn_close(&postgres->listener);
	postgres_url_close(&postgres->url);
}

static void init_conns(struct postgres_storage *postgres, uv_loop_t *loop, uint64_t response_ms)
{
	struct postgres_conn_events events = {
		.on_ready = on_main_ready,
		.on_lost = on_lost,
		.on_notice = on_notice,
		.on_closed = on_conn_closed,
		.data = postgres,
	};
	postgres_conn_init(&postgres->main, loop, response_ms, &events);
	events.on_ready = on_listener_ready;
	postgres_conn_init(&postgres->listener, loop, response_ms, &events);
}

struct storage_backend *storage_postgres_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage)
{
	static const struct storage_backend_type type = {
		.connections = 2,
		.connect = connect_to,
		.run = run,
		.drop = drop,
		.close = close_backend,
	};
	struct postgres_storage *postgres = memory_zalloc(1, sizeof(*postgres));
	postgres->backend = (struct storage_backend){ .type = &type, .storage = storage };
	postgres->connect_ms = options->connect_ms;
	postgres->replica = options->replica;
	postgres_url_init(&postgres->url, options->postgres_url, options->password, loop);
	postgres->url.on_resolved = on_resolved;
	postgres->url.on_closed = on_url_closed;
	postgres->url.data = postgres;
	init_conns(postgres, loop, options->response_ms);
	postgres_migration_init(&postgres->migration);
	postgres->migration.done = on_migrated;
	postgres->migration.data = postgres;
	work_init(&postgres->work);
	postgres->work.done = on_done;
	postgres->work.broken = on_broken;
	postgres->work.data = postgres;
	return &postgres->backend;
}
