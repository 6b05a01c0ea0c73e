#pragma once

/*
 * Answers that acknowledge a change of the store, given when it is durable.
 *
 * What waits is applied already: requests behind it on its connection are
 * carried out meanwhile, so that one client that sends without waiting fills a
 * commit; the session keeps the answers in order. Nothing is allocated for it.
 *
 * Whoever keeps groups may do so in several lanes, which become durable, or
 * fail, independent of each other; a group is always in the same one. In each
 * of them changes become durable in their order, so the first in its queue is always
 * the next. What is of several groups waits for all lanes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"
#include "base/slice.h"

struct api;
struct exchange;
struct group_key;

enum { ACK_LANES_MAX = 256 };

enum ack_result {
	ACK_DURABLE,
	ACK_FAILED, /* it is in memory alone; the exchange, if there is one, has its answer, a 503 */
};

/* Put where it lives as long as its exchange. */
struct ack {
	struct list link;          /* among those that wait, by number */
	struct exchange *exchange; /* NULL: of a change that nobody asked for by a request */
	uint64_t number;           /* of the change */
	uint64_t due_ns;           /* monotonic: it waits no longer */
	void (*done)(struct ack *ack, enum ack_result result);
};

struct ack_lane {
	struct list waiting; // ack::link
	uint64_t durable;    /* all of its changes up to this number are */
	char *away;          /* why nothing of it may change, see away.h; NULL: it may */
};

struct acks {
	struct api *api;
	struct ack_lane *lanes;
	size_t lane_count;
	size_t away_count;
	size_t (*lane_of)(const struct group_key *key); /* of several */
	struct list of_all;                             // ack::link, of those that wait for all lanes
	size_t count;                                   /* of all that wait */
	bool is_needed;                                 /* else answers do not wait */
	uint64_t timeout_ns;                            /* that one waits at most */
	struct job timer;                               /* for the first of them */
	bool has_timer;
};

/* There is one lane. */
void acks_init(struct acks *acks, struct api *api);
void acks_finish(struct acks *acks);

/*
 * Calls done, which answers the exchange, when all that was changed in the store
 * so far is durable in the lane of the key's group, or in all lanes if the key is
 * NULL: at once, if it is. Who was told that his deletion found nothing may rely on
 * an earlier one as on his own, so there is no exception. Without an exchange it waits although
 * answers need not, as long as anybody makes changes durable.
 */
void ack_when_durable(struct api *api, struct ack *ack, struct exchange *exchange,
		const struct group_key *key, void (*done)(struct ack *ack, enum ack_result result));

/* The lane of the key's group; NULL, for a key that is NULL: all of several. */
struct ack_lane *acks_find_lane(const struct acks *acks, const struct group_key *key);

/* ---- For who makes changes durable ---- */

/* So many from now on, ACK_LANES_MAX at most, and which is whose. Nobody waits yet. */
void api_set_lanes(struct api *api, size_t count, size_t (*lane_of)(const struct group_key *key));

/* Answers wait from now on, so long at most; or not any more, and those that do are given. */
void api_set_durable(struct api *api, bool is_needed, uint64_t timeout_ns);

/*
 * Every change of the store up to that number is durable, if it is of that lane. To be
 * told of lanes without changes, too: answers wait there for what others have changed.
 */
void api_on_durable(struct api *api, size_t lane, uint64_t number);

/* Those of the lane up to that number are not all; why, in words for who pushed. */
void api_on_failed(struct api *api, size_t lane, uint64_t number, struct slice why);
