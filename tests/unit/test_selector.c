/*
 * Selectors: which texts are some, what is wrong with others, and what they
 * select.
 */

#include "model/selector.h"

#include <time.h>

#include "base/hash.h"
#include "check.h"
#include "guard.h"

static struct guard guard;

static bool parse(const char *text, struct arena *arena, struct selectors *selectors,
		struct selector_error *error)
{
	return selectors_add(selectors, guard_copy(&guard, slice_of_string(text)), arena, error);
}

/* ---- What they select ---- */

/* "name a=b c=d": the series, labels escaped. */
struct select_case {
	const char *selector;
	const char *series;
	bool matches;
};

static const struct select_case selected[] = {
	{ "m", "m", true },
	{ "m", "mm", false },
	{ "m{}", "m", true },
	{ " m { } ", "m", true },
	{ "a:b", "a:b", true },
	{ "{__name__=\"m\"}", "m", true },
	{ "{__name__=~\"m|n\"}", "n", true },
	{ "{__name__=~\"m\"}", "mm", false },
	{ "{__name__!=\"m\",a=\"b\"}", "n a=b", true },
	{ "{__name__!=\"m\",a=\"b\"}", "m a=b", false },
	{ "{\"a.b\"}", "a.b", true },
	{ "{\"a.b\",\"c.d\"=\"e\"}", "a.b c.d=e", true },
	{ "{\"c.d\"=\"e\",'a.b'}", "a.b c.d=e", true },
	{ "{\"c.d\"=\"e\",}", "a.b c.d=f", false },
	{ "{\"a\\\"b\"}", "a\\\"b", true },
	{ "{a=\"b\"}", "m a=b", true },
	{ "{a=\"b\"}", "m a=c", false },
	{ "{a=\"b\"}", "m", false },
	{ "m{a=\"b\",c!=\"d\",}", "m a=b", true },
	{ "m{a=\"b\",c!=\"d\"}", "m a=b c=d", false },
	{ "m{a!=\"\"}", "m a=b", true },
	{ "m{a!=\"\"}", "m", false },
	{ "m{a=\"\"}", "m", true },
	{ "m{a=\"\"}", "m a=", true },
	{ "m{a=\"\"}", "m a=b", false },
	{ "m{a=~\"b.*\"}", "m a=bc", true },
	{ "m{a=~\"b.*\"}", "m a=abc", false },
	{ "m{a=~\"b\"}", "m a=bc", false },
	{ "m{a=~\"b|c\"}", "m a=bc", false },
	{ "m{a=~\"(?i)B\"}", "m a=b", true },
	{ "m{a=~\"\"}", "m", true },
	{ "m{a=~\".+\"}", "m", false },
	{ "m{a!~\".+\"}", "m", true },
	{ "m{a!~\"b.*\"}", "m a=c", true },
	{ "m{a!~\"b.*\"}", "m a=b", false },
	{ "m{a=~\"b$\"}", "m a=b", true },
	{ "m{a=~\"b$\"}", "m a=b\\n", false },
	/* Values are escaped in the store, those of a selector are not. */
	{ "m{a=\"b\\nc\"}", "m a=b\\nc", true },
	{ "m{a=~\"b.c\"}", "m a=b\\nc", true },
	{ "m{a=~`b\\nc`}", "m a=b\\nc", true },
	{ "m{a=\"\\\"\"}", "m a=\\\"", true },
	{ "m{a=`\\`}", "m a=\\\\", true },
	{ "m{a=~`\\\\`}", "m a=\\\\", true },
	{ "m{a=`\"`}", "m a=\\\"", true },
	/* Strings. */
	{ "m{a='b'}", "m a=b", true },
	{ "m{a='\\''}", "m a='", true },
	{ "m{a=\"'\"}", "m a='", true },
	{ "m{a=\"\\x41\\101\\u0042\\U00000043\"}", "m a=AABC", true },
	{ "m{a=\"\\u00e9\\U0001F600\\u20ac\"}", "m a=é😀€", true },
	{ "m{a=\"\\xc3\\xa9\"}", "m a=é", true },
	{ "m{a=~\"é.\"}", "m a=é😀", true },
	{ "m{a=\"\\t\"}", "m a=\t", true },
	{ "# A comment.\nm # {\n{a=\"b\"# }\n}#", "m a=b", true },
	{ "\n\tm\r{ a\t= \"b\" ,\n}", "m a=b", true },
	{ "m{a=\"b\",a=\"c\"}", "m a=b", false },
	{ "m{a=\"b\",a!=\"c\"}", "m a=b", true },
	/* Words of the query language are names like any other. */
	{ "sum", "sum", true },
	{ "m{by=\"b\",inf=\"c\"}", "m by=b inf=c", true },
};

static struct labels read_labels(struct arena *arena, struct slice rest)
{
	struct labels labels = { .pairs = arena_alloc(arena, 10 * sizeof(struct label)) };
	while (rest.len > 0) {
		rest = slice_skip(rest, 1);
		const char *blank = slice_find_byte(rest, ' ');
		struct slice pair = blank == NULL ? rest : slice_between(rest.ptr, blank);
		rest = slice_skip(rest, pair.len);
		const char *equals = slice_find_byte(pair, '=');
		labels.pairs[labels.count++] = (struct label){
			.name = slice_between(pair.ptr, equals),
			.value = slice_between(equals + 1, pair.ptr + pair.len),
		};
	}
	return labels;
}

static bool selects(const struct selectors *selectors, const char *series, struct arena *arena)
{
	struct slice text = slice_of_string(series);
	const char *blank = slice_find_byte(text, ' ');
	struct slice name = blank == NULL ? text : slice_between(text.ptr, blank);
	struct labels labels = read_labels(arena, slice_skip(text, name.len));
	struct pattern_scratch scratch;
	pattern_scratch_init(&scratch, arena);
	uint64_t matched = selectors_match_names(selectors, &name, 1, &scratch);
	bool result =
			selectors_match_labels(selectors, matched, &labels, slice_make(NULL, 0), &scratch);
	CHECK(scratch.failed == NULL);
	return result;
}

static void test_selected(void)
{
	for (size_t i = 0; i < sizeof(selected) / sizeof(selected[0]); i++) {
		const struct select_case *c = &selected[i];
		struct selectors selectors = { 0 };
		struct selector_error error = { 0 };
		struct arena arena;
		arena_init(&arena);
		bool is_selector = parse(c->selector, &arena, &selectors, &error);
		if (!is_selector || selects(&selectors, c->series, &arena) != c->matches) {
			fprintf(stderr, "%s of %s: " SLICE_FMT "\n", c->selector, c->series,
					SLICE_ARG(error.what));
			CHECK(!"selected as it should be");
		}
		arena_finish(&arena);
	}
}

static void test_several(void)
{
	struct selectors selectors = { 0 };
	struct selector_error error;
	struct arena arena;
	arena_init(&arena);
	CHECK(parse("m{a=\"b\"}", &arena, &selectors, &error));
	CHECK(parse("{c=~\"d\"}", &arena, &selectors, &error));
	CHECK(selects(&selectors, "m a=b", &arena));
	CHECK(selects(&selectors, "n c=d", &arena));
	CHECK(!selects(&selectors, "n a=b", &arena));
	CHECK(!selects(&selectors, "m", &arena));
	arena_finish(&arena);
}

/* A metric of many names, and a label that is none of the metric's. */
static void test_names(void)
{
	const struct slice names[] = { SLICE("h"), SLICE("h_sum"), SLICE("h_bucket") };
	struct label le = { SLICE("le"), SLICE("1") };
	struct labels labels = { .pairs = &le, .count = 1 };
	static const struct {
		const char *selector;
		bool matches;
	} cases[] = {
		{ "h", true },
		{ "h_bucket", true },
		{ "h_count", false },
		{ "{__name__=~\"h_.+\"}", true },
		{ "{__name__=~\".+_sum\",__name__!=\"h_sum\"}", false },
		{ "h_bucket{le=\"1\"}", false },
		{ "h{le=\"\"}", true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct selectors selectors = { 0 };
		struct selector_error error;
		struct arena arena;
		struct pattern_scratch scratch;
		arena_init(&arena);
		pattern_scratch_init(&scratch, &arena);
		CHECK(parse(cases[i].selector, &arena, &selectors, &error));
		uint64_t matched = selectors_match_names(&selectors, names, 3, &scratch);
		CHECK_INT(selectors_match_labels(&selectors, matched, &labels, SLICE("le"), &scratch),
				cases[i].matches);
		arena_finish(&arena);
	}
}

static void test_keys(void)
{
	static const struct {
		const char *selector;
		bool may;
	} cases[] = {
		{ "m", true },
		{ "m{job=\"j\"}", true },
		{ "m{job=\"k\"}", false },
		{ "m{job!=\"j\"}", false },
		{ "{job=~\"k\"}", true }, /* not looked at */
		{ "{a=\"b\"}", true },    /* may be a label of a series */
		{ "m{empty=\"\"}", true },
		{ "m{empty=\"x\"}", false },
	};
	struct label pairs[] = { { SLICE("empty"), SLICE("") }, { SLICE("job"), SLICE("j") } };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = 2 });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct selectors selectors = { 0 };
		struct selector_error error;
		struct arena arena;
		arena_init(&arena);
		CHECK(parse(cases[i].selector, &arena, &selectors, &error));
		CHECK_INT(selectors_may_match_key(&selectors, &key), cases[i].may);
		arena_finish(&arena);
	}
}

/* ---- What is none ---- */

struct refused_case {
	const char *selector;
	size_t position;
	const char *what; /* its start */
};

static const struct refused_case refused[] = {
	{ "", 0, "expected a metric name or \"{\", found end of input" },
	{ "  ", 2, "expected a metric name" },
	{ "{}", 0, "must contain at least one non-empty matcher" },
	{ "{a=\"\"}", 0, "must contain at least one" },
	{ "{a=~\".*\"}", 0, "must contain at least one" },
	{ "{a!=\"b\"}", 0, "must contain at least one" },
	{ "{a!~\"b\"}", 0, "must contain at least one" },
	{ "{__name__=~\".*\"}", 0, "must contain at least one" },
	{ "{", 1, "expected a label name, found end of input" },
	{ "{,}", 1, "expected a label name, found \",\"" },
	{ "{a=\"b\",,}", 7, "expected a label name, found \",\"" },
	{ "m{a}", 3, "expected a matching operator, found \"}\"" },
	{ "m{a=}", 4, "expected a string, found \"}\"" },
	{ "m{a=b}", 4, "expected a string, found \"b\"" },
	{ "m{a==\"b\"}", 4, "expected a string, found \"=\"" },
	{ "m{a<\"b\"}", 3, "expected a matching operator, found \"<\"" },
	{ "m{a=\"b\"", 7, "expected \",\" or \"}\", found end of input" },
	{ "m{a=\"b\" c=\"d\"}", 8, "expected \",\" or \"}\", found \"c\"" },
	{ "m{a=\"b\"}}", 8, "expected end of input, found \"}\"" },
	{ "m[5m]", 1, "expected end of input, found \"[\"" },
	{ "m n", 2, "expected end of input, found \"n\"" },
	{ "1m", 0, "expected a metric name" },
	{ "m{1=\"b\"}", 2, "expected a label name, found \"1\"" },
	{ "m{a:b=\"b\"}", 3, "expected a matching operator, found \":\"" },
	{ "m{\"n\"}", 2, "metric name must not be set twice" },
	{ "m{__name__=\"n\"}", 2, "metric name must not be set twice" },
	{ "{\"m\",\"n\"}", 5, "metric name must not be set twice" },
	{ "{\"\"}", 1, "invalid metric name" },
	{ "{\"\\xff\"}", 1, "invalid metric name" },
	{ "{\"\"=\"a\"}", 1, "invalid label name" },
	{ "{\"\\xff\"=\"a\"}", 1, "invalid label name" },
	{ "m{a=\"b", 4, "unterminated quoted string" },
	{ "m{a=\"b\n\"}", 4, "unterminated quoted string" },
	{ "m{a=\"\\", 5, "unknown escape sequence" },
	{ "m{a=\"\\q\"}", 5, "unknown escape sequence" },
	{ "m{a=\"\\'\"}", 5, "unknown escape sequence" },
	{ "m{a=\"\\400\"}", 5, "escape sequence above 255" },
	{ "m{a=\"\\18\"}", 7, "expected a digit of an escape sequence, found \"8\"" },
	{ "m{a=\"\\x4\"}", 8, "expected a digit of an escape sequence" },
	{ "m{a=\"\\ud800\"}", 5, "escape sequence is no Unicode character" },
	{ "m{a=\"\\U00110000\"}", 5, "escape sequence is no Unicode character" },
	{ "m{a=~\"(\"}", 5, "invalid regular expression \"(\" at byte 1: missing closing paren" },
	{ "m{a=~\"*\"}", 5, "invalid regular expression" },
	{ "m{a=~\"\\\\C\"}", 5, "invalid regular expression" },
	{ "m{a=~\"a{2,1}\"}", 5, "invalid regular expression" },
	{ "m{a=~\"\\xff\"}", 5, "invalid regular expression" },
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct refused_case *c = &refused[i];
		struct selectors selectors = { 0 };
		struct selector_error error = { 0 };
		struct arena arena;
		int failures = check_failures;
		arena_init(&arena);
		CHECK(!parse(c->selector, &arena, &selectors, &error));
		CHECK_INT(selectors.count, 0);
		CHECK_INT(error.position, c->position);
		CHECK_STRING(slice_first(error.what, strlen(c->what)), c->what);
		if (check_failures != failures) {
			fprintf(stderr, "in %s\n", c->selector);
		}
		arena_finish(&arena);
	}
}

/* ---- Limits ---- */

static void test_many(void)
{
	struct selectors selectors = { 0 };
	struct selector_error error;
	struct arena arena;
	arena_init(&arena);
	for (int i = 0; i < SELECTORS_MAX; i++) {
		CHECK(parse("m", &arena, &selectors, &error));
	}
	CHECK(!parse("m", &arena, &selectors, &error));
	CHECK_STRING(error.what, "more than 64 selectors");
	arena_finish(&arena);

	struct selectors other = { 0 };
	char text[4 + 8 * (SELECTORS_MATCHERS_MAX + 1)] = "{";
	for (int i = 0; i < SELECTORS_MATCHERS_MAX; i++) {
		strcat(text, "a=\"b\",");
	}
	strcat(text, "}");
	CHECK(parse(text, &arena, &other, &error));
	CHECK(!parse("m", &arena, &other, &error));
	CHECK_STRING(error.what, "more than 128 matchers");
	arena_finish(&arena);
}

static void test_long_pattern(void)
{
	struct selectors selectors = { 0 };
	struct selector_error error;
	struct arena arena;
	static char text[PATTERN_BYTES_MAX + 10];
	arena_init(&arena);
	memset(text, 'a', sizeof(text));
	memcpy(text, "{a=~\"", 5);
	strcpy(text + 5 + PATTERN_BYTES_MAX, "\"}");
	CHECK(parse(text, &arena, &selectors, &error));
	memset(text + 5, 'a', PATTERN_BYTES_MAX + 1);
	strcpy(text + 5 + PATTERN_BYTES_MAX + 1, "\"}");
	CHECK(!parse(text, &arena, &selectors, &error));
	CHECK(memmem(error.what.ptr, error.what.len, "longer than 4096 bytes", 22) != NULL);
	arena_finish(&arena);
}

/* Each string takes what it needs, not what is left of the text. */
static void test_many_strings(void)
{
	enum { STRINGS = 100, BLANKS = 100000 };
	struct arena arena;
	struct selectors selectors = { 0 };
	struct selector_error error;
	struct buf text;
	arena_init(&arena);
	buf_init(&text, 0);
	buf_append(&text, SLICE("{"));
	for (int i = 0; i < STRINGS; i++) {
		buf_append(&text, SLICE("a=\"\\\"b\","));
	}
	for (int i = 0; i < BLANKS; i++) {
		buf_append_byte(&text, ' ');
	}
	buf_append(&text, SLICE("}"));
	CHECK(selectors_add(&selectors, buf_slice(&text), &arena, &error));
	CHECK_INT(selectors.matcher_count, STRINGS);
	CHECK(arena.used_bytes < BLANKS);
	buf_finish(&text);
	arena_finish(&arena);
}

/* What would take for ever ends soon, and says so. */
static void test_endless(void)
{
	static const char *const patterns[] = { "(a+)+[bc]", "(a*)*[bc]", "(a|aa)+[bc]",
		"(.*)(.*)(.*)(.*)(.*)[bc]", "(x+x+)+y|(a+a+)+[yz]", "((a{1,50}){1,50}){1,2}[bc]" };
	char value[2001];
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct arena arena;
		struct pattern_scratch scratch;
		struct slice what;
		size_t offset;
		struct timespec before;
		struct timespec after;
		arena_init(&arena);
		pattern_scratch_init(&scratch, &arena);
		const struct pattern *pattern =
				pattern_compile(slice_of_string(patterns[i]), &arena, &what, &offset);
		CHECK(pattern != NULL);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		CHECK(!pattern_matches(pattern, slice_of_string(value), &scratch));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		CHECK(after.tv_sec - before.tv_sec < 2);
		CHECK(scratch.failed == pattern);
		CHECK(!pattern_matches(pattern, SLICE("aab"), &scratch));
		CHECK(arena.used_bytes < 16 * 1024 * 1024);
		arena_finish(&arena);
	}
}

/* What is not pathological goes through long values. */
static void test_long_values(void)
{
	static char value[10001];
	memset(value, 'a', sizeof(value) - 1);
	struct arena arena;
	struct pattern_scratch scratch;
	struct slice what;
	size_t offset;
	arena_init(&arena);
	pattern_scratch_init(&scratch, &arena);
	static const char *const patterns[] = { "a*", ".*", ".*a.*", ".*b.*", "(a|b)*", "[^b]+", ".*b",
		"b.*", "(ab|a)*" };
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern *pattern =
				pattern_compile(slice_of_string(patterns[i]), &arena, &what, &offset);
		bool has_b = strchr(patterns[i], 'b') != NULL && strpbrk(patterns[i], "(^") == NULL;
		CHECK_INT(pattern_matches(pattern, slice_of_string(value), &scratch), !has_b);
		CHECK(scratch.failed == NULL);
	}
	arena_finish(&arena);
}

int main(void)
{
	hash_init();
	guard_init(&guard, 16 * 1024);
	RUN(test_selected);
	RUN(test_several);
	RUN(test_names);
	RUN(test_keys);
	RUN(test_refused);
	RUN(test_many);
	RUN(test_long_pattern);
	RUN(test_many_strings);
	RUN(test_endless);
	RUN(test_long_values);
	guard_finish(&guard);
	return check_done();
}
