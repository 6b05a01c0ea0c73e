#pragma once

/*
 * A request to the routes of ORWELL's middleware that changes something.
 *
 * What may be done depends on what else there is: an image is not deleted while a host refers to
 * it. So these requests are carried out one after the other, each looks when it is its turn, and
 * looks again when somebody else was faster, be it another weir.
 */

#include "api/orwell_answer.h"
#include "api/targets_write.h"

struct orwell_write {
	struct list link;            /* among those that wait for their turn */
	struct targets_write *write; /* its change has one item */
	/*
	 * Fills in the change by what is there now: one of the four below is called, and what it
	 * answers returned.
	 */
	bool (*prepare)(struct orwell_write *write);
	void (*append)(const struct registry *registry, struct buf *out, const struct target *target);
	struct slice missing; /* what is said when it is gone */
	unsigned tries;
	struct slice shown; /* of one that is deleted: what it was */
	int status;         /* of a refusal */
	struct slice text;
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
	return write->write->api->targets;
}

static inline struct arena *orwell_arena(const struct orwell_write *write)
{
	return &write->write->exchange->arena;
}

/* ---- For prepare ---- */

/* The key outlives the write, as does what the configuration points to. */
bool orwell_make(struct orwell_write *write, const struct group_key *key,
		const struct target_config *config, const struct target_id *id);

/* Everything is copied. The key may be another than the target has. */
bool orwell_change(struct orwell_write *write, const struct target *target,
		const struct group_key *key, const struct target_config *config);

bool orwell_delete(struct orwell_write *write, const struct target *target);

bool orwell_refuse(struct orwell_write *write, int status, struct slice text);
