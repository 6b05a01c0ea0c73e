#include "state/image/input.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "base/hash.h"

enum { READ_BYTES = 1024 * 1024 };

/* ---- Bytes ---- */

static struct slice unread(const struct state_input *input)
{
	return slice_skip(buf_slice(&input->buf), input->used);
}

static void drop_used(struct state_input *input)
{
	input->offset += input->used;
	buf_consume(&input->buf, input->used);
	input->used = 0;
}

static void read_more(struct state_input *input)
{
	if (!buf_reserve(&input->buf, READ_BYTES)) {
		input->fault = -ENOMEM;
		return;
	}
	ssize_t count = read(input->fd, input->buf.ptr + input->buf.len, READ_BYTES);
	if (count > 0) {
		input->buf.len += (size_t)count;
	} else if (count == 0) {
		input->is_at_end = true;
	} else if (errno != EINTR) {
		input->fault = -errno;
	}
}

/* Whether so many unread bytes are there. */
static bool has(struct state_input *input, size_t bytes)
{
	if (unread(input).len < bytes) {
		drop_used(input);
	}
	while (unread(input).len < bytes && !input->is_at_end && input->fault == 0) {
		read_more(input);
	}
	return unread(input).len >= bytes;
}

/* ---- The header ---- */

static bool has_check(const struct state_header *header)
{
	struct slice summed = slice_make((const char *)header, offsetof(struct state_header, check));
	return le64toh(header->check) == checksum64(summed, 0);
}

static bool has_magic(const struct state_header *header)
{
	return memcmp(header->magic, state_magic, sizeof(state_magic)) == 0;
}

/* Text of the file is shown as far as it is text. */
static void take_written_by(struct state_input *input, const struct state_header *header)
{
	size_t len = 0;
	while (len + 1 < sizeof(header->written_by) && header->written_by[len] >= ' '
			&& header->written_by[len] <= '~') {
		len++;
	}
	memcpy(input->written_by, header->written_by, len);
	input->written_by[len] = '\0';
}

static void take_header(struct state_input *input, const struct state_header *header)
{
	input->salt = le64toh(header->salt);
	input->written.wall_ns = (int64_t)le64toh((uint64_t)header->written_ns);
	input->written.boot_ns = le64toh(header->boot_ns);
	memcpy(input->written.boot_id, header->boot_id, sizeof(header->boot_id));
	take_written_by(input, header);
}

/* Of a newer version only the beginning is known. */
static bool is_newer(struct state_input *input, const struct state_header *header)
{
	if (!has_magic(header) || le32toh(header->version) <= STATE_VERSION) {
		return false;
	}
	take_written_by(input, header);
	return true;
}

/* An empty file, or one that was cut off in its first bytes, is a damaged one. */
static enum state_input_result judge_short(const struct state_input *input)
{
	struct slice bytes = unread(input);
	struct slice magic = slice_make(state_magic, sizeof(state_magic));
	bool is_ours = slice_starts_with(bytes, magic) || slice_starts_with(magic, bytes);
	return is_ours ? STATE_INPUT_E_DAMAGED : STATE_INPUT_E_FOREIGN;
}

enum state_input_result state_input_begin(struct state_input *input, int fd)
{
	struct state_header headers[STATE_HEADERS];
	*input = (struct state_input){ .fd = fd };
	buf_init(&input->buf, 0);
	buf_reserve(&input->buf, READ_BYTES);
	if (!has(input, sizeof(headers))) {
		return input->fault != 0 ? STATE_INPUT_E_SYSTEM : judge_short(input);
	}
	memcpy(headers, unread(input).ptr, sizeof(headers));
	input->used += sizeof(headers);
	for (int i = 0; i < STATE_HEADERS; i++) {
		const struct state_header *header = &headers[i];
		if (has_magic(header) && has_check(header) && le32toh(header->version) == STATE_VERSION) {
			take_header(input, header);
			return STATE_INPUT_OK;
		}
	}
	if (is_newer(input, &headers[0])) {
		return STATE_INPUT_E_NEWER;
	}
	return has_magic(&headers[0]) ? STATE_INPUT_E_DAMAGED : STATE_INPUT_E_FOREIGN;
}

void state_input_finish(struct state_input *input)
{
	buf_finish(&input->buf);
}

/* ---- Frames ---- */

/* The frame that begins at the next unread byte, with all that is in it. */
static bool read_frame(struct state_input *input, struct state_frame *ret_frame)
{
	struct state_frame frame;
	if (!has(input, sizeof(frame))) {
		return false;
	}
	memcpy(&frame, unread(input).ptr, sizeof(frame));
	struct slice summed = slice_make((const char *)&frame, offsetof(struct state_frame, check));
	if (le64toh(frame.mark) != input->salt
			|| le64toh(frame.check) != checksum64(summed, input->salt)
			|| !has(input, sizeof(frame) + le32toh(frame.length))) {
		return false;
	}
	*ret_frame = frame;
	return true;
}

/* To the next mark, at least one byte on. */
static void skip_damage(struct state_input *input)
{
	uint64_t mark = htole64(input->salt);
	input->used++;
	while (has(input, sizeof(mark))) {
		struct slice bytes = unread(input);
		const char *found = memmem(bytes.ptr, bytes.len, &mark, sizeof(mark));
		if (found != NULL) {
			input->used += (size_t)(found - bytes.ptr);
			return;
		}
		input->used += bytes.len - sizeof(mark) + 1;
	}
	input->used = input->buf.len;
}

static bool read_end(struct state_input *input)
{
	uint64_t numbers[2];
	if (input->bytes.len != sizeof(numbers)) {
		return false;
	}
	memcpy(numbers, input->bytes.ptr, sizeof(numbers));
	struct slice summed = slice_make((const char *)&numbers[0], sizeof(numbers[0]));
	input->records = le64toh(numbers[0]);
	input->has_ended = le64toh(numbers[1]) == checksum64(summed, input->salt);
	return input->has_ended;
}

static enum state_input_item end(const struct state_input *input)
{
	return input->fault != 0   ? STATE_INPUT_FAULT
			: input->has_ended ? STATE_INPUT_END
							   : STATE_INPUT_NO_END;
}

enum state_input_item state_input_next(struct state_input *input)
{
	struct state_frame frame;
	input->place = input->offset + input->used;
	if (!has(input, 1)) {
		return end(input);
	}
	bool is_frame = !input->has_ended && read_frame(input, &frame);
	if (input->fault != 0) {
		return STATE_INPUT_FAULT;
	}
	if (!is_frame) {
		skip_damage(input);
		return STATE_INPUT_DAMAGE;
	}
	size_t length = le32toh(frame.length);
	input->bytes = slice_make(unread(input).ptr + sizeof(frame), length);
	input->used += sizeof(frame) + length;
	if (le32toh(frame.kind) == STATE_FRAME_RECORD) {
		return STATE_INPUT_RECORD;
	}
	return read_end(input) ? state_input_next(input) : STATE_INPUT_DAMAGE;
}
