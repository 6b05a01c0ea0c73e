/*
 * Elements of a list, separated by NUL. Whatever is in them, each line is either taken or counted;
 * what is taken can be rendered under the grouping key, and makes pages that are taken again.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "format/complete.h"
#include "fuzz/stored_page.h"
#include "ingest/lines.h"
#include "store/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct format_options limits = { .samples = 500, .labels = 20, .label_bytes = 500 };

static uint64_t count_rejected(const struct ingest_counts *counts)
{
	uint64_t rejected = 0;
	for (size_t i = 0; i < INGEST_REASON_COUNT; i++) {
		rejected += counts->rejected[i];
	}
	return rejected;
}

static void read_elements(struct ingest_lines *lines, struct slice text)
{
	while (text.len > 0) {
		const char *nul = slice_find_byte(text, '\0');
		size_t len = nul == NULL ? text.len : (size_t)(nul - text.ptr);
		ingest_lines_read(lines, slice_first(text, len));
		text = slice_skip(text, len + (nul != NULL));
	}
}

static void complete(struct batch *batch, struct arena *arena)
{
	for (struct batch_family *f = batch->families; f != NULL; f = f->next) {
		if (metric_type_has_bounds(f->type)) {
			expect(complete_family(batch, f, SIZE_MAX, arena), "too many samples");
		}
	}
	expect(batch->fault.text.ptr == NULL, "a series is there twice");
}

static void push(struct store *store, const struct batch *batch, const struct group_key *key,
		struct arena *arena)
{
	struct prepare_options options = { .is_checked = true, .max_bytes = SIZE_MAX };
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	if (prepare_push(batch, key, &options, arena, &prepared, &fault) != PREPARE_OK) {
		expect(fault.text.len > 0, "refused without a word");
		return;
	}
	push_init(&op, store, STORE_POST, key, &prepared, arena);
	enum push_result result;
	do {
		result = push_step(&op);
	} while (result == PUSH_AGAIN);
	if (result != PUSH_OK) {
		prepared_push_drop(&prepared);
	}
}

static void check_page(struct store *store)
{
	struct buf text;
	buf_init(&text, 0);
	append_page(store, PAGE_TEXT, &text);
	check_text(buf_slice(&text));
	buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct store_options checked = { .is_checked = true };
	struct label pairs[] = { { SLICE("instance"), SLICE("h") }, { SLICE("job"), SLICE("node") } };
	struct group_key key;
	struct ingest_lines lines;
	struct arena arena;
	struct batch batch;
	struct store store;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	store_init(&store, &checked);
	limits.utf8_names = size % 2 == 0;
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = 2 });
	ingest_lines_init(&lines, &limits, &key.labels, &arena);
	read_elements(&lines, slice_make((const char *)data, size));
	ingest_lines_collect(&lines, &batch);
	uint64_t rejected = count_rejected(&lines.counts);
	expect(lines.counts.lines == rejected + lines.counts.superseded + batch.sample_count,
			"a line is neither taken nor counted");
	expect((rejected > 0) == (lines.fault.len > 0), "a fault without words");
	complete(&batch, &arena);
	push(&store, &batch, &key, &arena);
	check_page(&store);
	ingest_lines_finish(&lines);
	store_finish(&store);
	page_release_spare();
	arena_finish(&arena);
	return 0;
}
