#pragma once

/*
 * What weir consists of, for the files of this room.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "api/api.h"
#include "api/gate.h"
#include "config/config.h"
#include "http/server.h"
#include "net/listen_socket.h"
#include "net/listener.h"
#include "net/tls.h"
#include "net/worker.h"
#include "server/data_dir.h"
#include "server/takeover_give.h"
#include "server/takeover_state.h"
#include "server/takeover_take.h"
#include "server/tls_files.h"
#include "server/web_file.h"
#include "stats/stats.h"
#include "store/store.h"
#include "targets/registry.h"

struct durability;
struct keeper;
struct lists;
struct resolver;
struct server;
struct successor;

struct server_listener {
	struct listener listener;
	struct listen_socket socket;
	char *name; /* as it was asked for */
	struct server *server;
};

/* See signals.h. */
enum { SERVER_SIGNALS = 4 };

struct server {
	const struct config *config; /* in force */
	const struct config_input *input;
	struct config *reloaded; /* that config when it came by a reload; owned */
	uv_loop_t loop;
	uv_signal_t signals[SERVER_SIGNALS];
	uv_timer_t expiry;          /* groups whose time is over */
	uv_timer_t tidy;            /* memory that nobody needs any more */
	uv_timer_t look_at_targets; /* whether they fell silent */
	bool has_tidied;            /* since memory was given back */
	uint64_t trimmed_ns;
	struct worker worker;
	struct http_server http;
	struct gate gate; /* before the api */
	struct web_file web_file;
	struct web_subscriber web; /* the gate goes by it */
	struct tls_server tls;
	struct tls_files tls_files;
	struct server_listener *listeners;
	size_t listener_count;
	size_t open_listeners;
	struct api api;
	struct store store;
	struct registry targets;
	struct keeper *keeper;     /* NULL: targets are not kept */
	struct resolver *resolver; /* of targets' names */
	void (*on_targets_closed)(struct server *server);
	struct lists *lists; /* NULL: none are drained */
	struct stats stats;
	struct data_dir data_dir;
	struct durability *durability; /* NULL: what is stored is not kept */
	struct takeover_state takeover_state;
	struct takeover_taker taker; /* from whom it takes over, at the start */
	struct takeover_giver giver; /* to whom it hands over, at any time */
	struct successor *successor; /* started to take over, or NULL */
	uv_timer_t notify_timer;     /* see notify.h */
	uint64_t status_ms;          /* when systemd was told last */
	bool has_notify_timer;
	bool has_signals;
	struct job quitting; /* asked for by a request */
	bool is_quitting;
	bool is_stopping;
	bool is_handed_over; /* somebody else goes on with all there is */
};
