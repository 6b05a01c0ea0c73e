#include "base/utf8.h"

#include <stdint.h>

#include "check.h"
#include "guard.h"

static struct guard guard;

static void test_sequences(void)
{
	static const struct {
		struct slice text;
		size_t len; /* of the first sequence */
	} cases[] = {
		{ SLICE_INIT("a"), 1 },
		{ SLICE_INIT("\0"), 1 },
		{ SLICE_INIT("\x7f"), 1 },
		{ SLICE_INIT("\xc2\x80"), 2 },
		{ SLICE_INIT("\xdf\xbf"), 2 },
		{ SLICE_INIT("\xe0\xa0\x80"), 3 },
		{ SLICE_INIT("\xed\x9f\xbf"), 3 },
		{ SLICE_INIT("\xee\x80\x80"), 3 },
		{ SLICE_INIT("\xef\xbf\xbf"), 3 },
		{ SLICE_INIT("\xf0\x90\x80\x80"), 4 },
		{ SLICE_INIT("\xf4\x8f\xbf\xbf"), 4 },
		/* Continuations alone, overlong forms, surrogates, above U+10FFFF. */
		{ SLICE_INIT("\x80"), 0 },
		{ SLICE_INIT("\xbf"), 0 },
		{ SLICE_INIT("\xc0\x80"), 0 },
		{ SLICE_INIT("\xc1\xbf"), 0 },
		{ SLICE_INIT("\xe0\x9f\xbf"), 0 },
		{ SLICE_INIT("\xed\xa0\x80"), 0 },
		{ SLICE_INIT("\xf0\x8f\xbf\xbf"), 0 },
		{ SLICE_INIT("\xf4\x90\x80\x80"), 0 },
		{ SLICE_INIT("\xf5\x80\x80\x80"), 0 },
		{ SLICE_INIT("\xff"), 0 },
		/* Cut short, or followed by something else. */
		{ SLICE_INIT("\xc3"), 0 },
		{ SLICE_INIT("\xe2\x82"), 0 },
		{ SLICE_INIT("\xf0\x9f\x98"), 0 },
		{ SLICE_INIT("\xc3x"), 0 },
		{ SLICE_INIT("\xe2\x82x"), 0 },
		{ SLICE_INIT("\xf0\x9f\x98x"), 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = guard_copy(&guard, cases[i].text);
		CHECK_INT(utf8_sequence(text), cases[i].len);
		CHECK_INT(utf8_is_valid(text), cases[i].len == text.len);
	}
}

/* The bad byte at every place of texts of every length: eight are looked at together. */
static void test_places(void)
{
	char text[40];
	CHECK(utf8_is_valid(SLICE("")));
	for (size_t len = 1; len < sizeof(text); len++) {
		memset(text, 'x', sizeof(text));
		CHECK(utf8_is_valid(guard_copy(&guard, slice_make(text, len))));
		for (size_t place = 0; place < len; place++) {
			memset(text, 'x', sizeof(text));
			text[place] = '\xe9';
			CHECK(!utf8_is_valid(guard_copy(&guard, slice_make(text, len))));
			if (place + 1 < len) {
				text[place] = '\xc3';
				text[place + 1] = '\xa9';
				CHECK(utf8_is_valid(guard_copy(&guard, slice_make(text, len))));
			}
		}
	}
}

int main(void)
{
	guard_init(&guard, 100);
	RUN(test_sequences);
	RUN(test_places);
	guard_finish(&guard);
	return check_done();
}
