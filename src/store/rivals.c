#include "store/rivals.h"

#include "base/hash.h"
#include "store/check.h"
#include "store/order.h"

/* Blocks of a family that a block cannot be exposed beside. */
struct clash {
	struct family *family;
	unsigned types;        /* a bit for each */
	bool only_openmetrics; /* of those blocks, the ones that were pushed as such */
};

enum {
	CREATED_TYPES = 1 << METRIC_SUMMARY | 1 << METRIC_HISTOGRAM,
	ALL_TYPES = (1 << METRIC_TYPE_COUNT) - 1,
};

struct finding {
	const struct contents *contents;
	const struct shadowed_block *shadowed;
	struct block *block;
	struct arena scratch;
	struct rivals *rivals;
	bool is_beaten; /* a rival comes before it, or weir itself: no need to look on */
};

/* ---- Rivals ---- */

static bool comes_first(const struct finding *f, const struct family *family, int64_t since_ns,
		const struct group *group)
{
	const struct shadowed_block *shadowed = f->shadowed;
	int order = order_compare(since_ns, group, shadowed->since_ns, shadowed->group);
	return order < 0 || (order == 0 && slice_compare(family->name, shadowed->family->name) < 0);
}

static void add_rival(struct finding *f, const struct rival *rival)
{
	struct rivals *rivals = f->rivals;
	for (size_t i = rivals->count; i-- > 0;) {
		if (rivals->found[i].family == rival->family && rivals->found[i].slot == rival->slot) {
			return;
		}
	}
	if (rivals->count == RIVALS_MAX) {
		rivals->has_more = true;
	} else {
		rivals->found[rivals->count++] = *rival;
	}
}

/* False when that decides it. */
static bool meet(struct finding *f, const struct rival *rival, const struct block *block)
{
	f->is_beaten = comes_first(f, rival->family, block->since_ns, rival->group);
	if (!f->is_beaten) {
		add_rival(f, rival);
	}
	return !f->is_beaten;
}

static bool is_meant(const struct clash *clash, const struct block *block)
{
	return (clash->types & 1u << block->type) != 0
			&& (block->is_openmetrics || !clash->only_openmetrics);
}

static uint32_t count_meant(const struct clash *clash, const struct family *family)
{
	uint32_t count = 0;
	for (enum metric_type type = 0; type < METRIC_TYPE_COUNT; type++) {
		count += (clash->types & 1u << type) != 0 ? family->exposed_by_type[type] : 0;
	}
	return clash->only_openmetrics && family->exposed_openmetrics == 0 ? 0 : count;
}

/* Of the family all is meant that is exposed: the first of it speaks for all. */
static bool are_all_meant(const struct clash *clash, const struct family *family)
{
	return count_meant(clash, family) == family->exposed
			&& (!clash->only_openmetrics || family->exposed_openmetrics == family->exposed);
}

static void find_first(const struct contents *contents, struct family *family)
{
	for (uint32_t i = 0; i < family->slots.len; i++) {
		struct slot slot = *slots_at(&family->slots, i);
		const struct block *block = slot_content(slot);
		if (!slot_is_exposed(slot)
				|| (family->first != NULL && block->since_ns > family->first_since_ns)) {
			continue;
		}
		const struct group *group = collide_owner(contents, family, i);
		if (family->first == NULL
				|| order_compare(block->since_ns, group, family->first_since_ns, family->first)
						< 0) {
			family->first = group;
			family->first_since_ns = block->since_ns;
		}
	}
}

/* Those of the family that the clash is about. */
static void find_in_family(struct finding *f, const struct clash *clash)
{
	struct family *family = clash->family;
	if (count_meant(clash, family) == 0) {
		return;
	}
	bool are_all = are_all_meant(clash, family);
	if (are_all && family->first == NULL) {
		find_first(f->contents, family);
	}
	f->is_beaten = are_all && comes_first(f, family, family->first_since_ns, family->first);
	for (uint32_t i = 0; i < family->slots.len && !f->is_beaten; i++) {
		struct slot slot = *slots_at(&family->slots, i);
		const struct block *block = slot_content(slot);
		if (!slot_is_exposed(slot) || !is_meant(clash, block)) {
			continue;
		}
		struct rival rival = { collide_owner(f->contents, family, i), family, i };
		if (!meet(f, &rival, block) || (are_all && f->rivals->has_more)) {
			return;
		}
	}
}

/* ---- Names and types ---- */

/* What weir itself says of its families stays. */
static bool clashes_with_declaration(const struct clash *clash)
{
	const struct family_declaration *declared = clash->family->declaration;
	return declared != NULL && (clash->types & 1u << declared->type) != 0
			&& (!clash->only_openmetrics || family_is_settled(clash->family));
}

static void find_clash(struct finding *f, struct slice name, unsigned types, bool only_openmetrics)
{
	struct family *family =
			f->is_beaten ? NULL : families_find(&f->contents->families, name, hash64(name));
	struct clash clash = { family, types, only_openmetrics };
	if (family != NULL) {
		f->is_beaten = clashes_with_declaration(&clash);
	}
	if (family != NULL && !f->is_beaten) {
		find_in_family(f, &clash);
	}
}

static void find_other_types(struct finding *f)
{
	unsigned types = 0;
	for (enum metric_type type = 0; type < METRIC_TYPE_COUNT; type++) {
		types |= metric_type_agrees(type, f->block->type) ? 0 : 1u << type;
	}
	find_clash(f, f->shadowed->family->name, types, false);
}

/* OpenMetrics has no way to show h_count and h_gcount in one family. */
static void find_other_histograms(struct finding *f)
{
	struct clash clash = { .family = f->shadowed->family, .only_openmetrics = true };
	clash.types |= f->block->type == METRIC_HISTOGRAM ? 1 << METRIC_OPEN_GAUGE_HISTOGRAM : 0;
	clash.types |= f->block->type == METRIC_OPEN_GAUGE_HISTOGRAM ? 1 << METRIC_HISTOGRAM : 0;
	if (f->block->is_openmetrics && !f->is_beaten) {
		find_in_family(f, &clash);
	}
}

/* h_count beside a histogram h, seen from both. */
static void find_suffixes(struct finding *f)
{
	struct slice name = f->shadowed->family->name;
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT && !f->is_beaten; i++) {
		struct slice suffix = sample_suffixes[i].text;
		if (name.len > suffix.len && slice_ends_with(name, suffix)) {
			struct slice bare = slice_first(name, name.len - suffix.len);
			find_clash(f, bare, sample_suffixes[i].types, false);
		}
		if ((sample_suffixes[i].types & 1u << f->block->type) != 0) {
			find_clash(f, ARENA_JOIN(&f->scratch, name, suffix), ALL_TYPES, false);
		}
	}
}

/* x_created beside a counter x, or a histogram or summary x, seen from both. */
static void find_created(struct finding *f)
{
	const struct slice created = SLICE("_created");
	const struct slice total = SLICE("_total");
	struct slice name = f->shadowed->family->name;
	if (!f->block->is_openmetrics || f->is_beaten) {
		return;
	}
	if (slice_ends_with(name, created)) {
		struct slice bare = slice_first(name, name.len - created.len);
		find_clash(f, bare, CREATED_TYPES, true);
		find_clash(f, ARENA_JOIN(&f->scratch, bare, total), 1 << METRIC_COUNTER, true);
	}
	bool is_counter = f->block->type == METRIC_COUNTER && slice_ends_with(name, total);
	if (is_counter || (CREATED_TYPES & 1u << f->block->type) != 0) {
		struct slice bare = is_counter ? slice_first(name, name.len - total.len) : name;
		find_clash(f, ARENA_JOIN(&f->scratch, bare, created), ALL_TYPES, true);
	}
}

/* ---- Series ---- */

static bool on_same_series(void *data, struct group *group)
{
	struct finding *f = data;
	struct family *family = f->shadowed->family;
	struct rival rival = { group, family, group_find_member(group, family)->slot };
	return meet(f, &rival, slot_content(*slots_at(&family->slots, rival.slot)));
}

static void find_same_series(struct finding *f)
{
	const struct shadowed_block *shadowed = f->shadowed;
	struct check_subject subject = {
		.key = &shadowed->group->key,
		.shape = shadowed->group->shape,
		.group = shadowed->group,
		.family = shadowed->family,
		.block = f->block,
		.label_mask = UINT64_MAX,
	};
	collide_each(f->contents, &subject, on_same_series, f);
}

/* ---- All of them ---- */

static void find(struct finding *f)
{
	find_other_types(f);
	find_other_histograms(f);
	find_suffixes(f);
	find_created(f);
	if (!f->is_beaten) {
		find_same_series(f);
	}
}

bool rivals_find(const struct contents *contents, const struct shadowed_block *shadowed,
		struct rivals *ret_rivals)
{
	struct finding f = {
		.contents = contents,
		.shadowed = shadowed,
		.block = slot_content(*slots_at(&shadowed->family->slots, shadowed->slot)),
		.rivals = ret_rivals,
	};
	ret_rivals->count = 0;
	ret_rivals->has_more = false;
	if (f.block->is_invalid) {
		return false;
	}
	arena_init(&f.scratch);
	find(&f);
	arena_finish(&f.scratch);
	return !f.is_beaten;
}
