#pragma once

/*
 * A request to the routes of ORWELL's middleware that changes something.
 */

#include "api/orwell_answer.h"
#include "api/targets_turn.h"

struct orwell_write {
	struct targets_turn turn;
	/*
	 * Fills in the change by what is there now: orwell_delete() or another of the four of its turn
	 * is called, and what it answers returned.
	 */
	bool (*prepare)(struct orwell_write *write);
	void (*append)(const struct registry *registry, struct buf *out, const struct target *target);
	struct slice missing; /* what is said when it is gone */
	struct slice shown;   /* of one that is deleted: what it was */
};

/*
 * Of so many bytes, its struct orwell_write first, in the exchange's arena. Requests behind it on
 * its connection wait.
 */
void *orwell_write_create(struct api *api, struct exchange *exchange, size_t bytes);

/* It is answered then, or later. */
void orwell_write_submit(struct orwell_write *write);

static inline struct registry *orwell_registry(const struct orwell_write *write)
{
	return targets_turn_registry(&write->turn);
}

static inline struct arena *orwell_arena(const struct orwell_write *write)
{
	return targets_turn_arena(&write->turn);
}

/* ---- For prepare ---- */

/* As targets_turn_delete(); what it was is shown. */
bool orwell_delete(struct orwell_write *write, const struct target *target);
