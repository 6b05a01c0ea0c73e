#include "format/openmetrics_parser.h"

/* ---- The family ---- */

static bool fail_taken(struct openmetrics_parser *p, const char *place, struct slice name,
		const struct openmetrics_family *other)
{
	struct arena *arena = p->in.arena;
	struct slice shown = openmetrics_quote(arena, name);
	if (slice_equal(name, other->name.text)) {
		return openmetrics_fail_with(&p->in, place,
				arena_printf(
						arena, "the lines of " SLICE_FMT " are not together", SLICE_ARG(shown)),
				arena_printf(arena, "others begin in line %zu", other->line));
	}
	return openmetrics_fail_with(&p->in, place,
			arena_printf(arena, SLICE_FMT " is a sample of the " SLICE_FMT " in line %zu",
					SLICE_ARG(shown), SLICE_ARG(openmetrics_type_name(other->type)), other->line),
			arena_printf(arena, "TYPE, UNIT and HELP lines have the family's name, " SLICE_FMT,
					SLICE_ARG(openmetrics_quote(arena, other->name.text))));
}

static bool enter_family(struct openmetrics_parser *p, const char *place, struct slice name)
{
	if (p->family != NULL && slice_equal(p->family->name.text, name)) {
		return !p->family->has_lines
				|| openmetrics_fail(&p->in, p->in.line_start, "metadata after samples",
						"TYPE, UNIT and HELP come before all samples of their family");
	}
	struct openmetrics_family *other;
	if (!openmetrics_check_name(p, place, name) || !openmetrics_finish_family(p)) {
		return false;
	}
	struct openmetrics_family *family =
			openmetrics_families_add(&p->families, name, p->in.line, &other);
	if (family == NULL) {
		return fail_taken(p, place, name, other);
	}
	openmetrics_begin_family(p, family);
	return true;
}

static bool fail_second(struct openmetrics_parser *p, const char *what)
{
	return openmetrics_fail_quoting(
			&p->in, p->in.line_start, what, p->family->name.text, "one for each family");
}

/* ---- TYPE ---- */

static bool fail_type(struct openmetrics_parser *p, const char *place, struct slice name)
{
	const char *hint = "unknown, gauge, counter, stateset, info, histogram, gaugehistogram or "
					   "summary, and nothing behind it";
	if (slice_equal(name, SLICE("untyped"))) {
		hint = "OpenMetrics calls it unknown";
	}
	return openmetrics_fail_quoting(&p->in, place, "no metric type: ", name, hint);
}

static bool check_unit(struct openmetrics_parser *p)
{
	enum metric_type type = p->family->batch.type;
	if (p->family->batch.unit.ptr == NULL || (type != METRIC_INFO && type != METRIC_STATESET)) {
		return true;
	}
	return openmetrics_fail_with(&p->in, p->in.line_start,
			arena_printf(p->in.arena, "a unit for the type " SLICE_FMT,
					SLICE_ARG(openmetrics_type_name(p->family->type))),
			SLICE("infos and statesets have no unit"));
}

static bool read_type(struct openmetrics_parser *p)
{
	struct arena *arena = p->in.arena;
	struct slice name = slice_between(p->in.at, p->in.eol);
	struct slice taken;
	if (p->family->has_type) {
		return fail_second(p, "a second TYPE line for ");
	}
	const struct openmetrics_type *type = openmetrics_type_find(name);
	if (type == NULL) {
		return fail_type(p, p->in.at, name);
	}
	struct openmetrics_family *other =
			openmetrics_family_set_type(&p->families, p->family, type, &taken);
	if (other != NULL) {
		return openmetrics_fail_with(&p->in, p->in.line_start,
				arena_printf(arena, "the name " SLICE_FMT " is taken by line %zu",
						SLICE_ARG(openmetrics_quote(arena, taken)), other->line),
				arena_printf(arena, "a sample of the " SLICE_FMT " may have it",
						SLICE_ARG(openmetrics_type_name(type))));
	}
	return check_unit(p);
}

/* ---- UNIT ---- */

static bool is_unit(struct slice unit)
{
	for (size_t i = 0; i < unit.len; i++) {
		char c = unit.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_letter && !(c >= '0' && c <= '9') && c != '_' && c != ':') {
			return false;
		}
	}
	return true;
}

static bool has_suffix(struct slice name, struct slice unit)
{
	return slice_ends_with(name, unit) && name.len > unit.len
			&& name.ptr[name.len - unit.len - 1] == '_';
}

static bool read_unit(struct openmetrics_parser *p)
{
	struct slice unit = slice_between(p->in.at, p->in.eol);
	if (p->family->has_unit) {
		return fail_second(p, "a second UNIT line for ");
	}
	p->family->has_unit = true;
	if (unit.len == 0) {
		return true; /* as if there was no such line */
	}
	if (!is_unit(unit)) {
		return openmetrics_fail_quoting(
				&p->in, p->in.at, "invalid unit ", unit, "units are [a-zA-Z0-9_:]*");
	}
	if (!has_suffix(p->family->name.text, unit)) {
		return openmetrics_fail_quoting(&p->in, p->in.at,
				"a unit that the name does not end in: ", unit,
				"the family's name ends in an underscore and its unit");
	}
	p->family->batch.unit = unit;
	return check_unit(p);
}

/* ---- HELP ---- */

/*
 * As a HELP line of the text format needs it, where quotes are not escaped. Here a backslash that
 * escapes nothing stands for itself, and so does a quote without one.
 */
static struct slice unescape_quotes(struct arena *arena, struct slice raw)
{
	if (slice_find_byte(raw, '\\') == NULL) {
		return raw;
	}
	char *text = arena_text(arena, 2 * raw.len);
	char *out = text;
	for (size_t i = 0; i < raw.len; i++) {
		char next = i + 1 < raw.len ? raw.ptr[i + 1] : '\0';
		if (raw.ptr[i] != '\\') {
			*out++ = raw.ptr[i];
		} else if (next == '"') {
			*out++ = raw.ptr[++i];
		} else {
			*out++ = '\\';
			*out++ = next == 'n' ? 'n' : '\\';
			i += next == 'n' || next == '\\';
		}
	}
	return slice_between(text, out);
}

static bool read_help(struct openmetrics_parser *p)
{
	struct slice raw = slice_between(p->in.at, p->in.eol);
	if (p->family->has_help) {
		return fail_second(p, "a second HELP line for ");
	}
	p->family->has_help = true;
	if (raw.len > 0) {
		p->family->batch.help = unescape_quotes(p->in.arena, raw);
	}
	return true;
}

/* ---- Lines ---- */

static const struct {
	struct slice keyword;
	bool (*read)(struct openmetrics_parser *p);
} kinds[] = {
	{ SLICE_INIT("TYPE"), read_type },
	{ SLICE_INIT("HELP"), read_help },
	{ SLICE_INIT("UNIT"), read_unit },
};

static bool read_metadata_name(struct openmetrics_parser *p, struct slice *ret_name)
{
	const char *place = p->in.at;
	bool is_verbatim;
	if (*place == '"') {
		return openmetrics_read_quoted_name(p, ret_name, &is_verbatim);
	}
	*ret_name = openmetrics_read_name(&p->in, true);
	return ret_name->len > 0
			|| openmetrics_fail_byte(&p->in, place, "expected a metric name, found ",
					"metric names are [a-zA-Z_:][a-zA-Z0-9_:]*");
}

/* `at` is behind the keyword. */
static bool read_kind(struct openmetrics_parser *p, bool (*read)(struct openmetrics_parser *p))
{
	struct slice name;
	if (!openmetrics_read_blank(&p->in, "expected a space after the keyword, found ")) {
		return false;
	}
	const char *place = p->in.at;
	if (!read_metadata_name(p, &name)) {
		return false;
	}
	if (*p->in.at != ' ') {
		return openmetrics_fail_byte(&p->in, p->in.at,
				"expected a space after the metric name, found ",
				"metric names are [a-zA-Z_:][a-zA-Z0-9_:]*, one space follows");
	}
	p->in.at++;
	return enter_family(p, place, name) && read(p);
}

bool openmetrics_read_metadata(struct openmetrics_parser *p)
{
	struct slice line = slice_between(p->in.at, p->in.eol);
	struct slice rest = slice_skip(line, slice_starts_with(line, SLICE("# ")) ? 2 : 1);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && line.len > rest.len + 1; i++) {
		struct slice keyword = kinds[i].keyword;
		bool is_word = slice_starts_with(rest, keyword)
				&& (rest.len == keyword.len || rest.ptr[keyword.len] == ' ');
		if (is_word) {
			p->in.at = rest.ptr + keyword.len;
			return read_kind(p, kinds[i].read);
		}
	}
	return openmetrics_fail(&p->in, p->in.at, "a comment",
			"only \"# TYPE\", \"# UNIT\", \"# HELP\" and \"# EOF\" begin with '#'");
}
