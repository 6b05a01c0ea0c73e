#pragma once

/*
 * A client of Redis on a loop, and real servers for it: each on a free port of the
 * loopback, in a directory of its own. They end with the test, however that ends.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/slice.h"
#include "check.h"
#include "redis/client.h"

enum {
	PATIENCE_S = 60, /* for what comes at last, on a machine that is busy with other things */
	TICK_MS = 2,
	ARGS_MAX = 32,
	WHY_BYTES = 512,
	PATH_BYTES = 256,
};

/* ---- Servers ---- */

struct redis_process {
	pid_t pid;
	uint16_t port;
	char directory[64];
	char path[PATH_BYTES];      /* of its socket */
	const char *more[ARGS_MAX]; /* arguments, until NULL */
};

static inline uint64_t patience_end_ns(void)
{
	return clock_monotonic_ns() + PATIENCE_S * (uint64_t)1000000000;
}

static inline void wait_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* One on which nobody listens now. */
static inline uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, len) != 0
			|| getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		perror("bind");
		exit(1);
	}
	close(fd);
	return ntohs(address.sin_port);
}

static inline bool port_answers(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool answers = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return answers;
}

/* Runs a program that ends with this one. */
static inline pid_t run_program(const char *const *args)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0) {
		return pid;
	}
	int nowhere = open("/dev/null", O_RDWR);
	dup2(nowhere, 0);
	dup2(nowhere, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		execvp(args[0], (char *const *)(uintptr_t)args);
		perror(args[0]);
	}
	_exit(127);
}

/* Again on its port, with what is in its directory. */
static inline void redis_process_run(struct redis_process *process)
{
	char port[8];
	snprintf(port, sizeof(port), "%u", process->port);
	const char *args[ARGS_MAX * 2] = { "redis-server", "--bind", "127.0.0.1", "--dir",
		process->directory, "--unixsocket", process->path, "--save", "", "--daemonize", "no",
		"--repl-diskless-sync-delay", "0" };
	size_t count = 13;
	bool has_port = false;
	for (size_t i = 0; process->more[i] != NULL; i++) {
		has_port |= strcmp(process->more[i], "--port") == 0;
		args[count++] = process->more[i];
	}
	if (!has_port) {
		args[count++] = "--port";
		args[count++] = port;
	}
	process->pid = run_program(args);
	uint64_t end_ns = patience_end_ns();
	while (has_port ? access(process->path, F_OK) != 0 : !port_answers(process->port)) {
		if (clock_monotonic_ns() > end_ns || waitpid(process->pid, NULL, WNOHANG) != 0) {
			fprintf(stderr, "redis-server does not start\n");
			exit(1);
		}
		wait_a_little();
	}
}

/* With a port and a directory, so far. */
static inline void redis_process_prepare(struct redis_process *process)
{
	*process = (struct redis_process){ .port = free_port() };
	snprintf(process->directory, sizeof(process->directory), "/tmp/weir-redis-XXXXXX");
	if (mkdtemp(process->directory) == NULL) {
		perror("mkdtemp");
		exit(1);
	}
	snprintf(process->path, sizeof(process->path), "%s/socket", process->directory);
}

/* Further arguments, until NULL. */
static inline void redis_process_start(struct redis_process *process, ...)
{
	redis_process_prepare(process);
	va_list more;
	va_start(more, process);
	for (size_t i = 0; i < ARGS_MAX - 1; i++) {
		process->more[i] = va_arg(more, const char *);
		if (process->more[i] == NULL) {
			break;
		}
	}
	va_end(more);
	redis_process_run(process);
}

static inline void redis_process_kill(struct redis_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
}

static inline void remove_tree(const char *directory)
{
	const char *args[] = { "rm", "-rf", directory, NULL };
	waitpid(run_program(args), NULL, 0);
}

static inline void redis_process_stop(struct redis_process *process)
{
	redis_process_kill(process);
	remove_tree(process->directory);
}

/* ---- Asking a server, without the client ---- */

static inline redisContext *node_connect(const struct redis_process *node)
{
	redisContext *context = redisConnect("127.0.0.1", node->port);
	if (context == NULL || context->err != 0) {
		fprintf(stderr, "cannot connect to a node\n");
		exit(1);
	}
	return context;
}

/* One command to this very node; its answer as text, good until the next one. */
static inline const char *node_ask(const struct redis_process *node, const char *format, ...)
{
	static char text[64 * 1024];
	redisContext *context = node_connect(node);
	va_list args;
	va_start(args, format);
	redisReply *reply = redisvCommand(context, format, args);
	va_end(args);
	if (reply == NULL) {
		snprintf(text, sizeof(text), "lost: %s", context->errstr);
	} else if (reply->str != NULL) {
		snprintf(text, sizeof(text), "%s", reply->str);
	} else {
		snprintf(text, sizeof(text), "%lld", reply->integer);
	}
	freeReplyObject(reply);
	redisFree(context);
	return text;
}

/* Polls until the answer has such a part. */
static inline void node_await(
		const struct redis_process *node, const char *command, const char *part)
{
	uint64_t end_ns = patience_end_ns();
	while (strstr(node_ask(node, command), part) == NULL) {
		if (clock_monotonic_ns() > end_ns) {
			fprintf(stderr, "%s never answers \"%s\"\n", command, part);
			CHECK(false);
			return;
		}
		wait_a_little();
	}
}

/* ---- A client ---- */

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
