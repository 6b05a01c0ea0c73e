#pragma once

/*
 * What a database has to offer to the storage, which leads it: it connects when it is
 * told to, and carries out one task at a time. storage.c decides what is next, when to
 * try again and what is told to whom.
 *
 *     connect() ---> storage_on_connected(), _lost() or _unusable()
 *     run(task) ---> storage_on_done(task), or _lost(), by which the task is given up
 *     drop()         back to where it was before connect(); calls nobody
 *     close()   ---> storage_on_backend_closed()
 *
 * The first two may call back at once, the others do not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/slice.h"
#include "targets/storage.h"

enum {
	STORAGE_PAGE_ROWS = 500,  /* read at a time: what the loop takes at once */
	STORAGE_BATCH_ROWS = 500, /* written at a time */
};

enum storage_task_kind {
	STORAGE_TASK_WRITE,        /* rows of an operation */
	STORAGE_TASK_READ_TARGETS, /* those that follow `after`, in the order of their keys */
	STORAGE_TASK_READ_SEEN,    /* likewise */
	STORAGE_TASK_READ_MARK,    /* from which a look may go on; empty: there are none */
	STORAGE_TASK_READ_IDS,     /* these targets */
};

/* A row that could not be read, or was not taken. */
struct storage_fault {
	struct slice id;
	struct slice why;
};

struct storage_task {
	enum storage_task_kind kind;
	struct storage_op *op; /* to be written: so many of its rows from the first on; all if whole */
	size_t first;
	size_t count;
	struct slice after; /* an id; empty: from the beginning */
	struct slice after_replica;
	struct slice since;   /* a mark: rows of targets of which others have written since then */
	struct slice replica; /* and who is not one of the others */
	const struct slice *ids;
	size_t id_count;

	/* What came of it; all its memory is in the arena. */
	struct arena arena;
	struct storage_target *targets;
	struct storage_seen *seen;
	size_t row_count; /* that were read and are good */
	struct storage_fault *faults;
	size_t fault_count;
	bool is_last;      /* nothing follows the rows that were read */
	struct slice last; /* the key of the last row of all that were read */
	struct slice last_replica;
	bool has_failed; /* as a whole: `why` says why; rows of an operation are noted there */
	struct slice why;
	struct slice mark;
	uint64_t statements;
};

struct storage_backend {
	const struct storage_backend_type *type;
	struct storage *storage;
};

struct storage_backend_type {
	unsigned connections; /* to a server, while it is connected */
	void (*connect)(struct storage_backend *backend);
	void (*run)(struct storage_backend *backend, struct storage_task *task);
	void (*drop)(struct storage_backend *backend);
	void (*close)(struct storage_backend *backend);
};

/* Options as in storage_open(); of PostgreSQL NULL: weir was built without. */
struct storage_backend *storage_sqlite_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage);
struct storage_backend *storage_postgres_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage);

void storage_on_connected(struct storage *storage);
void storage_on_lost(struct storage *storage, struct slice why);
void storage_on_unusable(struct storage *storage, struct slice why);
void storage_on_done(struct storage *storage, struct storage_task *task);
void storage_on_backend_closed(struct storage *storage);

/* Others changed the target of that id; an empty one: any. */
void storage_on_notice(struct storage *storage, struct slice id);

/* For backends: adds to what came of a task. */
void storage_task_add_target(
		struct storage_task *task, const struct slice columns[static TARGET_COLUMNS]);
void storage_task_add_seen(
		struct storage_task *task, const struct slice columns[static SEEN_COLUMNS]);
void storage_task_add_fault(struct storage_task *task, struct slice id, struct slice why);

/* Likewise: the database does not take that row of its operation. */
void storage_task_refuse(struct storage_task *task, size_t row, struct slice why);
