#include "targets/postgres/conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

static void on_timer(uv_timer_t *timer);

void postgres_append_message(struct buf *out, const char *message)
{
	struct slice rest = slice_of_string(message);
	bool is_first = true;
	while (rest.len > 0) {
		struct slice line = slice_trim(slice_take_line(&rest));
		if (line.len > 0) {
			buf_append_string(out, is_first ? "" : "; ");
			buf_append(out, line);
			is_first = false;
		}
	}
}

/* ---- The socket ---- */

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Before libpq may close it: the loop must not know a socket that is not there any more. */
static void unwatch(struct postgres_conn *conn)
{
	if (conn->poll != NULL) {
		uv_poll_stop(conn->poll);
		uv_close((uv_handle_t *)conn->poll, on_poll_closed);
		conn->poll = NULL;
		conn->watched = 0;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct postgres_conn *conn, int events)
{
	if (conn->poll == NULL) {
		conn->poll = memory_zalloc(1, sizeof(*conn->poll));
		uv_poll_init(conn->loop, conn->poll, PQsocket(conn->pg));
		conn->poll->data = conn;
	}
	if (conn->watched != events) {
		conn->watched = events;
		uv_poll_start(conn->poll, events, on_poll);
	}
}

/* ---- Being lost ---- */

void postgres_conn_drop(struct postgres_conn *conn)
{
	unwatch(conn);
	uv_timer_stop(&conn->timer);
	PQclear(conn->held);
	conn->held = NULL;
	PQfinish(conn->pg);
	conn->pg = NULL;
	conn->is_piped = false;
	conn->state = POSTGRES_CONN_NONE;
	list_init(&conn->queries);
}

static void lose(struct postgres_conn *conn, const char *why)
{
	buf_reset(&conn->why, 0);
	postgres_append_message(&conn->why, why);
	postgres_conn_drop(conn);
	conn->events.on_lost(conn, buf_slice(&conn->why));
}

/* In a turn of its own, since whoever sends does not expect to be called. */
static void lose_later(struct postgres_conn *conn)
{
	conn->state = POSTGRES_CONN_BROKEN;
	unwatch(conn);
	uv_timer_start(&conn->timer, on_timer, 0, 0);
}

/* ---- Connecting ---- */

/* libpq writes what a server remarks to stderr unless told otherwise. */
static void on_remark(void *data, const char *message)
{
	log_debug("postgres remarks text=%s", message);
}

static void become_ready(struct postgres_conn *conn)
{
	conn->state = POSTGRES_CONN_READY;
	uv_timer_stop(&conn->timer);
	PQsetnonblocking(conn->pg, 1);
	watch(conn, UV_READABLE);
	conn->events.on_ready(conn);
}

static void go_on_connecting(struct postgres_conn *conn)
{
	unwatch(conn);
	switch (PQconnectPoll(conn->pg)) {
	case PGRES_POLLING_OK:
		become_ready(conn);
		break;
	case PGRES_POLLING_READING:
		watch(conn, UV_READABLE);
		break;
	case PGRES_POLLING_WRITING:
		watch(conn, UV_WRITABLE);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		lose(conn, PQerrorMessage(conn->pg));
		break;
	}
}

void postgres_conn_connect(struct postgres_conn *conn, const char *const *keywords,
		const char *const *values, uint64_t connect_ms)
{
	conn->pg = PQconnectStartParams(keywords, values, 0);
	if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD || PQsocket(conn->pg) < 0) {
		lose_later(conn);
		return;
	}
	conn->state = POSTGRES_CONN_CONNECTING;
	PQsetNoticeProcessor(conn->pg, on_remark, NULL);
	uv_timer_start(&conn->timer, on_timer, connect_ms, 0);
	watch(conn, UV_WRITABLE);
}

/* ---- Results ---- */

static void finish_query(struct postgres_conn *conn)
{
	PGresult *result = conn->held;
	struct list *first = list_first(&conn->queries);
	conn->held = NULL;
	conn->finished++;
	if (first != NULL) {
		struct postgres_query *query = LIST_ENTRY(first, struct postgres_query, link);
		list_remove(first);
		query->done(query, result);
	}
	PQclear(result);
}

/* The first error stays, else the last result. */
static void hold(struct postgres_conn *conn, PGresult *result)
{
	bool has_error = conn->held != NULL && PQresultStatus(conn->held) == PGRES_FATAL_ERROR;
	PQclear(has_error ? result : conn->held);
	conn->held = has_error ? conn->held : result;
}

static bool is_broken(const struct postgres_conn *conn)
{
	return PQstatus(conn->pg) != CONNECTION_OK;
}

/* Nobody has asked for one; libpq would say so again and again. */
static bool is_copy(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/*
 * Takes what has come; whoever is called may have dropped the connection. In pipeline mode
 * a NULL stands between the results of two queries, and two of them for nothing more.
 */
static void take_results(struct postgres_conn *conn)
{
	PGconn *pg = conn->pg;
	int nulls = 0;
	while (conn->pg == pg && !list_is_empty(&conn->queries) && !is_broken(conn) && nulls < 2
			&& PQisBusy(pg) == 0) {
		PGresult *result = PQgetResult(pg);
		nulls = result == NULL ? nulls + 1 : 0;
		if (result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			finish_query(conn);
		} else if (result != NULL && is_copy(result)) {
			PQclear(result);
			lose(conn, "the server answers with a COPY");
		} else if (result != NULL) {
			hold(conn, result);
		} else if (!conn->is_piped) {
			finish_query(conn);
		}
	}
}

static void take_notices(struct postgres_conn *conn)
{
	PGconn *pg = conn->pg;
	PGnotify *notice;
	while (conn->pg == pg && pg != NULL && (notice = PQnotifies(pg)) != NULL) {
		conn->events.on_notice(conn, notice);
		PQfreemem(notice);
	}
}

/* ---- Reading and writing ---- */

/* Against silence, while something is due. */
static void expect_answer(struct postgres_conn *conn)
{
	if (list_is_empty(&conn->queries)) {
		uv_timer_stop(&conn->timer);
	} else {
		uv_timer_start(&conn->timer, on_timer, conn->response_ms, 0);
	}
}

/* False: it is broken. */
static bool flush(struct postgres_conn *conn)
{
	int left = PQflush(conn->pg);
	if (left < 0) {
		return false;
	}
	watch(conn, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
	return true;
}

static void take(struct postgres_conn *conn)
{
	if (PQconsumeInput(conn->pg) == 0 || !flush(conn)) {
		lose(conn, PQerrorMessage(conn->pg));
		return;
	}
	take_results(conn);
	take_notices(conn);
	if (conn->state != POSTGRES_CONN_READY) {
		return;
	}
	if (is_broken(conn)) {
		lose(conn, PQerrorMessage(conn->pg));
	} else {
		expect_answer(conn);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct postgres_conn *conn = poll->data;
	if (conn->state == POSTGRES_CONN_CONNECTING) {
		go_on_connecting(conn);
	} else {
		take(conn);
	}
}

/* The answer may have come while this process could not look. */
static void check_silence(struct postgres_conn *conn)
{
	uint64_t finished = conn->finished;
	PGconn *pg = conn->pg;
	take(conn);
	if (conn->pg == pg && conn->finished == finished && !list_is_empty(&conn->queries)) {
		lose(conn, "the server does not answer");
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct postgres_conn *conn = timer->data;
	switch (conn->state) {
	case POSTGRES_CONN_NONE:
		break;
	case POSTGRES_CONN_CONNECTING:
		lose(conn, "the server does not take the connection in time");
		break;
	case POSTGRES_CONN_READY:
		check_silence(conn);
		break;
	case POSTGRES_CONN_BROKEN:
		lose(conn, conn->pg == NULL ? "no connection can be made" : PQerrorMessage(conn->pg));
		break;
	}
}

void postgres_conn_pipe(struct postgres_conn *conn)
{
	conn->is_piped = PQenterPipelineMode(conn->pg) != 0;
}

void postgres_conn_send(struct postgres_conn *conn, struct postgres_query *query, const char *text,
		const char *const *values, int count)
{
	list_append(&conn->queries, &query->link);
	bool is_sent = conn->is_piped
			? PQsendQueryParams(conn->pg, text, count, NULL, values, NULL, NULL, 0) != 0
					&& PQpipelineSync(conn->pg) != 0
			: PQsendQuery(conn->pg, text) != 0;
	if (!is_sent || !flush(conn)) {
		lose_later(conn);
		return;
	}
	expect_answer(conn);
}

/* ---- Life ---- */

void postgres_conn_init(struct postgres_conn *conn, uv_loop_t *loop, uint64_t response_ms,
		const struct postgres_conn_events *events)
{
	*conn = (struct postgres_conn){
		.events = *events,
		.loop = loop,
		.response_ms = response_ms,
	};
	list_init(&conn->queries);
	buf_init(&conn->why, 0);
	uv_timer_init(loop, &conn->timer);
	conn->timer.data = conn;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct postgres_conn *conn = handle->data;
	buf_finish(&conn->why);
	conn->events.on_closed(conn);
}

void postgres_conn_close(struct postgres_conn *conn)
{
	postgres_conn_drop(conn);
	uv_close((uv_handle_t *)&conn->timer, on_timer_closed);
}
