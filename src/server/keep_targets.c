#include "server/keep_targets.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/password_file.h"
#include "config/state_url.h"
#include "config/table.h"
#include "config/targets_url.h"
#include "config/value.h"
#include "server/options.h"
#include "server/parts.h"
#include "server/replica.h"
#include "server/virtual_targets.h"
#include "targets/keeper.h"

static const char database_name[] = "/targets.db";

enum {
	CONNECT_MS = 5000,
	RESPONSE_MS = 10000,
	RETRY_MS_MAX = 1000,
	CLOSE_MS = 5000,
};

/* ---- What the keeper tells ---- */

static void on_loaded(void *data)
{
	struct server *server = data;
	virtual_targets_make(server);
	api_end_loading_targets(&server->api);
}

static void on_closed(void *data)
{
	struct server *server = data;
	server->keeper = NULL;
	server->on_targets_closed(server);
}

/* ---- Opening ---- */

static bool is_kept(const struct server *server)
{
	return targets_url_scheme(server->config->targets_url) != TARGETS_SCHEME_NONE;
}

void keep_targets_init(struct server *server)
{
	server->targets.is_loading = is_kept(server);
	server->targets.loading_ns = clock_monotonic_ns();
}

/* Owned. */
static char *sqlite_path(const struct server *server)
{
	struct state_url url = state_url_read(server->config->targets_url);
	char *path = url.path[0] == '\0' ? path_join(server->data_dir.path, database_name)
									 : memory_copy_string(url.path);
	state_url_finish(&url);
	return path;
}

/* As it is shown: without a password. Owned. */
static char *shown_url(const struct server *server)
{
	const struct setting *setting = settings_find("targets.url", strlen("targets.url"));
	struct buf shown;
	buf_init(&shown, 0);
	value_print(server->config, setting, &shown);
	buf_append_byte(&shown, '\0');
	return shown.ptr;
}

static void open_keeper(struct server *server, const char *path, const char *password)
{
	const struct config *config = server->config;
	char replica[TARGET_ID_TEXT + 1];
	char *shown = shown_url(server);
	struct state_url state = state_url_read(config->state_url);
	replica_find(server, replica);
	struct keeper_options options = {
		.storage = {
			.sqlite_path = path,
			.postgres_url = path == NULL ? config->targets_url : NULL,
			.password = password,
			.connect_ms = CONNECT_MS,
			.response_ms = RESPONSE_MS,
			.retry_ms_max = RETRY_MS_MAX,
			.close_ms = CLOSE_MS,
		},
		.name = path == NULL ? shown : path,
		.replica = replica,
		.is_shared = state.scheme == STATE_SCHEME_REDIS,
		.limits = options_of_api(server).format_options,
		.on_loaded = on_loaded,
		.on_closed = on_closed,
		.data = server,
	};
	server->keeper = keeper_open(&options, &server->loop, &server->targets);
	state_url_finish(&state);
	free(shown);
}

static bool read_password(const struct server *server, char **ret_password)
{
	const char *path = server->config->targets_password_file;
	struct buf why;
	*ret_password = NULL;
	if (path[0] == '\0') {
		return true;
	}
	buf_init(&why, 0);
	*ret_password = password_file_read(path, &why);
	if (*ret_password == NULL) {
		log_error("cannot read the password of the targets' database path=%s error=" SLICE_FMT,
				path, SLICE_ARG(buf_slice(&why)));
	}
	buf_finish(&why);
	return *ret_password != NULL;
}

bool keep_targets_open(struct server *server)
{
	char *password;
	if (!is_kept(server)) {
		return true;
	}
	if (!read_password(server, &password)) {
		return false;
	}
	bool is_sqlite = targets_url_scheme(server->config->targets_url) == TARGETS_SCHEME_SQLITE;
	char *path = is_sqlite ? sqlite_path(server) : NULL;
	server->targets.loading_ns = clock_monotonic_ns(); /* a takeover took its time */
	open_keeper(server, path, password);
	free(path);
	free(password);
	return true;
}

void keep_targets_close(struct server *server, void (*on_targets_closed)(struct server *server))
{
	if (server->keeper == NULL) {
		on_targets_closed(server);
		return;
	}
	server->on_targets_closed = on_targets_closed;
	keeper_close(server->keeper);
}

bool keep_targets_is_at_rest(struct server *server)
{
	return server->keeper == NULL || keeper_is_at_rest(server->keeper);
}

void keep_targets_collect(const struct server *server, struct stats_targets *stats)
{
	struct keeper_stats keeper;
	stats->is_kept = server->keeper != NULL;
	if (server->keeper == NULL) {
		return;
	}
	keeper_collect(server->keeper, &keeper);
	stats->is_up = keeper.storage.is_usable;
	stats->seen_ns = keeper.storage.seen_ns;
	stats->waiting = keeper.waiting;
	stats->batches = keeper.storage.batches;
	stats->connections = keeper.storage.connections;
	stats->tasks = keeper.storage.tasks;
	stats->task_seconds = keeper.storage.task_seconds;
	stats->statements = keeper.storage.statements;
	stats->faults = keeper.faults;
	stats->outages = keeper.storage.outages;
}
