/*
 * A body in the text format. What is taken can be rendered under a grouping
 * key, and the page of it is taken again, with the same samples. A body of the
 * same layout with other values comes to the same samples with those values.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"
#include "format/text_layout.h"
#include "format/text_parse.h"
#include "store/page.h"
#include "store/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bodies of an even length may have names in quotes. */
static struct format_options limits = { .samples = 2000, .labels = 40, .label_bytes = 2000 };

static struct slice copy_buf(struct arena *arena, const struct buf *buf)
{
	return buf->len == 0 ? SLICE("") : arena_copy(arena, buf_slice(buf));
}

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- Layouts ---- */

/* The body with every value exchanged; `values` are what took their places. */
static struct slice exchange_values(struct slice body, const struct text_layout *layout,
		struct slice value, struct arena *arena)
{
	struct buf out;
	const char *at = body.ptr;
	buf_init(&out, 0);
	for (size_t i = 0; i < layout->value_count; i++) {
		buf_append(&out, slice_between(at, layout->values[i].ptr));
		buf_append(&out, value);
		at = layout->values[i].ptr + layout->values[i].len;
	}
	buf_append(&out, slice_between(at, body.ptr + body.len));
	struct slice copy = copy_buf(arena, &out);
	buf_finish(&out);
	return copy;
}

static bool same_labels(const struct labels *a, const struct labels *b)
{
	bool is_same = a->count == b->count;
	for (size_t i = 0; i < a->count && is_same; i++) {
		is_same = slice_equal(a->pairs[i].name, b->pairs[i].name)
				&& slice_equal(a->pairs[i].value, b->pairs[i].value);
	}
	return is_same;
}

/* All but the values. */
static bool same_structure(const struct batch *a, const struct batch *b)
{
	const struct batch_family *f = a->families;
	const struct batch_family *g = b->families;
	for (; f != NULL && g != NULL; f = f->next, g = g->next) {
		bool is_same = slice_equal(f->name, g->name) && slice_equal(f->help, g->help)
				&& f->type == g->type && f->sample_count == g->sample_count;
		for (size_t i = 0; is_same && i < f->sample_count; i++) {
			is_same = f->samples[i].role == g->samples[i].role
					&& same_labels(&f->samples[i].labels, &g->samples[i].labels);
		}
		if (!is_same) {
			return false;
		}
	}
	return f == g;
}

static void check_layout(struct slice body, const struct batch *batch, struct arena *arena)
{
	struct text_layout layout;
	struct text_layout other_layout;
	struct batch other;
	struct format_error error;
	text_layout_scan(body, arena, &layout);
	if (!text_layout_fits(&layout, batch)) {
		return;
	}
	struct slice exchanged = exchange_values(body, &layout, SLICE("12345"), arena);
	text_layout_scan(exchanged, arena, &other_layout);
	expect(hash128_equal(layout.hash, other_layout.hash), "other values have another layout");
	expect(text_parse(exchanged, &limits, arena, &other, &error) == FORMAT_OK,
			"other values are not taken");
	expect(same_structure(batch, &other), "other values come to other samples");
	expect(text_layout_fits(&other_layout, &other), "other values do not fit");
}

/* ---- The page ---- */

static struct slice page_of(struct store *store, struct arena *arena)
{
	struct page page;
	struct buf text;
	const struct slice *parts;
	size_t count;
	buf_init(&text, 0);
	struct page_options options = { .escaping = ESCAPING_ALLOW_UTF8 };
	expect(page_init(&page, store, &options), "no page");
	while (page_next(&page, &parts, &count)) {
		for (size_t i = 0; i < count; i++) {
			buf_append(&text, parts[i]);
		}
	}
	page_finish(&page);
	struct slice copy = copy_buf(arena, &text);
	buf_finish(&text);
	return copy;
}

/* Pushed under {job="j",key="k"}; false when it is refused. */
static bool push(struct store *store, const struct batch *batch, struct arena *arena)
{
	struct label pairs[] = { { SLICE("job"), SLICE("j") }, { SLICE("key"), SLICE("k") } };
	struct group_key key;
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	struct prepare_options options = { .is_checked = true, .max_bytes = SIZE_MAX };
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = 2 });
	if (prepare_push(batch, &key, &options, arena, &prepared, &fault) != PREPARE_OK) {
		expect(fault.text.len > 0, "refused without a word");
		return false;
	}
	push_init(&op, store, STORE_PUT, &key, &prepared, arena);
	enum push_result result;
	do {
		result = push_step(&op);
	} while (result == PUSH_AGAIN);
	if (result != PUSH_OK) {
		expect(op.fault.text.len > 0, "refused without a word");
		prepared_push_drop(&prepared);
	}
	return result == PUSH_OK;
}

/* Pushing a page again changes nothing. */
static void check_page(const struct batch *batch, struct arena *arena)
{
	struct store_options options = { .is_checked = true };
	struct store store;
	struct store again;
	store_init(&store, &options);
	store_init(&again, &options);
	if (push(&store, batch, arena)) {
		struct batch page_batch;
		struct format_error error;
		struct slice page = page_of(&store, arena);
		expect(text_parse(page, &limits, arena, &page_batch, &error) == FORMAT_OK,
				"the page is not taken");
		expect(push(&again, &page_batch, arena), "the page is refused");
		expect(slice_equal(page, page_of(&again, arena)), "the page of the page is another");
	}
	store_finish(&store);
	store_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct arena arena;
	struct batch batch;
	struct format_error error;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	/* A copy that ends where its memory does. */
	char *copy = memory_alloc(size + 1);
	if (size > 0) {
		memcpy(copy + 1, data, size);
	}
	struct slice body = slice_make(copy + 1, size);
	limits.utf8_names = size % 2 == 0;
	switch (text_parse(body, &limits, &arena, &batch, &error)) {
	case FORMAT_OK:
		check_layout(body, &batch, &arena);
		check_page(&batch, &arena);
		break;
	case FORMAT_E_SYNTAX:
		expect(error.line > 0 && error.what.len > 0, "an error without place or words");
		expect(error.column > 0 && error.column <= error.line_text.len + 2,
				"a place not in the line");
		format_error_excerpt(&error, &arena);
		break;
	case FORMAT_E_LIMIT:
		break;
	}
	page_release_spare();
	arena_finish(&arena);
	free(copy);
	return 0;
}
