#include "state/image/output.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/hash.h"
#include "state/boot.h"
#include "state/image/file_layout.h"
#include "version.h"

enum { FLUSH_BYTES = 256 * 1024 };

static void flush(struct state_output *output)
{
	struct slice rest = buf_slice(&output->buf);
	while (rest.len > 0 && output->fault == 0) {
		ssize_t count = write(output->fd, rest.ptr, rest.len);
		if (count >= 0) {
			rest = slice_skip(rest, (size_t)count);
			output->bytes += (uint64_t)count;
		} else if (errno != EINTR) {
			output->fault = -errno;
		}
	}
	buf_reset(&output->buf, 4 * FLUSH_BYTES);
}

static void append(struct buf *out, const void *bytes, size_t len)
{
	buf_append(out, slice_make(bytes, len));
}

static void draw_salt(struct state_output *output)
{
	ssize_t len = getrandom(&output->salt, sizeof(output->salt), 0);
	if (len != (ssize_t)sizeof(output->salt)) {
		output->fault = len < 0 ? -errno : -EIO;
	}
}

static void put_headers(struct state_output *output)
{
	struct boot_time now = boot_time_now();
	struct state_header header = {
		.version = htole32(STATE_VERSION),
		.bytes = htole32(sizeof(header)),
		.salt = htole64(output->salt),
		.written_ns = (int64_t)htole64((uint64_t)now.wall_ns),
		.boot_ns = htole64(now.boot_ns),
	};
	memcpy(header.magic, state_magic, sizeof(header.magic));
	memcpy(header.boot_id, now.boot_id, sizeof(header.boot_id));
	snprintf(header.written_by, sizeof(header.written_by), "weir %s", WEIR_VERSION);
	struct slice summed = slice_make((const char *)&header, offsetof(struct state_header, check));
	header.check = htole64(checksum64(summed, 0));
	for (int i = 0; i < STATE_HEADERS; i++) {
		append(&output->buf, &header, sizeof(header));
	}
}

void state_output_begin(struct state_output *output, int fd)
{
	*output = (struct state_output){ .fd = fd };
	buf_init(&output->buf, 0);
	draw_salt(output);
	put_headers(output);
}

static struct state_frame frame_of(
		const struct state_output *output, enum state_frame_kind kind, size_t length)
{
	struct state_frame frame = {
		.mark = htole64(output->salt),
		.length = htole32((uint32_t)length),
		.kind = htole32(kind),
	};
	struct slice summed = slice_make((const char *)&frame, offsetof(struct state_frame, check));
	frame.check = htole64(checksum64(summed, output->salt));
	return frame;
}

/* The frame is put before the record when its length is known. */
static void put_record(struct state_output *output, struct record_source *source)
{
	struct state_frame frame = { 0 };
	size_t start = output->buf.len;
	append(&output->buf, &frame, sizeof(frame));
	record_write(&output->buf, source);
	size_t length = output->buf.len - start - sizeof(frame);
	if (length > UINT32_MAX) {
		output->fault = -EFBIG;
		return;
	}
	frame = frame_of(output, STATE_FRAME_RECORD, length);
	memcpy(output->buf.ptr + start, &frame, sizeof(frame));
	output->records++;
}

void state_output_unit(struct state_output *output, const struct listing_unit *unit)
{
	LIST_EACH (link, &unit->records) {
		if (output->fault != 0) {
			return;
		}
		put_record(output, &LIST_ENTRY(link, struct listed_record, link)->source);
		if (output->buf.len >= FLUSH_BYTES) {
			flush(output);
		}
	}
}

bool state_output_end(struct state_output *output)
{
	uint64_t count = htole64(output->records);
	struct state_frame frame = frame_of(output, STATE_FRAME_END, 2 * sizeof(count));
	struct slice summed = slice_make((const char *)&count, sizeof(count));
	uint64_t check = htole64(checksum64(summed, output->salt));
	append(&output->buf, &frame, sizeof(frame));
	append(&output->buf, &count, sizeof(count));
	append(&output->buf, &check, sizeof(check));
	flush(output);
	return output->fault == 0;
}

void state_output_finish(struct state_output *output)
{
	buf_finish(&output->buf);
}
