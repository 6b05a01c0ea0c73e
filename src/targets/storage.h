#pragma once

/*
 * Where targets are kept: tables of a PostgreSQL, or of an SQLite file.
 *
 *     weir_target        what a target is: configuration, which others may edit in SQL
 *     weir_target_seen   what each replica of weir saw of it, written all the time
 *     weir_schema        which migrations were applied
 *
 * The storage remembers nothing. At the start, and whenever it may have missed something,
 * it reads all rows to its owner, who keeps them in memory. What changes there is sent
 * as operations, which are carried out in their order. One that fails because the
 * database is away is gone: what it would have stored is still in memory, and is sent
 * again when the database is back. So an outage costs no memory, however long it is.
 *
 * What others change in a PostgreSQL is told within a second; of an SQLite file
 * it is found at the next start, or when weir writes the same row.
 *
 * A row that cannot be read, or that the database does not take, is reported and
 * harms no other.
 *
 * Everything is called on the loop thread and calls back on it, never within a call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/slice.h"
#include "targets/storage_op.h"
#include "targets/storage_row.h"

struct storage;

struct storage_events {
	/*
	 * All rows follow: at first, and whenever changes may have been missed. What is not among
	 * them by on_loaded is not there. They may be older than what is written meanwhile: their
	 * versions tell.
	 */
	void (*on_reading)(void *data);
	void (*on_target)(void *data, const struct storage_target *row);
	void (*on_seen)(void *data, const struct storage_seen *row);
	void (*on_loaded)(void *data);
	/* After on_seen of all that was asked for: see storage_look(). */
	void (*on_looked)(void *data);
	/* Others changed or made a row, or it is not what an operation took it to be. */
	void (*on_changed)(void *data, const struct storage_target *row);
	void (*on_deleted)(void *data, struct slice id);
	/* A row that cannot be read, or was not taken; the id is empty where it cannot be told. */
	void (*on_fault)(void *data, struct slice id, struct slice why);
	/*
	 * It cannot be used, or takes nothing that is written: once for each outage, at the start
	 * as well. What is sent meanwhile fails.
	 */
	void (*on_away)(void *data, struct slice why);
	/* It can be used again, and everything was read if it may have changed. */
	void (*on_back)(void *data);
	/* It is not for this weir, and was not touched. Nothing more is tried: close it. */
	void (*on_unusable)(void *data, struct slice why);
	void (*on_closed)(void *data);
	void *data;
};

/* Is copied. One of the first two is NULL. */
struct storage_options {
	const char *sqlite_path;
	const char *postgres_url; /* as libpq takes it: postgres://USER@HOST:PORT/NAME?sslmode=... */
	const char *password;     /* NULL: in the URL, or where libpq looks for it */
	const char *replica;      /* under which the owner writes what it saw */
	uint64_t connect_ms;      /* that connecting to one address may take */
	uint64_t response_ms;     /* that the database may be silent while answers are due */
	uint64_t retry_ms_max;    /* that is waited between two attempts */
	uint64_t close_ms;        /* that what was sent may still take when it is closed */
};

/* It can be used. If not, what is said shows nothing of it, since it may hold a password. */
bool storage_check_postgres_url(const char *url, struct buf *reterr_why);

/* Of a URL that was checked. It begins in a later turn of the loop. */
struct storage *storage_open(const struct storage_options *options, uv_loop_t *loop,
		const struct storage_events *events);

/*
 * What was sent gets its time, what is left then fails. No more events but the last; the
 * storage is gone when that returns.
 */
void storage_close(struct storage *storage);

/* All rows were read: operations are carried out. Otherwise each one fails. */
bool storage_is_usable(const struct storage *storage);

void storage_send(struct storage *storage, struct storage_op *op);

/*
 * Reads what others saw since it was last read: all rows of each target of which there is
 * something new. Of an SQLite file, which nobody shares, that is nothing.
 */
void storage_look(struct storage *storage);

struct storage_stats {
	bool is_usable;      /* and takes what is written */
	uint64_t waiting;    /* operations that were sent and are not done */
	uint64_t batches;    /* given to the database, one at a time */
	uint64_t statements; /* that it carried out */
	uint64_t rows_written;
	uint64_t rows_read;
	uint64_t faults;      /* rows that could not be read, or were not taken */
	uint64_t changes;     /* by others */
	uint64_t outages;     /* begun */
	int64_t seen_ns;      /* Unix time when it was last known to be usable; 0: never */
	uint64_t connections; /* to a server, that can be used */
	uint64_t tasks;       /* batches, and pages that were read */
	double task_seconds;  /* that they took together */
};

void storage_collect(const struct storage *storage, struct storage_stats *ret_stats);
