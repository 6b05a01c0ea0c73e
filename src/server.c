#include "server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "http/server.h"
#include "net/address.h"
#include "net/listener.h"
#include "net/worker.h"
#include "stats/stats.h"
#include "store/store.h"

enum {
	EXPIRE_BUDGET = 2048, /* blocks at a time */
	TIDY_IDLE_MS = 100,   /* from one look for what to free to the next */
};

static const uint64_t TRIM_EVERY_NS = UINT64_C(2) * 1000000000;

struct server;

struct server_listener {
	struct listener listener;
	struct server *server;
};

struct server {
	const struct config *config;
	uv_loop_t loop;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	uv_timer_t expiry; /* groups whose time is over */
	uv_timer_t tidy;   /* memory that nobody needs any more */
	bool has_tidied;   /* since memory was given back */
	uint64_t trimmed_ns;
	struct worker worker;
	struct http_server http;
	struct server_listener *listeners;
	size_t listener_count;
	size_t open_listeners;
	struct api api;
	struct store store;
	struct stats stats;
	int data_lock; /* file descriptor, or -1 */
	bool is_stopping;
};

static uint64_t to_ms(int64_t ns)
{
	return (uint64_t)ns / 1000000;
}

/* ---- The data directory ---- */

/* One weir a directory: the lock ends with the process. */
static bool lock_data_dir(struct server *server)
{
	const char *dir = server->config->data_dir;
	if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
		log_error("cannot make the data directory path=%s error=%s", dir, strerror(errno));
		return false;
	}
	char *path = memory_alloc(strlen(dir) + sizeof("/lock"));
	sprintf(path, "%s/lock", dir);
	server->data_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (server->data_lock < 0) {
		log_error("cannot write the data directory path=%s error=%s", dir, strerror(errno));
	} else if (flock(server->data_lock, LOCK_EX | LOCK_NB) != 0) {
		log_error("the data directory is in use by another weir path=%s", dir);
		close(server->data_lock);
		server->data_lock = -1;
	}
	free(path);
	return server->data_lock >= 0;
}

/* ---- Own metrics ---- */

static void collect_limits(struct server *server, struct stats *stats)
{
	const struct config *config = server->config;
	const struct contents *contents = server->store.contents;
	const uint64_t *refused = server->store.counters.refused;
	const uint64_t *unparsed = server->api.format_refused;
	const struct http_counters *http = &server->http.counters;
	const struct stats_limit_values values[STATS_LIMIT_COUNT] = {
		[STATS_LIMIT_BODY_BYTES] = { config->limit_body_bytes, 0, http->bodies_too_large },
		[STATS_LIMIT_CONNECTIONS] = { config->limit_connections, http->connections_open,
				http->connections_refused },
		[STATS_LIMIT_GROUPS] = { config->limit_groups, contents->group_count,
				refused[STORE_LIMIT_GROUPS] },
		[STATS_LIMIT_HEADER_BYTES] = { config->limit_header_bytes, 0, http->headers_too_large },
		[STATS_LIMIT_LABEL_BYTES] = { config->limit_label_bytes, 0,
				unparsed[FORMAT_LIMIT_LABEL_BYTES] },
		[STATS_LIMIT_LABEL_SETS] = { config->limit_label_sets, 0, refused[STORE_LIMIT_LABEL_SETS] },
		[STATS_LIMIT_LABELS] = { config->limit_labels, 0, unparsed[FORMAT_LIMIT_LABELS] },
		[STATS_LIMIT_SERIES] = { config->limit_series, contents->series,
				refused[STORE_LIMIT_SERIES] },
		[STATS_LIMIT_SERIES_PER_GROUP] = { config->limit_series_per_group, 0,
				refused[STORE_LIMIT_SERIES_PER_GROUP] + unparsed[FORMAT_LIMIT_SAMPLES] },
		[STATS_LIMIT_STORED_BYTES] = { config->limit_stored_bytes, contents->bytes,
				refused[STORE_LIMIT_BYTES] },
	};
	memcpy(stats->limits, values, sizeof(values));
	stats->limits[STATS_LIMIT_BODY_BYTES].refused += server->api.decoded_too_large;
}

static void collect(void *data, struct stats *stats)
{
	struct server *server = data;
	const struct contents *contents = server->store.contents;
	const struct http_counters *http = &server->http.counters;
	stats->groups = contents->group_count;
	stats->shadowed_groups = contents->shadowed_groups;
	stats->series = contents->series;
	stats->families = contents->families.len - server->store.declaration_count;
	stats->blocks = contents->blocks;
	stats->shadowed_blocks = contents->shadowed_blocks;
	stats->stored_bytes = contents->bytes;
	stats->expired_groups = server->store.counters.expired_groups;
	stats->connections = http->connections_open;
	stats->connections_accepted = http->connections_total;
	stats->bad_requests = http->bad_requests + http->unsupported;
	stats->received_bytes = http->received_bytes;
	stats->sent_bytes = http->sent_bytes;
	stats->timeouts[STATS_TIMEOUT_BODY] = http->body_timeouts;
	stats->timeouts[STATS_TIMEOUT_HEADER] = http->head_timeouts;
	stats->timeouts[STATS_TIMEOUT_IDLE] = http->idle_closed;
	stats->timeouts[STATS_TIMEOUT_WRITE] = http->slow_readers_cut;
	collect_limits(server, stats);
}

/* ---- Timers ---- */

static void on_expiry(uv_timer_t *timer)
{
	enum { LONGEST_WAIT_MS = 1000, SHORTEST_WAIT_MS = 1 };
	struct server *server = timer->data;
	int64_t now_ns = (int64_t)clock_monotonic_ns();
	int64_t next_ns = store_expire(&server->store, now_ns, EXPIRE_BUDGET);
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
	bool has_more = store_tidy(&server->store);
	server->has_tidied |= has_more;
	if (!has_more) {
		trim_memory(server);
	}
	uv_timer_start(timer, on_tidy, has_more ? 0 : TIDY_IDLE_MS, 0);
}

/* ---- The end ---- */

static void on_listener_closed(struct listener *listener)
{
	struct server *server = ((struct server_listener *)listener)->server;
	if (--server->open_listeners == 0) {
		worker_close(&server->worker, NULL);
	}
}

static void stop(struct server *server)
{
	if (server->is_stopping) {
		return;
	}
	server->is_stopping = true;
	uv_close((uv_handle_t *)&server->sigterm, NULL);
	uv_close((uv_handle_t *)&server->sigint, NULL);
	uv_close((uv_handle_t *)&server->expiry, NULL);
	uv_close((uv_handle_t *)&server->tidy, NULL);
	store_finish_deletion(&server->store); /* no timer goes on with it */
	uint64_t drain_ms = to_ms(server->config->timeout_shutdown_ns);
	if (server->listener_count == 0) {
		worker_close(&server->worker, NULL);
	}
	for (size_t i = 0; i < server->listener_count; i++) {
		listener_close(&server->listeners[i].listener, drain_ms, on_listener_closed);
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;
	log_info("stopping signal=%s", number == SIGINT ? "SIGINT" : "SIGTERM");
	stop(server);
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

static bool listen_on(struct server *server, const char *text)
{
	struct net_timeouts timeouts = {
		.head_ms = to_ms(server->config->timeout_header_ns),
		.body_ms = to_ms(server->config->timeout_body_ns),
		.idle_ms = to_ms(server->config->timeout_idle_ns),
		.write_ms = to_ms(server->config->timeout_write_ns),
	};
	struct address address;
	struct sockaddr_storage socket;
	const char *what;
	if (!address_parse(slice_of_string(text), &address, &what)) {
		log_error("bad address flag=--web.listen-address address=%s error=%s", text, what);
		return false;
	}
	int fault = address_resolve(&server->loop, &address, &socket);
	if (fault != 0) {
		log_error("cannot resolve address=%s error=%s", text, uv_strerror(fault));
		return false;
	}
	server->listeners[server->listener_count].server = server;
	struct listener *listener = &server->listeners[server->listener_count++].listener;
	server->open_listeners++;
	fault = listener_open(
			listener, &server->loop, (struct sockaddr *)&socket, &server->http, &timeouts);
	if (fault != 0) {
		log_error("cannot listen address=%s error=%s", text, uv_strerror(fault));
		return false;
	}
	char shown[ADDRESS_TEXT_BYTES];
	listener_address(listener, &socket);
	address_format((struct sockaddr *)&socket, shown);
	printf("listening %s\n", shown);
	fflush(stdout);
	log_info("listening address=%s", shown);
	return true;
}

static bool listen_on_all(struct server *server)
{
	const struct config_list *addresses = &server->config->web_listen_address;
	server->listeners = memory_zalloc(addresses->len, sizeof(server->listeners[0]));
	for (size_t i = 0; i < addresses->len; i++) {
		if (!listen_on(server, addresses->items[i])) {
			return false;
		}
	}
	return true;
}

static void init_store(struct server *server)
{
	const struct config *config = server->config;
	struct store_options options = {
		.limits = {
			.groups = config->limit_groups,
			.series = config->limit_series,
			.series_per_group = config->limit_series_per_group,
			.label_sets = config->limit_label_sets,
			.bytes = config->limit_stored_bytes,
		},
		.is_checked = !config->push_disable_consistency_check,
	};
	size_t count;
	const struct family_declaration *declarations = api_declarations(&count);
	store_init(&server->store, &options);
	store_declare(&server->store, declarations, count);
}

static void init_api(struct server *server)
{
	const struct config *config = server->config;
	struct api_options options = {
		.enable_admin = config->web_enable_admin_api,
		.openmetrics = config->web_openmetrics,
		.is_checked = !config->push_disable_consistency_check,
		.ttl_ns = config->group_ttl_ns,
		.ttl_max_ns = config->group_ttl_max_ns,
		.body_bytes = config->limit_body_bytes,
		.format_options = {
			.samples = config->limit_series_per_group,
			.labels = config->limit_labels,
			.label_bytes = config->limit_label_bytes,
			.utf8_names = config->push_enable_utf8_names,
		},
	};
	stats_init(&server->stats);
	server->stats.collect = collect;
	server->stats.collect_data = server;
	api_init(&server->api, &options, &server->store, &server->stats, &server->worker.executor);
}

static void init_http(struct server *server)
{
	const struct config *config = server->config;
	struct http_limits limits = {
		.header_bytes = config->limit_header_bytes,
		.body_bytes = config->limit_body_bytes,
		.connections = config->limit_connections,
	};
	http_server_init(&server->http, &limits);
	server->http.on_head = api_on_head;
	server->http.on_request = api_on_request;
	server->http.data = &server->api;
}

static void open_handles(struct server *server)
{
	uv_loop_t *loop = &server->loop;
	worker_open(&server->worker, loop);
	uv_signal_init(loop, &server->sigterm);
	uv_signal_init(loop, &server->sigint);
	uv_timer_init(loop, &server->expiry);
	uv_timer_init(loop, &server->tidy);
	server->sigterm.data = server;
	server->sigint.data = server;
	server->expiry.data = server;
	server->tidy.data = server;
	uv_signal_start(&server->sigterm, on_signal, SIGTERM);
	uv_signal_start(&server->sigint, on_signal, SIGINT);
	uv_timer_start(&server->expiry, on_expiry, 1, 0);
	uv_timer_start(&server->tidy, on_tidy, TIDY_IDLE_MS, 0);
}

static void run_loop(struct server *server)
{
	uv_run(&server->loop, UV_RUN_DEFAULT);
	int fault = uv_loop_close(&server->loop);
	assert(fault == 0);
	(void)fault;
	api_finish(&server->api);
	http_server_finish(&server->http);
	store_finish(&server->store);
	free(server->listeners);
}

int server_run(const struct config *config)
{
	struct server *server = memory_zalloc(1, sizeof(*server));
	server->config = config;
	server->data_lock = -1;
	int exit_code = 1;
	signal(SIGPIPE, SIG_IGN);
	tune_allocator();
	raise_fd_limit();
	hash_init();
	if (lock_data_dir(server)) {
		uv_loop_init(&server->loop);
		open_handles(server);
		init_store(server);
		init_api(server);
		init_http(server);
		bool is_listening = listen_on_all(server);
		if (!is_listening) {
			stop(server);
		}
		run_loop(server);
		close(server->data_lock);
		exit_code = is_listening ? 0 : 1;
	}
	free(server);
	return exit_code;
}
