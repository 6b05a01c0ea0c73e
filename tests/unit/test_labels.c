/*
 * Labels and the keys made of them.
 */

#include <stdlib.h>

#include "base/hash.h"
#include "check.h"
#include "model/group_key.h"

static struct arena arena;

/* "a=1,b=2", not yet sorted. */
static struct labels labels_of(const char *text)
{
	struct slice rest = slice_of_string(text);
	struct labels labels = { .pairs = arena_alloc(&arena, 200 * sizeof(struct label)) };
	while (rest.len > 0) {
		const char *comma = slice_find_byte(rest, ',');
		struct slice label = comma == NULL ? rest : slice_between(rest.ptr, comma);
		const char *equals = slice_find_byte(label, '=');
		labels.pairs[labels.count++] = (struct label){
			.name = slice_between(label.ptr, equals),
			.value = slice_between(equals + 1, label.ptr + label.len),
		};
		rest = slice_skip(rest, label.len + (comma != NULL));
	}
	return labels;
}

static struct group_key key_of(const char *text)
{
	struct group_key key;
	group_key_init(&key, labels_of(text));
	return key;
}

static void test_names(void)
{
	static const struct {
		const char *name;
		bool is_label;
		bool is_metric;
	} cases[] = {
		{ "a", true, true },
		{ "_", true, true },
		{ "a_9Z", true, true },
		{ "__a", true, true },
		{ "a:b", false, true },
		{ ":", false, true },
		{ "9a", false, false },
		{ "", false, false },
		{ "a-b", false, false },
		{ "a.b", false, false },
		{ "a b", false, false },
		{ "\xc3\xa9", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(labels_is_name(slice_of_string(cases[i].name)), cases[i].is_label);
		CHECK_INT(labels_is_metric_name(slice_of_string(cases[i].name)), cases[i].is_metric);
	}
}

static void test_escapes(void)
{
	static const struct {
		struct slice value;
		struct slice escaped;
	} cases[] = {
		{ SLICE_INIT(""), SLICE_INIT("") },
		{ SLICE_INIT("plain"), SLICE_INIT("plain") },
		{ SLICE_INIT("a\"b"), SLICE_INIT("a\\\"b") },
		{ SLICE_INIT("\\n"), SLICE_INIT("\\\\n") },
		{ SLICE_INIT("\n\\\""), SLICE_INIT("\\n\\\\\\\"") },
		{ SLICE_INIT("\r\t\0"), SLICE_INIT("\r\t\0") },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_SLICE(labels_escape(&arena, cases[i].value), cases[i].escaped);
		CHECK_SLICE(labels_unescape(&arena, cases[i].escaped), cases[i].value);
	}
}

/* Stable, for few and for many. */
static void test_sort(void)
{
	for (size_t count = 0; count < 150; count++) {
		struct labels labels = { .pairs = arena_alloc(&arena, 200 * sizeof(struct label)) };
		for (size_t i = 0; i < count; i++) {
			labels.pairs[i].name = arena_printf(&arena, "%zu", i * 7919 % 23);
			labels.pairs[i].value = arena_printf(&arena, "%05zu", i);
		}
		labels.count = count;
		labels_sort(&labels);
		CHECK_INT(labels.count, count);
		for (size_t i = 1; i < count; i++) {
			int order = slice_compare(labels.pairs[i - 1].name, labels.pairs[i].name);
			int age = slice_compare(labels.pairs[i - 1].value, labels.pairs[i].value);
			CHECK(order < 0 || (order == 0 && age < 0));
		}
		arena_reset(&arena);
	}
}

static void test_key_texts(void)
{
	static const struct {
		const char *key;
		const char *text;
	} cases[] = {
		{ "job=a", "instance=\"\",job=\"a\"" },
		{ "job=a,b=c", "b=\"c\",instance=\"\",job=\"a\"" },
		{ "z=1,job=a", "instance=\"\",job=\"a\",z=\"1\"" },
		{ "instance=i,job=a", "instance=\"i\",job=\"a\"" },
		{ "instance=,job=a", "instance=\"\",job=\"a\"" },
		{ "a=,job=a", "a=\"\",instance=\"\",job=\"a\"" },
		{ "a=1,a=2,job=x,a=3", "a=\"3\",instance=\"\",job=\"x\"" },
		{ "hob=1", "hob=\"1\",instance=\"\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct group_key key = key_of(cases[i].key);
		CHECK_STRING(group_key_text(&key, &arena), cases[i].text);
	}
}

static void test_key_equality(void)
{
	static const struct {
		const char *a;
		const char *b;
		bool is_equal;
		bool is_equal_normalised;
	} cases[] = {
		{ "job=a", "job=a", true, true },
		{ "job=a,b=c", "b=c,job=a", true, true },
		{ "job=a", "job=b", false, false },
		{ "job=a", "job=a,b=c", false, false },
		{ "job=a", "job=a,instance=", false, true },
		{ "job=a,x=", "job=a,instance=", false, true },
		{ "job=a,b=", "job=a,c=,z=", false, true },
		{ "job=a,b=c,d=", "a=,job=a,b=c", false, true },
		{ "job=a,b=c", "job=a,c=b", false, false },
		{ "job=ab", "jo=bab", false, false },
		{ "a=b,c=d", "a=bc,c=d", false, false },
		{ "a=1,b=2", "a=2,b=1", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct group_key a = key_of(cases[i].a);
		struct group_key b = key_of(cases[i].b);
		CHECK_INT(group_key_equal(&a, &b), cases[i].is_equal);
		CHECK_INT(group_key_equal(&b, &a), cases[i].is_equal);
		CHECK_INT(group_key_equal_normalised(&a, &b), cases[i].is_equal_normalised);
		CHECK_INT(group_key_equal_normalised(&b, &a), cases[i].is_equal_normalised);
		CHECK_INT(group_key_hash(&a) == group_key_hash(&b), cases[i].is_equal_normalised);
	}
}

int main(void)
{
	hash_init();
	arena_init(&arena);
	RUN(test_names);
	RUN(test_escapes);
	RUN(test_sort);
	RUN(test_key_texts);
	RUN(test_key_equality);
	arena_finish(&arena);
	return check_done();
}
