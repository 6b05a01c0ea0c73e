/*
 * A selector: parsed, written out and parsed again, which must come to the
 * same; then matched with a few series.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "model/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

static void write_string(struct buf *out, struct slice text)
{
	buf_append_byte(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
			buf_append_byte(out, (char)byte);
		} else {
			buf_printf(out, "\\x%02x", byte);
		}
	}
	buf_append_byte(out, '"');
}

static void write_selector(struct buf *out, const struct selector *selector, struct arena *arena)
{
	static const char *const operators[] = { "=", "!=", "=~", "!~" };
	buf_append_byte(out, '{');
	for (size_t i = 0; i < selector->count; i++) {
		const struct matcher *matcher = &selector->matchers[i];
		bool is_name = matcher->name.len == 0;
		struct slice value = matcher->value;
		write_string(out, is_name ? SLICE("__name__") : labels_unescape(arena, matcher->name));
		buf_append_string(out, operators[matcher->kind]);
		if (matcher->pattern == NULL && value.len > 0) {
			value = labels_unescape(arena, value);
		}
		write_string(out, value);
		buf_append_byte(out, ',');
	}
	buf_append_byte(out, '}');
}

static void check_same(const struct selector *a, const struct selector *b)
{
	expect(a->count == b->count, "another number of matchers");
	for (size_t i = 0; i < a->count; i++) {
		expect(a->matchers[i].kind == b->matchers[i].kind, "another operator");
		expect(slice_equal(a->matchers[i].name, b->matchers[i].name), "another name");
		expect(slice_equal(a->matchers[i].value, b->matchers[i].value), "another value");
	}
}

static bool matches(const struct selectors *selectors, struct labels *labels, struct arena *arena)
{
	static const struct slice names[] = { SLICE_INIT("up"), SLICE_INIT("up_sum") };
	struct pattern_scratch scratch;
	pattern_scratch_init(&scratch, arena);
	uint64_t matched = selectors_match_names(selectors, names, 2, &scratch);
	bool result = selectors_match_labels(selectors, matched, labels, SLICE("le"), &scratch);
	return result && scratch.failed == NULL;
}

static void check_matching(const struct selectors *selectors, struct arena *arena)
{
	struct label pairs[] = {
		{ SLICE("a"), SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") },
		{ SLICE("job"), SLICE("x\\n\\\\\\\"") },
		{ SLICE("le"), SLICE("1") },
	};
	struct labels labels = { .pairs = pairs, .count = 3 };
	struct group_key key;
	group_key_init(&key, (struct labels){ .pairs = &pairs[1], .count = 1 });
	bool is_matched = matches(selectors, &labels, arena);
	expect(is_matched == matches(selectors, &labels, arena), "another answer the second time");
	expect(!is_matched || selectors_may_match_key(selectors, &key), "ruled out by its key");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct selectors selectors;
	static struct selectors again;
	struct selector_error error;
	struct arena arena;
	struct slice text = slice_make((const char *)data, size);
	arena_init(&arena);
	selectors = (struct selectors){ 0 };
	again = (struct selectors){ 0 };
	if (!selectors_add(&selectors, text, &arena, &error)) {
		expect(error.position <= size, "a place beyond the end");
		expect(error.what.len > 0 && utf8_is_valid(error.what), "a message that cannot be shown");
	} else {
		struct buf written;
		buf_init(&written, 0);
		write_selector(&written, &selectors.selectors[0], &arena);
		expect(selectors_add(&again, buf_slice(&written), &arena, &error), "not read again");
		check_same(&selectors.selectors[0], &again.selectors[0]);
		check_matching(&selectors, &arena);
		buf_finish(&written);
	}
	arena_finish(&arena);
	return 0;
}
