#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/takeover.h"

/* A weir that was started by this one. */
struct successor {
	struct server *server;
	uv_process_t process;
	uv_timer_t timer; /* until it must be done */
	int open_handles;
};

/* Words in one buffer, and where each begins. */
struct words {
	struct buf text; /* each ended by NUL */
	char **items;    /* ended by NULL */
};

/* Variables that were meant for this process, by its pid. */
static const char *const own_variables[] = {
	"LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "WATCHDOG_PID="
};

static char takeover_flag[] = "--takeover";

/* ---- What is started ---- */

static bool read_file(const char *path, struct buf *ret_text)
{
	enum { PIECE_BYTES = 4096 };
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	size_t count;
	do {
		buf_reserve(ret_text, PIECE_BYTES);
		count = fread(ret_text->ptr + ret_text->len, 1, PIECE_BYTES, file);
		ret_text->len += count;
	} while (count != 0);
	bool good = ferror(file) == 0;
	fclose(file);
	return good && ret_text->len != 0;
}

static bool is_takeover_flag(const char *word)
{
	return strcmp(word, "--takeover") == 0 || strncmp(word, "--takeover=", 11) == 0
			|| strcmp(word, "--no-takeover") == 0;
}

/* The arguments that this process was started with, with --takeover in front. */
static bool read_arguments(struct words *words)
{
	if (!read_file("/proc/self/cmdline", &words->text)) {
		return false;
	}
	size_t count = 0;
	char *end = words->text.ptr + words->text.len;
	words->items = memory_zalloc(words->text.len + 3, sizeof(char *));
	for (char *word = words->text.ptr; word < end; word += strlen(word) + 1) {
		if (count == 1) {
			words->items[count++] = takeover_flag;
		}
		if (count == 0 || !is_takeover_flag(word)) {
			words->items[count++] = word;
		}
	}
	if (count == 1) {
		words->items[count] = takeover_flag;
	}
	return true;
}

static char **make_environment(void)
{
	size_t count = 0;
	while (environ[count] != NULL) {
		count++;
	}
	char **kept = memory_zalloc(count + 1, sizeof(char *));
	size_t kept_count = 0;
	for (size_t i = 0; i < count; i++) {
		bool is_own = false;
		for (size_t k = 0; k < sizeof(own_variables) / sizeof(own_variables[0]); k++) {
			is_own |= strncmp(environ[i], own_variables[k], strlen(own_variables[k])) == 0;
		}
		if (!is_own) {
			kept[kept_count++] = environ[i];
		}
	}
	return kept;
}

/*
 * The name that this program was started by, if it is a path: a link that was
 * turned to a new version leads there. Else the file itself, which the kernel
 * calls "PATH (deleted)" once a new one was put in its place.
 */
static char *find_program(const char *name)
{
	const struct slice deleted = SLICE(" (deleted)");
	if (strchr(name, '/') != NULL && access(name, X_OK) == 0) {
		return memory_copy_string(name);
	}
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len < 0) {
		return NULL;
	}
	path[len] = '\0';
	struct slice text = slice_make(path, (size_t)len);
	if (access(path, X_OK) != 0 && slice_ends_with(text, deleted)) {
		path[text.len - deleted.len] = '\0';
	}
	return memory_copy_string(path);
}

/* ---- Starting it ---- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct successor *successor = handle->data;
	if (--successor->open_handles == 0) {
		free(successor);
	}
}

void takeover_forget_spawned(struct server *server)
{
	if (server->successor != NULL) {
		uv_close((uv_handle_t *)&server->successor->process, on_handle_closed);
		uv_close((uv_handle_t *)&server->successor->timer, on_handle_closed);
		server->successor = NULL;
	}
}

/* It ends before this one only if it did not take over. */
static void on_exit_seen(uv_process_t *process, int64_t exit_code, int signal)
{
	struct successor *successor = process->data;
	log_warn("the weir that was to take over ended pid=%d exit-code=%d signal=%d", process->pid,
			(int)exit_code, signal);
	takeover_forget_spawned(successor->server);
}

/* One that hangs would keep others from being started. What it has asked for has its own limits. */
static void on_timer(uv_timer_t *timer)
{
	struct successor *successor = timer->data;
	if (successor->server->giver.giving != NULL) {
		return;
	}
	log_warn("the weir that was to take over takes too long, killed pid=%d waited_ms=%llu",
			successor->process.pid, (unsigned long long)uv_timer_get_repeat(timer));
	uv_process_kill(&successor->process, SIGKILL);
}

static void watch(struct server *server)
{
	struct successor *successor = server->successor;
	uint64_t limit_ms = (uint64_t)server->config->timeout_takeover_ns / 1000000;
	uv_timer_start(&successor->timer, on_timer, limit_ms, limit_ms);
	uv_unref((uv_handle_t *)&successor->timer);
}

static int spawn(struct server *server, char *program, char **arguments, char **environment)
{
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDOUT_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	uv_process_options_t options = {
		.file = program,
		.args = arguments,
		.env = environment,
		.exit_cb = on_exit_seen,
		.stdio = stdio,
		.stdio_count = 3,
	};
	struct successor *successor = memory_zalloc(1, sizeof(*successor));
	successor->server = server;
	successor->process.data = successor;
	successor->timer.data = successor;
	successor->open_handles = 2;
	server->successor = successor;
	uv_timer_init(&server->loop, &successor->timer);
	int fault = uv_spawn(&server->loop, &successor->process, &options);
	if (fault == 0) {
		watch(server);
	} else {
		takeover_forget_spawned(server);
	}
	return fault;
}

void takeover_spawn(struct server *server)
{
	if (server->successor != NULL || server->giver.giving != NULL || server->is_stopping) {
		log_warn("not started: another takeover is under way or weir is being stopped");
		return;
	}
	struct words words = { .items = NULL };
	buf_init(&words.text, 0);
	char *program = NULL;
	int fault = UV_ENOENT;
	if (read_arguments(&words) && (program = find_program(words.items[0])) != NULL) {
		char **environment = make_environment();
		fault = spawn(server, program, words.items, environment);
		free(environment);
	}
	if (fault == 0) {
		log_info("started a weir to take over program=%s pid=%d", program,
				server->successor->process.pid);
	} else {
		log_error("cannot start a weir to take over program=%s error=%s",
				program == NULL ? "" : program, uv_strerror(fault));
	}
	free(program);
	free(words.items);
	buf_finish(&words.text);
}
