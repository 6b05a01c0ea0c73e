#include "api/away.h"

#include <assert.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/api.h"
#include "base/memory.h"

void api_set_away(struct api *api, size_t lane, struct slice why)
{
	struct acks *acks = &api->acks;
	assert(lane < acks->lane_count);
	char *text = memory_alloc(why.len + 1);
	memcpy(text, why.ptr, why.len);
	text[why.len] = '\0';
	api_set_back(api, lane);
	acks->lanes[lane].away = text;
	acks->away_count++;
}

void api_set_back(struct api *api, size_t lane)
{
	struct acks *acks = &api->acks;
	assert(lane < acks->lane_count);
	acks->away_count -= acks->lanes[lane].away != NULL;
	free(acks->lanes[lane].away);
	acks->lanes[lane].away = NULL;
}

/* NULL: it is not away. */
static const char *find_reason(const struct acks *acks, const struct group_key *key)
{
	const struct ack_lane *lane = acks_find_lane(acks, key);
	if (lane != NULL) {
		return lane->away;
	}
	size_t first = 0;
	while (acks->lanes[first].away == NULL) {
		first++;
	}
	return acks->lanes[first].away;
}

struct slice away_text(const struct api *api, const struct group_key *key, struct arena *arena)
{
	const struct acks *acks = &api->acks;
	const char *why = acks->away_count == 0 ? NULL : find_reason(acks, key);
	return why == NULL ? slice_make(NULL, 0)
					   : ARENA_JOIN(arena, SLICE("the state store is away, nothing was changed: "),
							   slice_of_string(why));
}

struct slice away_text_of_request(
		const struct api *api, struct exchange *exchange, const struct route *route)
{
	struct group_key key;
	if (api->acks.away_count == 0) {
		return slice_make(NULL, 0);
	}
	if (route->endpoint == ENDPOINT_API_WIPE || route->endpoint == ENDPOINT_API_IMPORT) {
		return away_text(api, NULL, &exchange->arena);
	}
	/* A path that is wrong is told so later. */
	bool has_key = route->endpoint == ENDPOINT_PUSH && answer_find_key(api, exchange, route, &key);
	return has_key ? away_text(api, &key, &exchange->arena) : slice_make(NULL, 0);
}
