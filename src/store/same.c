#include "store/same.h"

#include "base/hash.h"

static bool same_text(struct slice a, struct slice b)
{
	return (a.ptr == NULL) == (b.ptr == NULL) && slice_equal(a, b);
}

static bool same_notes(const struct notes *a, const struct notes *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	size_t text_bytes = 0;
	for (size_t i = 0; i < a->count; i++) {
		text_bytes += a->notes[i].bytes;
	}
	/* What is behind the texts may be anything. */
	return a->count == b->count && memcmp(a->notes, b->notes, a->count * sizeof(struct note)) == 0
			&& memcmp(notes_text(a), notes_text(b), text_bytes) == 0;
}

static bool same_chunk(const struct chunk *a, const struct chunk *b)
{
	return slice_equal(chunk_text(a), chunk_text(b)) && same_notes(chunk_notes(a), chunk_notes(b));
}

static bool same_block(const struct block *a, const struct block *b)
{
	bool is_same = a->type == b->type && a->is_openmetrics == b->is_openmetrics
			&& a->is_invalid == b->is_invalid && a->chunk_count == b->chunk_count;
	for (size_t i = 0; is_same && i < a->chunk_count; i++) {
		is_same = same_chunk(a->chunks[i], b->chunks[i]);
	}
	return is_same;
}

static bool same_metadata(const struct metadata *had, const struct prepared_family *prepared)
{
	const struct slice none = slice_make(NULL, 0);
	return same_text(had == NULL ? none : had->help, prepared->help)
			&& same_text(had == NULL ? none : had->unit, prepared->unit);
}

static bool has_family(const struct store_push *op, const struct group *group,
		const struct prepared_family *prepared)
{
	const struct families *families = &op->store->contents->families;
	const struct family *family = families_find(families, prepared->name, hash64(prepared->name));
	const struct member *member = family == NULL ? NULL : group_find_member(group, family);
	struct block *block =
			member == NULL ? NULL : slot_content(*slots_at(&family->slots, member->slot));
	return block != NULL && same_block(block, prepared->block)
			&& same_metadata(block->metadata, prepared)
			&& block_pack(block)->pushed_ns == block_pack(prepared->block)->pushed_ns;
}

/* When a life ends is known to about a second, since two clocks say it. */
static bool same_deadline(int64_t a, int64_t b)
{
	enum { NEARLY_NS = 1000000000 };
	return (a == 0) == (b == 0) && a - b < NEARLY_NS && b - a < NEARLY_NS;
}

bool push_changes_nothing(const struct store_push *op)
{
	const struct group *group = store_find_group(op->store, op->key);
	const struct group_times *times = op->times;
	if (group == NULL || times == NULL || times->pushed_ns != group->times.pushed_ns
			|| times->failed_ns != group->times.failed_ns
			|| !same_deadline(group->deadline_ns, op->deadline_ns)
			|| (op->method == STORE_PUT && op->push->family_count != group->member_count)) {
		return false;
	}
	for (size_t i = 0; i < op->push->family_count; i++) {
		if (!has_family(op, group, &op->push->families[i])) {
			return false;
		}
	}
	return true;
}
