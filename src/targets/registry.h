#pragma once

/*
 * The registry: all targets there are, in memory.
 *
 * It listens to the store: the first push of a group makes its target, each
 * further one tells that it lives, and when the group goes it is expired. The
 * api adds what the store does not know, and changes what people may change.
 * Whoever stores targets puts in what was stored, and is told what changes by
 * struct registry_events; there is no other way between the two.
 *
 * Silence comes about by nothing happening. So the states are looked at anew bit
 * by bit: see registry_step(). What one target is asked for is always as of now.
 *
 * On the loop thread. A push costs a look-up and a few writes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"
#include "targets/target.h"

struct target_change;

struct registry_options {
	bool only_known;       /* pushes make no targets, and those of unknown ones are refused */
	uint64_t limit;        /* targets */
	uint64_t silent_after; /* intervals without a push */
	int64_t retention_ns;  /* after which a target that is not seen goes */
};

/*
 * For whoever stores targets. Each may be NULL. They are called after the change,
 * on_deleted before the target is freed; none may change the registry. What a push
 * came as is known a moment after on_freshness: look at the target when it is written.
 */
struct registry_events {
	void (*on_config)(void *data, struct target *target);    /* or it is new */
	void (*on_freshness)(void *data, struct target *target); /* with each push */
	void (*on_deleted)(void *data, struct target *target);
	/*
	 * Its retention is over. True: it stays until whoever stores it drops it, because others may
	 * have seen it; else it is deleted.
	 */
	bool (*on_forgotten)(void *data, struct target *target);
	/* A change is wanted, see change.h; NULL: it counts at once. */
	void (*on_wanted)(void *data, struct target_change *change);
	void *data;
};

struct registry {
	struct registry_options options;
	struct registry_events events;
	struct store *store; /* whose groups the targets have; NULL: none yet */
	struct store_listener listener;
	struct map by_key;      // target::by_key
	struct map by_id;       // target::by_id
	struct map info_lines;  // info_line::node
	struct map members;     // members::node, by services
	struct list targets;    // target::link
	struct list described;  // target::described, those with attributes, an interval or a service
	struct list unwatched;  // target::described, those that are settings of others
	struct list late;       // target::late, as counted
	struct list expiring;   // target::expiring, as they were when they were looked at
	struct list named;      // target::named, the next one to be looked up first
	struct list walks;      // registry_walk::link
	struct list *sweep;     /* whose state is looked at next; the head: from the start */
	uint64_t service_edits; /* of services, and those that came and went; never 0 */
	struct target *last;    /* that pushed last: the api is about to say more of it; or NULL */
	uint64_t event;         /* the number of the last that targets go by */
	uint64_t wiped_at;      /* likewise: all groups went */
	uint64_t overdue;       /* targets, as counted */
	uint64_t counts[TARGET_STATE_COUNT + 1]; /* the last: of those that are not watched */
	uint64_t refused;                        /* pushes that would have made a target too many */
	bool is_loading;                         /* what is stored of targets is not here yet */
	uint64_t loading_ns;                     /* monotonic: since when */
	struct slice loading_why; /* why it cannot be read, of who stores it; empty: it is under way */
	bool is_restoring;        /* the store gets its groups back: they tell of pushes long ago */
};

/* Goes through the targets; some may come and go meanwhile. */
struct registry_walk {
	struct list link;
	struct registry *registry;
	struct list *next; // target::link
};

void registry_init(struct registry *registry, const struct registry_options *options);
void registry_finish(struct registry *registry);

/* For what comes. */
void registry_set_options(struct registry *registry, const struct registry_options *options);

/* Hears from the store from now on, until it or the store is finished. */
void registry_watch(struct registry *registry, struct store *store);

/* ---- Looking ---- */

/* NULL: there is none. */
struct target *registry_find(const struct registry *registry, const struct group_key *key);
struct target *registry_find_by_id(const struct registry *registry, const struct target_id *id);

enum target_state registry_state(const struct registry *registry, const struct target *target);

/* In which it is expected to be heard of: as wanted, or as learnt; 0: not known. */
int64_t registry_interval_ns(const struct target *target);

/* As configured, or else as its service has it; 0: nobody has said. */
int64_t registry_wanted_ns(const struct target *target);
int64_t registry_learnt_ns(const struct target *target);

/*
 * Nothing was heard of it for too long, or ever since it was made, be its group there or not. Not
 * of one that is disabled.
 */
bool registry_is_overdue(const struct registry *registry, const struct target *target);

/*
 * Unix time at which its group will expire, if that is a surprise: it pushes more often than its
 * time to live is long, and of that less than a fifth is left. 0: nothing of the kind.
 */
int64_t registry_expiry_ns(const struct registry *registry, const struct target *target);

/* Its line, unless another target shows the same. ptr NULL: there is none to be shown. */
struct slice registry_info_line(const struct registry *registry, const struct target *target);

/* The group that the target has in the store; NULL: none. */
struct group *registry_group(const struct registry *registry, const struct target *target);

static inline size_t registry_len(const struct registry *registry)
{
	return registry->by_id.len;
}

void registry_walk_begin(struct registry_walk *walk, struct registry *registry);
struct target *registry_walk_next(struct registry_walk *walk); /* NULL: that was the last */
void registry_walk_end(struct registry_walk *walk);

/* ---- Pushes ---- */

enum registry_admission {
	REGISTRY_ADMITTED,
	REGISTRY_UNKNOWN, /* no push of a target that is not known */
	REGISTRY_LOADING, /* whether it is known cannot be told yet */
};

/* Whether a push under that key may be carried out. */
enum registry_admission registry_admit(
		const struct registry *registry, const struct group_key *key);

/*
 * What else there is to know of a push that is in the store. Texts of any length; an
 * empty source is not known.
 */
void registry_note_push(struct registry *registry, const struct group_key *key, struct slice format,
		struct slice source);

/* A push was refused. The text's first line is kept, if there is such a target. */
void registry_note_rejection(
		struct registry *registry, const struct group_key *key, struct slice reason);

/* ---- Changes ---- */

enum registry_result {
	REGISTRY_OK,
	REGISTRY_E_EXISTS, /* a target of that key, or of that id */
	REGISTRY_E_LIMIT,
};

/*
 * A target that is configured by hand; id NULL: a new one. When it exists already,
 * by its key or else by its id, it is returned as well.
 */
enum registry_result registry_create(struct registry *registry, const struct group_key *key,
		const struct target_config *config, const struct target_id *id, struct target **ret_target);

/* The target is configured by hand from then on. */
void registry_configure(
		struct registry *registry, struct target *target, const struct target_config *config);

/*
 * The target gets another key, which nobody has. It is a new one in memory, of the same id and
 * configuration, at the same place; what was seen of it stays, but not its group. The old one is
 * freed.
 */
struct target *registry_rekey(
		struct registry *registry, struct target *target, const struct group_key *key);

/* A sign of life without a push. */
void registry_heartbeat(struct registry *registry, struct target *target);

/* The target is freed. One that pushes comes back with its next push. */
void registry_delete(struct registry *registry, struct target *target);

/* ---- For who stores targets, and for the server ---- */

/* What was stored of one target. */
struct target_row {
	struct target_id id;
	struct group_key key;
	struct target_config config;
	bool is_configured;
	struct target_freshness fresh; /* its rejection is copied */
};

/*
 * Puts in what was stored, or what others have changed in it since: no event
 * tells of it. A target that is there by its id or its key becomes what the row says; one whose
 * row had another key is rekeyed;
 * of its freshness what is newer stays. False when there would be too many.
 */
bool registry_put_row(struct registry *registry, const struct target_row *row);

/*
 * What was stored of its pushes, of all weirs together but for own_pushes; no event tells of it.
 * History is what no push of this process is part of; it counts on top.
 */
void registry_put_seen(struct registry *registry, struct target *target,
		const struct target_freshness *row, bool is_history);

/* Others have deleted it; no event tells of it. */
void registry_drop(struct registry *registry, struct target *target);

/*
 * Looks at the states of up to so many targets, and deletes those whose retention
 * is over; goes round and round.
 */
void registry_step(struct registry *registry, size_t budget);
