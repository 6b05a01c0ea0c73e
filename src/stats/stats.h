#pragma once

/*
 * weir's own metrics, as one table: what it counts, what it is called and how
 * it is explained. Whoever counts writes into struct stats; values that
 * others keep are fetched by the collector before a page is rendered.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "model/batch.h"
#include "stats/process.h"
#include "stats/quantiles.h"

enum stats_handler {
	STATS_HANDLER_API_EXPORT,
	STATS_HANDLER_API_IMPORT,
	STATS_HANDLER_API_METRICS,
	STATS_HANDLER_API_OPTIONS,
	STATS_HANDLER_API_QUERY,
	STATS_HANDLER_API_STATUS,
	STATS_HANDLER_API_TARGETS,
	STATS_HANDLER_DELETE,
	STATS_HANDLER_DISCOVERY,
	STATS_HANDLER_HEALTHY,
	STATS_HANDLER_PUSH,
	STATS_HANDLER_READY,
	STATS_HANDLER_STATIC,
	STATS_HANDLER_STATUS,
	STATS_HANDLER_WIPE,
	STATS_HANDLER_COUNT,
};

enum stats_method {
	STATS_METHOD_DELETE,
	STATS_METHOD_GET,
	STATS_METHOD_OPTIONS,
	STATS_METHOD_PATCH,
	STATS_METHOD_POST,
	STATS_METHOD_PUT,
	STATS_METHOD_COUNT,
};

/* Why a push was refused. */
enum stats_rejection {
	STATS_REJECTED_BODY,         /* its content coding or its size */
	STATS_REJECTED_INCONSISTENT, /* with itself or with what is stored */
	STATS_REJECTED_LIMIT,        /* more groups, series, labels ... than allowed */
	STATS_REJECTED_STATE,        /* what is stored is not loaded, or this was not made durable */
	STATS_REJECTED_SYNTAX,       /* it could not be parsed */
	STATS_REJECTED_TARGET,       /* of a target that is not known */
	STATS_REJECTED_TIMESTAMP,
	STATS_REJECTED_TTL,
	STATS_REJECTED_URL,
	STATS_REJECTED_COUNT,
};

/* What has a maximum. */
enum stats_limit {
	STATS_LIMIT_BODY_BYTES,
	STATS_LIMIT_CONNECTIONS,
	STATS_LIMIT_GROUPS,
	STATS_LIMIT_HEADER_BYTES,
	STATS_LIMIT_LABEL_BYTES,
	STATS_LIMIT_LABEL_SETS,
	STATS_LIMIT_LABELS,
	STATS_LIMIT_SERIES,
	STATS_LIMIT_SERIES_PER_GROUP,
	STATS_LIMIT_STORED_BYTES,
	STATS_LIMIT_COUNT,
};

struct stats_limit_values {
	uint64_t maximum;
	uint64_t current; /* of those that accumulate */
	uint64_t refused;
};

enum stats_timeout {
	STATS_TIMEOUT_BODY,
	STATS_TIMEOUT_HEADER,
	STATS_TIMEOUT_IDLE,
	STATS_TIMEOUT_WRITE,
	STATS_TIMEOUT_COUNT,
};

/* What is kept over a restart. */
struct stats_state {
	bool is_kept;      /* else there is nothing to say */
	bool is_up;        /* it is loaded, and what is pushed can be stored */
	int64_t seen_ns;   /* if not: Unix time when that was last so; 0: never */
	uint64_t bytes;    /* on disk */
	uint64_t failures; /* commits */
	uint64_t groups_loaded;
	int64_t last_commit_ns; /* Unix time; 0: never */
	double load_seconds;    /* 0: it is being loaded */
	uint64_t records_set_aside;
	uint64_t waiting_answers;
	uint64_t waiting_changes;

	/* Of one that several weirs share. */
	bool is_shared;
	uint64_t away_partitions;
	uint64_t outages;
	uint64_t resent_groups;
	uint64_t rescans;
	uint64_t epoch_changes;
	double epoch_since; /* Unix time, seconds */
	uint64_t received_changes;
	double stream_position; /* likewise */
	double stream_lag_seconds;
	uint64_t commands;
	uint64_t round_trips;
	bool is_redis_up; /* all its servers are connected, and take what is written */
	uint64_t connections;
	uint64_t waiting_commands;
	uint64_t answers;
	double answer_seconds; /* that they took together */
};

/* The states of targets, in the order in which they are counted. */
enum { STATS_TARGET_STATES = 4 };

struct stats_targets {
	uint64_t by_state[STATS_TARGET_STATES];
	const char *states[STATS_TARGET_STATES]; /* their names */
	uint64_t refused;
	uint64_t lookups;
	uint64_t lookup_failures;
	bool is_kept; /* in a database, which the others are about */
	bool is_up;
	int64_t seen_ns; /* as above */
	uint64_t waiting;
	uint64_t batches;
	uint64_t connections; /* to a server of databases */
	uint64_t tasks;
	double task_seconds; /* that they took together */
	uint64_t statements;
	uint64_t faults;
	uint64_t outages;
};

enum { STATS_INGEST_REASONS_MAX = 16 };

/* What is drained from lists. */
struct stats_ingest {
	bool is_used; /* else there is nothing to say */
	bool is_up;
	int64_t seen_ns;  /* as above */
	bool is_draining; /* it is this weir, of those that may */
	uint64_t lists;
	uint64_t elements;
	uint64_t oversized; /* elements that were taken off unread */
	uint64_t bytes;
	uint64_t lines;
	uint64_t timestamps;
	uint64_t superseded;
	uint64_t skipped; /* lists that are left alone */
	uint64_t errors;
	const char *const *reasons; /* of lines that are left out: their names */
	size_t reason_count;
	uint64_t rejected[STATS_INGEST_REASONS_MAX];
};

enum { STATS_STATUSES_MAX = 16 }; /* different ones of one handler and method */

struct stats_status_count {
	uint32_t status; /* 0: none yet */
	uint32_t count;
};

struct stats {
	/* By status, those that there were. */
	struct stats_status_count http_requests[STATS_HANDLER_COUNT][STATS_METHOD_COUNT]
										   [STATS_STATUSES_MAX];
	struct quantiles push_seconds[STATS_METHOD_COUNT]; /* of put and post */
	struct quantiles push_bytes[STATS_METHOD_COUNT];
	struct quantiles scrape_seconds;
	struct quantiles commit_seconds;
	struct quantiles commit_changes;
	uint64_t scrape_bytes;      /* before compression */
	uint64_t escape_collisions; /* names on pages that gave way to others */
	uint64_t rejected[STATS_REJECTED_COUNT];
	uint64_t unchanged_layouts; /* pushes that only brought other values */

	bool config_is_good;         /* the settings, when they were read last */
	uint64_t config_reloaded_ns; /* Unix time when they last were */

	struct process_stats process; /* read by stats_collect() */

	/* Set by collect(). */
	void (*collect)(void *data, struct stats *stats);
	void *collect_data;
	uint64_t groups;
	uint64_t shadowed_groups;
	uint64_t series;
	uint64_t families;
	uint64_t blocks;
	uint64_t shadowed_blocks;
	uint64_t stored_bytes;
	uint64_t expired_groups;
	struct stats_limit_values limits[STATS_LIMIT_COUNT];
	uint64_t connections;
	uint64_t connections_accepted;
	uint64_t bad_requests;
	uint64_t received_bytes;
	uint64_t sent_bytes;
	uint64_t auth_checks;
	uint64_t auth_failures;
	uint64_t auth_overloaded;
	double auth_seconds;
	uint64_t rate_limited;
	uint64_t timeouts[STATS_TIMEOUT_COUNT];
	const uint64_t *tls_handshakes; /* by result; NULL: no TLS */
	const char *const *tls_results; /* their names */
	size_t tls_result_count;
	int64_t tls_not_after_seconds;
	bool has_web_config;
	bool web_config_is_good;      /* the last time it was read */
	double web_config_good_since; /* when that was last so */
	uint64_t web_config_reloads_good;
	uint64_t web_config_reloads_failed;
	struct stats_state state;
	struct stats_targets targets;
	struct stats_ingest ingest;
};

/* One family of the table. */
struct stats_row {
	struct slice name;
	enum metric_type type;
	struct slice help;
	bool help_must_match; /* see family_declaration */
	/* Appends the family's lines, possibly none. */
	void (*render)(struct stats *stats, const struct stats_row *row, struct buf *lines);
	size_t offset; /* of the uint64_t in struct stats that a plain row shows */
};

extern const struct stats_row stats_rows[];
extern const size_t stats_row_count;

void stats_init(struct stats *stats);

void stats_count_request(
		struct stats *stats, enum stats_handler handler, enum stats_method method, unsigned status);
uint32_t stats_requests(const struct stats *stats, enum stats_handler handler,
		enum stats_method method, unsigned status);
void stats_count_commit(struct stats *stats, uint64_t changes, double seconds);
void stats_count_push(
		struct stats *stats, enum stats_method method, size_t request_bytes, uint64_t began_ns);

/* Fetches what others keep; to be called before rows are rendered. */
void stats_collect(struct stats *stats);
