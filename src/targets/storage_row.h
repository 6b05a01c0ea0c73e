#pragma once

/*
 * The rows of the tables. What is wrong with one by hand (a type that was changed, a
 * column that a view makes up) is found when it is read, field by field: both databases
 * give their values as text, and no row is taken that is not as it should be.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

enum { STORAGE_TEXT_MAX = 256 * 1024 /* bytes of one column that is read */ };

/* A row of weir_target. What it points to lives as long as the call, or its operation. */
struct storage_target {
	struct slice id;       /* a UUID */
	struct slice job;      /* as it is, not escaped */
	struct slice instance; /* likewise */
	struct slice labels;   /* all grouping labels: a JSON object of strings */
	struct slice mode;     /* push, pull, static, virtual, dns, image, collector or service */
	struct slice address;  /* empty: none; so are the next two */
	struct slice scheme;   /* in which it is scraped there */
	struct slice path;
	double scrape_interval_seconds; /* 0: none; so is the next one */
	double scrape_timeout_seconds;
	struct slice attributes; /* a JSON object of strings */
	struct slice thresholds; /* a JSON array */
	bool is_enabled;
	bool is_configured;      /* by people, not made by a push */
	double interval_seconds; /* 0: learnt */
	double silent_after;     /* intervals; 0: the default */
	int64_t created_ns;      /* Unix time, as all times; 0 when it is sent: now */
	int64_t changed_ns;      /* not sent */
	int64_t version;         /* see storage_op_add_target() */
};

/* A row of weir_target_seen. A time of 0 is none; times are kept to the microsecond. */
struct storage_seen {
	struct slice target_id;
	struct slice replica;
	int64_t first_seen_ns;
	int64_t last_seen_ns; /* a push, or a sign of life */
	int64_t last_push_ns;
	int64_t pushes;         /* of this replica, ever */
	struct slice format;    /* empty: not known; so are the others */
	struct slice source;    /* whom the last push came from */
	struct slice gaps;      /* between its pushes: a JSON array of milliseconds; empty: none */
	double learnt_interval; /* seconds; 0: none yet */
	struct slice state;     /* active, silent, expired, disabled */
	int64_t rejected_at_ns; /* the last push that was refused */
	struct slice rejected_reason;
};

/* The columns, in the order in which they are asked for. */
enum storage_target_column {
	TARGET_COLUMN_ID,
	TARGET_COLUMN_JOB,
	TARGET_COLUMN_INSTANCE,
	TARGET_COLUMN_LABELS,
	TARGET_COLUMN_MODE,
	TARGET_COLUMN_ADDRESS,
	TARGET_COLUMN_SCHEME,
	TARGET_COLUMN_PATH,
	TARGET_COLUMN_SCRAPE_INTERVAL,
	TARGET_COLUMN_SCRAPE_TIMEOUT,
	TARGET_COLUMN_ENABLED,
	TARGET_COLUMN_CONFIGURED,
	TARGET_COLUMN_ATTRIBUTES,
	TARGET_COLUMN_INTERVAL,
	TARGET_COLUMN_SILENT_AFTER,
	TARGET_COLUMN_THRESHOLDS,
	TARGET_COLUMN_CREATED,
	TARGET_COLUMN_CHANGED,
	TARGET_COLUMN_VERSION,
	TARGET_COLUMNS,
};

enum storage_seen_column {
	SEEN_COLUMN_TARGET,
	SEEN_COLUMN_REPLICA,
	SEEN_COLUMN_FIRST,
	SEEN_COLUMN_LAST,
	SEEN_COLUMN_LAST_PUSH,
	SEEN_COLUMN_PUSHES,
	SEEN_COLUMN_FORMAT,
	SEEN_COLUMN_SOURCE,
	SEEN_COLUMN_GAPS,
	SEEN_COLUMN_INTERVAL,
	SEEN_COLUMN_STATE,
	SEEN_COLUMN_REJECTED_AT,
	SEEN_COLUMN_REJECTED_REASON,
	SEEN_COLUMNS,
};

/*
 * Reads a row from the texts of its columns, which it then points to; ptr NULL is SQL's NULL.
 * False: the arena has why not.
 */
bool storage_target_read(const struct slice columns[static TARGET_COLUMNS],
		struct storage_target *ret_row, struct arena *arena, struct slice *reterr_why);
bool storage_seen_read(const struct slice columns[static SEEN_COLUMNS],
		struct storage_seen *ret_row, struct arena *arena, struct slice *reterr_why);

/*
 * The texts of a row that is written; of numbers and times they are in the arena. What
 * is none is NULL. The columns TARGET_COLUMN_CHANGED and, of a time 0, TARGET_COLUMN_CREATED
 * are NULL.
 */
void storage_target_write(const struct storage_target *row,
		struct slice columns[static TARGET_COLUMNS], struct arena *arena);
void storage_seen_write(const struct storage_seen *row, struct slice columns[static SEEN_COLUMNS],
		struct arena *arena);

/* A copy with all its texts. */
struct storage_target storage_target_copy(const struct storage_target *row, struct arena *arena);
struct storage_seen storage_seen_copy(const struct storage_seen *row, struct arena *arena);
