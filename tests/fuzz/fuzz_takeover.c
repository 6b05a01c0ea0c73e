/*
 * Frames of a takeover, from bytes: what is taken for one is written as it
 * came, and no piece of it is taken for a whole one.
 */

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "server/takeover_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Of a heap copy, so that a sanitizer knows where the bytes end. */
static enum takeover_frame_result parse_first(
		struct slice bytes, size_t len, struct takeover_frame *ret_frame, size_t *ret_used)
{
	char *copy = memory_alloc(len + 1);
	memcpy(copy + 1, bytes.ptr, len);
	enum takeover_frame_result result =
			takeover_frame_parse(slice_make(copy + 1, len), ret_frame, ret_used);
	free(copy);
	return result;
}

static void check_pieces(struct slice bytes)
{
	struct takeover_frame frame;
	size_t used;
	for (size_t len = 0; len < bytes.len; len++) {
		require(parse_first(bytes, len, &frame, &used) == TAKEOVER_FRAME_MORE);
	}
}

static void check_written(const struct takeover_frame *frame, struct slice bytes)
{
	struct buf written;
	buf_init(&written, 0);
	takeover_frame_write(&written, frame);
	require(slice_equal(buf_slice(&written), bytes));
	buf_finish(&written);
}

static void read_payload(struct slice payload)
{
	struct takeover_reader reader = { .rest = payload };
	while (!reader.failed) {
		size_t before = reader.rest.len;
		struct slice text = takeover_get_text(&reader);
		require(reader.failed || text.len + 4 + reader.rest.len == before);
		(void)takeover_get_u64(&reader);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct takeover_frame frame;
	size_t used;
	while (takeover_frame_parse(rest, &frame, &used) == TAKEOVER_FRAME_OK) {
		require(used >= TAKEOVER_HEADER_BYTES && used <= rest.len);
		check_written(&frame, slice_first(rest, used));
		check_pieces(slice_first(rest, used));
		read_payload(frame.payload);
		require(takeover_frame_name(frame.type)[0] != '\0');
		rest = slice_skip(rest, used);
	}
	return 0;
}
