#include "format/openmetrics_family.h"

#include "base/hash.h"

enum { COUNTS = RULE_NOT_NAN | RULE_NOT_NEGATIVE };

#define NO_SUFFIX SLICE_INIT("")
#define CREATED                                                                                    \
	{                                                                                              \
		SLICE_INIT("_created"), SAMPLE_PLAIN, RULE_CREATED                                         \
	}

static const struct openmetrics_type types[] = {
	{ METRIC_UNTYPED, { { NO_SUFFIX, SAMPLE_PLAIN, 0 } }, 1 },
	{ METRIC_GAUGE, { { NO_SUFFIX, SAMPLE_PLAIN, 0 } }, 1 },
	{ METRIC_COUNTER, { { SLICE_INIT("_total"), SAMPLE_PLAIN, COUNTS | RULE_EXEMPLAR }, CREATED },
			2 },
	{ METRIC_SUMMARY,
			{ { NO_SUFFIX, SAMPLE_QUANTILE, RULE_NOT_NEGATIVE },
					{ SLICE_INIT("_sum"), SAMPLE_SUM, COUNTS },
					{ SLICE_INIT("_count"), SAMPLE_COUNT, COUNTS | RULE_WHOLE }, CREATED },
			4 },
	{ METRIC_HISTOGRAM,
			{ { SLICE_INIT("_bucket"), SAMPLE_BUCKET, COUNTS | RULE_WHOLE | RULE_EXEMPLAR },
					{ SLICE_INIT("_sum"), SAMPLE_SUM, COUNTS },
					{ SLICE_INIT("_count"), SAMPLE_COUNT, COUNTS | RULE_WHOLE }, CREATED },
			4 },
	{ METRIC_OPEN_GAUGE_HISTOGRAM,
			{ { SLICE_INIT("_bucket"), SAMPLE_BUCKET, COUNTS | RULE_WHOLE | RULE_EXEMPLAR },
					{ SLICE_INIT("_gsum"), SAMPLE_GSUM, RULE_NOT_NAN },
					{ SLICE_INIT("_gcount"), SAMPLE_GCOUNT, COUNTS | RULE_WHOLE } },
			3 },
	{ METRIC_INFO, { { SLICE_INIT("_info"), SAMPLE_PLAIN, RULE_ONE } }, 1 },
	{ METRIC_STATESET, { { NO_SUFFIX, SAMPLE_PLAIN, RULE_BOOLEAN } }, 1 },
};

const struct openmetrics_type *openmetrics_type_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_equal(openmetrics_type_name(&types[i]), name)) {
			return &types[i];
		}
	}
	return NULL;
}

struct slice openmetrics_type_name(const struct openmetrics_type *type)
{
	return metric_type_openmetrics_name(type->type);
}

void openmetrics_families_init(struct openmetrics_families *families, struct arena *arena)
{
	*families = (struct openmetrics_families){ .arena = arena };
	families->last = &families->first;
	map_init(&families->names);
}

void openmetrics_families_finish(struct openmetrics_families *families)
{
	map_finish(&families->names);
}

static struct openmetrics_family *find(
		const struct openmetrics_families *families, struct slice name, uint64_t hash)
{
	struct map_node *node = map_first(&families->names, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct openmetrics_name *taken = MAP_ENTRY(node, struct openmetrics_name, node);
		if (slice_equal(taken->text, name)) {
			return taken->family;
		}
	}
	return NULL;
}

struct openmetrics_family *openmetrics_families_add(struct openmetrics_families *families,
		struct slice name, size_t line, struct openmetrics_family **ret_other)
{
	uint64_t hash = hash64(name);
	struct openmetrics_family *other = find(families, name, hash);
	if (other != NULL) {
		*ret_other = other;
		return NULL;
	}
	struct openmetrics_family *family = arena_zalloc(families->arena, 1, sizeof(*family));
	family->batch.name = name;
	family->name.text = name;
	family->name.family = family;
	family->type = &types[0];
	family->line = line;
	map_insert(&families->names, &family->name.node, hash);
	*families->last = family;
	families->last = &family->next;
	return family;
}

static struct slice join(struct arena *arena, struct slice name, struct slice suffix)
{
	char *text = arena_text(arena, name.len + suffix.len);
	memcpy(text, name.ptr, name.len);
	memcpy(text + name.len, suffix.ptr, suffix.len);
	return slice_make(text, name.len + suffix.len);
}

struct openmetrics_family *openmetrics_family_set_type(struct openmetrics_families *families,
		struct openmetrics_family *family, const struct openmetrics_type *type,
		struct slice *ret_taken)
{
	struct arena *arena = families->arena;
	family->type = type;
	family->batch.type = type->type;
	family->has_type = true;
	for (size_t i = 0; i < type->part_count; i++) {
		if (type->parts[i].suffix.len == 0) {
			continue;
		}
		struct openmetrics_name *taken = arena_zalloc(arena, 1, sizeof(*taken));
		taken->text = join(arena, family->name.text, type->parts[i].suffix);
		taken->family = family;
		uint64_t hash = hash64(taken->text);
		struct openmetrics_family *other = find(families, taken->text, hash);
		if (other != NULL) {
			*ret_taken = taken->text;
			return other;
		}
		map_insert(&families->names, &taken->node, hash);
		/* The text format names a counter and an info by their sample. */
		if (type->parts[i].role == SAMPLE_PLAIN && i == PART_MAIN) {
			family->batch.name = taken->text;
		}
	}
	return NULL;
}

const struct openmetrics_part *openmetrics_family_part(
		const struct openmetrics_family *family, struct slice name)
{
	if (!slice_starts_with(name, family->name.text)) {
		return NULL;
	}
	struct slice suffix = slice_skip(name, family->name.text.len);
	for (size_t i = 0; i < family->type->part_count; i++) {
		if (slice_equal(suffix, family->type->parts[i].suffix)) {
			return &family->type->parts[i];
		}
	}
	return NULL;
}
