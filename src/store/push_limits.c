#include "store/push_parts.h"

static bool is_over(struct store_push *op, enum store_limit limit, uint64_t count)
{
	op->limit = limit;
	return store_is_over(op->store, limit, count);
}

bool push_has_too_many_shapes(struct store_push *op, const struct family *family)
{
	uint64_t limit = op->store->options.limits.label_sets;
	return !op->is_given && limit != 0 && family->shapes.len >= limit
			&& is_over(op, STORE_LIMIT_LABEL_SETS, shape_counts_with(&family->shapes, op->shape));
}

struct replaced {
	uint64_t lines;
	uint64_t bytes;
};

static void add_replaced(struct replaced *replaced, const struct family *family, uint32_t slot)
{
	struct block *block = slot_content(*slots_at(&family->slots, slot));
	replaced->lines += block->line_count;
	replaced->bytes += block_bytes(block) + sizeof(struct pack_entry);
}

/* What the push takes the place of. */
static struct replaced find_replaced(const struct store_push *op)
{
	struct replaced replaced = { 0 };
	if (op->group == NULL) {
		return replaced;
	}
	replaced.bytes = sizeof(struct pack);
	if (op->method == STORE_PUT) {
		for (uint32_t i = 0; i < op->group->member_count; i++) {
			add_replaced(&replaced, op->group->members[i].family, op->group->members[i].slot);
		}
		return replaced;
	}
	for (size_t i = 0; i < op->push->family_count; i++) {
		const struct prepared_family *prepared = &op->push->families[i];
		if (prepared->slot != SLOT_NONE) {
			add_replaced(&replaced, prepared->family, prepared->slot);
		}
	}
	return replaced;
}

/* Help and unit that nobody has yet. */
static uint64_t count_new_metadata(const struct store_push *op)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < op->push->family_count; i++) {
		const struct prepared_family *prepared = &op->push->families[i];
		if (!family_has_metadata(prepared->family, prepared->help, prepared->unit)) {
			bytes += metadata_bytes(prepared->help, prepared->unit);
		}
	}
	return bytes;
}

static bool is_within_job_limits(struct store_push *op, uint64_t series)
{
	uint64_t most = op->job_limits.series_per_group;
	bool is_wide = most != 0 && series > most;
	op->limit = is_wide ? STORE_LIMIT_SERIES_PER_GROUP : STORE_LIMIT_GROUPS;
	op->store->counters.refused[STORE_LIMIT_SERIES_PER_GROUP] += is_wide;
	op->is_job_limit = is_wide
			|| (op->group == NULL && store_job_is_full(op->store, op->key, &op->job_limits));
	return !op->is_job_limit;
}

uint64_t push_bytes(const struct store_push *op)
{
	const struct prepared_push *push = op->push;
	uint64_t bytes = push->pack == NULL ? 0 : push->pack->bytes;
	for (size_t i = 0; i < push->joined_count; i++) {
		bytes += push->joined[i]->bytes;
	}
	return bytes;
}

bool push_is_within_limits(struct store_push *op)
{
	uint64_t lines = op->push->line_count;
	uint64_t bytes = push_bytes(op);
	bytes += op->group == NULL ? group_bytes(op->key) : 0;
	bytes += count_new_metadata(op);
	uint64_t had = op->group == NULL ? 0 : op->group->series;
	if (op->group == NULL && is_over(op, STORE_LIMIT_GROUPS, 1)) {
		return false;
	}
	/* Far from the limits there is no need to look closely. */
	const struct store_limits *limits = &op->store->options.limits;
	const struct contents *contents = op->store->contents;
	bool is_far = had + lines <= limits->series_per_group
			&& contents->series + lines <= limits->series
			&& contents->bytes + bytes <= limits->bytes;
	bool has_job_limits = op->job_limits.groups != 0 || op->job_limits.series_per_group != 0;
	if (is_far && !has_job_limits) {
		return true;
	}
	struct replaced replaced = find_replaced(op);
	if (has_job_limits && !is_within_job_limits(op, had - replaced.lines + lines)) {
		return false;
	}
	uint64_t more_lines = lines > replaced.lines ? lines - replaced.lines : 0;
	uint64_t more_bytes = bytes > replaced.bytes ? bytes - replaced.bytes : 0;
	return !is_over(op, STORE_LIMIT_SERIES_PER_GROUP, had - replaced.lines + lines)
			&& !is_over(op, STORE_LIMIT_SERIES, more_lines)
			&& !is_over(op, STORE_LIMIT_BYTES, more_bytes);
}
