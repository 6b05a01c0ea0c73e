/*
 * Several pushes in any format, and the pages that come of them:
 *
 *     FORMAT KEY BODY [1e FORMAT KEY BODY]...
 *
 * A format is one of t, o and p, for text, OpenMetrics and protobuf, a key any
 * byte. Whatever is taken, each page can be read again under every escaping
 * scheme and has nothing twice. When all that was taken was OpenMetrics, the
 * page is, too; with names as they are it comes out the same when it is pushed.
 *
 * The same pushes go to a store that refuses nothing. What either store has can
 * be kept: written and read back, it makes the same pages.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/memory.h"
#include "format/format.h"
#include "format/protobuf_native.h"
#include "state/image/image.h"
#include "store/page.h"
#include "store/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEPARATOR = 0x1e, PUSHES_MAX = 8 };

static const struct format_options limits = {
	.samples = 2000,
	.labels = 40,
	.label_bytes = 2000,
	.utf8_names = true,
};

/* Names grow under a scheme, lines by their grouping labels. */
static const struct format_options page_limits = {
	.samples = 100000,
	.labels = 1000,
	.label_bytes = 100000,
	.utf8_names = true,
};

static void expect(bool is_so, const char *what)
{
	if (!is_so) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* ---- Pushing ---- */

static struct group_key key_of(char key, struct arena *arena)
{
	static const char *const names[] = { "a.b", "a_b", "key", "instance" };
	unsigned char byte = (unsigned char)key;
	struct label *pairs = arena_alloc(arena, 2 * sizeof(struct label));
	struct group_key result;
	pairs[0] = (struct label){ SLICE("job"), SLICE("j") };
	pairs[1] = (struct label){
		slice_of_string(names[byte % 4]),
		arena_printf(arena, "%d", byte / 4 % 4),
	};
	group_key_init(&result, (struct labels){ .pairs = pairs, .count = 2 });
	return result;
}

static bool apply(struct store *store, const struct batch *batch, const struct group_key *key,
		struct arena *arena)
{
	struct prepared_push prepared;
	struct batch_fault fault;
	struct store_push op;
	bool is_checked = store->options.is_checked;
	struct prepare_options options = { .is_checked = is_checked, .max_bytes = SIZE_MAX };
	if (prepare_push(batch, key, &options, arena, &prepared, &fault) != PREPARE_OK) {
		expect(fault.text.len > 0, "refused without a word");
		return false;
	}
	push_init(&op, store, STORE_PUT, key, &prepared, arena);
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

/* A body that ends where its memory does. */
static bool push(struct store *store, enum format_id format, char key, struct slice body,
		struct arena *arena)
{
	struct batch batch;
	struct format_error error;
	char *copy = memory_alloc(body.len + 1);
	if (body.len > 0) {
		memcpy(copy + 1, body.ptr, body.len);
	}
	struct slice at_the_end = slice_make(copy + 1, body.len);
	struct group_key group = key_of(key, arena);
	bool is_taken = formats[format].decode(at_the_end, &limits, arena, &batch, &error) == FORMAT_OK
			&& apply(store, &batch, &group, arena);
	free(copy);
	return is_taken;
}

/* ---- Pages ---- */

static struct slice page_of(
		struct store *store, enum page_format format, enum escaping escaping, struct arena *arena)
{
	struct page page;
	struct buf text;
	const struct slice *parts;
	size_t count;
	struct page_options options = { .format = format, .escaping = escaping };
	buf_init(&text, 0);
	expect(page_init(&page, store, &options), "no page");
	while (page_next(&page, &parts, &count)) {
		for (size_t i = 0; i < count; i++) {
			buf_append(&text, parts[i]);
		}
	}
	page_finish(&page);
	struct slice copy = text.len == 0 ? SLICE("") : arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/* The page is taken; in OpenMetrics, with names as they are, it comes out as it went in. */
static void check_page(struct slice text, enum format_id id, enum page_format format,
		enum escaping escaping, struct arena *arena)
{
	struct store_options options = { .is_checked = true };
	struct store store;
	struct batch batch;
	struct format_error error;
	/* All lines have their labels: an empty key adds none but instance="". */
	struct group_key key = { .labels = { .count = 0 } };
	store_init(&store, &options);
	if (formats[id].decode(text, &page_limits, arena, &batch, &error) != FORMAT_OK) {
		if (slice_starts_with(error.what, SLICE("reserved")) && escaping != ESCAPING_ALLOW_UTF8) {
			store_finish(&store);
			return; /* .a became _a, which OpenMetrics keeps for itself */
		}
		struct slice words = format_error_text(&formats[id], &error, arena);
		fprintf(stderr, SLICE_FMT "\n", SLICE_ARG(words));
		expect(false, "the page is not taken");
	}
	expect(apply(&store, &batch, &key, arena), "the page is refused");
	struct slice again = page_of(&store, format, escaping, arena);
	/* Labels are in the order of the names they were pushed with. */
	bool is_comparable = format == PAGE_OPENMETRICS && escaping == ESCAPING_ALLOW_UTF8;
	if (is_comparable && !slice_equal(again, text)) {
		fprintf(stderr, SLICE_FMT "became\n" SLICE_FMT, SLICE_ARG(text), SLICE_ARG(again));
		expect(false, "the page of the page is another");
	}
	store_finish(&store);
}

/* ---- Keeping ---- */

static struct group *group_of(const struct store *store, uint32_t number)
{
	return slot_content(*slots_at(&store->contents->group_slots, number));
}

static void check_same(struct store *store, struct store *kept, struct arena *arena)
{
	static const enum page_format page_formats[] = { PAGE_TEXT, PAGE_OPENMETRICS };
	for (size_t i = 0; i < sizeof(page_formats) / sizeof(page_formats[0]); i++) {
		struct slice page = page_of(store, page_formats[i], ESCAPING_ALLOW_UTF8, arena);
		struct slice again = page_of(kept, page_formats[i], ESCAPING_ALLOW_UTF8, arena);
		if (!slice_equal(page, again)) {
			fprintf(stderr, SLICE_FMT "became\n" SLICE_FMT, SLICE_ARG(page), SLICE_ARG(again));
			expect(false, "what was kept is something else");
		}
	}
	for (uint32_t i = 0; i < store->contents->group_slots.len; i++) {
		const struct group *group = group_of(store, i);
		const struct group *same = group_of(kept, i);
		expect(group_key_equal(&group->key, &same->key), "a group is not where it was");
		expect(group->series == same->series && group->member_count == same->member_count,
				"a group has not what it had");
	}
	expect(store->contents->shadowed_blocks == kept->contents->shadowed_blocks,
			"not the same is shown");
}

static void on_fault(void *data, const struct image_fault *fault)
{
	fprintf(stderr, SLICE_FMT ": %s\n", SLICE_ARG(fault->key), fault->what);
}

static void check_kept(struct store *store, struct arena *arena)
{
	struct store_options checked = { .is_checked = true };
	struct image_read_options options = {
		.checks = { .native_is_right = native_is_right },
		.on_fault = on_fault,
	};
	struct image_written written;
	struct image_report report;
	struct store kept;
	int fd = memfd_create("state", MFD_CLOEXEC);
	store_init(&kept, &checked);
	expect(image_write(store, fd, &written) == IMAGE_WRITE_OK, "it is not written");
	expect(lseek(fd, 0, SEEK_SET) == 0, "no beginning");
	enum image_read_result result = image_read(&kept, fd, &options, &report);
	expect(result == IMAGE_READ_OK, "what was written is not read");
	check_same(store, &kept, arena);
	close(fd);
	store_finish(&kept);
}

static void check_pages(struct store *store, bool is_openmetrics, struct arena *arena)
{
	for (enum escaping escaping = 0; escaping < ESCAPING_COUNT; escaping++) {
		check_page(page_of(store, PAGE_TEXT, escaping, arena), FORMAT_TEXT, PAGE_TEXT, escaping,
				arena);
		struct slice page = page_of(store, PAGE_OPENMETRICS, escaping, arena);
		if (is_openmetrics) {
			check_page(page, FORMAT_OPENMETRICS, PAGE_OPENMETRICS, escaping, arena);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct store_options options = { .is_checked = true };
	struct slice rest = slice_make((const char *)data, size);
	struct store_options unchecked = { .is_checked = false };
	struct arena arena;
	struct store store;
	struct store unchecked_store;
	bool is_openmetrics = true;
	if (!is_ready) {
		hash_init();
		is_ready = true;
	}
	arena_init(&arena);
	store_init(&store, &options);
	store_init(&unchecked_store, &unchecked);
	for (int i = 0; i < PUSHES_MAX && rest.len >= 2; i++) {
		const char *end = slice_find_byte(rest, SEPARATOR);
		struct slice item = end == NULL ? rest : slice_between(rest.ptr, end);
		rest = slice_skip(rest, item.len + (end != NULL));
		if (item.len < 2) {
			continue;
		}
		enum format_id format = item.ptr[0] == 'o' ? FORMAT_OPENMETRICS
				: item.ptr[0] == 'p'               ? FORMAT_PROTOBUF
												   : FORMAT_TEXT;
		bool is_taken = push(&store, format, item.ptr[1], slice_skip(item, 2), &arena);
		push(&unchecked_store, format, item.ptr[1], slice_skip(item, 2), &arena);
		is_openmetrics = is_openmetrics && (!is_taken || format == FORMAT_OPENMETRICS);
	}
	check_pages(&store, is_openmetrics, &arena);
	check_kept(&store, &arena);
	check_kept(&unchecked_store, &arena);
	store_finish(&store);
	store_finish(&unchecked_store);
	page_release_spare();
	arena_finish(&arena);
	return 0;
}
