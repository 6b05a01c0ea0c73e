#include "api/limit_text.h"

struct slice limit_text(struct arena *arena, const char *what, uint64_t allowed,
		const char *setting, bool is_of_rule)
{
	return arena_printf(arena, "%s: %llu are allowed (%s%s%s)", what, (unsigned long long)allowed,
			is_of_rule ? "limits." : "--limit.", setting,
			is_of_rule ? " of the rule for this job" : "");
}

static struct slice text_of_job(
		struct arena *arena, enum store_limit limit, const struct store_job_limits *limits)
{
	return limit == STORE_LIMIT_GROUPS
			? limit_text(arena, "too many groups of this job", limits->groups, "groups", true)
			: limit_text(arena, "too many series in one group", limits->series_per_group,
					"series-per-group", true);
}

struct slice limit_text_of_store(
		struct arena *arena, const struct store_push *op, const struct push_terms *terms)
{
	const struct store_limits *limits = &op->store->options.limits;
	if (op->is_job_limit) {
		return text_of_job(arena, op->limit, &terms->store);
	}
	switch (op->limit) {
	case STORE_LIMIT_GROUPS:
		return limit_text(arena, "too many groups", limits->groups, "groups", false);
	case STORE_LIMIT_SERIES:
		return limit_text(arena, "too many series stored", limits->series, "series", false);
	case STORE_LIMIT_SERIES_PER_GROUP:
		return limit_text(arena, "too many series in one group", limits->series_per_group,
				"series-per-group", false);
	case STORE_LIMIT_LABEL_SETS:
		return limit_text(arena, "too many sets of grouping label names for one metric",
				limits->label_sets, "label-sets", false);
	case STORE_LIMIT_BYTES:
	case STORE_LIMIT_COUNT:
		break;
	}
	return limit_text(arena, "too many bytes stored", limits->bytes, "stored-bytes", false);
}

struct slice limit_text_of_format(struct arena *arena, enum format_limit limit,
		const struct push_terms *terms, const struct format_options *of_all)
{
	const struct format_options *limits = &terms->format;
	switch (limit) {
	case FORMAT_LIMIT_SAMPLES:
		return limit_text(
				arena, "too many series in one push", limits->samples, "series-per-group", false);
	case FORMAT_LIMIT_LABELS:
		return limit_text(arena, "a sample has too many labels", limits->labels, "labels",
				limits->labels < of_all->labels);
	case FORMAT_LIMIT_LABEL_BYTES:
		break;
	}
	return limit_text(arena, "a name or label value is too long in bytes", limits->label_bytes,
			"label-bytes", limits->label_bytes < of_all->label_bytes);
}
