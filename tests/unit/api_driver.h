#pragma once

/*
 * All of weir's inside without a socket: bytes of one connection go in, bytes
 * come out. Work that would be done on other threads waits in a queue until
 * the driver is told to do it, in any order.
 */

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "check.h"
#include "http/server.h"
#include "http/session.h"
#include "unit/random.h"

enum { API_JOBS_MAX = 64, API_TIMERS_MAX = 8, API_FROZEN_SECONDS = 1795161065 };

struct api_job {
	struct job *job;
	bool is_worked; /* only done() is left */
};

/* One that was put off by time. */
struct api_timer {
	struct job *job;
	uint64_t due_ns;
};

struct api_connection {
	struct http_session session;
	struct buf out;
	bool is_open;
};

struct api_driver {
	struct config config;
	struct api_options api_options;
	struct store store;
	struct registry targets;
	struct stats stats;
	struct api api;
	struct http_server server;
	struct executor executor;
	struct api_job jobs[API_JOBS_MAX];
	size_t job_count;
	struct api_timer timers[API_TIMERS_MAX];
	size_t timer_count;
	struct api_connection connection;
	struct arena arena;
};

/* ---- Jobs ---- */

static inline void api_driver_submit(struct executor *executor, struct job *job)
{
	struct api_driver *d = LIST_ENTRY(executor, struct api_driver, executor);
	assert(d->job_count < API_JOBS_MAX);
	d->jobs[d->job_count++] = (struct api_job){ .job = job };
}

static inline void api_driver_defer(struct executor *executor, struct job *job)
{
	struct api_driver *d = LIST_ENTRY(executor, struct api_driver, executor);
	assert(d->job_count < API_JOBS_MAX);
	d->jobs[d->job_count++] = (struct api_job){ .job = job, .is_worked = true };
}

static inline void api_driver_later(struct executor *executor, struct job *job, uint64_t ms)
{
	struct api_driver *d = LIST_ENTRY(executor, struct api_driver, executor);
	assert(d->timer_count < API_TIMERS_MAX);
	d->timers[d->timer_count++] =
			(struct api_timer){ .job = job, .due_ns = clock_monotonic_ns() + ms * 1000000 };
}

/* Time passes; what is due by then is done. Such a job may be put off again. */
static inline void api_driver_pass(struct api_driver *d, uint64_t ms)
{
	uint64_t now_ns = clock_monotonic_ns() + ms * 1000000;
	clock_freeze(now_ns, clock_wall_ns() + (int64_t)ms * 1000000);
	for (size_t i = 0; i < d->timer_count;) {
		struct job *job = d->timers[i].job;
		if (d->timers[i].due_ns > now_ns) {
			i++;
			continue;
		}
		d->timers[i] = d->timers[--d->timer_count];
		job->done(job);
		i = 0;
	}
}

/* Half of a job: its work, or what comes after it. */
static inline void api_driver_do_job(struct api_driver *d, size_t number)
{
	struct api_job *entry = &d->jobs[number];
	struct job *job = entry->job;
	if (!entry->is_worked) {
		entry->is_worked = true;
		job->work(job);
		return;
	}
	memmove(entry, entry + 1, (d->job_count - number - 1) * sizeof(*entry));
	d->job_count--;
	job->done(job);
}

/* ---- Bytes ---- */

static inline void api_driver_on_answer(struct http_session *session)
{
}

static inline void api_driver_write(struct api_connection *connection)
{
	struct slice parts[8];
	size_t count;
	while ((count = http_session_output(&connection->session, parts, 8)) != 0) {
		size_t bytes = 0;
		for (size_t i = 0; i < count; i++) {
			buf_append(&connection->out, parts[i]);
			bytes += parts[i].len;
		}
		http_session_wrote(&connection->session, bytes);
	}
}

static inline void api_driver_pump(struct api_connection *connection)
{
	do {
		if (http_session_fill(&connection->session)) {
			api_driver_write(connection);
		}
	} while (http_session_has_more(&connection->session));
}

static inline void api_driver_feed(struct api_driver *d, struct slice bytes)
{
	assert(http_session_wants_input(&d->connection.session));
	http_session_feed(&d->connection.session, NULL, bytes);
	api_driver_pump(&d->connection);
}

/* Does what waits, in turn or in any order, until nothing does. */
static inline void api_driver_settle(struct api_driver *d, struct random_source *random)
{
	while (d->job_count > 0) {
		size_t number = random == NULL ? 0 : random_below(random, (unsigned)d->job_count);
		api_driver_do_job(d, number);
		if (d->connection.is_open) {
			api_driver_pump(&d->connection);
		}
	}
}

/* ---- Life ---- */

static inline void api_driver_connect(struct api_driver *d)
{
	http_session_init(&d->connection.session, &d->server, api_driver_on_answer);
	d->connection.out.len = 0;
	d->connection.is_open = true;
}

static inline void api_driver_disconnect(struct api_driver *d)
{
	d->connection.is_open = false;
	http_session_finish(&d->connection.session);
}

/* All defaults. */
static inline void api_driver_read_config(struct api_driver *d)
{
	static const char *const none[] = { NULL };
	const struct config_input input = { .arguments = none };
	struct buf text;
	buf_init(&text, 0);
	enum config_result result = config_read(&d->config, &input, &text);
	assert(result == CONFIG_OK);
	(void)result;
	buf_finish(&text);
}

static inline void api_driver_init_with(struct api_driver *d, const struct api_options *options)
{
	const struct http_limits limits = {
		.header_bytes = 10000,
		.body_bytes = 10000000,
		.connections = 10,
	};
	const struct store_options store_options = { .is_checked = options->is_checked };
	const struct registry_options target_options = {
		.limit = 1000,
		.silent_after = 3,
		.retention_ns = INT64_C(720) * 3600 * 1000000000,
	};
	size_t declaration_count;
	const struct family_declaration *declarations = api_declarations(&declaration_count);
	hash_init();
	clock_freeze(1000000000, (int64_t)API_FROZEN_SECONDS * 1000000000);
	*d = (struct api_driver){ 0 };
	api_driver_read_config(d);
	d->executor.submit = api_driver_submit;
	d->executor.defer = api_driver_defer;
	d->executor.later = api_driver_later;
	arena_init(&d->arena);
	buf_init(&d->connection.out, 0);
	store_init(&d->store, &store_options);
	store_declare(&d->store, declarations, declaration_count);
	stats_init(&d->stats);
	d->api_options = *options;
	d->api_options.config = &d->config;
	registry_init(&d->targets, &target_options);
	registry_watch(&d->targets, &d->store);
	api_init(&d->api, &d->api_options, &d->store, &d->targets, &d->stats, &d->executor);
	http_server_init(&d->server, &limits);
	d->server.on_head = api_on_head;
	d->server.on_request = api_on_request;
	d->server.data = &d->api;
	api_driver_connect(d);
}

static inline struct api_options api_driver_options(void)
{
	return (struct api_options){
		.is_checked = true,
		.routes = { .scrape_path = SLICE_INIT("/metrics"), .has_admin = true },
		.body_bytes = 10000000,
		.format_options = { .samples = 100000, .labels = 30, .label_bytes = 10000 },
	};
}

static inline void api_driver_init(struct api_driver *d)
{
	struct api_options options = api_driver_options();
	api_driver_init_with(d, &options);
}

static inline void api_driver_finish(struct api_driver *d)
{
	if (d->connection.is_open) {
		api_driver_disconnect(d);
	}
	api_driver_settle(d, NULL);
	api_finish(&d->api);
	http_server_finish(&d->server);
	registry_finish(&d->targets);
	store_finish(&d->store);
	config_finish(&d->config);
	arena_finish(&d->arena);
	buf_finish(&d->connection.out);
	clock_thaw();
}

/* ---- Requests ---- */

/* "PUT /path" with a body; headers each end with \r\n. */
static inline struct slice api_driver_request(
		struct api_driver *d, const char *line, const char *headers, struct slice body)
{
	struct buf request;
	buf_init(&request, 0);
	buf_printf(&request, "%s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n", line, headers,
			body.len);
	buf_append(&request, body);
	struct slice copy = arena_copy(&d->arena, buf_slice(&request));
	buf_finish(&request);
	return copy;
}

struct api_response {
	int status;
	struct slice head; /* all of it */
	struct slice body; /* its transfer coding undone */
};

static inline struct slice api_driver_dechunk(struct api_driver *d, struct slice *rest)
{
	struct buf body;
	buf_init(&body, 0);
	size_t len;
	do {
		len = strtoul(rest->ptr, NULL, 16);
		const char *feed = slice_find_byte(*rest, '\n');
		*rest = slice_skip(*rest, (size_t)(feed + 1 - rest->ptr));
		buf_append(&body, slice_first(*rest, len));
		*rest = slice_skip(*rest, len + 2);
	} while (len != 0);
	struct slice copy = arena_copy(&d->arena, buf_slice(&body));
	buf_finish(&body);
	return copy;
}

static inline struct slice api_driver_header(const struct api_response *response, const char *name)
{
	struct slice start = slice_of_string(name);
	struct slice rest = response->head;
	while (rest.len > 0) {
		const char *feed = slice_find_byte(rest, '\n');
		struct slice line = slice_between(rest.ptr, feed - 1);
		rest = slice_skip(rest, line.len + 2);
		if (line.len > start.len && slice_equal_nocase(slice_first(line, start.len), start)
				&& line.ptr[start.len] == ':') {
			return slice_trim(slice_skip(line, start.len + 1));
		}
	}
	return slice_make(NULL, 0);
}

/* Takes the first response off what came out. False when there is none. */
static inline bool api_driver_response(struct api_driver *d, struct api_response *ret_response)
{
	struct buf *out = &d->connection.out;
	struct slice rest = arena_copy(&d->arena, buf_slice(out));
	const char *end = rest.len == 0 ? NULL : memmem(rest.ptr, rest.len, "\r\n\r\n", 4);
	if (end == NULL) {
		return false;
	}
	ret_response->head = slice_between(rest.ptr, end + 2);
	ret_response->status = atoi(rest.ptr + sizeof("HTTP/1.1"));
	struct slice whole = rest;
	rest = slice_skip(rest, ret_response->head.len + 2);
	if (api_driver_header(ret_response, "Transfer-Encoding").ptr != NULL) {
		ret_response->body = api_driver_dechunk(d, &rest);
	} else {
		struct slice length = api_driver_header(ret_response, "Content-Length");
		size_t len = length.ptr == NULL ? 0 : strtoul(length.ptr, NULL, 10);
		ret_response->body = slice_first(rest, len);
		rest = slice_skip(rest, len);
	}
	buf_consume(out, whole.len - rest.len);
	return true;
}

/* One request, all done, its response. */
static inline struct api_response api_driver_do(
		struct api_driver *d, const char *line, const char *headers, struct slice body)
{
	struct api_response response = { 0 };
	api_driver_feed(d, api_driver_request(d, line, headers, body));
	api_driver_settle(d, NULL);
	bool is_there = api_driver_response(d, &response);
	CHECK(is_there);
	CHECK_INT(d->connection.out.len, 0);
	return response;
}

static inline int api_driver_status(struct api_driver *d, const char *line, const char *body)
{
	return api_driver_do(d, line, "", slice_of_string(body)).status;
}

/* The page without weir's own lines, by now. */
static inline struct slice api_driver_page(struct api_driver *d)
{
	struct api_response response = api_driver_do(d, "GET /metrics", "", SLICE(""));
	struct slice rest = response.body;
	char *text = arena_text(&d->arena, rest.len + 1);
	size_t len = 0;
	while (rest.len > 0) {
		const char *feed = slice_find_byte(rest, '\n');
		struct slice line = slice_between(rest.ptr, feed + 1);
		rest = slice_skip(rest, line.len);
		if (memmem(line.ptr, line.len, "job=\"", 5) != NULL
				&& !slice_starts_with(line, SLICE("push_"))) {
			memcpy(text + len, line.ptr, line.len);
			len += line.len;
		}
	}
	return slice_make(text, len);
}

/* What gzip(1) would make of it. */
static inline struct slice api_driver_gunzip(struct api_driver *d, struct slice coded)
{
	enum { MOST = 20000000 };
	z_stream z = { 0 };
	char *text = arena_text(&d->arena, MOST);
	z.next_in = (Bytef *)(uintptr_t)coded.ptr;
	z.avail_in = (uInt)coded.len;
	z.next_out = (Bytef *)text;
	z.avail_out = MOST;
	int result = inflateInit2(&z, 16 + MAX_WBITS);
	CHECK_INT(result, Z_OK);
	CHECK_INT(inflate(&z, Z_FINISH), Z_STREAM_END);
	CHECK_INT(z.avail_in, 0);
	inflateEnd(&z);
	return slice_make(text, MOST - z.avail_out);
}
