#pragma once

/*
 * An item on its way to the store, for the files that see it through: apply_item.c makes
 * and reads it, apply_join.c puts it into the store, apply.c is the queue.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/list.h"
#include "state/redis/apply.h"
#include "state/redis/change.h"
#include "store/push.h"

struct ZSTD_DCtx_s;
struct fetch;
struct shared_group;

enum apply_stage {
	STAGE_QUEUED,
	STAGE_DECODED,  /* its parts are read */
	STAGE_PREPARED, /* those that win are rendered */
};

struct content {
	struct list link;
	uint64_t id;
	struct slice text;
	bool is_unreadable;
	uint64_t names;
	const char *what; /* is wrong with it */
};

/* Families of one push, of which those that win are put into the store. */
struct winner {
	struct list link;
	uint64_t version;
	int64_t pushed_ns;
	struct batch batch;
	int64_t *since_ns; /* of its families */
	struct prepared_push prepared;
	bool is_prepared;
	bool is_put;
};

struct apply_item {
	struct list link;
	struct partition *partition;
	enum apply_kind kind;
	enum apply_stage stage;
	struct arena arena;
	size_t bytes;
	struct slice name;
	struct group_key key;
	struct shared_change change;
	bool is_good;
	struct list contents;      // content::link
	struct shared_part *parts; /* by version */
	size_t part_count;
	struct list winners; // winner::link
	struct shared_head joined;
	bool is_alive;
	uint64_t serial; /* of the group, when it was decided what wins */
	int decisions;   /* so many times */
	bool is_begun;   /* some of it is in the store */
	struct store_push op;
	struct winner *pushing;
	struct scan *scan;
	struct fetch *fetch;
	uint64_t scan_number;
	uint64_t version;
	bool is_lossy;
	uv_work_t work;
	bool is_working;
};

/* ---- apply_item.c ---- */

void apply_destroy(struct apply_item *item);

/* On any thread. What cannot be read is reported on the loop's. */
void apply_decode(struct apply_item *item, struct ZSTD_DCtx_s *unpacker);
void apply_report(struct apply_item *item);

/* ---- apply_join.c ---- */

/* Another one when the group has changed in any way. */
uint64_t apply_serial(struct apply_item *item);

/* What the group will be, and which families win. */
void apply_decide(struct apply_item *item);

/* Renders those that win; on any thread. */
void apply_prepare(struct apply_item *item);
void apply_drop_winners(struct apply_item *item);

/* Into the store. False: it goes on on another turn of the loop. */
bool apply_put(struct apply_item *item);

/* The group is not there any more. False: likewise. */
bool apply_remove(struct apply_item *item);

/* What is older goes, of a group that is there. False: likewise. */
bool apply_wipe(struct shared_group *shared, uint64_t version);
