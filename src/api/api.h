#pragma once

/*
 * What weir answers: a table of routes and one file per endpoint. No socket
 * and no loop here: an exchange comes in, work that would hold up the loop
 * goes to the executor, and exchange_answer() is called in the end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "api/ack.h"
#include "api/away.h"
#include "api/loading.h"
#include "api/route.h"
#include "base/job.h"
#include "base/list.h"
#include "config/config.h"
#include "format/format.h"
#include "http/coded_pool.h"
#include "http/exchange.h"
#include "stats/stats.h"
#include "store/store.h"
#include "targets/registry.h"

struct api_options {
	const struct config *config; /* to be shown */
	struct routes routes;
	struct slice link_prefix;      /* of links on the web page; empty: they are relative */
	void (*quit)(void *quit_data); /* ends weir, but not at once; NULL: nobody may ask for it */
	void *quit_data;
	bool openmetrics;   /* served to who asks for it */
	bool is_checked;    /* the consistency check; without it pushes are answered with 202 */
	int64_t ttl_ns;     /* of groups whose pushes ask for none; 0: they do not expire */
	int64_t ttl_max_ns; /* 0: no cap */
	size_t body_bytes;  /* decoded */
	struct format_options format_options;
};

struct api {
	struct api_options options;
	struct job_rules *job_rules; /* held on to */
	struct store *store;
	struct registry *targets;
	struct stats *stats;
	struct executor *executor;
	struct coded_pool coded_pool;
	int64_t started_ns;          /* Unix time */
	struct acks acks;            /* answers that wait */
	struct loading loading;      /* requests that wait */
	struct list large_waiting;   // push_step::link, of large pushes that wait for a thread
	size_t large_running;        /* on threads */
	struct list ongoing;         // api_task::link, of exchanges that were not answered at once
	size_t pages_being_made;     /* web pages */
	struct list imports_waiting; // import::link, of imports that wait for the one that is going on
	bool is_importing;
	struct list targets_waiting;       // targets_wait::link, of requests that wait for targets
	struct list targets_turns;         // targets_turn::link, of those that wait for theirs
	struct targets_turn *targets_turn; /* whose turn it is; or NULL */
	struct job targets_patience;       /* of those */
	bool has_targets_patience;
	bool has_given_targets_up;  /* weir ends */
	uint64_t format_refused[3]; /* by enum format_limit */
	uint64_t decoded_too_large; /* bodies that inflated past the limit */
};

struct job_rules;
struct targets_turn;

/* Everything passed in outlives the api. There are no rules for jobs yet. */
void api_init(struct api *api, const struct api_options *options, struct store *store,
		struct registry *targets, struct stats *stats, struct executor *executor);

/* For pushes to come; those under way go on by what they began with. */
void api_set_options(
		struct api *api, const struct api_options *options, struct job_rules *job_rules);

/* Every exchange must have been answered. */
void api_finish(struct api *api);

/* Targets are loaded: requests that waited for them are carried out. */
void api_end_loading_targets(struct api *api);

/* They will not be. */
void api_give_up_loading_targets(struct api *api);

/* For http_server: a request's head, before its body is read; and the whole. */
void api_on_head(void *data, struct exchange *exchange);
void api_on_request(void *data, struct exchange *exchange);

/* What the store is told about weir's own families: store_declare(). */
const struct family_declaration *api_declarations(size_t *ret_count);

/* Their lines now, by declaration, in the arena. */
const struct slice *api_own_lines(struct api *api, struct arena *arena);

/* Only those of families with these names. */
const struct slice *api_own_lines_of(
		struct api *api, const struct slice *names, size_t count, struct arena *arena);

/* Of them, those about one target. */
const struct slice *api_target_lines(
		struct api *api, const struct target *target, struct arena *arena);
