#include "format/openmetrics_parse.h"

#include "base/utf8.h"
#include "format/openmetrics_parser.h"

static const struct slice eof_line = SLICE_INIT("# EOF");

/* The last line, with or without a line feed, and nothing behind it. */
static bool read_eof(struct openmetrics_parser *p)
{
	const char *end = p->in.at + eof_line.len;
	p->has_eof = true;
	if (end < p->in.eol) {
		return openmetrics_fail_byte(&p->in, end, "expected the end of the line, found ",
				"\"# EOF\" stands in a line of its own");
	}
	const char *rest = p->in.eol < p->in.end ? p->in.eol + 1 : p->in.end;
	if (rest == p->in.end) {
		return true;
	}
	const char *feed = memchr(rest, '\n', (size_t)(p->in.end - rest));
	p->in.line++;
	p->in.line_start = rest;
	p->in.eol = feed == NULL ? p->in.end : feed;
	return openmetrics_fail(
			&p->in, rest, "more behind \"# EOF\"", "it ends the body, one line feed may follow");
}

static bool fail_without_eof(struct openmetrics_parser *p)
{
	return openmetrics_fail(&p->in, p->in.eol, "the body ends without \"# EOF\"",
			"the last line is \"# EOF\"; without it the body was cut off");
}

static bool check_line(struct openmetrics_parser *p)
{
	if (p->in.at == p->in.eol) {
		return openmetrics_fail(&p->in, p->in.at, "an empty line", "OpenMetrics has none");
	}
	if (p->in.eol[-1] == '\r') {
		return openmetrics_fail(&p->in, p->in.eol - 1, "a carriage return at the end of the line",
				"lines end in a line feed alone");
	}
	return p->not_utf8 >= p->in.eol
			|| openmetrics_fail(&p->in, p->not_utf8, "not UTF-8", "OpenMetrics is UTF-8");
}

static bool read_line(struct openmetrics_parser *p)
{
	const char *feed = memchr(p->in.at, '\n', (size_t)(p->in.end - p->in.at));
	p->in.line++;
	p->in.line_start = p->in.at;
	p->in.eol = feed == NULL ? p->in.end : feed;
	if (slice_starts_with(slice_between(p->in.at, p->in.eol), eof_line)) {
		return read_eof(p);
	}
	if (feed == NULL) {
		return fail_without_eof(p);
	}
	if (!check_line(p)) {
		return false;
	}
	return *p->in.at == '#' ? openmetrics_read_metadata(p) : openmetrics_read_sample(p);
}

static bool read_lines(struct openmetrics_parser *p)
{
	const struct slice byte_order_mark = SLICE("\xef\xbb\xbf");
	if (slice_starts_with(p->body, byte_order_mark)) {
		p->in.line = 1;
		p->in.eol = p->in.at;
		return openmetrics_fail(
				&p->in, p->in.at, "a byte order mark", "OpenMetrics is UTF-8 without one");
	}
	while (!p->has_eof) {
		if (p->in.at == p->in.end) {
			p->in.line++;
			p->in.line_start = p->in.at;
			p->in.eol = p->in.at;
			return fail_without_eof(p);
		}
		if (!read_line(p)) {
			return false;
		}
		p->in.at = p->in.eol + 1;
	}
	return openmetrics_finish_family(p);
}

static const char *find_not_utf8(struct slice body)
{
	if (!utf8_is_valid(body)) {
		size_t len = utf8_sequence(body);
		while (len > 0) {
			body = slice_skip(body, len);
			len = utf8_sequence(body);
		}
		return body.ptr;
	}
	return body.ptr + body.len;
}

/* Families without samples are dropped. */
static void collect_families(struct openmetrics_parser *p)
{
	struct batch_family **link = &p->batch->families;
	for (struct openmetrics_family *f = p->families.first; f != NULL; f = f->next) {
		if (f->batch.sample_count > 0) {
			*link = &f->batch;
			link = &f->batch.next;
			p->batch->family_count++;
		}
	}
	*link = NULL;
}

enum format_result openmetrics_parse(struct slice body, const struct format_options *options,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error)
{
	struct openmetrics_parser p = {
		.in = {
			.at = body.ptr,
			.end = body.ptr + body.len,
			.line_start = body.ptr,
			.arena = arena,
			.fault_arena = arena,
			.result = FORMAT_OK,
			.error = reterr_error,
		},
		.body = body,
		.options = options,
		.not_utf8 = find_not_utf8(body),
		.metrics = { .is_ascending = true },
		.batch = ret_batch,
	};
	*ret_batch = (struct batch){ .is_openmetrics = true };
	openmetrics_families_init(&p.families, arena);
	if (read_lines(&p)) {
		collect_families(&p);
	}
	map_finish(&p.metrics.by_labels);
	openmetrics_families_finish(&p.families);
	return p.in.result;
}
