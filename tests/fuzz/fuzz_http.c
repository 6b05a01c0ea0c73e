/*
 * Bytes of one connection, cut into pieces as the first ones say. Whatever
 * comes in, the answers must be the same as when it comes at once, and when the
 * session is handed over to another one after each piece.
 */

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "http_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_LIMIT = 2000, BODY_LIMIT = 20000 };

static const struct http_limits limits = {
	.header_bytes = HEADER_LIMIT,
	.body_bytes = BODY_LIMIT,
	.connections = 10,
};

static void settle(struct driver *driver)
{
	driver_pump(driver);
	while (driver->waiting_count != 0) {
		driver_answer(driver, true);
		driver_pump(driver);
	}
}

/* A heap copy each, so that a sanitizer knows where the piece ends. */
static void feed(struct driver *driver, struct slice bytes)
{
	char *copy = memory_alloc(bytes.len + 1);
	char *end = copy + 1;
	memcpy(end, bytes.ptr, bytes.len);
	if (http_session_wants_input(&driver->session)) {
		driver_feed(driver, slice_make(end, bytes.len));
	}
	free(copy);
	settle(driver);
}

/* 100 Continue depends on what came when. */
static bool waits_for_continue(struct slice bytes)
{
	for (size_t i = 0; i + 6 <= bytes.len; i++) {
		if (slice_equal_nocase(slice_first(slice_skip(bytes, i), 6), SLICE("expect"))) {
			return true;
		}
	}
	return false;
}

/* Requests behind one whose answer ends the connection are seen only when they came early. */
static bool one_starts_other(struct slice a, struct slice b)
{
	return slice_starts_with(a, b) || slice_starts_with(b, a);
}

static bool is_over(const struct driver *driver)
{
	enum http_phase phase = http_session_phase(&driver->session);
	return phase == HTTP_PHASE_LINGER || phase == HTTP_PHASE_OVER || phase == HTTP_PHASE_CUT;
}

static void check_same(const struct driver *a, const struct driver *b)
{
	bool same = one_starts_other(buf_slice(&a->log), buf_slice(&b->log))
			&& slice_equal(buf_slice(&a->out), buf_slice(&b->out)) && is_over(a) == is_over(b);
	if (!same) {
		fprintf(stderr, "at once:\n" SLICE_FMT SLICE_FMT "\nin pieces:\n" SLICE_FMT SLICE_FMT "\n",
				SLICE_ARG(a->log), SLICE_ARG(a->out), SLICE_ARG(b->log), SLICE_ARG(b->out));
		abort();
	}
}

static void check_pieces(
		const struct driver *whole, struct slice bytes, const uint8_t *data, bool moves)
{
	size_t piece = (size_t)data[0] % 64 + 1;
	struct driver pieces;
	driver_init(&pieces, &limits);
	pieces.write_bytes = data[1];
	for (struct slice rest = bytes; rest.len != 0;) {
		struct slice next = slice_first(rest, piece);
		feed(&pieces, next);
		rest = slice_skip(rest, next.len);
		if (moves) {
			driver_move(&pieces);
			settle(&pieces);
		}
	}
	if (!waits_for_continue(bytes)) {
		check_same(whole, &pieces);
	}
	driver_finish(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2) {
		return 0;
	}
	clock_freeze(1, 1);
	struct slice bytes = slice_make((const char *)data + 2, size - 2);

	struct driver whole;
	driver_init(&whole, &limits);
	feed(&whole, bytes);

	check_pieces(&whole, bytes, data, false);
	check_pieces(&whole, bytes, data, true);
	driver_finish(&whole);
	return 0;
}
