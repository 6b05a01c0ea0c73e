#include "store/check.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/quote.h"
#include "store/describe.h"

struct checking {
	const struct contents *contents;
	const struct check_subject *subject;
	struct arena *arena; /* NULL: no words wanted */
	struct arena scratch;
	struct batch_fault *fault;
};

bool check_is_exposed(const struct group *group, const struct family *family)
{
	struct member *member = group == NULL ? NULL : group_find_member(group, family);
	return member != NULL && slot_is_exposed(*slots_at(&family->slots, member->slot));
}

/* Blocks of others that are exposed in the family. */
static uint32_t count_others(const struct check_subject *subject, const struct family *family)
{
	return family->exposed - check_is_exposed(subject->group, family);
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
	if (declared == NULL) {
		return true;
	}
	if (!metric_type_agrees(declared->type, subject->block->type)) {
		return refuse_in_words(c, "gathered metric family $ has type $ but should have $",
				declared->name, metric_type_upper_name(subject->block->type),
				metric_type_upper_name(declared->type), SLICE(""));
	}
	return true;
}

static bool check_type(struct checking *c)
{
	const struct check_subject *subject = c->subject;
	const struct family *family = subject->family;
	if (count_others(subject, family) == 0
			|| metric_type_agrees(family->type, subject->block->type)) {
		return true;
	}
	struct slice name = metric_type_upper_name(family->type);
	char problem[64];
	int len = snprintf(problem, sizeof(problem), "is not a " SLICE_FMT, SLICE_ARG(name));
	return refuse(c, 0, slice_make(problem, (size_t)len));
}

/* ---- Names that _sum, _count and _bucket lead to ---- */

/* Whether a family of that name will be there, and of what type. */
static bool will_be_there(struct checking *c, struct slice name, enum metric_type *ret_type)
{
	const struct check_subject *subject = c->subject;
	struct family *family = families_find(&c->contents->families, name, hash64(name));
	if (family == NULL) {
		return false;
	}
	/* What others expose stays, whatever a push claims. */
	bool has_others = count_others(subject, family) > 0;
	bool own_stays = family->exposed > 0 && !subject->replaces_all;
	if (has_others || (own_stays && family->claims == 0)) {
		*ret_type = family->type;
	} else if (family->declaration != NULL) {
		*ret_type = family->declaration->type;
	} else {
		*ret_type = family->claimed_type;
	}
	return has_others || own_stays || family->declaration != NULL || family->claims > 0;
}

/* h_count beside a histogram h. */
static bool check_as_suffixed(struct checking *c)
{
	static const struct slice suffixes[] = { SLICE_INIT("_count"), SLICE_INIT("_sum"),
		SLICE_INIT("_bucket") };
	struct slice name = c->subject->family->name;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct slice bare = slice_first(name, name.len - suffixes[i].len);
		enum metric_type type;
		if (name.len <= suffixes[i].len || !slice_ends_with(name, suffixes[i])
				|| !will_be_there(c, bare, &type)) {
			continue;
		}
		bool is_bucket = slice_equal(suffixes[i], SLICE("_bucket"));
		if (metric_type_is_histogram(type) || (type == METRIC_SUMMARY && !is_bucket)) {
			return refuse_in_words(c,
					"collected metric named @ collides with previously collected $ named @", name,
					metric_type_name(type), bare, SLICE(""));
		}
	}
	return true;
}

/* A histogram h beside h_count. */
static bool check_as_base(struct checking *c)
{
	static const struct slice suffixes[] = { SLICE_INIT("_count"), SLICE_INIT("_sum"),
		SLICE_INIT("_bucket") };
	enum metric_type type = c->subject->block->type;
	if (!metric_type_is_histogram(type) && type != METRIC_SUMMARY) {
		return true;
	}
	struct slice name = c->subject->family->name;
	size_t count = type == METRIC_SUMMARY ? 2 : 3;
	for (size_t i = 0; i < count; i++) {
		struct slice longer = arena_printf(
				&c->scratch, SLICE_FMT SLICE_FMT, SLICE_ARG(name), SLICE_ARG(suffixes[i]));
		enum metric_type ignored;
		if (will_be_there(c, longer, &ignored)) {
			return refuse_in_words(c,
					i == 2 ? "collected histogram named @ collides with previously collected "
							 "metric named @"
						   : "collected histogram or summary named @ collides with previously "
							 "collected metric named @",
					name, longer, SLICE(""), SLICE(""));
		}
	}
	return true;
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
		bool names_are_checked = check_is_exposed(subject->group, subject->family)
				&& metric_type_agrees(subject->family->type, subject->block->type);
		bool ok = !subject->block->is_invalid && check_declaration(&c) && check_type(&c)
				&& (names_are_checked || (check_as_suffixed(&c) && check_as_base(&c)));
		arena_finish(&c.scratch);
		if (!ok) {
			return CHECK_E_REFUSED;
		}
	}
	uint32_t line_number;
	switch (collide_find(contents, subject, &cursor->collide, &line_number)) {
	case COLLIDE_NONE:
		return CHECK_OK;
	case COLLIDE_MORE:
		return CHECK_MORE;
	case COLLIDE_FOUND:
		break;
	}
	refuse(&c, line_number, SLICE("was collected before with the same name and label values"));
	return CHECK_E_REFUSED;
}
