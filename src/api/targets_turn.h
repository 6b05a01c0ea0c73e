#pragma once

/*
 * A request that changes a target, where what may be done depends on what else there is: an image
 * is not deleted while a host refers to it.
 *
 * So these requests are carried out one after the other, each looks when it is its turn, and
 * looks again when somebody else was faster, be it another weir.
 */

#include "api/targets_write.h"

struct targets_turn {
	struct list link;            /* among those that wait for their turn */
	struct targets_write *write; /* its change has one item */
	/*
	 * Fills in the change by what is there now: one of the four below is called, and what it
	 * answers returned.
	 */
	bool (*prepare)(struct targets_turn *turn);
	/* Answers the exchange, with which the turn may be gone. */
	void (*answer)(struct targets_turn *turn);
	void (*refuse)(struct targets_turn *turn, int status, struct slice text);
	unsigned tries;
	int status; /* of a refusal */
	struct slice text;
};

/* In the exchange's arena. Requests behind it on its connection wait. */
void targets_turn_init(struct targets_turn *turn, struct api *api, struct exchange *exchange);

/* It is answered then, or later. */
void targets_turn_submit(struct targets_turn *turn);

static inline struct registry *targets_turn_registry(const struct targets_turn *turn)
{
	return turn->write->api->targets;
}

static inline struct arena *targets_turn_arena(const struct targets_turn *turn)
{
	return &turn->write->exchange->arena;
}

/* ---- For prepare ---- */

/* The key outlives the write, as does what the configuration points to. */
bool targets_turn_make(struct targets_turn *turn, const struct group_key *key,
		const struct target_config *config, const struct target_id *id);

/* Everything is copied. The key may be another than the target has. */
bool targets_turn_change(struct targets_turn *turn, const struct target *target,
		const struct group_key *key, const struct target_config *config);

bool targets_turn_delete(struct targets_turn *turn, const struct target *target);

bool targets_turn_refuse(struct targets_turn *turn, int status, struct slice text);
