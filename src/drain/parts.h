#pragma once

/*
 * What drain.c, which leads the rounds, and drain_list.c, which drains one list, share.
 */

#include "base/list.h"
#include "base/map.h"
#include "drain/drain.h"

enum {
	DRAIN_SIDE_BY_SIDE = 32,    /* lists */
	DRAIN_PART_ELEMENTS = 1000, /* of one list at a time, and of so many bytes; a larger element */
	DRAIN_PART_BYTES = 128 * 1024, /* comes alone, one of all lists at a time */
	DRAIN_PARTS_A_ROUND = 256,     /* of one list, then the others are looked for again */
	DRAIN_DIGEST = 40,
};

struct drain_list {
	struct map_node node; /* by key */
	struct list link;     /* among those that wait for their turn; else unlinked */
	struct list in_round; /* among all of the round */
	struct drain *drain;
	char *key;
	size_t key_len;
	struct redis_command command;
	struct drain_part part; /* its elements are owned; NULL: none */
	char digest[DRAIN_DIGEST];
	uint64_t part_bytes;
	uint64_t left;      /* elements behind those that were read */
	uint64_t too_large; /* bytes of the element that is to be taken off unread; 0: it is not one */
	unsigned parts;
	bool is_large; /* its next element comes alone */
	bool is_under_way;
};

enum drain_phase {
	DRAIN_IDLE,    /* until the timer goes off */
	DRAIN_HOLDING, /* the lease is asked for */
	DRAIN_ROUND,
	DRAIN_CLOSING, /* the lease is being given back, then the connection closed */
};

struct drain {
	struct drain_options options;
	struct drain_events events;
	struct redis *redis;
	uv_timer_t timer;
	enum drain_phase phase;
	char *lease; /* its key */
	struct redis_command hold;
	bool is_asking;
	bool is_holder;
	struct redis_command scan;
	bool is_scanning;
	bool is_scan_over;
	uint64_t idle_pages; /* of keys, on which there was no list */
	char cursor[32];
	struct map by_key;    // drain_list::node
	struct list lists;    // drain_list::in_round
	struct list waiting;  // drain_list::link
	struct list large;    // drain_list::link, likewise, of those whose next element comes alone
	size_t waiting_count; /* of both */
	size_t under_way;
	bool has_large;  /* under way */
	bool is_stopped; /* the round is to end: nothing more is read */
	bool has_failed; /* because of a fault */
	bool has_more;   /* in some list */
	bool is_paused;
	bool is_in_trouble; /* which was told */
	unsigned failures;  /* rounds in a row */
	uint64_t began_ms;
	uint64_t list_count;
	struct drain_stats stats;
};

/* ---- drain.c ---- */

/* Ends the round, and tells why unless that is known. */
void drain_fail(struct drain *drain, struct slice why);

/* Reads what is to be read next, or ends the round. */
void drain_go_on(struct drain *drain);

/* ---- drain_list.c ---- */

/* NULL: it is there already. */
struct drain_list *drain_list_create(struct drain *drain, struct slice key);
void drain_list_destroy(struct drain_list *list);

/* Waits for its turn. */
void drain_list_enqueue(struct drain_list *list);

/* Its turn has come. */
void drain_list_read(struct drain_list *list);

/* Why it is no answer: there is none, or it is an error. NULL: it is one. */
const char *drain_reply_fault(const struct redis_result *result);
