#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "format/protobuf_native.h"
#include "server/durability_parts.h"
#include "server/snapshot_file.h"
#include "server/takeover_take.h"
#include "state/image/image.h"
#include "state/sqlite/sqlite_state.h"

static const char database_name[] = "weir.db";

/* ---- Where ---- */

/* One name for one file, so that there is one lock. One that leads nowhere cannot be opened. */
static char *resolve(char *path)
{
	char *target = path_resolve(path);
	if (target == NULL) {
		return path;
	}
	free(path);
	return target;
}

static char *path_join_folder(const char *folder, const char *name)
{
	char *begin = path_join(folder, "/");
	char *path = path_join(begin, name);
	free(begin);
	return path;
}

/* The database's path, owned; NULL: there is to be none. */
char *durability_sqlite_path(const struct server *server, const struct state_url *url)
{
	const struct config *config = server->config;
	bool is_persistence_file =
			config->persistence_file[0] != '\0' && !durability_is_given(config, "state.url");
	if (is_persistence_file) {
		return resolve(path_join(config->persistence_file, ".weir"));
	}
	if (url->scheme != STATE_SCHEME_SQLITE) {
		return NULL;
	}
	return resolve(url->path[0] == '\0' ? path_join_folder(server->data_dir.path, database_name)
										: memory_copy_string(url->path));
}

/* From the weir that is taken over, if it uses this database. */
static bool take_lock_over(struct durability *durability)
{
	int lock = takeover_take_lock(&durability->server->taker, durability->lock);
	if (lock < 0) {
		return false;
	}
	close(durability->lock);
	durability->lock = lock;
	durability->is_taken_over = true;
	return true;
}

/* One weir a database, wherever its data directory is. */
static bool lock_path(struct durability *durability)
{
	char *path = path_join(durability->name, ".lock");
	durability->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool is_locked = durability->lock >= 0
			&& (take_lock_over(durability) || flock(durability->lock, LOCK_EX | LOCK_NB) == 0);
	if (durability->lock < 0) {
		log_error("cannot write beside the database path=%s error=%s", path, strerror(errno));
	} else if (!is_locked) {
		log_error("the database is in use by another weir path=%s", durability->name);
	}
	free(path);
	return is_locked;
}

/* ---- Opening ---- */

static void warn_of_gateway_file(const struct config *config)
{
	struct stat status;
	if (config->persistence_file[0] != '\0' && stat(config->persistence_file, &status) == 0
			&& S_ISREG(status.st_mode)) {
		log_warn("a Pushgateway's state is there, which weir does not read; it is left untouched "
				 "path=%s to-move-it=%s",
				config->persistence_file,
				"start the Pushgateway on another port, then: weir import --from-pushgateway URL");
	}
}

/*
 * What is taken over is to be written in the place of what the weir before wrote,
 * but not of anything else.
 */
static bool may_replace(struct durability *durability)
{
	bool is_other = durability->server->config->takeover && !durability->is_taken_over;
	if (!is_other || state_is_new(durability->state)) {
		return true;
	}
	log_error("the running weir does not keep its groups in this database, and something is there "
			  "that would be lost: move it away, or name another path=%s",
			durability->name);
	return false;
}

static bool open_state(struct durability *durability, const struct state_events *events)
{
	struct server *server = durability->server;
	struct sqlite_state_options options = {
		.path = durability->name,
		.sync = server->config->state_sync == CONFIG_SYNC_FULL ? STATE_SYNC_FULL
															   : STATE_SYNC_NORMAL,
		.checks = { .native_is_right = native_is_right },
		.is_taken_over = server->config->takeover || durability->snapshot != NULL,
		.is_in_use = durability->is_taken_over,
	};
	struct buf why;
	buf_init(&why, 0);
	durability->state = sqlite_state_open(&options, &server->loop, &server->store, events, &why);
	if (durability->state == NULL) {
		log_error("cannot use the database path=%s error=" SLICE_FMT, durability->name,
				SLICE_ARG(buf_slice(&why)));
	}
	buf_finish(&why);
	return durability->state != NULL && may_replace(durability);
}

/* ---- From an earlier version ---- */

static void on_image_fault(void *data, const struct image_fault *fault)
{
	struct state_fault told = { fault->key, fault->place, fault->what };
	durability_report_fault(data, &told);
}

/* Before anybody is answered; requests wait until the database has it. */
static bool move_snapshot(struct durability *durability)
{
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.on_fault = on_image_fault,
		.data = durability,
	};
	if (!snapshot_file_read(durability->snapshot, &durability->server->store, &options)) {
		return false;
	}
	state_take_over(durability->state, -1);
	return true;
}

static bool find_snapshot(struct durability *durability)
{
	bool is_takeover = durability->server->config->takeover;
	if (is_takeover || snapshot_file_find(durability->name, &durability->snapshot)) {
		return true;
	}
	log_error("cannot move the state of an earlier weir out of the database's way path=%s error=%s",
			durability->name, strerror(errno));
	return false;
}

/* Everything of the snapshot is in the database. */
void durability_sqlite_end_moving(struct durability *durability)
{
	if (durability->snapshot == NULL || state_is_behind(durability->state)) {
		return;
	}
	if (!snapshot_file_retire(durability->snapshot)) {
		log_error("cannot rename what is moved; it would be moved again path=%s error=%s",
				durability->snapshot, strerror(errno));
		durability_give_up(durability);
		return;
	}
	log_info("the state of an earlier weir is in the database path=%s", durability->name);
	free(durability->snapshot);
	durability->snapshot = NULL;
	durability_open_to_changes(durability);
}

/* ---- All of it ---- */

bool durability_sqlite_open(struct durability *durability, const struct state_events *events)
{
	if (!lock_path(durability) || !find_snapshot(durability)) {
		return false;
	}
	durability->server->durability = durability;
	return open_state(durability, events);
}

bool durability_sqlite_begin(struct durability *durability)
{
	warn_of_gateway_file(durability->server->config);
	return durability->snapshot == NULL || move_snapshot(durability);
}
