#include "model/selector.h"

static struct slice unescape(struct slice escaped, struct pattern_scratch *scratch)
{
	return escaped.len == 0 ? escaped : labels_unescape(scratch->arena, escaped);
}

bool matcher_matches(
		const struct matcher *matcher, struct slice value, struct pattern_scratch *scratch)
{
	switch (matcher->kind) {
	case MATCHER_EQUAL:
		return slice_equal(matcher->value, value);
	case MATCHER_NOT_EQUAL:
		return !slice_equal(matcher->value, value);
	case MATCHER_PATTERN:
		return pattern_matches(matcher->pattern, unescape(value, scratch), scratch);
	case MATCHER_NOT_PATTERN:
		break;
	}
	return !pattern_matches(matcher->pattern, unescape(value, scratch), scratch);
}

static bool is_of_name(const struct matcher *matcher)
{
	return matcher->name.len == 0;
}

static bool matches_name(
		const struct selector *selector, struct slice name, struct pattern_scratch *scratch)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct matcher *matcher = &selector->matchers[i];
		if (is_of_name(matcher) && !matcher_matches(matcher, name, scratch)) {
			return false;
		}
	}
	return true;
}

uint64_t selectors_match_names(const struct selectors *selectors, const struct slice *names,
		size_t count, struct pattern_scratch *scratch)
{
	uint64_t matched = 0;
	for (size_t i = 0; i < selectors->count; i++) {
		bool is_matched = false;
		for (size_t j = 0; j < count && !is_matched; j++) {
			is_matched = matches_name(&selectors->selectors[i], names[j], scratch);
		}
		matched |= (uint64_t)is_matched << i;
	}
	return matched;
}

static bool matches_labels(const struct selector *selector, const struct labels *labels,
		struct slice without, struct pattern_scratch *scratch)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct matcher *matcher = &selector->matchers[i];
		if (is_of_name(matcher)) {
			continue;
		}
		struct slice value = slice_make(NULL, 0);
		if (!slice_equal(matcher->name, without)) {
			value = labels_find(labels, matcher->name);
		}
		if (!matcher_matches(matcher, value, scratch)) {
			return false;
		}
	}
	return true;
}

bool selectors_match_labels(const struct selectors *selectors, uint64_t matched,
		const struct labels *labels, struct slice without, struct pattern_scratch *scratch)
{
	for (size_t i = 0; i < selectors->count; i++) {
		bool is_candidate = (matched >> i & 1) != 0;
		if (is_candidate && matches_labels(&selectors->selectors[i], labels, without, scratch)) {
			return true;
		}
	}
	return false;
}

/* Grouping labels are in every series of the group, so one that differs rules all out. */
static bool may_match_key(const struct selector *selector, const struct group_key *key)
{
	for (size_t i = 0; i < selector->count; i++) {
		const struct matcher *matcher = &selector->matchers[i];
		bool is_plain = matcher->kind == MATCHER_EQUAL || matcher->kind == MATCHER_NOT_EQUAL;
		if (!is_plain || is_of_name(matcher)) {
			continue;
		}
		struct slice value = labels_find(&key->labels, matcher->name);
		if (value.ptr != NULL && !matcher_matches(matcher, value, NULL)) {
			return false;
		}
	}
	return true;
}

bool selectors_may_match_key(const struct selectors *selectors, const struct group_key *key)
{
	for (size_t i = 0; i < selectors->count; i++) {
		if (may_match_key(&selectors->selectors[i], key)) {
			return true;
		}
	}
	return false;
}
