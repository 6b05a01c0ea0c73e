#include "store/join.h"

void join_pushes(struct prepared_push *pushes, const int64_t *pushed_ns, size_t count,
		struct arena *arena, struct prepared_push *ret_push)
{
	struct prepared_push joined = {
		.joined = arena_alloc(arena, (count + 1) * sizeof(struct pack *)),
		.joined_count = count,
	};
	size_t family_count = 0;
	for (size_t i = 0; i < count; i++) {
		family_count += pushes[i].family_count;
	}
	joined.families = arena_alloc(arena, (family_count + 1) * sizeof(struct prepared_family));
	for (size_t i = 0; i < count; i++) {
		struct prepared_push *push = &pushes[i];
		push->pack->pushed_ns = pushed_ns[i];
		joined.joined[i] = push->pack;
		memcpy(joined.families + joined.family_count, push->families,
				push->family_count * sizeof(struct prepared_family));
		joined.family_count += push->family_count;
		joined.line_count += push->line_count;
		push->pack = NULL;
	}
	*ret_push = joined;
}
