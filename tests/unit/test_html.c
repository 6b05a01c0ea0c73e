/*
 * Whatever a client sends is text on the web page.
 */

#include "check.h"
#include "ui/assets.h"
#include "ui/html.h"

#define REPLACED "\xef\xbf\xbd"

static struct buf out;

static void test_escaping(void)
{
	static const struct {
		struct slice text;
		const char *wanted;
	} cases[] = {
		{ SLICE_INIT(""), "" },
		{ SLICE_INIT("plain text 1.5"), "plain text 1.5" },
		{ SLICE_INIT("<script>alert('x')</script>"),
				"&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
		{ SLICE_INIT("a\" onload=\"b"), "a&#34; onload=&#34;b" },
		{ SLICE_INIT("&amp;"), "&amp;amp;" },
		{ SLICE_INIT("Björn \xe2\x82\xac \xf0\x9f\x98\x80"),
				"Björn \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ SLICE_INIT("a\nb\tc"), "a\nb\tc" },
		{ SLICE_INIT("a\0b\x1b\x7f"), "a" REPLACED "b" REPLACED REPLACED },
		{ SLICE_INIT("\xff\xc3<\xe2\x82"), REPLACED REPLACED "&lt;" REPLACED REPLACED },
		{ SLICE_INIT("\xc0\xbcscript>"), REPLACED REPLACED "script&gt;" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out, SIZE_MAX);
		html_append(&out, cases[i].text);
		CHECK_STRING(buf_slice(&out), cases[i].wanted);
	}
}

static void test_cutting(void)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *wanted;
	} cases[] = {
		{ "abc", 3, "abc" },
		{ "abcd", 3, "abc\xe2\x80\xa6" },
		{ "", 0, "" },
		{ "a", 0, "\xe2\x80\xa6" },
		{ "<<<", 2, "&lt;&lt;\xe2\x80\xa6" },
		{ "aéb", 2, "aé\xe2\x80\xa6" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_reset(&out, SIZE_MAX);
		html_append_cut(&out, slice_of_string(cases[i].text), cases[i].bytes);
		CHECK_STRING(buf_slice(&out), cases[i].wanted);
	}
}

static void test_unescaping(void)
{
	buf_reset(&out, SIZE_MAX);
	html_append_escaped(&out, SLICE("a\\\"<b>\\\\n\\nc"), 100);
	CHECK_STRING(buf_slice(&out), "a&#34;&lt;b&gt;\\n\nc");
	buf_reset(&out, SIZE_MAX);
	html_append_escaped(&out, SLICE("ab\\"), 2);
	CHECK_STRING(buf_slice(&out), "ab\xe2\x80\xa6");
}

static void test_query(void)
{
	buf_reset(&out, SIZE_MAX);
	html_append_query(&out, SLICE("a b&c=\"<é>-._~"));
	CHECK_STRING(buf_slice(&out), "a%20b%26c%3D%22%3C%C3%A9%3E-._~");
}

static void test_assets(void)
{
	const struct asset *style = assets_find(SLICE("style.css"));
	CHECK(style != NULL);
	CHECK(assets_find(SLICE("")) == NULL);
	CHECK(assets_find(SLICE("style")) == NULL);
	CHECK(assets_find(SLICE("../style.css")) == NULL);
	for (size_t i = 0; i < assets_count; i++) {
		struct slice etag = assets[i].etag;
		CHECK(etag.len > 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"');
		CHECK(assets[i].content.len > 0);
		CHECK_INT(strlen(assets[i].content.ptr), assets[i].content.len);
	}
}

int main(void)
{
	buf_init(&out, 0);
	RUN(test_escaping);
	RUN(test_cutting);
	RUN(test_unescaping);
	RUN(test_query);
	RUN(test_assets);
	buf_finish(&out);
	return check_done();
}
