#pragma once

/*
 * What the files of the storage know of each other; for them only.
 *
 *     storage       opens, closes, connects, tries again
 *      |-- tasks    what is given to the database next, and what came of it
 *      |-- reading  what is there
 *      '-- notices  what others changed
 *
 * All that calls the owner is done from a turn of the loop, or from what the database
 * answers; so nobody is called within a call, and whoever is called may call anything.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "net/turn.h"
#include "targets/storage.h"
#include "targets/storage_backend.h"

enum { STORAGE_NOTICES_MAX = 10000 /* ids that others changed; with more all is read again */ };

enum storage_state {
	STORAGE_RESTING, /* until the timer says to connect */
	STORAGE_CONNECTING,
	STORAGE_CONNECTED,
	STORAGE_UNUSABLE, /* for good */
	STORAGE_ENDING,   /* the backend closes */
	STORAGE_ENDED,
};

enum storage_reading {
	STORAGE_READS_NOTHING,
	STORAGE_READS_MARK,
	STORAGE_READS_TARGETS,
	STORAGE_READS_SEEN,
};

struct storage {
	struct storage_options options;
	char *url; /* that the options point to; so does the password */
	char *password;
	char *replica;
	struct storage_events events;
	uv_loop_t *loop;
	struct storage_backend *backend;
	enum storage_state state;
	bool is_usable;    /* all was read since it is connected */
	bool is_told_away; /* and not yet that it is back */
	unsigned stuck;    /* a bit for each kind of operation that it did not carry out */
	bool is_closing;
	struct turn turn;
	uv_timer_t timer; /* to connect again; of a storage that closes, to give up */
	int open_handles;
	unsigned failures; /* attempts in a row */
	uint64_t usable_ms;
	uint64_t random;

	struct storage_task task;
	bool is_running; /* the backend has the task */
	uint64_t task_began_ns;
	struct list ops;    /* storage_op::link, in their order */
	struct list failed; /* those that are only to be told so */
	enum storage_reading reading;
	bool wants_reading;
	bool wants_look;
	bool is_look;         /* what is being read is not everything */
	struct buf mark;      /* where the next look begins; empty: there are none */
	struct buf next_mark; /* once what is being read was read */
	struct buf after;     /* the key of the row read last */
	struct buf after_replica;
	struct list notices; /* storage_notice::link */
	size_t notice_count;
	struct list asked; /* those of the task that runs */
	struct storage_stats stats;
};

/* ---- storage.c ---- */

/* Once, until it is back. */
void storage_tell_away(struct storage *storage, struct slice why);
void storage_tell_back(struct storage *storage);

/* ---- storage_tasks.c ---- */

/* Does one thing that can be done now; false: nothing can. */
bool storage_tasks_advance(struct storage *storage);

/* What the task that ran came to. */
void storage_tasks_take(struct storage *storage);

/* The connection is gone: so is what was going on. */
void storage_tasks_give_up(struct storage *storage, struct slice why);

/* A task with nothing in it yet; it is filled, and then run. */
struct storage_task *storage_tasks_prepare(struct storage *storage, enum storage_task_kind kind);
void storage_tasks_run(struct storage *storage);

/* ---- storage_reading.c ---- */

/* Reads the next page of what is to be read; false: there is nothing. */
bool storage_reading_advance(struct storage *storage);

/* What the task that ran has read. */
void storage_reading_take(struct storage *storage);

/* ---- storage_notices.c ---- */

/* Others changed the target of that id; an empty one: any. */
void storage_notice(struct storage *storage, struct slice id);
void storage_notices_read(struct storage *storage);
void storage_notices_take(struct storage *storage);
void storage_notices_forget(struct storage *storage);
