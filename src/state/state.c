#include "state/state.h"

void state_close(struct state *state)
{
	state->backend->close(state);
}

bool state_hand_over(struct state *state, int fd)
{
	return state->backend->hand_over(state, fd);
}

void state_resume(struct state *state)
{
	state->backend->resume(state);
}

void state_take_over(struct state *state, int fd)
{
	state->backend->take_over(state, fd);
}

bool state_is_new(const struct state *state)
{
	return state->backend->is_new(state);
}

bool state_is_behind(const struct state *state)
{
	return state->backend->is_behind(state);
}

void state_collect(const struct state *state, struct state_stats *ret_stats)
{
	state->backend->collect(state, ret_stats);
}
