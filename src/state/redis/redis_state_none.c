#include <stddef.h>

#include "state/redis/redis_state.h"

/* Without hiredis: whoever asks redis_missing() first does not come here. */
struct state *redis_state_open(const struct redis_state_options *options, uv_loop_t *loop,
		struct store *store, const struct state_events *events)
{
	return NULL;
}
