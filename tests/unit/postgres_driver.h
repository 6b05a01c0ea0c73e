#pragma once

/*
 * A real PostgreSQL for a test: a cluster of its own in a temporary directory, on a free
 * port of the loopback and on a Unix socket. It ends with the test, however that ends.
 * It refuses to be root, so a root's test runs it as the user that Debian made for it.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

enum { SERVER_PATIENCE_S = 60, SERVER_TEXT_BYTES = 4096 };

struct postgres_server {
	char directory[64];
	char data[128];
	char binaries[256];
	unsigned port;
	pid_t pid;
	uid_t uid; /* 0: as who we are */
	gid_t gid;
};

/* What a failure ends with: nothing can be shown without a server. */
static inline void server_give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* Where Debian, and others, put what is not for everybody's path. */
static inline void server_find_binaries(struct postgres_server *server)
{
	glob_t found;
	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0) {
		server_give_up("no PostgreSQL");
	}
	snprintf(server->binaries, sizeof(server->binaries), "%s", found.gl_pathv[found.gl_pathc - 1]);
	*strrchr(server->binaries, '/') = '\0';
	globfree(&found);
}

static inline unsigned server_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, len) != 0
			|| getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		server_give_up("bind");
	}
	close(fd);
	return ntohs(address.sin_port);
}

/* Runs one of PostgreSQL's programs, silently; it ends with this one. */
static inline pid_t server_run(const struct postgres_server *server, const char *const *args)
{
	char path[512];
	char log[256];
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0) {
		return pid;
	}
	snprintf(path, sizeof(path), "%s/%s", server->binaries, args[0]);
	snprintf(log, sizeof(log), "%s/log", server->directory);
	if (server->uid != 0 && (setgid(server->gid) != 0 || setuid(server->uid) != 0)) {
		_exit(126);
	}
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(out, 1);
	dup2(out, 2);
	prctl(PR_SET_PDEATHSIG, SIGQUIT); /* which it takes for: at once */
	/* Each looks for the others where it is itself. */
	const char **words = (const char **)(uintptr_t)args;
	words[0] = path;
	if (getppid() == parent && chdir(server->directory) == 0) {
		execv(path, (char *const *)(uintptr_t)words);
	}
	_exit(127);
}

static inline void server_url(const struct postgres_server *server, char url[static 256])
{
	snprintf(url, 256, "postgres://weir@127.0.0.1:%u/weir", server->port);
}

static inline void server_on_remark(void *data, const char *message)
{
}

/* Some SQL, by somebody else; the first value that it answers, or "". "!" and why: it fails. */
static inline const char *server_ask_at(const char *url, const char *text)
{
	static char answer[SERVER_TEXT_BYTES];
	PGconn *pg = PQconnectdb(url);
	PQsetNoticeProcessor(pg, server_on_remark, NULL);
	PGresult *result = PQexec(pg, text);
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK && PQntuples(result) > 0) {
		snprintf(answer, sizeof(answer), "%s", PQgetvalue(result, 0, 0));
	} else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		answer[0] = '\0';
	} else {
		snprintf(answer, sizeof(answer), "!%s", PQerrorMessage(pg));
	}
	PQclear(result);
	PQfinish(pg);
	return answer;
}

static inline const char *server_ask(const struct postgres_server *server, const char *text)
{
	char url[256];
	server_url(server, url);
	return server_ask_at(url, text);
}

static inline void server_edit(const struct postgres_server *server, const char *text)
{
	const char *answer = server_ask(server, text);
	if (answer[0] == '!') {
		fprintf(stderr, "%s: %s\n", text, answer);
		CHECK(false);
	}
}

static inline void server_launch(struct postgres_server *server)
{
	char port[16];
	char sockets[128];
	snprintf(port, sizeof(port), "%u", server->port);
	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", server->directory);
	const char *args[] = { "postgres", "-D", server->data, "-p", port, "-c",
		"listen_addresses=127.0.0.1", "-c", sockets, "-c", "fsync=off", "-c", "max_connections=40",
		"-c", "shared_buffers=16MB", NULL };
	server->pid = server_run(server, args);
}

/*
 * On its port, with what it has. After a crash it refuses to start until all processes of the one
 * before it have noticed.
 */
static inline void server_start(struct postgres_server *server)
{
	uint64_t end_ns = clock_monotonic_ns() + SERVER_PATIENCE_S * (uint64_t)1000000000;
	char url[256];
	snprintf(url, sizeof(url), "postgres://weir@127.0.0.1:%u/postgres", server->port);
	server_launch(server);
	while (strcmp(server_ask_at(url, "SELECT 1"), "1") != 0) {
		if (clock_monotonic_ns() > end_ns) {
			server_give_up("postgres does not start");
		}
		if (waitpid(server->pid, NULL, WNOHANG) != 0) {
			server_launch(server);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
}

static inline void server_kill(struct postgres_server *server, int signal)
{
	if (server->pid > 0) {
		kill(server->pid, signal);
		waitpid(server->pid, NULL, 0);
		server->pid = 0;
	}
}

static inline void server_file(
		const struct postgres_server *server, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", server->data, name);
	FILE *file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		server_give_up(path);
	}
	if (server->uid != 0
			&& (chown(path, server->uid, server->gid) != 0 || chmod(path, 0600) != 0)) {
		server_give_up("chown");
	}
}

static inline void server_init(struct postgres_server *server)
{
	*server = (struct postgres_server){ .port = server_free_port() };
	const struct passwd *user = getuid() == 0 ? getpwnam("postgres") : NULL;
	server_find_binaries(server);
	snprintf(server->directory, sizeof(server->directory), "/tmp/weir-postgres-XXXXXX");
	if (mkdtemp(server->directory) == NULL) {
		server_give_up("mkdtemp");
	}
	if (user != NULL) {
		server->uid = user->pw_uid;
		server->gid = user->pw_gid;
		if (chown(server->directory, server->uid, server->gid) != 0) {
			server_give_up("chown");
		}
	}
	snprintf(server->data, sizeof(server->data), "%s/data", server->directory);
	const char *args[] = { "initdb", "-D", server->data, "-U", "weir", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync", NULL };
	int status;
	waitpid(server_run(server, args), &status, 0);
	if (status != 0) {
		server_give_up("initdb");
	}
	server_start(server);
}

/* An empty database of that name, in place of the one that there is. */
static inline void server_empty(const struct postgres_server *server)
{
	char url[256];
	snprintf(url, sizeof(url), "postgres://weir@127.0.0.1:%u/postgres", server->port);
	CHECK_STRING(
			slice_of_string(server_ask_at(url, "DROP DATABASE IF EXISTS weir WITH (FORCE)")), "");
	CHECK_STRING(slice_of_string(server_ask_at(url, "CREATE DATABASE weir")), "");
}

static inline void server_finish(struct postgres_server *server)
{
	char command[128];
	server_kill(server, SIGQUIT);
	snprintf(command, sizeof(command), "rm -rf %s", server->directory);
	if (system(command) != 0) {
		server_give_up(command);
	}
}
