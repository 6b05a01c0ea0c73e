#pragma once

/*
 * What a state in Redis consists of, for the files that it is made of.
 *
 *     redis_state.c   opens and closes it
 *     partition.c     one share of the groups: what is known of Redis' part of it
 *     group.c         what is known of one group
 *     gather.c        hears what changes in the store
 *     outgoing.c      sends what changed, an operation a group, by join.c
 *     follow.c        reads what others changed
 *     scan.c          reads all groups
 *     sweep.c         clears away what was wiped
 *     apply.c         puts what was read into the store
 *     lease.c         has a number of this replica's own
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "base/map.h"
#include "net/turn.h"
#include "redis/client.h"
#include "state/redis/apply.h"
#include "state/redis/change.h"
#include "state/redis/redis_state.h"
#include "state/redis/shared_clock.h"
#include "state/state.h"
#include "store/store.h"

enum {
	PARTITIONS = 16,
	PARTITION_VERSION = 1, /* of what is stored */
	EPOCH_BYTES = 33,      /* of its text, with a NUL */
};

struct outgoing;
struct redis_state;
struct scan;

/* ---- Groups ---- */

/* Part of what Redis has of a group. */
struct shared_segment {
	uint64_t id;
	uint64_t names; /* sum of the hashes of its families' names; 0: not known */
	bool is_unreadable;
};

/* What is known of a group beside what the store has; the group's keeper. */
struct shared_group {
	struct list link;     /* among all of its partition */
	struct list dirty;    /* in its partition, when something is to be sent; else unlinked */
	struct map_node node; /* in its partition, when the group is gone */
	struct list grave;    /* likewise */
	uint64_t gone_ns;     /* when it went; monotonic */
	struct group *group;  /* NULL: it is gone */
	struct labels *key;   /* of one that is gone; owned */
	struct partition *partition;
	uint64_t floor;
	uint64_t push;
	uint64_t deadline;
	uint64_t failure;
	uint64_t unsent;      /* own versions from this one on are to be sent; 0: none */
	uint64_t sending;     /* likewise, those that are under way */
	uint64_t number;      /* of the store's first change that is to be sent; if dirty */
	uint64_t scan;        /* the number of the last scan that met it */
	uint64_t serial;      /* another one after each change */
	struct pack *fresh;   /* held: all that is unsent came with it; NULL: it did not */
	uint64_t contents_id; /* that its bytes are counted in */
	struct shared_segment *segments;
	uint32_t segment_count;
	uint32_t segment_capacity;
	uint32_t refs;  /* operations under way */
	bool sends_all; /* families of others, too, since Redis may not have them */
	bool is_dead;   /* nothing is known of it any more */
};

/* ---- Partitions ---- */

enum partition_phase {
	PARTITION_UNKNOWN,   /* what Redis has of it is not known */
	PARTITION_SCANNING,  /* all of it is being read */
	PARTITION_FOLLOWING, /* what changes in it is being read */
};

struct stream_id {
	uint64_t ms;
	uint64_t number;
};

struct partition {
	struct redis_state *state;
	unsigned number;
	uint16_t slot;
	char *key_meta;
	char *key_changes;
	char *key_groups;
	char *key_prefix; /* of the hashes of its groups */
	enum partition_phase phase;
	char epoch[EPOCH_BYTES];   /* "": not known */
	uint64_t server;           /* that had it last */
	uint64_t wiped;            /* version: what is older is gone */
	struct stream_id position; /* of the last change that was read */
	struct list groups;        // shared_group::link
	struct list dirty;         // shared_group::dirty
	struct map gone;           // shared_group::node
	struct list graves;        // shared_group::grave, those that went first in front
	size_t grave_count;
	uint64_t wipe;             /* version of a wipe that is to be sent; 0: none */
	uint64_t durable;          /* all changes of the store up to there are told to be */
	uint64_t stored;           /* those up to there are */
	struct outgoing *outgoing; /* under way, or NULL */
	struct ZSTD_CCtx_s *zstd;  /* the outgoing one's */
	struct scan *scan;         /* under way, or NULL */
	struct map fetches;        // fetch::node, of groups that are read for themselves
	/* Up to there changes had been read when hello was said; more are read meanwhile. */
	struct stream_id hello_position;
	struct redis_command hello;
	uint64_t hello_ns; /* when it was said; monotonic */
	bool is_greeting;  /* it was said, and is not answered */
	bool is_away;      /* what is sent to it fails */
	bool is_probed;    /* it answers again; whether it also stores is being tried */
	bool is_doubtful;  /* of another epoch, it said; nothing is sent until it is known */
	bool has_waste;    /* groups that do not count any more lie in Redis */
	bool is_loaded;    /* the store has, or had, all of it */
	bool is_lossy;     /* since all of it was read last, Redis may have lost something */
};

/* ---- The state ---- */

struct redis_state {
	struct state state;
	struct redis_state_options options;
	struct state_events events;
	struct store *store;
	uv_loop_t *loop;
	struct redis *redis;  /* for all but reading changes */
	struct redis *reader; /* for that, which blocks */
	int open_clients;
	struct store_listener listener;
	struct shared_clock clock;
	struct partition partitions[PARTITIONS];
	struct list dead; // shared_group::link, to be freed when nobody refers to them
	struct turn turn; /* sends what was gathered */
	uv_timer_t timer; /* looks after everything, now and then */
	int open_handles;

	/* Answers that are due when Redis' clock is there. */
	struct list early; // outgoing::early
	uint64_t told;     /* of what is taken without Redis: the store's changes up to there were */
	uint64_t told_next;
	uint64_t told_next_ns; /* when those up to there are to be; monotonic, 0: none are */
	uv_timer_t early_timer;

	/* Reading changes. */
	struct follow {
		struct redis_command command;
		struct redis_state *state;
	} follow[PARTITIONS];
	size_t follows;   /* of them, under way */
	uv_timer_t pause; /* until it is read again */

	/* What was read, on its way to the store. */
	struct list items; // apply_item::link
	size_t item_count;
	size_t fetches; /* groups that are read for themselves, until they are in the store */
	struct turn apply_turn;
	struct ZSTD_DCtx_s *unpacker;
	bool is_applying; /* the changes that the store reports are not its clients' */

	uint64_t scans;   /* begun so far */
	uint64_t serials; /* given so far */
	size_t batches;   /* under way */
	size_t loading;   /* partitions that are not loaded */
	uint64_t began_ns;
	uint64_t faults;
	struct lease {
		struct redis_command command;
		struct redis_command load_script;
		char token[24];
		uint64_t asked_ns;
		bool is_asking;
	} lease;
	char join_sha[48];  /* that servers know join.lua by */
	bool has_replica;   /* a number of its own */
	bool is_subscribed; /* to the store's changes */
	bool is_loaded;
	bool is_unusable;
	bool is_held;         /* nothing is sent: another process may */
	bool is_loading_over; /* that is to be told */
	bool is_ending;       /* what is left is sent, then it closes */
	bool is_closing;      /* nothing is sent or read any more */
	bool is_closed;
	char why[256]; /* the last reason why something failed */
	struct state_stats stats;
};

/* ---- partition.c ---- */

void partition_init(struct partition *partition, struct redis_state *state, unsigned number);
void partition_finish(struct partition *partition);

size_t partition_of(const struct group_key *key);

static inline struct partition *partition_for(
		struct redis_state *state, const struct group_key *key)
{
	return &state->partitions[partition_of(key)];
}

/* Asks Redis what it has, unless that is being asked. */
void partition_greet(struct partition *partition);

/* Keeps the reason, which is logged while nothing else says that Redis is away. */
void partitions_complain(struct redis_state *state, const char *why);

/* Something sent to it was not carried out, or not answered. */
void partition_fail(struct partition *partition, const char *why);

/* It stores what is sent to it. */
void partition_succeed(struct partition *partition);

/* It is stored up to that number. */
void partition_tell_durable(struct partition *partition, uint64_t number);

/* Redis is of another epoch, or may have lost something: what is here is compared and sent. */
void partition_doubt(struct partition *partition);

/* The store has all that Redis has; clients may change it now. */
void partitions_end_loading(struct redis_state *state);

/* All of it was read, and is in the store. */
void partition_scanned(struct partition *partition);

/* Something of it could not be read: all is read again, when it can be. */
void partition_lose(struct partition *partition, const char *why);

/* Whether there is something to be sent. */
static inline bool partition_is_dirty(const struct partition *partition)
{
	return partition->wipe != 0 || !list_is_empty(&partition->dirty);
}

/* ---- group.c ---- */

/* What is known of the group; made when there is nothing yet. */
struct shared_group *shared_group_of(struct redis_state *state, struct group *group);

/* Of one that is gone and still remembered, or NULL. */
struct shared_group *shared_group_find_gone(
		struct partition *partition, const struct group_key *key);

/*
 * The group is deleted. That is remembered for some time, in case Redis loses it, and as
 * long as it is to be sent. The key is that of the group, which may be freed already.
 */
void shared_group_bury(struct shared_group *shared, const struct group_key *key);

/* What is known of a group that is not there: made when that is nothing. */
struct shared_group *shared_group_gone(struct partition *partition, const struct group_key *key);

/* Forgets what went long ago. */
void shared_graves_tidy(struct redis_state *state);

/* Nothing is known of it any more. */
void shared_group_forget(struct shared_group *shared);

/* Frees those that nobody refers to; all of them in the end. */
void shared_groups_tidy(struct redis_state *state);

void shared_group_mark(struct shared_group *shared, uint64_t unsent);
void shared_group_hold(struct shared_group *shared, struct pack *pack);
void shared_group_let_go(struct shared_group *shared);

/* Segments older than the floor go. */
void shared_group_raise(struct shared_group *shared, uint64_t floor);
void shared_group_add_segment(struct shared_group *shared, uint64_t id, uint64_t names);
void shared_group_drop_segment(struct shared_group *shared, uint64_t id);

/* Its head as Redis is to have it. */
struct shared_head shared_group_head(const struct shared_group *shared);

/* The version of what the group has in a family; 0: not known. */
uint64_t member_version(const struct member *member);

/* ---- gather.c ---- */

void gather_begin(struct redis_state *state);
void gather_end(struct redis_state *state);

/* ---- outgoing.c ---- */

/* Sends what is to be sent; true: more is left that can be sent on another turn of the loop. */
bool outgoing_send_all(struct redis_state *state);
void outgoing_arm(struct redis_state *state);

/* ---- follow.c ---- */

/* Goes on reading what others changed. */
void follow(struct redis_state *state);

/* ---- lease.c ---- */

/* Asks for a number, or for holding it on, when it is time to. */
void lease_renew(struct redis_state *state);
