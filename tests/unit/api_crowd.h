#pragma once

/*
 * The API with several clients. What they send is not done before the test says
 * so: crowd_settle() does the jobs, crowd_pass() lets time pass.
 */

#include "unit/api_driver.h"

enum { CROWD_OTHERS = 3, CROWD_SIZE = CROWD_OTHERS + 1 };

/* Number 0 is the driver's own connection. */
struct crowd {
	struct api_driver d;
	struct api_connection others[CROWD_OTHERS];
};

static inline struct api_connection *crowd_connection(struct crowd *crowd, size_t number)
{
	return number == 0 ? &crowd->d.connection : &crowd->others[number - 1];
}

static inline void crowd_connect(struct crowd *crowd, size_t number)
{
	struct api_connection *connection = crowd_connection(crowd, number);
	http_session_init(&connection->session, &crowd->d.server, api_driver_on_answer);
	connection->is_open = true;
}

static inline void crowd_disconnect(struct crowd *crowd, size_t number)
{
	struct api_connection *connection = crowd_connection(crowd, number);
	connection->is_open = false;
	http_session_finish(&connection->session);
}

static inline void crowd_init_with(struct crowd *crowd, const struct api_options *options)
{
	api_driver_init_with(&crowd->d, options);
	for (size_t i = 1; i < CROWD_SIZE; i++) {
		crowd->others[i - 1] = (struct api_connection){ 0 };
		buf_init(&crowd->others[i - 1].out, 0);
		crowd_connect(crowd, i);
	}
}

static inline void crowd_init(struct crowd *crowd)
{
	struct api_options options = api_driver_options();
	crowd_init_with(crowd, &options);
}

static inline void crowd_finish(struct crowd *crowd)
{
	for (size_t i = 1; i < CROWD_SIZE; i++) {
		if (crowd_connection(crowd, i)->is_open) {
			crowd_disconnect(crowd, i);
		}
		buf_finish(&crowd_connection(crowd, i)->out);
	}
	api_driver_finish(&crowd->d);
}

/* Whatever can be written is. */
static inline void crowd_pump(struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD_SIZE; i++) {
		if (crowd_connection(crowd, i)->is_open) {
			api_driver_pump(crowd_connection(crowd, i));
		}
	}
}

static inline void crowd_settle(struct crowd *crowd)
{
	api_driver_settle(&crowd->d, NULL);
	crowd_pump(crowd);
}

static inline void crowd_pass(struct crowd *crowd, uint64_t ms)
{
	api_driver_pass(&crowd->d, ms);
	crowd_pump(crowd);
}

static inline void crowd_feed(struct crowd *crowd, size_t number, struct slice bytes)
{
	struct api_connection *connection = crowd_connection(crowd, number);
	assert(http_session_wants_input(&connection->session));
	http_session_feed(&connection->session, NULL, bytes);
	api_driver_pump(connection);
}

static inline void crowd_send(
		struct crowd *crowd, size_t number, const char *line, const char *body)
{
	crowd_feed(crowd, number, api_driver_request(&crowd->d, line, "", slice_of_string(body)));
}

/* The next answer that came out; its status is 0 when there is none yet. */
static inline struct api_response crowd_next(struct crowd *crowd, size_t number)
{
	struct api_connection *connection = crowd_connection(crowd, number);
	struct buf own = crowd->d.connection.out;
	struct api_response response = { 0 };
	crowd->d.connection.out = connection->out;
	api_driver_response(&crowd->d, &response);
	connection->out = crowd->d.connection.out;
	if (number != 0) {
		crowd->d.connection.out = own;
	}
	return response;
}

static inline bool crowd_has(struct slice text, const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* Lines of so many different series, to be done on a thread when they are many. */
static inline const char *crowd_series(struct crowd *crowd, const char *name, size_t count)
{
	struct buf text;
	buf_init(&text, 0);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&text, "%s{number=\"%zu\"} 1\n", name, i);
	}
	buf_append_byte(&text, '\0');
	const char *copy = arena_copy(&crowd->d.arena, buf_slice(&text)).ptr;
	buf_finish(&text);
	return copy;
}
