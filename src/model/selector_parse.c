#include "model/selector.h"

#include <inttypes.h>

#include "base/quote.h"
#include "base/utf8.h"

struct parser {
	struct slice text;
	size_t at;
	struct arena *arena;
	struct selectors *selectors;
	struct selector *selector;
	bool has_name;
	struct selector_error *error;
};

/* ---- Faults ---- */

static bool fault_at(struct parser *parser, size_t position, struct slice what)
{
	*parser->error = (struct selector_error){ .position = position, .what = what };
	return false;
}

static struct slice quoted(struct parser *parser, struct slice text)
{
	struct buf out;
	buf_init(&out, 0);
	quote_append(&out, text);
	struct slice copy = arena_copy(parser->arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

/* "expected '}', found "x"" */
static bool fault_here(struct parser *parser, const char *expected)
{
	struct slice rest = slice_skip(parser->text, parser->at);
	struct slice found = SLICE("end of input");
	if (rest.len > 0) {
		size_t len = utf8_sequence(rest);
		found = quoted(parser, slice_first(rest, len == 0 ? 1 : len));
	}
	return fault_at(parser, parser->at,
			arena_printf(
					parser->arena, "expected %s, found " SLICE_FMT, expected, SLICE_ARG(found)));
}

/* The same where a selector does not begin, or has ended. */
static bool fault_outside(struct parser *parser, const char *expected)
{
	fault_here(parser, expected);
	parser->error->is_outside = true;
	return false;
}

/* ---- Words ---- */

static bool is_at_end(const struct parser *parser)
{
	return parser->at == parser->text.len;
}

/* The next byte; 0 at the end. */
static char peek(const struct parser *parser)
{
	return is_at_end(parser) ? '\0' : parser->text.ptr[parser->at];
}

/* With comments, which reach to the end of the line. */
static void skip_blanks(struct parser *parser)
{
	bool is_comment = false;
	for (; !is_at_end(parser); parser->at++) {
		char c = peek(parser);
		is_comment = c == '#' || (is_comment && c != '\n' && c != '\r');
		if (!is_comment && (c == '\0' || strchr(" \t\n\r", c) == NULL)) {
			return;
		}
	}
}

static bool is_name_byte(char c, bool is_first, bool takes_colon)
{
	bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
	return is_letter || (takes_colon && c == ':') || (!is_first && c >= '0' && c <= '9');
}

/* Empty when there is none. */
static struct slice read_name(struct parser *parser, bool takes_colon)
{
	size_t start = parser->at;
	while (is_name_byte(peek(parser), parser->at == start, takes_colon)) {
		parser->at++;
	}
	return slice_make(parser->text.ptr + start, parser->at - start);
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* ---- Strings ---- */

static int digit_of(char c, unsigned base)
{
	int digit = c >= '0' && c <= '9' ? c - '0'
			: c >= 'a' && c <= 'f'   ? c - 'a' + 10
			: c >= 'A' && c <= 'F'   ? c - 'A' + 10
									 : -1;
	return digit < (int)base ? digit : -1;
}

static char *put_character(char *out, uint32_t character)
{
	if (character < 0x80) {
		*out++ = (char)character;
		return out;
	}
	unsigned following = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	*out++ = (char)(lead[following] | (character >> (6 * following)));
	while (following-- > 0) {
		*out++ = (char)(0x80 | ((character >> (6 * following)) & 0x3f));
	}
	return out;
}

/* \101 \x41 A \U00000041: so many digits. */
static bool read_digits(struct parser *parser, unsigned base, unsigned count, uint32_t *ret_number)
{
	uint32_t number = 0;
	for (; count > 0; count--) {
		int digit = digit_of(peek(parser), base);
		if (digit < 0) {
			return fault_here(parser, "a digit of an escape sequence");
		}
		number = number * base + (uint32_t)digit;
		parser->at++;
	}
	*ret_number = number;
	return true;
}

/* Behind the backslash. */
static bool read_escape(struct parser *parser, char quote, char **out)
{
	static const char letters[] = "abfnrtv\\";
	static const char bytes[] = "\a\b\f\n\r\t\v\\";
	size_t start = parser->at - 1;
	char c = peek(parser);
	const char *letter = c == '\0' ? NULL : strchr(letters, c);
	uint32_t number = 0;
	if (letter != NULL || c == quote) {
		*(*out)++ = letter != NULL ? bytes[letter - letters] : quote;
		parser->at++;
		return true;
	}
	if (c >= '0' && c <= '7') {
		if (!read_digits(parser, 8, 3, &number)) {
			return false;
		}
		*(*out)++ = (char)number;
		return number <= 0xff || fault_at(parser, start, SLICE("escape sequence above 255"));
	}
	if (c != 'x' && c != 'u' && c != 'U') {
		return fault_at(parser, start, SLICE("unknown escape sequence"));
	}
	parser->at++;
	if (!read_digits(parser, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8, &number)) {
		return false;
	}
	if (c == 'x') {
		*(*out)++ = (char)number;
		return true;
	}
	bool is_character = number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
	if (!is_character) {
		return fault_at(parser, start, SLICE("escape sequence is no Unicode character"));
	}
	*out = put_character(*out, number);
	return true;
}

/* Up to the closing quote, or the end of the text; what that stands for has no more. */
static size_t string_bytes(const struct parser *parser, char quote)
{
	size_t at = parser->at;
	while (at < parser->text.len && parser->text.ptr[at] != quote) {
		at += parser->text.ptr[at] == '\\' && quote != '`' ? 2 : 1;
	}
	return (at < parser->text.len ? at : parser->text.len) - parser->at;
}

/* From the opening quote on, as Go and PromQL have them: "a\n", 'a\n', `a\n`. */
static bool read_string(struct parser *parser, struct slice *ret_string)
{
	size_t start = parser->at;
	char quote = parser->text.ptr[parser->at++];
	char *text = arena_text(parser->arena, string_bytes(parser, quote));
	char *out = text;
	while (!is_at_end(parser) && peek(parser) != quote) {
		char c = parser->text.ptr[parser->at++];
		if (c == '\n' && quote != '`') {
			return fault_at(parser, start, SLICE("unterminated quoted string"));
		}
		if (c != '\\' || quote == '`') {
			*out++ = c;
		} else if (!read_escape(parser, quote, &out)) {
			return false;
		}
	}
	if (peek(parser) != quote) {
		return fault_at(parser, start, SLICE("unterminated quoted string"));
	}
	parser->at++;
	*ret_string = slice_between(text, out);
	return true;
}

/* ---- Matchers ---- */

static bool add_matcher(struct parser *parser, const struct matcher *matcher)
{
	struct selector *selector = parser->selector;
	if (parser->selectors->matcher_count == SELECTORS_MATCHERS_MAX) {
		return fault_at(parser, parser->at,
				arena_printf(parser->arena, "more than %d matchers", SELECTORS_MATCHERS_MAX));
	}
	if (selector->count == selector->capacity) {
		size_t old_bytes = selector->count * sizeof(*matcher);
		selector->capacity = selector->capacity == 0 ? 4 : selector->capacity * 2;
		selector->matchers = arena_grow(parser->arena, selector->matchers, old_bytes,
				selector->capacity * sizeof(*matcher));
	}
	selector->matchers[selector->count++] = *matcher;
	parser->selectors->matcher_count++;
	return true;
}

/* The name that a selector begins with, or has as a string of its own. */
static bool add_metric_name(struct parser *parser, size_t position, struct slice name)
{
	struct slice escaped = labels_escape(parser->arena, arena_copy(parser->arena, name));
	if (parser->has_name) {
		return fault_at(parser, position, SLICE("metric name must not be set twice"));
	}
	if (name.len == 0 || !utf8_is_valid(name)) {
		return fault_at(parser, position, SLICE("invalid metric name"));
	}
	parser->has_name = true;
	return add_matcher(parser, &(struct matcher){ .kind = MATCHER_EQUAL, .value = escaped });
}

static bool read_operator(struct parser *parser, enum matcher_kind *ret_kind)
{
	static const struct {
		struct slice text;
		enum matcher_kind kind;
	} operators[] = {
		{ SLICE_INIT("=~"), MATCHER_PATTERN },
		{ SLICE_INIT("!~"), MATCHER_NOT_PATTERN },
		{ SLICE_INIT("!="), MATCHER_NOT_EQUAL },
		{ SLICE_INIT("="), MATCHER_EQUAL },
	};
	struct slice rest = slice_skip(parser->text, parser->at);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (slice_starts_with(rest, operators[i].text)) {
			parser->at += operators[i].text.len;
			*ret_kind = operators[i].kind;
			return true;
		}
	}
	return fault_here(parser, "a matching operator");
}

static bool set_value(
		struct parser *parser, struct matcher *matcher, size_t position, struct slice value)
{
	struct slice what;
	size_t offset;
	if (matcher->kind == MATCHER_EQUAL || matcher->kind == MATCHER_NOT_EQUAL) {
		matcher->value = labels_escape(parser->arena, value);
		return true;
	}
	matcher->value = value;
	matcher->pattern = pattern_compile(value, parser->arena, &what, &offset);
	if (matcher->pattern != NULL) {
		return true;
	}
	struct slice text = quoted(parser, slice_first(value, 100));
	return fault_at(parser, position,
			arena_printf(parser->arena,
					"invalid regular expression " SLICE_FMT " at byte %zu: " SLICE_FMT,
					SLICE_ARG(text), offset, SLICE_ARG(what)));
}

/* What follows a label's name: ="value" */
static bool read_comparison(struct parser *parser, size_t position, struct slice name)
{
	struct matcher matcher = { 0 };
	if (name.len == 0 || !utf8_is_valid(name)) {
		return fault_at(parser, position, SLICE("invalid label name"));
	}
	bool is_metric_name = slice_equal(name, SLICE("__name__"));
	if (is_metric_name && parser->has_name) {
		return fault_at(parser, position, SLICE("metric name must not be set twice"));
	}
	if (!is_metric_name) {
		matcher.name = labels_escape(parser->arena, arena_copy(parser->arena, name));
	}
	if (!read_operator(parser, &matcher.kind)) {
		return false;
	}
	skip_blanks(parser);
	size_t value_position = parser->at;
	struct slice value;
	if (!is_quote(peek(parser))) {
		return fault_here(parser, "a string");
	}
	return read_string(parser, &value) && set_value(parser, &matcher, value_position, value)
			&& add_matcher(parser, &matcher);
}

/* a="b", "a.b"="c", or the metric's name in quotes. */
static bool read_matcher(struct parser *parser)
{
	size_t position = parser->at;
	struct slice name;
	if (!is_quote(peek(parser))) {
		name = read_name(parser, false);
		if (name.len == 0) {
			return fault_here(parser, "a label name");
		}
		skip_blanks(parser);
		return read_comparison(parser, position, name);
	}
	if (!read_string(parser, &name)) {
		return false;
	}
	skip_blanks(parser);
	if (peek(parser) == ',' || peek(parser) == '}') {
		return add_metric_name(parser, position, name);
	}
	return read_comparison(parser, position, name);
}

/* From behind the opening brace to behind the closing one. */
static bool read_matchers(struct parser *parser)
{
	skip_blanks(parser);
	while (peek(parser) != '}') {
		if (!read_matcher(parser)) {
			return false;
		}
		skip_blanks(parser);
		if (peek(parser) == ',') {
			parser->at++;
			skip_blanks(parser);
		} else if (peek(parser) != '}') {
			return fault_here(parser, "\",\" or \"}\"");
		}
	}
	parser->at++;
	skip_blanks(parser);
	return true;
}

/* ---- One more ---- */

/* As Prometheus demands: else one might ask for everything by accident. */
static bool check_selects(struct parser *parser)
{
	struct pattern_scratch scratch;
	pattern_scratch_init(&scratch, parser->arena);
	for (size_t i = 0; i < parser->selector->count; i++) {
		const struct matcher *matcher = &parser->selector->matchers[i];
		bool takes_empty = matcher_matches(matcher, slice_make(NULL, 0), &scratch);
		if (scratch.failed != NULL) {
			return fault_at(parser, 0, SLICE("regular expression takes too many steps"));
		}
		if (!takes_empty) {
			return true;
		}
	}
	return fault_at(parser, 0, SLICE("must contain at least one non-empty matcher"));
}

static bool parse(struct parser *parser)
{
	skip_blanks(parser);
	size_t position = parser->at;
	struct slice name = read_name(parser, true);
	if (name.len > 0 && !add_metric_name(parser, position, name)) {
		return false;
	}
	skip_blanks(parser);
	if (peek(parser) == '{') {
		parser->at++;
		if (!read_matchers(parser)) {
			return false;
		}
	} else if (name.len == 0) {
		return fault_outside(parser, "a metric name or \"{\"");
	}
	return is_at_end(parser) ? check_selects(parser) : fault_outside(parser, "end of input");
}

bool selectors_add(struct selectors *selectors, struct slice text, struct arena *arena,
		struct selector_error *reterr_error)
{
	struct parser parser = {
		.text = text,
		.arena = arena,
		.selectors = selectors,
		.error = reterr_error,
	};
	if (selectors->count == SELECTORS_MAX) {
		return fault_at(&parser, 0, arena_printf(arena, "more than %d selectors", SELECTORS_MAX));
	}
	parser.selector = &selectors->selectors[selectors->count];
	*parser.selector = (struct selector){ 0 };
	if (!parse(&parser)) {
		return false;
	}
	selectors->count++;
	return true;
}
