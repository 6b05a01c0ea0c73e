#include "server/server.h"

#include <assert.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/table.h"
#include "server/collect.h"
#include "server/data_dir.h"
#include "server/durability.h"
#include "server/keep_targets.h"
#include "server/listeners.h"
#include "server/lists.h"
#include "server/notify.h"
#include "server/options.h"
#include "server/parts.h"
#include "server/reload.h"
#include "server/signals.h"
#include "server/takeover.h"
#include "server/takeover_stored.h"
#include "server/virtual_targets.h"
#include "server/web.h"
#include "targets/resolver.h"

enum {
	EXPIRE_BUDGET = 2048, /* blocks at a time */
	TIDY_IDLE_MS = 100,   /* from one look for what to free to the next */
	TARGETS_MS = 100,     /* from one look at some targets to the next */
};

static const uint64_t TRIM_EVERY_NS = UINT64_C(2) * 1000000000;

/* ---- Timers ---- */

static void on_expiry(uv_timer_t *timer)
{
	enum { LONGEST_WAIT_MS = 1000, SHORTEST_WAIT_MS = 1 };
	struct server *server = timer->data;
	int64_t now_ns = (int64_t)clock_monotonic_ns();
	bool is_loading = durability_is_loading(server);
	int64_t next_ns = is_loading ? 0 : store_expire(&server->store, now_ns, EXPIRE_BUDGET);
	/* A push may bring an earlier deadline at any time: look once a second at least. */
	int64_t wait_ms = next_ns == 0 ? LONGEST_WAIT_MS : (next_ns - now_ns) / 1000000 + 1;
	wait_ms = wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : wait_ms;
	wait_ms = wait_ms < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : wait_ms;
	uv_timer_start(timer, on_expiry, (uint64_t)wait_ms, 0);
}

/*
 * What scrapes and bursts took and gave back stays with the process until it is
 * given back; once in a while that is done, when there was something to tidy.
 */
static void trim_memory(struct server *server)
{
	uint64_t now_ns = clock_monotonic_ns();
	if (server->has_tidied && now_ns - server->trimmed_ns >= TRIM_EVERY_NS) {
		malloc_trim(0);
		server->has_tidied = false;
		server->trimmed_ns = now_ns;
	}
}

static void on_tidy(uv_timer_t *timer)
{
	struct server *server = timer->data;
	bool has_more = !durability_is_loading(server) && store_tidy(&server->store);
	server->has_tidied |= has_more;
	if (!has_more) {
		trim_memory(server);
	}
	uv_timer_start(timer, on_tidy, has_more ? 0 : TIDY_IDLE_MS, 0);
}

/* All targets within five seconds or so, a few at a time. */
static void on_targets(uv_timer_t *timer)
{
	enum { FEWEST = 200, TURNS_OF_A_ROUND = 50 };
	struct server *server = timer->data;
	size_t share = registry_len(&server->targets) / TURNS_OF_A_ROUND;
	registry_step(&server->targets, share > FEWEST ? share : FEWEST);
}

/* ---- The end ---- */

static void close_rest(struct server *server)
{
	signals_close(server);
	worker_close(&server->worker, NULL);
}

/*
 * Nobody changes targets any more. What is known of them is written whether names are still
 * looked up or not: that cannot be cut short, and weir ends once it is over.
 */
static void close_last(struct server *server)
{
	resolver_close(server->resolver);
	keep_targets_close(server, close_rest);
}

/* Nobody changes the store any more. */
static void close_store(struct server *server)
{
	durability_close(server, close_last);
}

/* No client does. */
static void close_state(struct server *server)
{
	lists_close(server, close_store);
}

static void on_listener_closed(struct listener *listener)
{
	struct server *server = ((struct server_listener *)listener)->server;
	if (--server->open_listeners == 0) {
		close_state(server);
	}
}

static void begin_stop(struct server *server)
{
	server->is_stopping = true;
	notify_stopping(server);
	api_give_up_loading(&server->api);
	api_give_up_loading_targets(&server->api);
	lists_pause(server);
	takeover_giver_close(&server->giver);
	takeover_forget_spawned(server);
	uv_close((uv_handle_t *)&server->expiry, NULL);
	uv_close((uv_handle_t *)&server->tidy, NULL);
	uv_close((uv_handle_t *)&server->look_at_targets, NULL);
	web_file_close(&server->web_file);
	store_finish_deletion(&server->store); /* no timer goes on with it */
	if (server->listener_count == 0) {
		close_state(server);
	}
}

void server_stop(struct server *server)
{
	uint64_t drain_ms = (uint64_t)server->config->timeout_shutdown_ns / 1000000;
	if (server->is_stopping) {
		drain_ms = 0;
	} else {
		begin_stop(server);
	}
	listeners_close(server, drain_ms, on_listener_closed);
}

/* ---- The beginning ---- */

/*
 * Large buffers stay mappings of their own, whatever was freed before: they
 * grow without being copied, and leave no holes between what is stored.
 */
static void tune_allocator(void)
{
	enum { LARGE_BYTES = 512 * 1024, TRIM_BYTES = 16 * 1024 * 1024 };
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

/* Idle connections are cheap here; the usual 1024 descriptors are few. */
static void raise_fd_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void init_store(struct server *server)
{
	struct store_options options = options_of_store(server->config);
	size_t count;
	const struct family_declaration *declarations = api_declarations(&count);
	store_init(&server->store, &options);
	store_declare(&server->store, declarations, count);
}

static void init_targets(struct server *server)
{
	struct registry_options options = options_of_targets(server->config);
	registry_init(&server->targets, &options);
	registry_watch(&server->targets, &server->store);
	keep_targets_init(server);
	virtual_targets_make(server);
}

static void init_api(struct server *server)
{
	struct api_options options = options_of_api(server);
	stats_init(&server->stats);
	server->stats.collect = collect_stats;
	server->stats.collect_data = server;
	server->stats.config_is_good = true;
	server->stats.config_reloaded_ns = (uint64_t)clock_wall_ns();
	api_init(&server->api, &options, &server->store, &server->targets, &server->stats,
			&server->worker.executor);
}

static void init_http(struct server *server)
{
	struct http_limits limits = options_of_http(server->config);
	http_server_init(&server->http, &limits);
	server->http.on_head = api_on_head;
	server->http.on_request = api_on_request;
	server->http.data = &server->api;
	gate_init(&server->gate, &server->worker.executor);
}

static void open_resolver(struct server *server)
{
	struct resolver_options options = {
		.loop = &server->loop,
		.registry = &server->targets,
		.interval_ns = server->config->targets_dns_interval_ns,
	};
	server->resolver = resolver_open(&options);
}

static void open_handles(struct server *server)
{
	uv_loop_t *loop = &server->loop;
	worker_open(&server->worker, loop);
	uv_timer_init(loop, &server->expiry);
	uv_timer_init(loop, &server->tidy);
	server->expiry.data = server;
	uv_timer_init(loop, &server->look_at_targets);
	server->tidy.data = server;
	server->look_at_targets.data = server;
	uv_timer_start(&server->expiry, on_expiry, 1, 0);
	uv_timer_start(&server->tidy, on_tidy, TIDY_IDLE_MS, 0);
	uv_timer_start(&server->look_at_targets, on_targets, TARGETS_MS, TARGETS_MS);
	web_file_open(&server->web_file, loop, server->config->web_config_file);
}

static void init_tls(struct server *server)
{
	tls_server_init(&server->tls);
	tls_files_init(&server->tls_files, &server->tls, &server->web_file);
}

static bool open_data_dir(struct server *server)
{
	const struct config *config = server->config;
	const struct setting *setting = settings_find("data.dir", strlen("data.dir"));
	bool is_asked_for = config->sources[setting_index(setting)] != CONFIG_FROM_DEFAULT;
	if (!data_dir_open(&server->data_dir, config->data_dir, is_asked_for)) {
		return false;
	}
	return config->takeover ? takeover_start(server) : data_dir_lock(&server->data_dir);
}

/* False when the last changes could not be kept. */
static bool run_loop(struct server *server)
{
	uv_run(&server->loop, UV_RUN_DEFAULT);
	int fault = uv_loop_close(&server->loop);
	assert(fault == 0);
	(void)fault;
	bool is_kept = durability_finish(server);
	lists_finish(server);
	api_finish(&server->api);
	http_server_finish(&server->http);
	gate_finish(&server->gate);
	registry_finish(&server->targets);
	store_finish(&server->store);
	tls_files_finish(&server->tls_files);
	tls_server_finish(&server->tls);
	web_file_finish(&server->web_file);
	listeners_free(server);
	return is_kept;
}

static bool begin_serving(struct server *server)
{
	if (!listeners_open(server) || (server->config->takeover && !takeover_end(server))
			|| server->is_stopping) {
		return false;
	}
	signals_open(server);
	takeover_offer(server);
	listeners_announce(server);
	log_info("data directory path=%s from=%s", server->data_dir.path, server->data_dir.origin);
	notify_ready(server);
	return true;
}

/* In a data directory that is this weir's, or about to be. */
static bool serve(struct server *server)
{
	uv_loop_init(&server->loop);
	open_handles(server);
	init_store(server);
	init_targets(server);
	open_resolver(server);
	init_api(server);
	init_http(server);
	reload_apply(server);
	init_tls(server);
	web_subscribe(server);
	takeover_stored_init(server);
	bool is_serving = web_file_read(&server->web_file) && durability_open(server)
			&& !server->is_stopping && begin_serving(server) && keep_targets_open(server)
			&& lists_open(server);
	if (!is_serving) {
		server_stop(server);
	}
	return run_loop(server) && is_serving;
}

int server_run(const struct config *config, const struct config_input *input)
{
	struct server *server = memory_zalloc(1, sizeof(*server));
	server->config = config;
	server->input = input;
	signal(SIGPIPE, SIG_IGN);
	tune_allocator();
	raise_fd_limit();
	hash_init();
	if (config->web_local_assets[0] != '\0') {
		log_warn("a setting has no effect: the files of the web page are part of weir "
				 "setting=web.local-assets");
	}
	bool ended_well = open_data_dir(server) && serve(server);
	takeover_finish(&server->taker);
	data_dir_finish(&server->data_dir);
	if (server->reloaded != NULL) {
		config_finish(server->reloaded);
		free(server->reloaded);
	}
	free(server);
	return ended_well ? 0 : 1;
}
