#pragma once

/*
 * Requests while what is stored is being loaded.
 *
 * What shows the store is refused with status 503: a page without half of what
 * is stored would look like a whole one. But not in the first half second, in which
 * it waits: most often loading is over by then, and nobody notices. What changes it waits,
 * unparsed, and is carried out in the order of arrival when all is there; so does what is behind
 * such a request on its connection, whatever it is. All else is answered as ever.
 *
 * What waits is bounded by WAITING_BYTES_MAX over all connections, and on each of
 * them by the session's window; what would go beyond is refused at once. Whoever
 * waited too long is refused, too: it is certain then that it was not carried out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/job.h"
#include "base/list.h"

struct api;
struct exchange;

enum loading_phase {
	LOADING_OVER, /* or there is nothing to load; what waited is carried out bit by bit */
	LOADING_ONGOING,
	LOADING_GIVEN_UP, /* weir ends before it is over */
};

struct loading {
	struct api *api;
	enum loading_phase phase;
	uint64_t timeout_ns; /* that a request waits at most */
	uint64_t done;       /* records, of the total */
	uint64_t total;      /* 0: not known yet */
	uint64_t began_ns;   /* monotonic */
	struct list looking; // loading_waiter::link, of requests to be refused soon
	struct list waiting; // loading_waiter::link, in the order of arrival
	size_t count;        /* of both */
	size_t bytes;        /* that they take, roughly */
	struct job timer;    /* for the first of those that wait */
	bool has_timer;
	struct job patience; /* for all that look */
	bool has_patience;
	struct job turn; /* carries some of them out */
	bool has_turn;
};

void loading_init(struct loading *loading, struct api *api);

/* Some may wait: loading_takes() is to be asked. */
static inline bool loading_is_on(const struct loading *loading)
{
	return loading->phase != LOADING_OVER || loading->count > 0;
}

/* Whether the request has to wait, or was refused; else it is to be carried out now. */
bool loading_takes(struct loading *loading, struct exchange *exchange);

/* ---- For who loads ---- */

/* From now on requests wait, so long at most, or are refused. */
void api_begin_loading(struct api *api, uint64_t timeout_ns);

/* How far it is, for who asks. */
void api_set_loading_progress(struct api *api, uint64_t done, uint64_t total);

/* All is there. What waited is carried out on turns of the loop to come. */
void api_end_loading(struct api *api);

/*
 * weir ends: nothing waits any more when this returns, and nothing will. It is
 * refused, or carried out if loading is over.
 */
void api_give_up_loading(struct api *api);
