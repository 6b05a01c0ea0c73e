#pragma once

/*
 * Answers that acknowledge a change of the store, given when it is durable.
 *
 * What waits is applied already: requests behind it on its connection are
 * carried out meanwhile, so that one client that sends without waiting fills a
 * commit; the session keeps the answers in order. Nothing is allocated for it, and
 * since changes become durable in their order, the first in the queue is always
 * the next.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"
#include "base/slice.h"

struct api;
struct exchange;

enum ack_result {
	ACK_DURABLE,
	ACK_FAILED, /* it is in memory alone; the exchange has its answer, a 503 */
};

/* Put where it lives as long as its exchange. */
struct ack {
	struct list link; /* among those that wait, by number */
	struct exchange *exchange;
	uint64_t number; /* of the change */
	uint64_t due_ns; /* monotonic: it waits no longer */
	void (*done)(struct ack *ack, enum ack_result result);
};

struct acks {
	struct api *api;
	struct list waiting; // ack::link
	size_t count;
	bool is_needed;      /* else answers do not wait */
	uint64_t durable;    /* all changes up to this number are */
	uint64_t timeout_ns; /* that one waits at most */
	struct job timer;    /* for the first of them */
	bool has_timer;
};

void acks_init(struct acks *acks, struct api *api);

/*
 * Calls done, which answers the exchange, when all that was changed in the store
 * so far is durable: at once, if it is. Who was told that his deletion found
 * nothing may rely on an earlier one as on his own, so there is no exception.
 */
void ack_when_durable(struct api *api, struct ack *ack, struct exchange *exchange,
		void (*done)(struct ack *ack, enum ack_result result));

/* ---- For who makes changes durable ---- */

/* Answers wait from now on, so long at most; or not any more, and those that do are given. */
void api_set_durable(struct api *api, bool is_needed, uint64_t timeout_ns);

/* Every change of the store up to that number is durable. */
void api_on_durable(struct api *api, uint64_t number);

/* Those up to that number are not all; why, in words for who pushed. */
void api_on_failed(struct api *api, uint64_t number, struct slice why);
