#pragma once

/*
 * A client of Redis on a loop, and how commands are sent and waited for.
 */

#include <uv.h>

#include "base/memory.h"
#include "base/slice.h"
#include "redis/client.h"
#include "redis_process.h"

enum {
	TICK_MS = 2,
	WHY_BYTES = 512,
};

struct client {
	uv_loop_t loop;
	uv_timer_t ticker; /* so that the loop comes back to look at the time */
	struct redis *redis;
	struct redis_address addresses[8];
	struct redis_options options;
	int connected; /* events */
	int lost;
	bool is_closed;
	char last_connected[WHY_BYTES];
	char last_lost[WHY_BYTES];
};

/* A command and what came of it. */
struct answer {
	struct redis_command command;
	struct client *client;
	bool is_done;
	int type;          /* 0: there is none */
	long long integer; /* or the number of elements */
	char *text;        /* NUL-terminated */
	size_t len;
	char why[WHY_BYTES];
	uint64_t server;
	int64_t confirmed;
	uint64_t order; /* among all answers */
	void (*then)(struct answer *answer);
};

static uint64_t answers_so_far;

static inline void on_connected(void *data, struct slice address)
{
	struct client *client = data;
	client->connected++;
	snprintf(client->last_connected, WHY_BYTES, SLICE_FMT, SLICE_ARG(address));
}

static inline void on_lost(void *data, struct slice address, struct slice why)
{
	struct client *client = data;
	client->lost++;
	snprintf(client->last_lost, WHY_BYTES, SLICE_FMT, SLICE_ARG(why));
}

static inline void on_closed(void *data)
{
	struct client *client = data;
	client->is_closed = true;
	uv_close((uv_handle_t *)&client->ticker, NULL);
}

static inline void on_tick(uv_timer_t *timer)
{
}

static inline void client_init(struct client *client)
{
	*client = (struct client){ 0 };
	client->options = (struct redis_options){
		.addresses = client->addresses,
		.user = "",
		.password = "",
		.tls = { .ca_file = "", .cert_file = "", .key_file = "" },
		.name = "weir",
		.connect_ms = 20000,
		.response_ms = 20000,
		.retry_ms_max = 100,
	};
}

static inline void client_add(struct client *client, const char *host, uint16_t port)
{
	client->addresses[client->options.address_count++] =
			(struct redis_address){ .host = host, .port = port };
}

static inline void client_open(struct client *client)
{
	const struct redis_events events = {
		.on_connected = on_connected,
		.on_lost = on_lost,
		.on_closed = on_closed,
		.data = client,
	};
	uv_loop_init(&client->loop);
	uv_timer_init(&client->loop, &client->ticker);
	uv_timer_start(&client->ticker, on_tick, TICK_MS, TICK_MS);
	client->redis = redis_open(&client->options, &client->loop, &events);
}

/* Of one server, without anything special. */
static inline void client_open_one(struct client *client, uint16_t port)
{
	client_init(client);
	client_add(client, "127.0.0.1", port);
	client_open(client);
}

static inline void client_close(struct client *client)
{
	redis_close(client->redis);
	uv_run(&client->loop, UV_RUN_DEFAULT);
	CHECK(client->is_closed);
	CHECK_INT(uv_loop_close(&client->loop), 0);
}

/* Runs the loop until the condition holds, with a failure when it never does. */
#define CLIENT_AWAIT(client, condition)                                                            \
	do {                                                                                           \
		uint64_t await_end_ns = patience_end_ns();                                                 \
		while (!(condition) && clock_monotonic_ns() < await_end_ns) {                              \
			uv_run(&(client)->loop, UV_RUN_ONCE);                                                  \
		}                                                                                          \
		CHECK(condition);                                                                          \
	} while (0)

static inline void on_answer(struct redis_command *command, const struct redis_result *result)
{
	struct answer *answer = LIST_ENTRY(command, struct answer, command);
	const redisReply *reply = result->reply;
	CHECK(!answer->is_done);
	CHECK((reply == NULL) == (result->why != NULL));
	answer->is_done = true;
	answer->order = ++answers_so_far;
	answer->confirmed = result->confirmed;
	answer->server = result->server;
	if (reply == NULL) {
		snprintf(answer->why, WHY_BYTES, "%s", result->why);
	} else {
		CHECK(result->server != 0);
		answer->type = reply->type;
		answer->integer =
				reply->type == REDIS_REPLY_ARRAY ? (long long)reply->elements : reply->integer;
		if (reply->str != NULL) {
			answer->text = memory_zalloc(reply->len + 1, 1);
			memcpy(answer->text, reply->str, reply->len);
			answer->len = reply->len;
		}
	}
	if (answer->then != NULL) {
		answer->then(answer);
	}
}

static inline void send_slices(
		struct client *client, struct answer *answer, const struct slice *args, size_t count)
{
	answer->client = client;
	answer->command.done = on_answer;
	redis_send(client->redis, &answer->command, args, count);
	CHECK(!answer->is_done);
}

/* What is set in the command stays; the slot is that of the second word. */
static inline void send_line(struct client *client, struct answer *answer, const char *line)
{
	struct slice args[ARGS_MAX];
	size_t count = 0;
	struct slice rest = slice_of_string(line);
	while (rest.len > 0 && count < ARGS_MAX) {
		const char *blank = slice_find_byte(rest, ' ');
		struct slice word = blank == NULL ? rest : slice_between(rest.ptr, blank);
		args[count++] = word;
		rest = slice_skip(rest, word.len + (blank != NULL));
	}
	if (count > 1) {
		answer->command.slot = redis_slot(args[1]);
	}
	send_slices(client, answer, args, count);
}

static inline void answer_reset(struct answer *answer)
{
	free(answer->text);
	*answer = (struct answer){ 0 };
}

/* Sends and waits. The answer as text: that of a reply, a number, or "lost: why". */
static inline const char *ask(struct client *client, const char *line)
{
	static char text[WHY_BYTES + 16];
	struct answer answer = { 0 };
	send_line(client, &answer, line);
	CLIENT_AWAIT(client, answer.is_done);
	if (answer.type == 0) {
		snprintf(text, sizeof(text), "lost: %s", answer.why);
	} else if (answer.text != NULL) {
		snprintf(text, sizeof(text), "%s", answer.text);
	} else if (answer.type == REDIS_REPLY_NIL) {
		snprintf(text, sizeof(text), "nil");
	} else {
		snprintf(text, sizeof(text), "%lld", answer.integer);
	}
	answer_reset(&answer);
	return text;
}

#define CHECK_ASK(client, line, wanted)                                                            \
	CHECK_STRING(slice_of_string(ask((client), (line))), (wanted))

/* Part of a text. */
#define CHECK_PART(text, part)                                                                     \
	do {                                                                                           \
		if (strstr((text), (part)) == NULL) {                                                      \
			fprintf(stderr, "not in \"%s\": \"%s\"\n", (text), (part));                            \
			CHECK(strstr((text), (part)) != NULL);                                                 \
		}                                                                                          \
	} while (0)

enum { LARGE_BYTES = 16 << 20 };

/* A large value there and back. */
static inline void check_large(struct client *client)
{
	char *value = memory_alloc(LARGE_BYTES);
	for (size_t i = 0; i < LARGE_BYTES; i++) {
		value[i] = (char)(i * 7 + i / 1000);
	}
	const struct slice set[] = { SLICE("SET"), SLICE("a"), slice_make(value, LARGE_BYTES) };
	struct answer answers[3] = { 0 };
	send_slices(client, &answers[0], set, 3);
	send_line(client, &answers[1], "GET a");
	send_line(client, &answers[2], "PING");
	CLIENT_AWAIT(client, answers[2].is_done);
	CHECK_STRING(slice_make(answers[0].text, answers[0].len), "OK");
	CHECK_INT(answers[1].len, LARGE_BYTES);
	CHECK(answers[1].text != NULL && memcmp(answers[1].text, value, LARGE_BYTES) == 0);
	for (size_t i = 0; i < 3; i++) {
		answer_reset(&answers[i]);
	}
	free(value);
}
