#include "base/buf.h"
#include "base/utf8.h"
#include "format/text_hint.h"
#include "format/text_parser.h"

static struct slice repair_utf8(struct arena *arena, struct slice text)
{
	if (utf8_is_valid(text)) {
		return text;
	}
	struct buf out;
	buf_init(&out, 0);
	while (text.len > 0) {
		size_t len = utf8_sequence(text);
		buf_append(&out, len == 0 ? SLICE("\xef\xbf\xbd") : slice_first(text, len));
		text = slice_skip(text, len == 0 ? 1 : len);
	}
	struct slice repaired = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return repaired;
}

/* As a HELP line needs it: \\ and \n stay escaped, \" becomes a quote. */
static struct slice normalise_help(struct arena *arena, struct slice raw)
{
	if (slice_find_byte(raw, '\\') == NULL) {
		return raw;
	}
	char *text = arena_text(arena, raw.len);
	char *out = text;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\\' && raw.ptr[i + 1] == '"') {
			i++;
		} else if (raw.ptr[i] == '\\') {
			*out++ = raw.ptr[i++];
		}
		*out++ = raw.ptr[i];
	}
	return slice_between(text, out);
}

static bool read_help(struct text_parser *p)
{
	if (p->family->batch.help.ptr != NULL) {
		text_fail_quoting_escaped(&p->in, p->in.line_start, "second HELP line for metric name ",
				p->family->batch.name);
		p->in.error->hint = arena_printf(p->in.fault_arena,
				"line %zu is the first; a line feed in the text is written \\n",
				p->family->help_line);
		return false;
	}
	const char *start = p->in.at;
	for (; p->in.at < p->in.eol; p->in.at++) {
		if (*p->in.at == '\\' && ++p->in.at < p->in.end && *p->in.at != '\\' && *p->in.at != 'n'
				&& *p->in.at != '"') {
			return text_fail_escape(&p->in, p->in.at);
		}
	}
	p->in.at = p->in.eol;
	if (!text_has_byte(&p->in)) {
		return false;
	}
	struct slice raw = slice_between(start, p->in.eol);
	p->family->help_line = p->in.line;
	p->family->batch.help = repair_utf8(p->in.arena, normalise_help(p->in.arena, raw));
	return true;
}

static bool read_type(struct text_parser *p)
{
	static const struct {
		struct slice name;
		enum metric_type type;
	} types[] = {
		{ SLICE_INIT("counter"), METRIC_COUNTER },
		{ SLICE_INIT("gauge"), METRIC_GAUGE },
		{ SLICE_INIT("gauge_histogram"), METRIC_GAUGE_HISTOGRAM },
		{ SLICE_INIT("gaugehistogram"), METRIC_GAUGE_HISTOGRAM },
		{ SLICE_INIT("histogram"), METRIC_HISTOGRAM },
		{ SLICE_INIT("summary"), METRIC_SUMMARY },
		{ SLICE_INIT("untyped"), METRIC_UNTYPED },
	};
	if (p->family->has_type) {
		text_fail_quoting_escaped(&p->in, p->in.line_start, "second TYPE line for metric name ",
				p->family->batch.name);
		return text_fail_at(&p->in, p->in.line_start,
					   arena_printf(p->in.fault_arena, SLICE_FMT ", or TYPE reported after samples",
							   SLICE_ARG(p->in.error->what)))
				|| text_hint_second_type(&p->in, p->family);
	}
	const char *start = p->in.at;
	struct slice name = text_rest_of_line(&p->in);
	p->in.at = p->in.eol;
	if (!text_has_byte(&p->in)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_equal_nocase(name, types[i].name)) {
			p->family->batch.type = types[i].type;
			p->family->has_type = true;
			p->family->type_line = p->in.line;
			return true;
		}
	}
	return text_fail_quoting(&p->in, start, "unknown metric type ", name)
			|| text_hint_type(&p->in, name);
}

bool text_read_comment(struct text_parser *p)
{
	struct slice keyword;
	p->in.at++;
	if (!text_skip_blanks(&p->in) || !text_read_until_blank(&p->in, &keyword)) {
		return false;
	}
	bool is_help = slice_equal(keyword, SLICE("HELP"));
	if (p->in.at == p->in.eol || (!is_help && !slice_equal(keyword, SLICE("TYPE")))) {
		return text_skip_line(&p->in);
	}
	if (!text_skip_blanks(&p->in) || p->in.at == p->in.eol) {
		return p->in.result == FORMAT_OK;
	}
	const char *start = p->in.at;
	struct slice name;
	if (!text_read_name(&p->in, true, &name) || p->in.at == p->in.eol) {
		return p->in.result == FORMAT_OK;
	}
	if (!text_is_blank(*p->in.at)) {
		return text_fail(&p->in, p->in.at, "invalid metric name in comment")
				|| text_hint_comment_name(&p->in, p->in.at);
	}
	if (!text_enter_family(p, start, name) || !text_skip_blanks(&p->in) || p->in.at == p->in.eol) {
		return p->in.result == FORMAT_OK;
	}
	return is_help ? read_help(p) : read_type(p);
}
