/*
 * Quoted text, as Go's %q has it.
 */

#include "base/quote.h"

#include "check.h"
#include "guard.h"

static void test_texts(void)
{
	static const struct {
		struct slice text;
		const char *quoted;
	} cases[] = {
		{ SLICE_INIT(""), "\"\"" },
		{ SLICE_INIT("a b"), "\"a b\"" },
		{ SLICE_INIT("a\"b'c"), "\"a\\\"b'c\"" },
		{ SLICE_INIT("\\"), "\"\\\\\"" },
		{ SLICE_INIT("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\"" },
		{ SLICE_INIT("\0"), "\"\\x00\"" },
		{ SLICE_INIT("\x01\x1f\x7f"), "\"\\x01\\x1f\\x7f\"" },
		{ SLICE_INIT("\xff"), "\"\\xff\"" },
		{ SLICE_INIT("\xc3\xa9"), "\"\xc3\xa9\"" },
		{ SLICE_INIT("\xc3x"), "\"\\xc3x\"" },
		{ SLICE_INIT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
		{ SLICE_INIT("\xc2\x80"), "\"\\u0080\"" },
		{ SLICE_INIT("\xc2\xa0"), "\"\\u00a0\"" },
		{ SLICE_INIT("\xe2\x80\xa8"), "\"\\u2028\"" },
		{ SLICE_INIT("\xef\xbb\xbf"), "\"\\ufeff\"" },
		{ SLICE_INIT("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"" },
	};
	struct guard guard;
	struct buf out;
	guard_init(&guard, 100);
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out.len = 0;
		quote_append(&out, guard_copy(&guard, cases[i].text));
		CHECK_STRING(buf_slice(&out), cases[i].quoted);
	}
	buf_finish(&out);
	guard_finish(&guard);
}

static void test_bytes(void)
{
	static const struct {
		unsigned char byte;
		const char *quoted;
	} cases[] = { { 'x', "'x'" }, { '\'', "'\\''" }, { '"', "'\"'" }, { '\n', "'\\n'" },
		{ '\\', "'\\\\'" }, { 0, "'\\x00'" }, { 0x7f, "'\\x7f'" }, { 0xe9, "'\xc3\xa9'" },
		{ 0x80, "'\\u0080'" }, { 0xff, "'\xc3\xbf'" } };
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out.len = 0;
		quote_append_byte(&out, cases[i].byte);
		CHECK_STRING(buf_slice(&out), cases[i].quoted);
	}
	buf_finish(&out);
}

int main(void)
{
	RUN(test_texts);
	RUN(test_bytes);
	return check_done();
}
