#pragma once

/*
 * The store: the latest samples of every group.
 *
 * All calls are made on the loop thread and return at once. A push that is too
 * large for that is applied in slices; see push.h. A scrape reads one version
 * of the store, however long it takes; see snapshot.h and page.h.
 *
 * Every change has a number. Listeners are called after a change is in; they
 * may not change the store, but for a group's keeper or follower, and they copy what they
 * want to keep.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "model/group_key.h"
#include "store/contents.h"

struct store_push;

enum store_change_kind {
	STORE_CHANGE_PUT,
	STORE_CHANGE_POST,
	STORE_CHANGE_FAILURE, /* a push that was refused and left its time */
	STORE_CHANGE_DELETE,
	STORE_CHANGE_EXPIRE,
	STORE_CHANGE_WIPE,   /* without a group */
	STORE_CHANGE_ABSENT, /* likewise: a deletion of one that is not here; if asked for */
};

struct store_change {
	enum store_change_kind kind;
	uint64_t number;
	struct group *group;         /* as it is after the change, or was before it went */
	struct pack *pack;           /* what a put or post brought; NULL: no families */
	const struct group_key *key; /* of one that is not here; else NULL */
};

struct store_listener {
	struct list link;
	void (*on_change)(struct store_listener *listener, const struct store_change *change);
};

/*
 * Is told before a group changes or goes, so that it can still be read as it
 * was. Not told of a wipe: it leaves groups in place for open snapshots.
 */
struct store_watch {
	struct list link;
	void (*before_change)(struct store_watch *watch, struct group *group);
};

/* 0 never limits. */
struct store_limits {
	uint64_t groups;
	uint64_t series;
	uint64_t series_per_group;
	uint64_t label_sets; /* shapes of one family */
	uint64_t bytes;
};

/* What a rule allows the job that pushes; 0 never limits. */
struct store_job_limits {
	uint64_t groups;
	uint64_t series_per_group;
};

enum store_limit {
	STORE_LIMIT_GROUPS,
	STORE_LIMIT_SERIES,
	STORE_LIMIT_SERIES_PER_GROUP,
	STORE_LIMIT_LABEL_SETS,
	STORE_LIMIT_BYTES,
	STORE_LIMIT_COUNT,
};

struct store_options {
	struct store_limits limits;
	bool is_checked; /* else what is inconsistent is stored and shadowed */
};

struct store_counters {
	uint64_t expired_groups;
	uint64_t refused[STORE_LIMIT_COUNT];
};

struct store {
	struct store_options options;
	struct contents *contents;
	struct list wiped;          /* contents::link: being freed */
	uint64_t version;           /* the number that was taken last */
	uint64_t changed;           /* the number of the change that was reported last */
	struct store_push *slicing; /* the push that is being applied in slices, or NULL */
	struct group *deleting;     /* a group that is being deleted in slices, or NULL */
	bool is_committing;         /* slices of that push are in */
	bool reports_absent;        /* deletions of what is not here, which others may have */
	const struct family_declaration *declarations;
	size_t declaration_count;
	struct list listeners; /* store_listener::link */
	struct list watches;   /* store_watch::link */
	struct store_counters counters;
};

void store_init(struct store *store, const struct store_options *options);

/* Frees everything. No snapshot may be open, no push be in slices. */
void store_finish(struct store *store);

/*
 * Families that weir itself says something about: pushes to them must agree.
 * The declarations are the caller's and outlive the store.
 */
void store_declare(
		struct store *store, const struct family_declaration *declarations, size_t count);

void store_subscribe(struct store *store, struct store_listener *listener);

void store_watch(struct store *store, struct store_watch *watch);
void store_unwatch(struct store *store, struct store_watch *watch);

/* The group of exactly that key, or NULL. */
struct group *store_find_group(const struct store *store, const struct group_key *key);

enum store_record_result {
	STORE_RECORD_OK,
	STORE_RECORD_E_IMPOSSIBLE, /* too many groups, or one whose key normalises to the same */
	STORE_RECORD_WAIT,         /* a push that makes such a group is being applied: ask later */
};

/*
 * Records that a push to the group failed; the group is made if need be, and
 * only then has the deadline (monotonic; 0: never).
 */
enum store_record_result store_record_failure(struct store *store, const struct group_key *key,
		const struct store_job_limits *job_limits, int64_t now_ns, int64_t deadline_ns);

enum store_delete_result {
	STORE_DELETE_OK,
	STORE_DELETE_WAIT, /* it takes slices, or others do: ask again on another turn */
};

/* What is not there is deleted without complaint. */
enum store_delete_result store_delete(struct store *store, const struct group_key *key);

/* Slices of the group are gone already, and the rest has to go. */
bool store_is_deleting(const struct store *store, const struct group_key *key);

/* All slices that are left of a deletion, at once. */
void store_finish_deletion(struct store *store);

/* Every group goes, in no time. False: others are at work in slices, ask again later. */
bool store_wipe(struct store *store);

/*
 * Deletes groups whose deadline has come, up to about `budget` blocks. Returns the
 * next deadline (monotonic, ns), or 0 when there is none.
 */
int64_t store_expire(struct store *store, int64_t now_ns, size_t budget);

/* Frees a slice of what nobody needs any more; true when more is left. */
bool store_tidy(struct store *store);

/* Counts a refusal; returns whether `count` more would be over the limit. */
bool store_is_over(struct store *store, enum store_limit limit, uint64_t count);

/* The same for one more group of that job. */
bool store_job_is_full(struct store *store, const struct group_key *key,
		const struct store_job_limits *job_limits);

/*
 * For those that change the store: takes the next number; tells who watches, then who
 * listens, to whom the change has the number that was taken last.
 */
uint64_t store_next_version(struct store *store);
void store_announce(struct store *store, struct group *group);
void store_report(struct store *store, const struct store_change *change);
