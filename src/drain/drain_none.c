#include <stdlib.h>

#include "drain/drain.h"

/* weir was built without a client of Redis: redis_missing() says so before anything is opened. */

struct drain *drain_open(
		const struct drain_options *options, uv_loop_t *loop, const struct drain_events *events)
{
	abort();
}

void drain_close(struct drain *drain, bool gives_back)
{
}

void drain_settle(
		struct drain *drain, struct drain_part *part, enum drain_verdict verdict, struct slice why)
{
}

void drain_pause(struct drain *drain)
{
}

void drain_resume(struct drain *drain)
{
}

bool drain_is_at_rest(const struct drain *drain)
{
	return true;
}

void drain_collect(const struct drain *drain, struct drain_stats *ret_stats)
{
	*ret_stats = (struct drain_stats){ 0 };
}
