#pragma once

/*
 * Pages of what a fuzz target put into a store, and whether they are what a
 * scraper takes.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "format/format.h"
#include "store/page.h"
#include "store/push.h"

static const struct format_options stored_page_limits = {
	.samples = 100000,
	.labels = 100000,
	.label_bytes = 1000000,
	.utf8_names = true,
};

static inline void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- Pages ---- */

static inline void append_page(struct store *store, enum page_format format, struct buf *text)
{
	struct page page;
	const struct slice *parts;
	size_t count;
	struct page_options options = { .format = format, .escaping = ESCAPING_ALLOW_UTF8 };
	buf_reserve(text, 1);
	expect(page_init(&page, store, &options), "no page");
	while (page_next(&page, &parts, &count)) {
		for (size_t i = 0; i < count; i++) {
			buf_append(text, parts[i]);
		}
	}
	page_finish(&page);
}

/*
 * A label without a value is none, but a text push that has one on some lines of a histogram only
 * gets a bucket added that is there twice then. A scraper adds none.
 */
static inline bool has_empty_label(struct slice text)
{
	const struct slice empty = SLICE("=\"\"");
	const struct slice implied = SLICE("instance");
	const char *end = text.ptr + text.len;
	const char *at = text.ptr;
	while (text.len > 0 && (at = memmem(at, (size_t)(end - at), empty.ptr, empty.len)) != NULL) {
		if (!slice_ends_with(slice_between(text.ptr, at), implied)) {
			return true;
		}
		at++;
	}
	return false;
}

/* The page is taken by a store that has nothing else. */
static inline void check_text(struct slice text)
{
	if (has_empty_label(text)) {
		return;
	}
	struct store_options checked = { .is_checked = true };
	struct prepare_options options = { .is_checked = true, .max_bytes = SIZE_MAX };
	struct group_key key = { .labels = { .count = 0 } };
	struct format_error error;
	struct batch batch;
	struct batch_fault fault;
	struct prepared_push prepared;
	struct store_push op;
	struct store store;
	struct arena arena;
	arena_init(&arena);
	store_init(&store, &checked);
	enum format_result result_of_text =
			formats[FORMAT_TEXT].decode(text, &stored_page_limits, &arena, &batch, &error);
	if (result_of_text != FORMAT_OK && slice_starts_with(error.what, SLICE("negative "))) {
		/* Protobuf and Prometheus have such counts; text pushes are held to more. */
		store_finish(&store);
		arena_finish(&arena);
		return;
	}
	if (result_of_text != FORMAT_OK) {
		fprintf(stderr, SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(error.what), SLICE_ARG(text));
		expect(false, "the page is not taken");
	}
	if (prepare_push(&batch, &key, &options, &arena, &prepared, &fault) != PREPARE_OK) {
		fprintf(stderr, SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(fault.text), SLICE_ARG(text));
		expect(false, "the page has a fault");
	}
	push_init(&op, &store, STORE_PUT, &key, &prepared, &arena);
	enum push_result result;
	do {
		result = push_step(&op);
	} while (result == PUSH_AGAIN);
	expect(result == PUSH_OK, "the page is refused");
	store_finish(&store);
	arena_finish(&arena);
}
