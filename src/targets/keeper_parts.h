#pragma once

/*
 * What the keeper's files share: keeper.c is its life, keeper_read.c what the database
 * tells, keeper_write.c what it is told, keeper_change.c what others ask for.
 */

#include "base/arena.h"
#include "net/turn.h"
#include "targets/change.h"
#include "targets/keeper.h"

enum {
	KEEPER_BATCH_ROWS = 500,   /* that one turn of the loop makes */
	KEEPER_TICK_MS = 100,      /* in which new rows are gathered */
	KEEPER_SEEN_TICKS = 10,    /* and what was seen */
	KEEPER_LOOK_TICKS = 50,    /* after which it is read what others saw */
	KEEPER_FOLD_TICKS = 36000, /* after which it is looked for others that vanished */
};

struct keeper {
	struct keeper_options options;
	char *name;
	char *replica;
	struct registry *registry;
	struct storage *storage;
	struct turn turn;
	uv_timer_t timer;
	unsigned ticks;
	unsigned open_handles;

	struct list unsaved;  // target_keep::unsaved
	struct list unseen;   // target_keep::unseen, of which something is new
	struct list due;      // likewise, that are being written
	struct list doomed;   // keeper_doomed::link
	struct list expiring; // likewise, if nobody else has seen them
	struct list changes;  // target_change::link, that wait

	bool is_saving;
	bool is_seeing;

	/* The one that is being carried out, and what of it waits for a later turn of the loop. */
	struct target_change *changing;
	struct storage_op *change_op; /* is filled, and was not sent yet; or NULL */
	int64_t *change_versions;     /* of its rows, which are in the database; or NULL */
	size_t change_next;           /* its first item that is in neither yet */
	size_t change_row;            /* and that one's place among the versions */

	bool is_loaded;
	bool is_closing;
	uint64_t faults; /* found here */
	uint64_t faults_logged;
	uint64_t reading; /* the number of the last time that everything was read */
	struct buf away;  /* why the database cannot be used */

	/* What was seen of one target by all replicas, so far. */
	struct arena arena;
	struct target_freshness sum;
	struct target_id sum_id;
	bool has_sum;
	bool has_own;  /* something in it is of this weir */
	bool has_gone; /* or of those that vanished */
};

/* A row that is to be deleted; most of targets that are not here any more. */
struct keeper_doomed {
	struct list link;
	char id[TARGET_ID_TEXT];
};

static inline bool keeper_is_usable(const struct keeper *keeper)
{
	return keeper->storage != NULL && storage_is_usable(keeper->storage);
}

/* ---- keeper_read.c ---- */

void keeper_set_events(const struct keeper *keeper, struct storage_events *events);

/* A row of the database becomes a target. False when there would be too many. */
bool keeper_put_row(struct keeper *keeper, const struct target_row *row, int64_t version);

void keeper_report_fault(struct keeper *keeper, struct slice id, struct slice why);

/* ---- keeper_write.c ---- */

/* Its row is to be made. */
void keeper_want_saved(struct keeper *keeper, struct target *target);
/* What was seen of it is to be written. */
void keeper_want_seen(struct keeper *keeper, struct target *target);
void keeper_doom(struct keeper *keeper, const struct target_id *id);
void keeper_want_change(struct keeper *keeper, struct target_change *change);
/* Its retention is over. True: see struct registry_events. */
bool keeper_want_expired(struct keeper *keeper, struct target *target);

/* Sends what was asked for, as far as it may be sent now. */
void keeper_write(struct keeper *keeper);
void keeper_write_new(struct keeper *keeper);
void keeper_write_seen(struct keeper *keeper);

/* Who vanished is one row a target from now on. */
void keeper_fold(struct keeper *keeper);

/* Everything that is left, at the end. */
void keeper_write_rest(struct keeper *keeper);
void keeper_forget_doomed(struct keeper *keeper);

/* ---- keeper_change.c ---- */

/* Takes the first one that waits. */
void keeper_begin_change(struct keeper *keeper);

/* Does a share of what waits of it. */
void keeper_go_on_with_change(struct keeper *keeper);

/* All of that at once. */
void keeper_hurry_change(struct keeper *keeper);
/* What of it is in the database goes into the registry, before that tells what came behind it. */
void keeper_apply_change(struct keeper *keeper);
