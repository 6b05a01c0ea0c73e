#include "server/durability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/state_url.h"
#include "config/table.h"
#include "format/protobuf_native.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/server.h"
#include "server/snapshot_file.h"
#include "server/takeover_take.h"
#include "state/image/image.h"
#include "state/sqlite/sqlite_state.h"

enum { FAULTS_LOGGED_MAX = 20 };

static const char database_name[] = "weir.db";

struct durability {
	struct server *server;
	struct state *state;
	char *path; /* of the database */
	int lock;
	uv_timer_t extension; /* asks systemd for time, at the end */
	bool has_extension;
	char *snapshot;  /* of an earlier version, to be moved into the database; NULL: none */
	uint64_t faults; /* logged */
	bool is_loading;
	bool is_taken_over; /* from the weir before, which has written it */
	bool is_failing;    /* it was logged that changes are not stored */
	bool is_behind;     /* when it was closed, some were not */
	bool is_unusable;   /* weir ends because of it */
	struct stats_state stats;
	void (*on_closed)(struct server *server);
};

/* ---- Where ---- */

static bool is_given(const struct config *config, const char *name)
{
	const struct setting *setting = settings_find(name, strlen(name));
	return config->sources[setting_index(setting)] != CONFIG_FROM_DEFAULT;
}

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
static char *find_path(const struct server *server)
{
	const struct config *config = server->config;
	bool is_persistence_file =
			config->persistence_file[0] != '\0' && !is_given(config, "state.url");
	if (is_persistence_file) {
		return path_join(config->persistence_file, ".weir");
	}
	struct state_url url = state_url_read(config->state_url);
	char *path = NULL;
	if (url.scheme == STATE_SCHEME_SQLITE) {
		path = url.path[0] == '\0' ? path_join_folder(server->data_dir.path, database_name)
								   : memory_copy_string(url.path);
	}
	state_url_finish(&url);
	return path;
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
	char *path = path_join(durability->path, ".lock");
	durability->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool is_locked = durability->lock >= 0
			&& (take_lock_over(durability) || flock(durability->lock, LOCK_EX | LOCK_NB) == 0);
	if (durability->lock < 0) {
		log_error("cannot write beside the database path=%s error=%s", path, strerror(errno));
	} else if (!is_locked) {
		log_error("the database is in use by another weir path=%s", durability->path);
	}
	free(path);
	return is_locked;
}

/* ---- What happens ---- */

/* Until then limits do not count, and reloading left them alone. */
static void open_to_changes(struct durability *durability)
{
	struct server *server = durability->server;
	durability->is_loading = false;
	server->store.options.limits = options_of_store(server->config).limits;
	api_end_loading(&server->api);
}

static void on_loaded(void *data, const struct state_loaded *loaded)
{
	struct durability *durability = data;
	open_to_changes(durability);
	durability->stats.load_seconds = loaded->seconds;
	durability->stats.groups_loaded = loaded->groups;
	log_info("state loaded path=%s groups=%llu series=%llu bytes=%llu expired=%llu unreadable=%llu "
			 "seconds=%.3f",
			durability->path, (unsigned long long)loaded->groups,
			(unsigned long long)loaded->series, (unsigned long long)loaded->bytes,
			(unsigned long long)loaded->expired, (unsigned long long)loaded->faults,
			loaded->seconds);
}

static void on_unusable(void *data, struct slice why)
{
	struct durability *durability = data;
	log_error("cannot use the database path=%s error=" SLICE_FMT, durability->path, SLICE_ARG(why));
	durability->is_unusable = true;
	server_stop(durability->server);
}

/* Of many, the first are enough to know where to look. */
static void on_fault(void *data, const struct state_fault *fault)
{
	struct durability *durability = data;
	if (++durability->faults > FAULTS_LOGGED_MAX) {
		return;
	}
	log_warn("cannot read a record, it is set aside path=%s group=" SLICE_FMT
			 " number=%llu error=%s",
			durability->path, SLICE_ARG(fault->key.ptr == NULL ? SLICE("?") : fault->key),
			(unsigned long long)fault->number, fault->what);
}

static void on_progress(void *data, uint64_t rows, uint64_t row_count)
{
	struct durability *durability = data;
	api_set_loading_progress(&durability->server->api, rows, row_count);
	log_info("loading the state path=%s rows=%llu of=%llu", durability->path,
			(unsigned long long)rows, (unsigned long long)row_count);
}

/* Everything of the snapshot is in the database. */
static void end_moving(struct durability *durability)
{
	if (durability->snapshot == NULL || state_is_behind(durability->state)) {
		return;
	}
	if (!snapshot_file_retire(durability->snapshot)) {
		log_error("cannot rename what is moved; it would be moved again path=%s error=%s",
				durability->snapshot, strerror(errno));
		durability->is_unusable = true;
		server_stop(durability->server);
		return;
	}
	log_info("the state of an earlier weir is in the database path=%s", durability->path);
	free(durability->snapshot);
	durability->snapshot = NULL;
	open_to_changes(durability);
}

static void on_commit(void *data, uint64_t changes, double seconds)
{
	struct durability *durability = data;
	if (durability->is_failing) {
		log_info("the state is stored again path=%s", durability->path);
		durability->is_failing = false;
	}
	end_moving(durability);
	stats_count_commit(&durability->server->stats, changes, seconds);
}

static void on_durable(void *data, size_t lane, uint64_t number)
{
	struct durability *durability = data;
	api_on_durable(&durability->server->api, 0, number);
}

static void on_failed(void *data, size_t lane, uint64_t number, struct slice why)
{
	struct durability *durability = data;
	if (!durability->is_failing) {
		log_error("cannot store what was pushed, trying again path=%s error=" SLICE_FMT,
				durability->path, SLICE_ARG(why));
		durability->is_failing = true;
	}
	api_on_failed(&durability->server->api, 0, number, why);
}

static void on_extension(uv_timer_t *timer)
{
	notify_extend();
}

/* However long it takes to store the rest, nobody shall cut it. */
static void ask_for_time(struct durability *durability)
{
	if (!state_is_behind(durability->state)) {
		return;
	}
	notify_extend();
	durability->has_extension = true;
	uv_timer_init(&durability->server->loop, &durability->extension);
	uv_timer_start(
			&durability->extension, on_extension, NOTIFY_EXTEND_MS / 4, NOTIFY_EXTEND_MS / 4);
}

static void on_state_closed(void *data)
{
	struct durability *durability = data;
	if (durability->has_extension) {
		uv_close((uv_handle_t *)&durability->extension, NULL);
	}
	durability->is_behind = state_is_behind(durability->state);
	durability->state = NULL;
	/* What is still on a thread was sent by clients that are gone. */
	api_set_durable(&durability->server->api, false, 0);
	durability->on_closed(durability->server);
}

/* ---- Life ---- */

static void warn_of_interval(const struct config *config)
{
	if (is_given(config, "persistence.interval")) {
		log_info("a setting has no effect: what is pushed is stored at once "
				 "setting=persistence.interval");
	}
}

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
			durability->path);
	return false;
}

static bool open_state(struct durability *durability)
{
	struct server *server = durability->server;
	struct sqlite_state_options options = {
		.path = durability->path,
		.sync = server->config->state_sync == CONFIG_SYNC_FULL ? STATE_SYNC_FULL
															   : STATE_SYNC_NORMAL,
		.checks = { .native_is_right = native_is_right },
		.is_taken_over = server->config->takeover || durability->snapshot != NULL,
		.is_in_use = durability->is_taken_over,
	};
	struct state_events events = {
		.on_progress = on_progress,
		.on_loaded = on_loaded,
		.on_unusable = on_unusable,
		.on_fault = on_fault,
		.on_commit = on_commit,
		.on_durable = on_durable,
		.on_failed = on_failed,
		.on_closed = on_state_closed,
		.data = durability,
	};
	struct buf why;
	buf_init(&why, 0);
	durability->state = sqlite_state_open(&options, &server->loop, &server->store, &events, &why);
	if (durability->state == NULL) {
		log_error("cannot use the database path=%s error=" SLICE_FMT, durability->path,
				SLICE_ARG(buf_slice(&why)));
	}
	buf_finish(&why);
	return durability->state != NULL && may_replace(durability);
}

/* ---- From an earlier version ---- */

static void on_image_fault(void *data, const struct image_fault *fault)
{
	struct state_fault told = { fault->key, fault->place, fault->what };
	on_fault(data, &told);
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
	if (is_takeover || snapshot_file_find(durability->path, &durability->snapshot)) {
		return true;
	}
	log_error("cannot move the state of an earlier weir out of the database's way path=%s error=%s",
			durability->path, strerror(errno));
	return false;
}

static void destroy(struct durability *durability)
{
	if (durability->lock >= 0) {
		close(durability->lock);
	}
	free(durability->snapshot);
	free(durability->path);
	free(durability);
}

static void make_requests_wait(struct durability *durability)
{
	struct api *api = &durability->server->api;
	const struct config *config = durability->server->config;
	uint64_t timeout_ns = (uint64_t)config->state_timeout_ns;
	api_set_durable(api, config->state_ack == CONFIG_ACK_DURABLE, timeout_ns);
	if (durability->is_loading) {
		api_begin_loading(api, timeout_ns);
	}
}

bool durability_open(struct server *server)
{
	char *path = find_path(server);
	warn_of_interval(server->config);
	if (path == NULL) {
		return true;
	}
	struct durability *durability = memory_zalloc(1, sizeof(*durability));
	*durability = (struct durability){ .server = server, .path = resolve(path), .lock = -1 };
	durability->stats.is_kept = true;
	durability->is_loading = !server->config->takeover;
	if (!lock_path(durability) || !find_snapshot(durability)) {
		destroy(durability);
		return false;
	}
	server->durability = durability;
	if (!open_state(durability)) {
		return false;
	}
	warn_of_gateway_file(server->config);
	make_requests_wait(durability);
	return durability->snapshot == NULL || move_snapshot(durability);
}

void durability_close(struct server *server, void (*on_closed)(struct server *server))
{
	struct durability *durability = server->durability;
	if (durability == NULL || durability->state == NULL) {
		on_closed(server);
		return;
	}
	durability->on_closed = on_closed;
	ask_for_time(durability);
	state_close(durability->state);
}

bool durability_hand_over(struct server *server, int fd)
{
	return server->durability == NULL || state_hand_over(server->durability->state, fd);
}

void durability_resume(struct server *server)
{
	if (server->durability != NULL) {
		state_resume(server->durability->state);
	}
}

void durability_take_over(struct server *server, int fd)
{
	struct durability *durability = server->durability;
	if (durability != NULL) {
		state_take_over(durability->state, durability->is_taken_over ? fd : -1);
	}
}

bool durability_finish(struct server *server)
{
	struct durability *durability = server->durability;
	if (durability == NULL) {
		return true;
	}
	/* What another weir has taken over, it keeps. */
	bool is_stored = !durability->is_behind || server->is_handed_over;
	if (!is_stored) {
		log_error("what was pushed last could not be stored path=%s", durability->path);
	}
	is_stored = is_stored && !durability->is_unusable;
	destroy(durability);
	server->durability = NULL;
	return is_stored;
}

bool durability_is_at_rest(const struct server *server)
{
	const struct durability *durability = server->durability;
	bool is_open = durability != NULL && durability->state != NULL;
	return !is_open || (!durability->is_loading && !state_is_behind(durability->state));
}

bool durability_is_loading(const struct server *server)
{
	return server->durability != NULL && server->durability->is_loading;
}

int durability_lock(const struct server *server)
{
	return server->durability == NULL ? -1 : server->durability->lock;
}

void durability_collect(const struct server *server, struct stats_state *stats)
{
	const struct durability *durability = server->durability;
	if (durability == NULL || durability->state == NULL) {
		return;
	}
	struct state_stats state;
	state_collect(durability->state, &state);
	*stats = durability->stats;
	stats->records_set_aside = state.set_aside;
	stats->failures = state.failures;
	stats->last_commit_ns = state.last_commit_ns;
	stats->waiting_changes = state.waiting;
	stats->bytes = state.bytes;
	stats->waiting_answers = server->api.acks.count;
}
