#pragma once

/*
 * Tasks, carried out on a connection in pipeline mode: one statement for all rows. When it fails
 * for what is in one of them, it is tried again with each half of them, until the
 * row is found. Of an operation that is whole all rows are one transaction.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "targets/postgres/arrays.h"
#include "targets/postgres/conn.h"
#include "targets/storage_backend.h"

/* Rows of the operation that are still to be written together. */
struct work_range {
	size_t first;
	size_t count;
};

enum {
	WORK_RANGES_MAX = 64,  /* halves of halves, none of them empty */
	WORK_ATTEMPTS_MAX = 4, /* at what got into another's way */
};

struct work {
	struct postgres_query query;
	struct postgres_conn *conn;
	struct storage_task *task;
	struct arrays arrays;
	struct work_range ranges[WORK_RANGES_MAX]; /* the last one is under way */
	size_t range_count;
	unsigned attempts;
	size_t next;        /* of an operation that is whole: rows before it were sent */
	bool is_to_repeat;  /* likewise: once it is rolled back */
	struct arena arena; /* for one statement */
	void (*done)(struct work *work);
	/* The connection is good for nothing any more: drop it. */
	void (*broken)(struct work *work, struct slice why);
	void *data;
};

void work_init(struct work *work);
void work_finish(struct work *work);

/* `done` or `broken` is called, or neither if the connection is lost. */
void work_run(struct work *work, struct postgres_conn *conn, struct storage_task *task);
