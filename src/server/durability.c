#include "server/durability.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/away.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/table.h"
#include "server/durability_parts.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/redis_place.h"
#include "server/server.h"

enum { FAULTS_LOGGED_MAX = 20 };

bool durability_is_given(const struct config *config, const char *name)
{
	const struct setting *setting = settings_find(name, strlen(name));
	return config->sources[setting_index(setting)] != CONFIG_FROM_DEFAULT;
}

/* ---- What happens ---- */

/* Until then limits do not count, and reloading left them alone. */
void durability_open_to_changes(struct durability *durability)
{
	struct server *server = durability->server;
	durability->is_loading = false;
	server->store.options.limits = options_of_store(server->config).limits;
	server->targets.is_restoring = false;
	api_end_loading(&server->api);
}

static void on_loaded(void *data, const struct state_loaded *loaded)
{
	struct durability *durability = data;
	durability_open_to_changes(durability);
	durability->stats.load_seconds = loaded->seconds;
	durability->stats.groups_loaded = loaded->groups;
	log_info("state loaded path=%s groups=%llu series=%llu bytes=%llu expired=%llu unreadable=%llu "
			 "seconds=%.3f",
			durability->name, (unsigned long long)loaded->groups,
			(unsigned long long)loaded->series, (unsigned long long)loaded->bytes,
			(unsigned long long)loaded->expired, (unsigned long long)loaded->faults,
			loaded->seconds);
}

void durability_give_up(struct durability *durability)
{
	durability->is_unusable = true;
	server_stop(durability->server);
}

static void on_unusable(void *data, struct slice why)
{
	struct durability *durability = data;
	log_error("cannot use the database path=%s error=" SLICE_FMT, durability->name, SLICE_ARG(why));
	durability_give_up(durability);
}

/* Of many, the first are enough to know where to look. */
void durability_report_fault(void *data, const struct state_fault *fault)
{
	struct durability *durability = data;
	if (++durability->faults > FAULTS_LOGGED_MAX) {
		return;
	}
	log_warn("cannot read a record, it is set aside path=%s group=" SLICE_FMT
			 " number=%llu error=%s",
			durability->name, SLICE_ARG(fault->key.ptr == NULL ? SLICE("?") : fault->key),
			(unsigned long long)fault->number, fault->what);
}

static void on_progress(void *data, uint64_t rows, uint64_t row_count)
{
	struct durability *durability = data;
	api_set_loading_progress(&durability->server->api, rows, row_count);
	log_info("loading the state path=%s rows=%llu of=%llu", durability->name,
			(unsigned long long)rows, (unsigned long long)row_count);
}

static void on_commit(void *data, uint64_t changes, double seconds)
{
	struct durability *durability = data;
	durability_sqlite_end_moving(durability);
	stats_count_commit(&durability->server->stats, changes, seconds);
}

static void on_durable(void *data, size_t lane, uint64_t number)
{
	struct durability *durability = data;
	if (durability->is_failing[lane]) {
		durability->is_failing[lane] = false;
		if (--durability->failing_lanes == 0) {
			log_info("the state is stored again path=%s", durability->name);
		}
	}
	api_on_durable(&durability->server->api, lane, number);
}

static void on_failed(void *data, size_t lane, uint64_t number, struct slice why)
{
	struct durability *durability = data;
	if (!durability->is_failing[lane]) {
		durability->is_failing[lane] = true;
		if (durability->failing_lanes++ == 0) {
			log_error("cannot store what was pushed, trying again path=%s error=" SLICE_FMT,
					durability->name, SLICE_ARG(why));
		}
	}
	api_on_failed(&durability->server->api, lane, number, why);
}

static void on_away(void *data, size_t lane, struct slice why)
{
	struct durability *durability = data;
	api_set_away(&durability->server->api, lane, why);
}

static void on_back(void *data, size_t lane)
{
	struct durability *durability = data;
	api_set_back(&durability->server->api, lane);
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
	if (durability_is_given(config, "persistence.interval")) {
		log_info("a setting has no effect: what is pushed is stored at once "
				 "setting=persistence.interval");
	}
}

static void destroy(struct durability *durability)
{
	if (durability->lock >= 0) {
		close(durability->lock);
	}
	free(durability->snapshot);
	free(durability->name);
	free(durability->addresses);
	state_url_finish(&durability->url);
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

static bool open_state(struct durability *durability)
{
	struct state_events events = {
		.on_progress = on_progress,
		.on_loaded = on_loaded,
		.on_unusable = on_unusable,
		.on_fault = durability_report_fault,
		.on_commit = on_commit,
		.on_durable = on_durable,
		.on_failed = on_failed,
		.on_away = on_away,
		.on_back = on_back,
		.on_closed = on_state_closed,
		.data = durability,
	};
	bool is_redis = durability->url.scheme == STATE_SCHEME_REDIS;
	bool is_open = is_redis ? durability_redis_open(durability, &events)
							: durability_sqlite_open(durability, &events);
	if (durability->state != NULL) {
		const struct state_backend *backend = durability->state->backend;
		api_set_lanes(&durability->server->api, backend->lanes, backend->lane_of);
	}
	return is_open;
}

/* Where groups are to be kept; false: nowhere. */
static bool find_place(struct durability *durability)
{
	const struct server *server = durability->server;
	durability->url = state_url_read(server->config->state_url);
	durability->name = durability_sqlite_path(server, &durability->url);
	if (durability->name != NULL) {
		durability->url.scheme = STATE_SCHEME_SQLITE;
	} else if (durability->url.scheme == STATE_SCHEME_REDIS) {
		durability->name = redis_place_name(&durability->url);
	}
	return durability->name != NULL;
}

bool durability_open(struct server *server)
{
	struct durability *durability = memory_zalloc(1, sizeof(*durability));
	*durability = (struct durability){ .server = server, .lock = -1 };
	warn_of_interval(server->config);
	if (!find_place(durability)) {
		destroy(durability);
		return true;
	}
	durability->stats.is_kept = true;
	durability->is_loading = !server->config->takeover;
	server->targets.is_restoring = durability->is_loading;
	if (!open_state(durability)) {
		if (server->durability == NULL) {
			destroy(durability);
		}
		return false;
	}
	make_requests_wait(durability);
	return durability->url.scheme != STATE_SCHEME_SQLITE || durability_sqlite_begin(durability);
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
		log_error("what was pushed last could not be stored path=%s", durability->name);
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

bool durability_is_stuck(const struct server *server)
{
	const struct durability *durability = server->durability;
	struct state_stats stats;
	if (durability == NULL || durability->state == NULL) {
		return false;
	}
	state_collect(durability->state, &stats);
	return stats.away > 0 && state_is_behind(durability->state);
}

bool durability_is_away(const struct server *server)
{
	struct state_stats stats;
	if (server->durability == NULL || server->durability->state == NULL) {
		return false;
	}
	state_collect(server->durability->state, &stats);
	return stats.away > 0;
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
	stats->is_up = !durability->is_loading && durability->failing_lanes == 0 && state.away == 0;
	stats->seen_ns = state.is_shared ? state.seen_ns : state.last_commit_ns;
	stats->records_set_aside = state.set_aside;
	stats->failures = state.failures;
	stats->last_commit_ns = state.last_commit_ns;
	stats->waiting_changes = state.waiting;
	stats->bytes = state.bytes;
	stats->waiting_answers = server->api.acks.count;
	stats->is_shared = state.is_shared;
	stats->away_partitions = state.away;
	stats->outages = state.outages;
	stats->resent_groups = state.resent;
	stats->rescans = state.rescans;
	stats->epoch_changes = state.epochs;
	stats->epoch_since = (double)state.epoch_us / 1e6;
	stats->received_changes = state.received;
	stats->stream_position = (double)state.position_ms / 1e3;
	stats->stream_lag_seconds = state.lag_seconds;
	stats->commands = state.commands;
	stats->round_trips = state.round_trips;
	stats->is_redis_up = state.is_up;
	stats->connections = state.connections;
	stats->waiting_commands = state.waiting_commands;
	stats->answers = state.answers;
	stats->answer_seconds = state.answer_seconds;
}
