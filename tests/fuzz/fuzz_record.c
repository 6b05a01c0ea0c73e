/*
 * A state file of records, or of anything:
 *
 *     r RECORD [1e RECORD]...     each with its right checksum behind it
 *     f FILE                      as it is
 *
 * Whatever is in it, reading ends; what was taken makes a page that is taken
 * again, and a file that gives the same page.
 */

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "format/protobuf_native.h"
#include "fuzz/stored_page.h"
#include "state/image/image.h"
#include "store/page.h"
#include "store/push.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEPARATOR = 0x1e, RECORDS_MAX = 8 };

/* ---- Files ---- */

static void append(struct buf *out, const void *bytes, size_t len)
{
	buf_append(out, slice_make(bytes, len));
}

static const uint64_t salt = UINT64_C(0x1122334455667788);

static void append_headers(struct buf *out)
{
	struct state_header header = {
		.version = htole32(STATE_VERSION),
		.bytes = htole32(sizeof(header)),
		.salt = htole64(salt),
		.written_by = "weir",
	};
	memcpy(header.magic, state_magic, sizeof(header.magic));
	struct slice summed = slice_make((const char *)&header, offsetof(struct state_header, check));
	header.check = htole64(checksum64(summed, 0));
	for (int i = 0; i < STATE_HEADERS; i++) {
		append(out, &header, sizeof(header));
	}
}

static void append_record(struct buf *out, struct slice record)
{
	uint64_t sum = htole64(checksum64(record, 0));
	struct state_frame frame = {
		.mark = htole64(salt),
		.length = htole32((uint32_t)(record.len + sizeof(sum))),
		.kind = htole32(STATE_FRAME_RECORD),
	};
	struct slice summed = slice_make((const char *)&frame, offsetof(struct state_frame, check));
	frame.check = htole64(checksum64(summed, salt));
	append(out, &frame, sizeof(frame));
	buf_append(out, record);
	append(out, &sum, sizeof(sum));
}

static void append_records(struct buf *out, struct slice rest)
{
	append_headers(out);
	for (int i = 0; i < RECORDS_MAX && rest.len > 0; i++) {
		const char *end = slice_find_byte(rest, SEPARATOR);
		struct slice record = end == NULL ? rest : slice_between(rest.ptr, end);
		rest = slice_skip(rest, record.len + (end != NULL));
		append_record(out, record);
	}
}

/* ---- Stores ---- */

static int open_memory(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);
	expect(fd >= 0, "no memory file");
	return fd;
}

static enum image_read_result read_state(struct store *store, int fd, struct image_report *report)
{
	struct store_options checked = { .is_checked = true };
	struct image_read_options options = { .checks = { .native_is_right = native_is_right } };
	expect(lseek(fd, 0, SEEK_SET) == 0, "no beginning");
	store_init(store, &checked);
	enum image_read_result result = image_read(store, fd, &options, report);
	close(fd);
	return result;
}

/* What was read can be written, and then it is read as a whole, and is the same. */
static void check_again(struct store *store, struct slice page)
{
	struct store again;
	struct image_written written;
	struct image_report report;
	struct buf text;
	int fd = open_memory();
	expect(image_write(store, fd, &written) == IMAGE_WRITE_OK, "not written");
	expect(read_state(&again, fd, &report) == IMAGE_READ_OK, "what was written is not read");
	buf_init(&text, 0);
	append_page(&again, PAGE_TEXT, &text);
	if (!slice_equal(buf_slice(&text), page)) {
		fprintf(stderr, SLICE_FMT "became\n" SLICE_FMT, SLICE_ARG(page), (int)text.len, text.ptr);
		expect(false, "the page is another one");
	}
	buf_finish(&text);
	store_finish(&again);
}

static void check(struct slice file)
{
	struct store store;
	struct image_report report;
	struct buf text;
	int fd = open_memory();
	expect(write(fd, file.ptr, file.len) == (ssize_t)file.len, "no room");
	read_state(&store, fd, &report);
	buf_init(&text, 0);
	append_page(&store, PAGE_OPENMETRICS, &text);
	text.len = 0;
	append_page(&store, PAGE_TEXT, &text);
	check_text(buf_slice(&text));
	check_again(&store, buf_slice(&text));
	buf_finish(&text);
	store_finish(&store);
	page_release_spare();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	struct slice input = slice_make((const char *)data, size);
	struct buf file;
	if (!is_ready) {
		hash_init();
		/* Nothing expires from one reading to the next. */
		clock_freeze(UINT64_C(1000000000000), INT64_C(1700000000000000000));
		is_ready = true;
	}
	if (size == 0) {
		return 0;
	}
	buf_init(&file, 0);
	buf_reserve(&file, size);
	if (input.ptr[0] == 'r') {
		append_records(&file, slice_skip(input, 1));
	} else {
		buf_append(&file, slice_skip(input, 1));
	}
	check(buf_slice(&file));
	buf_finish(&file);
	return 0;
}
