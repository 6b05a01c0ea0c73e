#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "check.h"

static void test_slices(void)
{
	CHECK(slice_equal(SLICE("abc"), slice_make("abcd", 3)));
	CHECK(slice_compare(SLICE("ab"), SLICE("abc")) < 0);
	CHECK(slice_compare(SLICE("b"), SLICE("abc")) > 0);
	CHECK(slice_compare(SLICE("\xff"), SLICE("a")) > 0);
	CHECK(slice_starts_with(SLICE("metrics"), SLICE("met")));
	CHECK(!slice_ends_with(SLICE("sum"), SLICE("_sum")));
	CHECK_SLICE(slice_trim(SLICE(" \ta b\t ")), SLICE("a b"));
}

static void test_buf_is_sticky(void)
{
	struct buf buf;
	buf_init(&buf, 4);
	buf_append(&buf, SLICE("abc"));
	buf_append(&buf, SLICE("de"));
	buf_append(&buf, SLICE("f"));
	CHECK(buf.failed);
	CHECK_SLICE(buf_slice(&buf), SLICE("abc"));
	buf_reset(&buf, 100);
	buf_append(&buf, SLICE("wxyz"));
	CHECK(!buf.failed);
	buf_consume(&buf, 2);
	CHECK_SLICE(buf_slice(&buf), SLICE("yz"));
	buf_finish(&buf);
}

static void test_buf_prints(void)
{
	struct buf buf;
	buf_init(&buf, 0);
	for (int i = 0; i < 1000; i++) {
		buf_printf(&buf, "%d,", i);
	}
	CHECK_INT(buf.len, 10 * 2 + 90 * 3 + 900 * 4);
	CHECK(slice_ends_with(buf_slice(&buf), SLICE("998,999,")));
	buf_finish(&buf);
}

static void use_arena(struct arena *arena)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 1; i < 3000; i += 7) {
			char *text = arena_text(arena, i);
			memset(text, 'x', i);
			void *aligned = arena_alloc(arena, i);
			CHECK_INT((uintptr_t)aligned % 16, 0);
			memset(aligned, 'y', i);
		}
		CHECK_SLICE(arena_printf(arena, "%s=%d", "a", 5), SLICE("a=5"));
		CHECK_STRING(arena_copy(arena, SLICE("copied")), "copied");
		arena_reset(arena);
		CHECK_INT(arena->used_bytes, 0);
	}
	arena_finish(arena);
}

static void test_arena(void)
{
	struct arena arena;
	arena_init(&arena);
	use_arena(&arena);
	arena_init_sized(&arena, 100);
	CHECK_INT(arena.left, 100);
	use_arena(&arena);
	arena_init_sized(&arena, 1);
	arena_finish(&arena);
}

struct element {
	int number;
	struct list link;
};

static void test_list(void)
{
	struct list head;
	list_init(&head);
	struct element elements[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
	for (int i = 0; i < 3; i++) {
		list_append(&head, &elements[i].link);
	}
	int sum = 0;
	LIST_EACH (link, &head) {
		struct element *element = LIST_ENTRY(link, struct element, link);
		sum = sum * 10 + element->number;
		list_remove(link);
	}
	CHECK_INT(sum, 123);
	CHECK(list_is_empty(&head));
	list_remove(&elements[0].link);
}

static void test_lines(void)
{
	struct slice rest = SLICE("one\n\nthree");
	CHECK_STRING(slice_take_line(&rest), "one");
	CHECK_STRING(slice_take_line(&rest), "");
	CHECK_STRING(slice_take_line(&rest), "three");
	CHECK_INT(rest.len, 0);
	rest = SLICE("a\n");
	CHECK_STRING(slice_take_line(&rest), "a");
	CHECK_INT(rest.len, 0);
	CHECK_STRING(slice_take_line(&rest), "");
}

int main(void)
{
	RUN(test_slices);
	RUN(test_buf_is_sticky);
	RUN(test_buf_prints);
	RUN(test_arena);
	RUN(test_list);
	RUN(test_lines);
	return check_done();
}
