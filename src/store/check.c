#include "store/check.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/quote.h"
#include "store/describe.h"
#include "store/line.h"

struct checking {
	const struct contents *contents;
	const struct check_subject *subject;
	struct arena *arena; /* NULL: no words wanted */
	struct arena scratch;
	struct batch_fault *fault;
};

static const struct block *exposed_block(const struct group *group, const struct family *family)
{
	struct member *member = group == NULL ? NULL : group_find_member(group, family);
	if (member == NULL) {
		return NULL;
	}
	struct slot slot = *slots_at(&family->slots, member->slot);
	return slot_is_exposed(slot) ? slot_content(slot) : NULL;
}

bool check_is_exposed(const struct group *group, const struct family *family)
{
	return exposed_block(group, family) != NULL;
}

/* Blocks of others that are exposed in the family. */
static uint32_t count_others(const struct check_subject *subject, const struct family *family)
{
	return family->exposed - check_is_exposed(subject->group, family);
}

/* Of them, those of that type. */
static uint32_t count_others_of_type(
		const struct check_subject *subject, const struct family *family, enum metric_type type)
{
	const struct block *own = exposed_block(subject->group, family);
	return family->exposed_by_type[type] - (own != NULL && own->type == type);
}

/* Of them, those that were pushed as OpenMetrics. */
static uint32_t count_others_openmetrics(
		const struct check_subject *subject, const struct family *family)
{
	const struct block *own = exposed_block(subject->group, family);
	return family->exposed_openmetrics - (own != NULL && own->is_openmetrics);
}

enum { HOLDER_SLOTS_MAX = 4096 }; /* looked at to find who has a family */

/* Shows one of the series that others have in the family. */
static void show_holder(struct checking *c, const struct family *family)
{
	const struct block *own = exposed_block(c->subject->group, family);
	uint32_t len = family->slots.len < HOLDER_SLOTS_MAX ? family->slots.len : HOLDER_SLOTS_MAX;
	for (uint32_t i = 0; c->arena != NULL && i < len; i++) {
		struct slot slot = *slots_at(&family->slots, i);
		const struct block *block = slot_content(slot);
		if (slot_is_exposed(slot) && block != own) {
			struct slice series = line_series(block_line(block, 0));
			c->fault->holder = arena_copy(c->arena, slice_first(series, BATCH_FAULT_LINE_MAX));
			return;
		}
	}
}

static void show_holder_of_name(struct checking *c, struct slice name)
{
	struct family *family = families_find(&c->contents->families, name, hash64(name));
	if (family != NULL) {
		show_holder(c, family);
	}
}

static bool refuse(struct checking *c, uint32_t line_number, struct slice problem)
{
	const struct check_subject *subject = c->subject;
	if (c->arena != NULL) {
		struct slice line = block_line(subject->block, line_number);
		c->fault->line = describe_excerpt(c->arena, line.ptr);
		c->fault->text = describe_line(
				c->arena, subject->family->name, subject->block->type, line.ptr, problem);
	}
	return false;
}

static bool refuse_in_words(struct checking *c, const char *format, struct slice a, struct slice b,
		struct slice d, struct slice e)
{
	if (c->arena != NULL) {
		struct buf text;
		buf_init(&text, 0);
		struct slice parts[4] = { a, b, d, e };
		size_t next = 0;
		for (const char *f = format; *f != '\0'; f++) {
			if (*f == '@') {
				quote_append(&text, parts[next++]);
			} else if (*f == '$') {
				buf_append(&text, parts[next++]);
			} else {
				buf_append_byte(&text, *f);
			}
		}
		c->fault->text = arena_copy(c->arena, buf_slice(&text));
		buf_finish(&text);
	}
	return false;
}

/* ---- Types ---- */

static bool check_declaration(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family_declaration *declared = subject->family->declaration;
	if (declared == NULL || family_is_yielding(subject->family)) {
		return true;
	}
	if (!metric_type_agrees(declared->type, subject->block->type)) {
		return refuse_in_words(c, "gathered metric family $ has type $ but should have $",
				declared->name, metric_type_upper_name(subject->block->type),
				metric_type_upper_name(declared->type), SLICE(""));
	}
	return true;
}

static bool refuse_type(struct checking *c, enum metric_type wanted)
{
	struct slice name = metric_type_upper_name(wanted);
	show_holder(c, c->subject->family);
	char problem[64];
	int len = snprintf(problem, sizeof(problem), "is not a " SLICE_FMT, SLICE_ARG(name));
	return refuse(c, 0, slice_make(problem, (size_t)len));
}

/*
 * OpenMetrics has no way to show h_count and h_gcount in one family. Whoever
 * pushes OpenMetrics is told so, if the others do so, too.
 */
static bool check_histogram_kind(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family *family = subject->family;
	bool is_open = subject->block->type == METRIC_OPEN_GAUGE_HISTOGRAM;
	if (!subject->block->is_openmetrics || count_others_openmetrics(subject, family) == 0) {
		return true;
	}
	enum metric_type other = is_open ? METRIC_HISTOGRAM : METRIC_OPEN_GAUGE_HISTOGRAM;
	return count_others_of_type(subject, family, other) == 0 || refuse_type(c, other);
}

static bool check_type(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family *family = subject->family;
	if (count_others(subject, family) == 0) {
		return true;
	}
	if (!metric_type_agrees(family->type, subject->block->type)) {
		return refuse_type(c, family->type);
	}
	return !metric_type_is_histogram(subject->block->type) || check_histogram_kind(c);
}

/* ---- Names that suffixes lead to ---- */

/* A bit for each type that a family of that name will have; 0: there will be none. */
static unsigned types_of(struct checking *c, struct slice name)
{
	const struct check_subject *subject = c->subject;
	struct family *family = families_find(&c->contents->families, name, hash64(name));
	unsigned types = 0;
	if (family == NULL) {
		return 0;
	}
	/* What others expose stays, whatever a push claims. */
	for (enum metric_type type = 0; type < METRIC_TYPE_COUNT; type++) {
		types |= count_others_of_type(subject, family, type) > 0 ? 1u << type : 0;
	}
	const struct block *own = exposed_block(subject->group, family);
	if (own != NULL && !subject->replaces_all && family->claims == 0) {
		types |= 1u << own->type;
	}
	if (family->declaration != NULL && !family_is_yielding(family)) {
		types |= 1u << family->declaration->type;
	} else if (family->claims > 0) {
		types |= 1u << family->claimed_type;
	}
	return types;
}

/* The first of the types; there is one. */
static struct slice name_of_first(unsigned types)
{
	return metric_type_name((enum metric_type)__builtin_ctz(types));
}

/* h_count beside a histogram h. */
static bool check_as_suffixed(struct checking *c)
{
	struct slice name = c->subject->family->name;
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
		struct slice suffix = sample_suffixes[i].text;
		if (name.len <= suffix.len || !slice_ends_with(name, suffix)) {
			continue;
		}
		struct slice bare = slice_first(name, name.len - suffix.len);
		unsigned types = types_of(c, bare) & sample_suffixes[i].types;
		if (types != 0) {
			show_holder_of_name(c, bare);
			return refuse_in_words(c,
					"collected metric named @ collides with previously collected $ named @", name,
					name_of_first(types), bare, SLICE(""));
		}
	}
	return true;
}

/* A histogram h beside h_count. */
static bool check_as_base(struct checking *c)
{
	enum metric_type type = c->subject->block->type;
	struct slice name = c->subject->family->name;
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
		if ((sample_suffixes[i].types & 1u << type) == 0) {
			continue;
		}
		struct slice longer = ARENA_JOIN(&c->scratch, name, sample_suffixes[i].text);
		if (types_of(c, longer) != 0) {
			show_holder_of_name(c, longer);
			return refuse_in_words(c,
					(sample_suffixes[i].types & 1 << METRIC_SUMMARY) == 0
							? "collected histogram named @ collides with previously collected "
							  "metric named @"
							: "collected histogram or summary named @ collides with previously "
							  "collected metric named @",
					name, longer, SLICE(""), SLICE(""));
		}
	}
	return true;
}

/* ---- Names that OpenMetrics keeps for itself ---- */

/*
 * Whether a family of that name, of one of the types, was pushed as OpenMetrics
 * and stays, or is weir's own.
 */
static bool has_openmetrics(struct checking *c, struct slice name, unsigned types)
{
	const struct check_subject *subject = c->subject;
	struct family *family = families_find(&c->contents->families, name, hash64(name));
	if (family == NULL) {
		return false;
	}
	const struct block *own = exposed_block(subject->group, family);
	bool own_stays =
			own != NULL && own->is_openmetrics && !subject->replaces_all && family->claims == 0;
	return (own_stays || family->claims_openmetrics > 0 || family_is_settled(family)
				   || count_others_openmetrics(subject, family) > 0)
			&& (types_of(c, name) & types) != 0;
}

enum {
	CREATED_TYPES = 1 << METRIC_SUMMARY | 1 << METRIC_HISTOGRAM,
	ALL_TYPES = (1 << METRIC_TYPE_COUNT) - 1,
};

/* x_created is taken by a counter x, or by a histogram or summary x. */
static bool check_as_created(struct checking *c)
{
	const struct slice created = SLICE("_created");
	const struct slice total = SLICE("_total");
	const struct block *block = c->subject->block;
	struct slice name = c->subject->family->name;
	struct slice clash = { 0 };
	if (slice_ends_with(name, created)) {
		struct slice bare = slice_first(name, name.len - created.len);
		struct slice counter = ARENA_JOIN(&c->scratch, bare, total);
		clash = has_openmetrics(c, bare, CREATED_TYPES)            ? bare
				: has_openmetrics(c, counter, 1 << METRIC_COUNTER) ? counter
																   : clash;
	}
	bool is_counter = block->type == METRIC_COUNTER && slice_ends_with(name, total);
	if (is_counter || (CREATED_TYPES & 1u << block->type) != 0) {
		struct slice bare = is_counter ? slice_first(name, name.len - total.len) : name;
		struct slice longer = ARENA_JOIN(&c->scratch, bare, created);
		clash = has_openmetrics(c, longer, ALL_TYPES) ? longer : clash;
	}
	return clash.ptr == NULL
			|| refuse_in_words(c,
					"collected metric named @ collides with previously collected metric named @ in "
					"OpenMetrics",
					name, clash, SLICE(""), SLICE(""));
}

static bool check_names(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct block *own = exposed_block(subject->group, subject->family);
	if (own != NULL && own->type == subject->block->type
			&& own->is_openmetrics == subject->block->is_openmetrics) {
		return true; /* they were checked when that came */
	}
	return check_as_suffixed(c) && check_as_base(c)
			&& (!subject->block->is_openmetrics || check_as_created(c));
}

enum check_result check_block(const struct contents *contents, const struct check_subject *subject,
		struct check_cursor *cursor, struct arena *arena, struct batch_fault *reterr_fault)
{
	struct checking c = {
		.subject = subject,
		.contents = contents,
		.arena = arena,
		.fault = reterr_fault,
	};
	if (!cursor->is_begun) {
		cursor->is_begun = true;
		arena_init(&c.scratch);
		bool ok = !subject->block->is_invalid && check_declaration(&c) && check_type(&c)
				&& check_names(&c);
		arena_finish(&c.scratch);
		if (!ok) {
			return CHECK_E_REFUSED;
		}
	}
	uint32_t line_number;
	const struct group *holder;
	switch (collide_find(contents, subject, &cursor->collide, &line_number, &holder)) {
	case COLLIDE_NONE:
		return CHECK_OK;
	case COLLIDE_MORE:
		return CHECK_MORE;
	case COLLIDE_FOUND:
		break;
	}
	if (arena != NULL) {
		reterr_fault->holder = describe_group(arena, holder->label_text);
	}
	refuse(&c, line_number, SLICE("was collected before with the same name and label values"));
	return CHECK_E_REFUSED;
}
