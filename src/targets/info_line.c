#include "targets/info_line.h"

#include "base/hash.h"
#include "base/memory.h"
#include "targets/filter.h"

uint64_t target_identity(struct slice job, struct slice instance)
{
	uint64_t both[2] = { hash64(job), hash64(instance) };
	return hash64(slice_make((const char *)both, sizeof(both)));
}

static bool has_attribute(const struct target *target)
{
	for (size_t i = 0; i < target->config.attributes.count; i++) {
		if (target->config.attributes.pairs[i].value.len > 0) {
			return true;
		}
	}
	return false;
}

struct info_line *info_line_create(const struct target *target)
{
	struct arena arena;
	struct group_key key;
	if (target->config.is_disabled || !target_is_watched(target) || !has_attribute(target)
			|| target_has_quoted(target)) {
		return NULL;
	}
	arena_init(&arena);
	key.labels = target_all_labels(target, &arena);
	struct slice text =
			ARENA_JOIN(&arena, SLICE("target_info{"), group_key_text(&key, &arena), SLICE("} 1\n"));
	struct info_line *line = memory_zalloc(1, sizeof(*line) + text.len);
	line->node.hash = group_key_hash(&key);
	line->identity = target_identity(
			target_label(target, SLICE("job")), target_label(target, SLICE("instance")));
	line->len = text.len;
	memcpy(line->text, text.ptr, text.len);
	arena_finish(&arena);
	return line;
}
