#include "store/page_head.h"

static const struct slice total = SLICE_INIT("_total");
static const struct slice info = SLICE_INIT("_info");
static const struct slice created = SLICE_INIT("_created");

enum {
	CREATED_TYPES = 1 << METRIC_SUMMARY | 1 << METRIC_HISTOGRAM,
};

static unsigned types_of_both(const struct names *names, struct slice name, struct slice suffix)
{
	struct buf text;
	buf_init(&text, 0);
	buf_append(&text, name);
	buf_append(&text, suffix);
	unsigned types = names_types(names, buf_slice(&text));
	buf_finish(&text);
	return types;
}

/* Whether another family, or one of its samples, is called that in OpenMetrics. */
static bool is_taken(const struct names *names, struct slice name)
{
	if (names_types(names, name) != 0) {
		return true;
	}
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
		const struct sample_suffix_row *row = &sample_suffixes[i];
		if (slice_ends_with(name, row->text)) {
			struct slice bare = slice_first(name, name.len - row->text.len);
			if ((names_types(names, bare) & row->types) != 0) {
				return true;
			}
		}
	}
	if (!slice_ends_with(name, created)) {
		return false;
	}
	struct slice bare = slice_first(name, name.len - created.len);
	return (names_types(names, bare) & CREATED_TYPES) != 0
			|| (types_of_both(names, bare, total) & 1 << METRIC_COUNTER) != 0;
}

/* Cuts the end off the name if it may be shown without. */
static bool take_end(const struct names *names, struct slice end, struct slice *name)
{
	struct slice bare = slice_first(*name, name->len - (name->len < end.len ? name->len : end.len));
	if (bare.len == 0 || !slice_ends_with(*name, end) || is_taken(names, bare)) {
		return false;
	}
	*name = bare;
	return true;
}

enum metric_type page_head_common_type(unsigned types)
{
	if (types == 0) {
		return METRIC_UNTYPED;
	}
	if ((types & (types - 1)) == 0) {
		return (enum metric_type)__builtin_ctz(types);
	}
	const unsigned gauges = 1 << METRIC_GAUGE | 1 << METRIC_INFO | 1 << METRIC_STATESET;
	const unsigned gauge_histograms =
			1 << METRIC_GAUGE_HISTOGRAM | 1 << METRIC_OPEN_GAUGE_HISTOGRAM;
	if ((types & ~gauges) == 0) {
		return METRIC_GAUGE;
	}
	return (types & ~gauge_histograms) == 0 ? METRIC_GAUGE_HISTOGRAM : METRIC_HISTOGRAM;
}

/* Whether the name without _info is that of a counter, which comes first. */
static bool is_counter_of(const struct names *names, struct slice name)
{
	if (!slice_ends_with(name, info)) {
		return false;
	}
	struct slice bare = slice_first(name, name.len - info.len);
	return (types_of_both(names, bare, total) & 1 << METRIC_COUNTER) != 0;
}

/* `raw` is the family's own name, which the label of a stateset has, too. */
static enum metric_type decide(
		const struct names *names, enum metric_type type, struct slice raw, struct page_head *head)
{
	head->has_exemplars = true;
	if (type == METRIC_COUNTER && !take_end(names, total, &head->name)) {
		head->has_exemplars = false;
		return METRIC_UNTYPED;
	}
	if (type == METRIC_STATESET && !slice_equal(names_label(names, raw), head->name)) {
		return METRIC_GAUGE; /* a scheme shows the two under different names */
	}
	if (type == METRIC_INFO) {
		return is_counter_of(names, head->name) || !take_end(names, info, &head->name)
				? METRIC_GAUGE
				: METRIC_INFO;
	}
	return type;
}

/* "# TYPE name " */
static void begin_line(struct buf *out, const char *keyword, struct slice name)
{
	bool is_quoted = !labels_is_metric_name(name);
	buf_append(out, SLICE("# "));
	buf_append_string(out, keyword);
	buf_append(out, is_quoted ? SLICE(" \"") : SLICE(" "));
	buf_append(out, name);
	buf_append(out, is_quoted ? SLICE("\" ") : SLICE(" "));
}

static void append_line(struct buf *out, const char *keyword, struct slice name, struct slice value)
{
	begin_line(out, keyword, name);
	buf_append(out, value);
	buf_append_byte(out, '\n');
}

/* OpenMetrics has quotes escaped in it, too. */
static void append_openmetrics_help(struct buf *out, struct slice name, struct slice help)
{
	begin_line(out, "HELP", name);
	for (size_t i = 0; i < help.len; i++) {
		if (help.ptr[i] == '"') {
			buf_append_byte(out, '\\');
		}
		buf_append_byte(out, help.ptr[i]);
	}
	buf_append_byte(out, '\n');
}

static bool has_unit(enum metric_type type, struct slice name, struct slice unit)
{
	return unit.len > 0 && type != METRIC_INFO && type != METRIC_STATESET && name.len > unit.len + 1
			&& slice_ends_with(name, unit) && name.ptr[name.len - unit.len - 1] == '_'
			&& labels_is_metric_name(name);
}

void page_head_append(struct buf *out, enum page_format format, const struct names *names,
		struct family *family, struct page_head *ret_head)
{
	bool is_settled = family_is_settled(family);
	struct slice help = is_settled ? family->declaration->help : family_help(family);
	if (help.ptr == NULL && family_is_yielding(family)) {
		help = family->declaration->help;
	}
	enum metric_type type = is_settled
			? family->declaration->type
			: page_head_common_type(snapshot_types(names->snapshot, family));
	struct page_head head = { .name = names_family(names, family) };
	if (format == PAGE_OPENMETRICS) {
		type = decide(names, type, family->name, &head);
		/* Where something else is called name_created, its lines would be there twice. */
		head.has_created = head.has_exemplars && types_of_both(names, head.name, created) == 0;
		struct slice unit = family_unit(family);
		head.type = metric_type_openmetrics_name(type);
		append_line(out, "TYPE", head.name, head.type);
		if (has_unit(type, head.name, unit)) {
			append_line(out, "UNIT", head.name, unit);
		}
		if (help.ptr != NULL) {
			append_openmetrics_help(out, head.name, help);
		}
	} else {
		head.type = metric_type_name(type);
		if (help.ptr != NULL) {
			append_line(out, "HELP", head.name, help);
		}
		append_line(out, "TYPE", head.name, head.type);
	}
	*ret_head = head;
}
