#include "model/escaping.h"

#include <stdio.h>

#include "check.h"

static struct arena arena;

static struct slice escape(struct slice name, enum escaping escaping, bool is_label)
{
	struct buf out;
	buf_init(&out, 0);
	if (is_label) {
		escaping_append_label(&out, name, escaping);
	} else {
		escaping_append_metric(&out, name, escaping);
	}
	struct slice text = out.len == 0 ? SLICE("") : arena_copy(&arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

static void test_schemes(void)
{
	static const struct {
		const char *name; /* escaped, as it stands between quotes */
		const char *underscores;
		const char *dots;
		const char *values;
	} rows[] = {
		{ "plain_name", "plain_name", "plain_name", "plain_name" },
		{ "with:colon", "with:colon", "with:colon", "with:colon" },
		{ "a.b", "a_b", "a_dot_b", "U__a_2e_b" },
		{ "a.b_c", "a_b_c", "a_dot_b__c", "U__a_2e_b__c" },
		{ "1a", "_a", "__a", "U___31_a" },
		{ "a1.2", "a1_2", "a1_dot_2", "U__a1_2e_2" },
		{ "a-b", "a_b", "a__b", "U__a_2d_b" },
		{ "a:b.c", "a:b_c", "a:b_dot_c", "U__a:b_2e_c" },
		{ "\xc3\xa9t\xc3\xa9", "_t_", "__t__", "U___e9_t_e9_" },
		{ "\xf0\x9f\xa6\x86", "_", "__", "U___1f986_" },
		{ "a\\\"b", "a_b", "a__b", "U__a_22_b" },
		{ "a\\\\b", "a_b", "a__b", "U__a_5c_b" },
		{ "a\\nb", "a_b", "a__b", "U__a_a_b" },
		{ "a b\\n", "a_b_", "a__b__", "U__a_20_b_a_" },
		{ "\xff", "_", "__", "U___fffd_" },
		{ ".", "_", "_dot_", "U___2e_" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_of_string(rows[i].name);
		CHECK_SLICE(
				escape(name, ESCAPING_UNDERSCORES, false), slice_of_string(rows[i].underscores));
		CHECK_SLICE(escape(name, ESCAPING_DOTS, false), slice_of_string(rows[i].dots));
		CHECK_SLICE(escape(name, ESCAPING_VALUES, false), slice_of_string(rows[i].values));
		CHECK_SLICE(escape(name, ESCAPING_ALLOW_UTF8, false), name);
	}
}

static void test_labels_have_no_colons(void)
{
	CHECK_SLICE(escape(SLICE("a:b"), ESCAPING_UNDERSCORES, true), SLICE("a_b"));
	CHECK_SLICE(escape(SLICE("a:b"), ESCAPING_DOTS, true), SLICE("a__b"));
	CHECK_SLICE(escape(SLICE("a:b"), ESCAPING_VALUES, true), SLICE("U__a_3a_b"));
	CHECK_SLICE(escape(SLICE("a_b"), ESCAPING_VALUES, true), SLICE("a_b"));
}

static void test_undo_values(void)
{
	static const char *const rows[][2] = {
		{ "U__foo_2e_bar", "foo.bar" },
		{ "U__foo_2E_bar", "foo.bar" },
		{ "U__a__b", "a_b" },
		{ "U______a", "__a" },
		{ "U___e9_t_e9_", "\xc3\xa9t\xc3\xa9" },
		{ "U___1f986_", "\xf0\x9f\xa6\x86" },
		{ "U___10ffff_", "\xf4\x8f\xbf\xbf" },
		{ "U___7ff_", "\xdf\xbf" },
		{ "U__", "" },
		{ "U__a", "a" },
		/* Not rightly so: unchanged. */
		{ "foo", "foo" },
		{ "U_a", "U_a" },
		{ "u__a", "u__a" },
		{ "U__in_xxx_valid", "U__in_xxx_valid" },
		{ "U___d800_", "U___d800_" },
		{ "U___110000_", "U___110000_" },
		{ "U___0000000_", "U___0000000_" },
		{ "U__a_", "U__a_" },
		{ "U__a_2e", "U__a_2e" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_SLICE(escaping_undo_values(&arena, slice_of_string(rows[i][0])),
				slice_of_string(rows[i][1]));
	}
}

static void test_names_of_schemes(void)
{
	for (enum escaping escaping = 0; escaping < ESCAPING_COUNT; escaping++) {
		enum escaping found = ESCAPING_COUNT;
		CHECK(escaping_find(escaping_name(escaping), &found));
		CHECK_INT(found, escaping);
	}
	enum escaping untouched = ESCAPING_DOTS;
	CHECK(!escaping_find(SLICE("Dots"), &untouched));
	CHECK(!escaping_find(SLICE(""), &untouched));
	CHECK_INT(untouched, ESCAPING_DOTS);
}

int main(void)
{
	arena_init(&arena);
	RUN(test_schemes);
	RUN(test_labels_have_no_colons);
	RUN(test_undo_values);
	RUN(test_names_of_schemes);
	arena_finish(&arena);
	return check_done();
}
