/* Records: what is refused of bytes that have the right checksum. */

#include <endian.h>

#include "format/protobuf_native.h"
#include "state/record.h"
#include "store_driver.h"

/* ---- Records, piece by piece ---- */

static struct slice sealed(struct arena *arena, struct slice body)
{
	uint64_t sum = htole64(checksum64(body, 0));
	return ARENA_JOIN(arena, body, slice_make((const char *)&sum, sizeof(sum)));
}

static enum record_result read_body(
		struct arena *arena, struct slice body, struct record *ret_record, const char **ret_what)
{
	struct record_checks checks = { .native_is_right = native_is_right };
	*ret_what = "";
	return record_read(sealed(arena, body), &checks, arena, ret_record, ret_what);
}

#define TIME "\1\0\0\0\0\0\0\0"
#define LATER "\2\0\0\0\0\0\0\0"
#define NEVER "\0\0\0\0\0\0\0\0"
#define PAST "\xff\xff\xff\xff\xff\xff\xff\xff"
#define KEY "\1\3job\1j"
#define HEAD "\1" KEY "\0" TIME NEVER NEVER /* version, key, place, times */
#define PUSH HEAD "\1" TIME "\0\1"          /* one push of one family, not OpenMetrics */
#define GAUGE PUSH "\2\0\0\1m"
#define COUNTER PUSH "\1\0\0\1c"
#define SUMMARY PUSH "\3\0\0\1s"
#define HISTOGRAM PUSH "\4\0\0\1h"

static const struct record_case {
	const char *what;
	struct slice body;
	const char *fault; /* NULL: it is read */
} cases[] = {
	{ "nothing but a group", SLICE_INIT(HEAD "\0"), NULL },
	{ "a gauge", SLICE_INIT(GAUGE "\1\0\0\0011"), NULL },
	{ "a label", SLICE_INIT(GAUGE "\1\0\1\1a\1b\3NaN"), NULL },
	{ "a counter with all", SLICE_INIT(COUNTER "\1\x18\0\0017\x0b{a=\"b\"} 1 2\0015"), NULL },
	{ "a quantile",
			SLICE_INIT(SUMMARY "\1\1\1\x8quantile\3"
							   "0.5\0011"),
			NULL },
	{ "a bucket", SLICE_INIT(HISTOGRAM "\1\2\1\2le\4+Inf\0011"), NULL },
	{ "native, with both counts",
			SLICE_INIT(HISTOGRAM "\1\x24\0\0011\xb\x21\0\0\0\0\0\0\xf0\x3f\x8\1"), NULL },
	{ "native, with as many as its count",
			SLICE_INIT(HISTOGRAM "\1\x24\0\0012\xb\x31\0\0\0\0\0\0\xf0\x3f\x38\2"), NULL },
	{ "help and unit", SLICE_INIT(PUSH "\2\3\0\1m\4\\\\\\n\1s\1\0\0\0011"), NULL },
	{ "a family that was there before", SLICE_INIT(PUSH "\2\x10" NEVER "\0\1m\1\0\0\0011"), NULL },
	{ "a group that was there before", SLICE_INIT("\2\2" NEVER KEY "\0" TIME NEVER NEVER "\0"),
			NULL },
	{ "one that was never exposed", SLICE_INIT(PUSH "\2\4\0\1m\1\2\1\0\1\xff\0"), NULL },

	{ "no key", SLICE_INIT("\1\0\0" TIME NEVER NEVER "\0"), "there is no grouping label job" },
	{ "another key", SLICE_INIT("\1\1\1a\1b\0" TIME NEVER NEVER "\0"),
			"there is no grouping label job" },
	{ "no job", SLICE_INIT("\1\1\3job\0\0" TIME NEVER NEVER "\0"),
			"there is no grouping label job" },
	{ "a label twice", SLICE_INIT("\1\2\3job\1j\3job\1k\0" TIME NEVER NEVER "\0"),
			"a grouping label is there twice" },
	{ "labels upside down", SLICE_INIT("\1\2\3job\1j\1a\1b\0" TIME NEVER NEVER "\0"),
			"labels are not in order" },
	{ "a quote in the key", SLICE_INIT("\1\1\3job\1\"\0" TIME NEVER NEVER "\0"),
			"a label is none" },
	{ "no UTF-8 in the key", SLICE_INIT("\1\1\3job\1\xff\0" TIME NEVER NEVER "\0"),
			"a label is none" },
	{ "a place that is none", SLICE_INIT("\1" KEY "\xff\xff\xff\xff\x0f" TIME NEVER NEVER "\0"),
			"a place is none" },
	{ "a time before 1970", SLICE_INIT("\1" KEY "\0" PAST NEVER NEVER "\0"),
			"a time is before 1970" },
	{ "cut in the times", SLICE_INIT("\1" KEY "\0" TIME), "it ends too early" },
	{ "too many pushes", SLICE_INIT(HEAD "\1"), "a count is larger than what follows" },
	{ "very many pushes", SLICE_INIT(HEAD "\xff\xff\xff\xff\xff\xff\xff\x7f" TIME TIME),
			"a count is larger than what follows" },
	{ "a number without end", SLICE_INIT(HEAD "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
			"a number is too large" },
	{ "something behind it", SLICE_INIT(HEAD "\0x"), "something is behind its end" },
	{ "a push of nothing", SLICE_INIT(HEAD "\1" TIME "\0\0"), "a push is none" },
	{ "a flag of a push", SLICE_INIT(HEAD "\1" TIME "\2\1\2\0\0\1m\1\0\0\0011"), "a push is none" },
	{ "a push of the past", SLICE_INIT(HEAD "\1" PAST "\0\1\2\0\0\1m\1\0\0\0011"),
			"a time is before 1970" },

	{ "no type", SLICE_INIT(PUSH "\x9\0\0\1m\1\0\0\0011"), "a family is of no known type" },
	{ "a flag of a family", SLICE_INIT(PUSH "\2\x20\0\1m\1\0\0\0011"),
			"a family is of no known type" },
	{ "a family of the past", SLICE_INIT(PUSH "\2\x10" PAST "\0\1m\1\0\0\0011"),
			"a time is before 1970" },
	{ "a group of the past", SLICE_INIT("\2\2" PAST KEY "\0" TIME NEVER NEVER "\0"),
			"a time is before 1970" },
	{ "no name", SLICE_INIT(PUSH "\2\0\0\0\1\0\0\0011"), "a family's name is none" },
	{ "a line feed in the name", SLICE_INIT(PUSH "\2\0\0\1\n\1\0\0\0011"),
			"a family's name is none" },
	{ "a name that is computed", SLICE_INIT(PUSH "\2\0\0\x11push_time_seconds\1\0\0\0011"),
			"a family's name is none" },
	{ "no samples",
			SLICE_INIT(GAUGE "\0"
							 "000"),
			"a family has no samples" },
	{ "too many samples", SLICE_INIT(GAUGE "\2\0\0\0011"), "a count is larger than what follows" },
	{ "families upside down",
			SLICE_INIT(HEAD "\1" TIME "\0\2\2\0\0\1n\1\0\0\0011\2\0\0\1m\1\0\0\0011"),
			"families are not in order" },
	{ "a family twice", SLICE_INIT(HEAD "\1" TIME "\0\2\2\0\0\1m\1\0\0\0011\2\0\0\1m\1\0\0\0011"),
			"families are not in order" },
	{ "a line feed in the help", SLICE_INIT(PUSH "\2\1\0\1m\1\n\1\0\0\0011"),
			"a help text is none" },
	{ "half an escape in the help", SLICE_INIT(PUSH "\2\1\0\1m\1\\\1\0\0\0011"),
			"a help text is none" },
	{ "no UTF-8 in the unit", SLICE_INIT(PUSH "\2\2\0\1m\1\xff\1\0\0\0011"), "a unit is none" },

	{ "no role", SLICE_INIT(GAUGE "\1\7\0\0011"), "a sample is of no known kind" },
	{ "a flag of a sample", SLICE_INIT(GAUGE "\1\x80\0\0011"), "a sample is of no known kind" },
	{ "a bucket of a gauge", SLICE_INIT(GAUGE "\1\2\0\0011"),
			"a sample is none of its family's type" },
	{ "no value", SLICE_INIT(GAUGE "\1\0\0\0"), "a value is no number" },
	{ "a value of two lines", SLICE_INIT(GAUGE "\1\0\0\0031\nm"), "a value is no number" },
	{ "of two lines, never exposed", SLICE_INIT(PUSH "\2\4\0\1m\1\0\0\0031\nm"),
			"a value is no number" },
	{ "a label without a name", SLICE_INIT(GAUGE "\1\0\1\0\1b\0011"), "a label is none" },
	{ "half an escape in a label", SLICE_INIT(GAUGE "\1\0\1\1a\1\\\0011"), "a label is none" },
	{ "a quote in a label, never exposed", SLICE_INIT(PUSH "\2\4\0\1m\1\0\1\1a\1\"\0011"),
			"a label is none" },
	{ "a bucket without a bound", SLICE_INIT(HISTOGRAM "\1\2\0\0011"), "a bound is no number" },
	{ "a bound that is no number", SLICE_INIT(HISTOGRAM "\1\2\1\2le\1x\0011"),
			"a bound is no number" },
	{ "a bound written otherwise",
			SLICE_INIT(HISTOGRAM "\1\2\1\2le\3"
								 "1.0\0011"),
			"a bound is not written in the shortest form" },

	{ "an exemplar of a gauge", SLICE_INIT(GAUGE "\1\x8\0\0011\4{} 1"), "an exemplar is none" },
	{ "an exemplar of two lines", SLICE_INIT(COUNTER "\1\x8\0\0011\x6{} 1\nm"),
			"an exemplar is none" },
	{ "an exemplar without a value", SLICE_INIT(COUNTER "\1\x8\0\0011\3{} "),
			"an exemplar is none" },
	{ "an exemplar without an end", SLICE_INIT(COUNTER "\1\x8\0\0011\x5{a=\"b"),
			"an exemplar is none" },
	{ "an exemplar with a bad name", SLICE_INIT(COUNTER "\1\x8\0\0011\xa{a-b=\"c\"} 1"),
			"an exemplar is none" },
	{ "an exemplar of some time", SLICE_INIT(COUNTER "\1\x8\0\0011\x8{} 1 NaN"),
			"an exemplar is none" },
	{ "made at no time", SLICE_INIT(COUNTER "\1\x10\0\0011\3NaN"), "a time of creation is none" },
	{ "a gauge made some time", SLICE_INIT(GAUGE "\1\x10\0\0011\0011"),
			"a time of creation is none" },
	{ "made in the middle", SLICE_INIT(SUMMARY "\2\x13\0\0011\0011\4\0\0011"),
			"a time of creation is none" },
	{ "native and no histogram", SLICE_INIT(COUNTER "\1\x20\0\0011\2\x28\0"),
			"a native histogram is none" },
	{ "native and no message", SLICE_INIT(HISTOGRAM "\1\x24\0\0011\2\x28\xff"),
			"a native histogram is none" },
	{ "native with another field", SLICE_INIT(HISTOGRAM "\1\x24\0\0011\2\x10\1"),
			"a native histogram is none" },
	{ "native with more than its count",
			SLICE_INIT(HISTOGRAM "\1\x24\0\0011\xb\x31\0\0\0\0\0\0\xf0\x3f\x38\2"),
			"a native histogram is none" },
	{ "native on another line", SLICE_INIT(HISTOGRAM "\1\x23\0\0012\2\x38\2"),
			"a native histogram is none" },
	{ "an added line that is no bucket", SLICE_INIT(GAUGE "\1\x40\0\0011"),
			"an added line is no bucket" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct record_case *c = &cases[i];
		int before = check_failures;
		struct arena arena;
		struct record record;
		const char *what;
		arena_init(&arena);
		enum record_result result = read_body(&arena, c->body, &record, &what);
		CHECK_INT(result, c->fault == NULL ? RECORD_OK : RECORD_E_INVALID);
		CHECK_STRING(slice_of_string(what), c->fault == NULL ? "" : c->fault);
		if (check_failures != before) {
			fprintf(stderr, "in the case: %s\n", c->what);
		}
		arena_finish(&arena);
	}
}

/* Each beginning of each record is refused, with the right checksum, too. */
static void test_beginnings(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t len = 0; cases[i].fault == NULL && len < cases[i].body.len; len++) {
			struct arena arena;
			struct record record;
			const char *what;
			arena_init(&arena);
			/* Ending where its memory does. */
			struct slice part = slice_first(cases[i].body, len);
			CHECK(read_body(&arena, part, &record, &what) != RECORD_OK);
			arena_finish(&arena);
		}
	}
}

/* Any change of a byte, with the right checksum: reading ends, and is bounded. */
static void test_changes(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t bit = 0; bit < cases[i].body.len * 8; bit++) {
			enum { BYTES_PER_BYTE = 64, BYTES_AT_LEAST = 4096 };
			struct arena arena;
			struct record record;
			const char *what;
			arena_init(&arena);
			char *changed = (char *)(uintptr_t)arena_copy(&arena, cases[i].body).ptr;
			changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
			read_body(&arena, slice_make(changed, cases[i].body.len), &record, &what);
			CHECK(arena.used_bytes <= cases[i].body.len * BYTES_PER_BYTE + BYTES_AT_LEAST);
			arena_finish(&arena);
		}
	}
}

static void test_versions(void)
{
	struct arena arena;
	struct record record;
	const char *what;
	arena_init(&arena);
	CHECK_INT(read_body(&arena, SLICE("\3anything"), &record, &what), RECORD_E_VERSION);
	CHECK_INT(read_body(&arena, SLICE("\2\4anything"), &record, &what), RECORD_E_INVALID);
	CHECK_STRING(slice_of_string(what), "its flags are none");
	CHECK_INT(record_read(SLICE(""), NULL, &arena, &record, &what), RECORD_E_DAMAGED);
	CHECK_INT(record_read(SLICE("\1wrong sum"), NULL, &arena, &record, &what), RECORD_E_DAMAGED);
	CHECK_STRING(slice_of_string(what), "its checksum is wrong");
	arena_finish(&arena);
}

/* Whoever does not say since when has it since the push. */
static void test_since(void)
{
	static const struct {
		struct slice body;
		int64_t group;
		int64_t family;
	} rows[] = {
		{ SLICE_INIT(GAUGE "\1\0\0\0011"), 1, 1 },
		{ SLICE_INIT(PUSH "\2\x10" LATER "\0\1m\1\0\0\0011"), 1, 2 },
		{ SLICE_INIT("\2\2" LATER KEY "\0" TIME NEVER NEVER "\1" TIME "\0\1\2\0\0\1m\1\0\0\0011"),
				2, 1 },
		{ SLICE_INIT("\2\3" LATER KEY "\0" TIME NEVER NEVER "\1" TIME "\0\1\2\x18" NEVER
					 "\0\1m\1\0\0\0011"),
				2, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena;
		struct record record = { 0 };
		const char *what;
		arena_init(&arena);
		CHECK_INT(read_body(&arena, rows[i].body, &record, &what), RECORD_OK);
		CHECK_INT(record.since_ns, rows[i].group);
		CHECK_INT(record.pushes[0].since_ns[0], rows[i].family);
		arena_finish(&arena);
	}
}

static void test_guessed_key(void)
{
	static const struct {
		struct slice bytes;
		const char *key;
	} guesses[] = {
		{ SLICE_INIT(HEAD "\0"), "instance=\"\",job=\"j\"" },
		{ SLICE_INIT("\1\2\1a\1b\3job\1k and what is left"), "a=\"b\",instance=\"\",job=\"k\"" },
		{ SLICE_INIT("\2\2" TIME KEY "\0"), "instance=\"\",job=\"j\"" },
		{ SLICE_INIT("\2\2" TIME), NULL },
		{ SLICE_INIT("\1\2\1a\1b"), NULL },
		{ SLICE_INIT("\1\1\1\"\1b and what is left"), NULL },
		{ SLICE_INIT("\1\0 and what is left"), NULL },
		{ SLICE_INIT("\1"), NULL },
		{ SLICE_INIT(""), NULL },
	};
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		struct arena arena;
		arena_init(&arena);
		struct slice key = record_guess_key(guesses[i].bytes, &arena);
		CHECK_INT(key.ptr == NULL, guesses[i].key == NULL);
		if (guesses[i].key != NULL) {
			CHECK_STRING(key, guesses[i].key);
		}
		arena_finish(&arena);
	}
}

int main(void)
{
	hash_init();
	RUN(test_cases);
	RUN(test_beginnings);
	RUN(test_changes);
	RUN(test_versions);
	RUN(test_since);
	RUN(test_guessed_key);
	return check_done();
}
