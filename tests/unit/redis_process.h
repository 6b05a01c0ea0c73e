#pragma once

/*
 * Real servers of Redis: each on a free port of the loopback, in a directory of its
 * own. They end with the test, however that ends.
 */

#include <arpa/inet.h>
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

#include "base/clock.h"
#include "check.h"

enum {
	PATIENCE_S = 60, /* for what comes at last, on a machine that is busy with other things */
	ARGS_MAX = 32,
	PATH_BYTES = 256,
};

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

static inline bool path_answers(const char *path)
{
	redisContext *context = redisConnectUnix(path);
	bool answers = context != NULL && context->err == 0;
	redisFree(context);
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
	while (has_port ? !path_answers(process->path) : !port_answers(process->port)) {
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
