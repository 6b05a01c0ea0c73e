/*
 * What a Pushgateway may say: two bytes with the length of its page, the page, and
 * what its API answers. Whatever it is, reading ends, in pieces as in one; each
 * group that is taken makes lines of JSON.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "transfer/gateway_group.h"
#include "transfer/gateway_scan.h"
#include "transfer/line_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void check_lines(struct slice lines)
{
	struct arena arena;
	struct slice what;
	arena_init(&arena);
	while (lines.len > 0) {
		struct slice line = slice_take_line(&lines);
		cJSON *tree = line_json_parse(line, &arena, &what);
		if (tree == NULL) {
			fprintf(stderr, SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(line), SLICE_ARG(what));
			expect(false, "a line is no JSON");
		}
		cJSON_Delete(tree);
	}
	arena_finish(&arena);
}

static void check_group(struct slice text, const struct gateway_page *page)
{
	struct arena arena;
	struct gateway_group group;
	struct slice what = { 0 };
	struct buf out;
	struct line_writer writer;
	arena_init(&arena);
	buf_init(&out, 0);
	line_writer_init(&writer, &out);
	switch (gateway_group_read(text, page, &arena, &group, &what)) {
	case GATEWAY_GROUP_OK:
		gateway_group_write(&group, &writer);
		check_lines(buf_slice(&out));
		break;
	case GATEWAY_GROUP_CHANGED:
		expect(page != NULL, "changed since there was no page");
		break;
	case GATEWAY_GROUP_E_INVALID:
		expect(what.len > 0, "invalid without a reason");
		break;
	}
	buf_finish(&out);
	arena_finish(&arena);
}

/* The groups one behind the other, read in pieces of that many bytes. */
static enum gateway_scan_result scan(
		struct slice text, size_t piece, const struct gateway_page *page, struct buf *out)
{
	struct gateway_scan scan;
	struct slice group;
	enum gateway_scan_result result = GATEWAY_SCAN_MORE;
	gateway_scan_init(&scan);
	while (text.len > 0 && (result == GATEWAY_SCAN_MORE || result == GATEWAY_SCAN_END)) {
		struct slice input = slice_first(text, piece);
		text = slice_skip(text, input.len);
		while ((result = gateway_scan_next(&scan, &input, &group)) == GATEWAY_SCAN_GROUP) {
			buf_append(out, group);
			if (page != NULL) {
				check_group(group, page);
				check_group(group, NULL);
			}
		}
	}
	gateway_scan_finish(&scan);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct gateway_page page;
	struct buf whole;
	struct buf pieces;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	if (size < 2) {
		return 0;
	}
	size_t page_bytes = (size_t)data[0] | (size_t)data[1] << 8;
	struct slice input = slice_make((const char *)data + 2, size - 2);
	struct slice page_text = slice_first(input, page_bytes);
	struct slice text = slice_skip(input, page_text.len);
	gateway_page_init(&page);
	buf_init(&whole, 0);
	buf_init(&pieces, 0);
	gateway_page_read(&page, page_text);
	enum gateway_scan_result result = scan(text, SIZE_MAX, &page, &whole);
	expect(scan(text, 3, NULL, &pieces) == result, "pieces end in another way");
	expect(slice_equal(buf_slice(&whole), buf_slice(&pieces)), "pieces have other groups");
	buf_finish(&whole);
	buf_finish(&pieces);
	gateway_page_finish(&page);
	return 0;
}
