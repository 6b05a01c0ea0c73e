#pragma once

/*
 * An operation: rows that are to be stored, or ids of such that are not any more. It is
 * made, filled, and sent (storage.h); from then on it is the storage's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/slice.h"
#include "targets/storage_row.h"

enum storage_kind {
	STORAGE_SAVE,   /* rows of weir_target */
	STORAGE_SEE,    /* rows of weir_target_seen; those of targets that are not there go nowhere */
	STORAGE_DELETE, /* targets, and what was seen of them, by their ids */
	STORAGE_FORGET, /* what was seen of targets, by their ids */
	/*
	 * Targets by their ids, if they were not configured by hand and nobody has seen them since
	 * storage_op::before_ns. Else they stay: a conflict.
	 */
	STORAGE_EXPIRE,
	/*
	 * By the name of its own replica: what others saw that are not there any more, and were not
	 * heard of since storage_op::before_ns, becomes a row of STORAGE_GONE.
	 */
	STORAGE_FOLD,
};

/* The name under which replicas are that vanished, all together. */
#define STORAGE_GONE "gone"

/* What became of one row, or of all of an operation. */
enum storage_result {
	STORAGE_OK,
	STORAGE_UNDONE,   /* nothing is wrong with it, but with others of an operation that is whole */
	STORAGE_CONFLICT, /* another version is there, or none any more; events told which */
	STORAGE_REFUSED,  /* the database does not take it, and will not the next time */
	STORAGE_FAILED,   /* not now, or it is not known: to be sent again when the database is back */
};

struct storage_outcome {
	enum storage_result result;
	int64_t version;    /* of a target that was saved */
	int64_t changed_ns; /* likewise */
};

struct storage_op {
	enum storage_kind kind;
	/* Called once, not within storage_send(). The operation is gone when it returns. */
	void (*done)(struct storage_op *op);
	void *data;
	int64_t before_ns; /* see its kind */
	bool is_whole;     /* all of its rows are stored together, or none */
	size_t count;      /* of rows or ids */
	/* Its kind tells which of these it has. */
	struct storage_target *targets;
	struct storage_seen *seen;
	struct slice *ids;
	/* For done(): of each row; of all, the worst of them, with the first reason for that. */
	struct storage_outcome *outcomes;
	enum storage_result result;
	struct slice why; /* a sentence without its full stop */

	/* The storage's own. */
	struct arena arena;
	struct list link;
	size_t capacity;
	size_t next; /* rows before it were given to the database */
};

struct storage_op *storage_op_create(
		enum storage_kind kind, void (*done)(struct storage_op *op), void *data);

/* One that was not sent. */
void storage_op_destroy(struct storage_op *op);

/*
 * A row that is to be there; it is copied. Version 0 makes it, unless there is one of its id.
 * Any other is the version that the row was made from: when that is not there any more,
 * nothing is changed. A row that is there like this already is fine in any version.
 * One operation has an id only once.
 */
void storage_op_add_target(struct storage_op *op, const struct storage_target *row);

/* How it is from now on, for its target and replica; only once in an operation. */
void storage_op_add_seen(struct storage_op *op, const struct storage_seen *row);

void storage_op_add_id(struct storage_op *op, struct slice id);

/* The id of the target that a row is of. */
struct slice storage_op_id(const struct storage_op *op, size_t row);

/* For the storage: what became of so many rows. */
void storage_op_note(struct storage_op *op, size_t first, size_t count, enum storage_result result,
		struct slice why);

/* Likewise: the database has another version of a row than the operation takes it to have. */
void storage_op_note_conflict(struct storage_op *op, size_t row);

/* Likewise, of one that is whole: rows with which nothing is wrong were not stored either. */
void storage_op_undo(struct storage_op *op);

/* As if nothing had become of it yet. */
void storage_op_reset(struct storage_op *op);

/*
 * The texts of a row in the order of its columns, and how many they are. An id is one text, and
 * a time follows it if its kind has one.
 * They live as long as the arena and the operation.
 */
size_t storage_op_columns(const struct storage_op *op, size_t row,
		struct slice columns[static TARGET_COLUMNS], struct arena *arena);
