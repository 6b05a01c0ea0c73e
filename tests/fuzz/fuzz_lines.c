/*
 * Lines of an export, or anything, imported into a store that checks what it
 * takes.
 *
 * Whatever they say, reading ends. What was taken makes pages that are taken
 * again, and an export of which all is taken by another store, where it makes the
 * same export.
 */

#include <stdint.h>

#include "base/hash.h"
#include "fuzz/stored_page.h"
#include "unit/line_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 32 };

static void import_all(struct store *store, struct slice text, bool all_is_taken)
{
	struct store_options checked = { .is_checked = true };
	struct arena arena;
	arena_init(&arena);
	store_init(store, &checked);
	for (int i = 0; i < LINES_MAX && text.len > 0; i++) {
		struct slice what;
		struct slice line = slice_take_line(&text);
		enum line_store_result result = line_store_import_line(store, line, &arena, &what);
		if (all_is_taken && result != LINE_STORE_TAKEN && result != LINE_STORE_OTHER) {
			fprintf(stderr, SLICE_FMT "\n" SLICE_FMT "\n", SLICE_ARG(what), SLICE_ARG(line));
			expect(false, "what was exported is not imported");
		}
		arena_reset(&arena);
	}
	arena_finish(&arena);
}

static void check_again(struct slice exported)
{
	struct store again;
	struct buf text;
	buf_init(&text, 0);
	import_all(&again, exported, true);
	line_store_export(&again, &text);
	if (!slice_equal(buf_slice(&text), exported)) {
		fprintf(stderr, SLICE_FMT "became\n" SLICE_FMT, SLICE_ARG(exported), (int)text.len,
				text.ptr);
		expect(false, "the export is another one");
	}
	store_finish(&again);
	buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct store store;
	struct buf text;
	if (!is_ready) {
		hash_init();
		/* Nothing expires from one store to the other. */
		clock_freeze(UINT64_C(1000000000000), INT64_C(1700000000000000000));
		is_ready = true;
	}
	buf_init(&text, 0);
	import_all(&store, slice_make((const char *)data, size), false);
	append_page(&store, PAGE_OPENMETRICS, &text);
	text.len = 0;
	append_page(&store, PAGE_TEXT, &text);
	check_text(buf_slice(&text));
	text.len = 0;
	line_store_export(&store, &text);
	check_again(buf_slice(&text));
	store_finish(&store);
	page_release_spare();
	buf_finish(&text);
	return 0;
}
