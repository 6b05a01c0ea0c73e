#include "format/text_family.h"

#include "base/hash.h"

void text_families_init(struct text_families *families, struct arena *arena)
{
	*families = (struct text_families){ .arena = arena };
	families->last = &families->first;
	map_init(&families->by_name);
}

void text_families_finish(struct text_families *families)
{
	map_finish(&families->by_name);
}

static struct text_family *find(struct text_families *families, struct slice name, uint64_t hash)
{
	struct map_node *node = map_first(&families->by_name, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct text_family *family = MAP_ENTRY(node, struct text_family, node);
		if (slice_equal(family->batch.name, name)) {
			return family;
		}
	}
	return NULL;
}

static struct text_family *add(struct text_families *families, struct slice name, uint64_t hash)
{
	struct text_family *family = arena_zalloc(families->arena, 1, sizeof(*family));
	family->batch.name = name;
	map_insert(&families->by_name, &family->node, hash);
	*families->last = family;
	families->last = &family->next;
	return family;
}

/* Whether lines with that suffix belong to the family, which is named without it. */
static bool takes_suffix(const struct text_family *family, struct slice suffix)
{
	bool is_bucket = slice_equal(suffix, SLICE("_bucket"));
	return metric_type_is_histogram(family->batch.type)
			|| (family->batch.type == METRIC_SUMMARY && !is_bucket);
}

struct text_family *text_families_enter(
		struct text_families *families, struct slice name, enum sample_role *ret_role)
{
	static const struct {
		struct slice suffix;
		enum sample_role role;
	} suffixes[] = {
		{ SLICE_INIT("_count"), SAMPLE_COUNT },
		{ SLICE_INIT("_sum"), SAMPLE_SUM },
		{ SLICE_INIT("_bucket"), SAMPLE_PLAIN },
	};
	*ret_role = SAMPLE_PLAIN;
	if (families->current != NULL && slice_equal(families->current->batch.name, name)) {
		return families->current;
	}
	uint64_t hash = hash64(name);
	struct text_family *family = find(families, name, hash);
	for (size_t i = 0; family == NULL && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct slice suffix = suffixes[i].suffix;
		if (name.len > suffix.len && slice_ends_with(name, suffix)) {
			struct slice bare = slice_first(name, name.len - suffix.len);
			struct text_family *base = find(families, bare, hash64(bare));
			if (base != NULL && takes_suffix(base, suffix)) {
				*ret_role = suffixes[i].role;
				family = base;
			}
		}
	}
	families->current = family != NULL ? family : add(families, name, hash);
	return families->current;
}
