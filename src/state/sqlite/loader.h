#pragma once

/*
 * The thread that reads a database at the start, and what it has read and the
 * loop has not taken yet: a few units, so that neither waits for the other and
 * memory stays small.
 */

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/list.h"
#include "state/sqlite/load.h"
#include "state/sqlite/repair.h"

struct sqlite_loader {
	uv_thread_t thread;
	uv_async_t *event;               /* there is a unit, or the end */
	struct sqlite_load load;         /* the thread's, until it has ended */
	enum sqlite_load_result result;  /* likewise */
	struct sqlite_file *file;        /* its connection: likewise */
	struct sqlite_repaired repaired; /* the database was damaged: likewise */
	struct buf why;                  /* it cannot be repaired; empty: see the load's fault */

	/* Between the two, under the lock. */
	uv_mutex_t lock;
	uv_cond_t has_room;
	struct list units; // loaded_unit::link
	size_t unit_count;
	bool is_given_up;
	bool has_ended;
};

/*
 * 0, or a negative libuv error. The database's connection is the thread's until it has
 * ended, and may be another then: one that is damaged is made whole first.
 */
int sqlite_loader_start(struct sqlite_loader *loader, struct sqlite_file *file,
		const struct record_checks *checks, uv_async_t *event);

/* The next unit, or NULL. *ret_has_ended: there is none, and none will come. */
struct loaded_unit *sqlite_loader_take(struct sqlite_loader *loader, bool *ret_has_ended);

/* Nothing more is wanted; it ends soon. */
void sqlite_loader_give_up(struct sqlite_loader *loader);

/* Waits for its end; the load's findings can be read after it. */
void sqlite_loader_join(struct sqlite_loader *loader);
void sqlite_loader_finish(struct sqlite_loader *loader);
