#include "transfer/line_prepare.h"

#include <assert.h>

#include "store/join.h"

enum prepare_result line_prepare(const struct line *line, const struct prepare_options *options,
		struct arena *arena, struct prepared_push *ret_push, struct batch_fault *reterr_fault)
{
	size_t count = line->part_count;
	struct prepared_push *pushes = arena_alloc(arena, (count + 1) * sizeof(*pushes));
	int64_t *times = arena_alloc(arena, (count + 1) * sizeof(*times));
	for (size_t i = 0; i < count; i++) {
		const struct line_part *part = &line->parts[i];
		times[i] = part->pushed_ns;
		enum prepare_result result = prepare_push(
				&part->batch, &line->group.key, options, arena, &pushes[i], reterr_fault);
		if (result != PREPARE_OK) {
			while (i > 0) {
				prepared_push_drop(&pushes[--i]);
			}
			return result;
		}
	}
	join_pushes(pushes, times, count, arena, ret_push);
	assert(ret_push->family_count == line->family_count);
	for (size_t i = 0; i < line->family_count; i++) {
		ret_push->families[i].place = line->places[i];
	}
	return PREPARE_OK;
}
