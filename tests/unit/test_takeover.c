/*
 * What two weirs say to each other: frames as bytes, and with files over a
 * socket, whatever pieces they come in.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "server/takeover_channel.h"

static const struct takeover_frame frames[] = {
	{ .type = TAKEOVER_HELLO, .payload = { "\1\0\0\0", 4 } },
	{ .type = TAKEOVER_OFFER, .payload = { "\1\0\0\0\2\0\0\0", 8 }, .file_count = 2 },
	{ .type = TAKEOVER_LISTENER, .payload = { "\0\0\0\0\5\0\0\0:9091", 13 }, .file_count = 1 },
	{ .type = TAKEOVER_READY },
	{ .type = TAKEOVER_CONNECTIONS, .file_count = TAKEOVER_FILES_MAX },
	{ .type = TAKEOVER_REFUSAL, .payload = { "no", 2 } },
};

enum { FRAMES = sizeof(frames) / sizeof(frames[0]) };

static void check_same(const struct takeover_frame *got, const struct takeover_frame *wanted)
{
	CHECK_INT(got->type, wanted->type);
	CHECK_INT(got->file_count, wanted->file_count);
	CHECK_SLICE(got->payload, wanted->payload);
}

/* A frame is whole with its last byte, not before, and leaves what is behind it. */
static void test_frames(void)
{
	for (size_t i = 0; i < FRAMES; i++) {
		struct buf bytes;
		buf_init(&bytes, 0);
		takeover_frame_write(&bytes, &frames[i]);
		size_t len = bytes.len;
		buf_append_string(&bytes, "behind");
		struct takeover_frame frame;
		size_t used = 0;
		for (size_t cut = 0; cut < len; cut++) {
			CHECK_INT(takeover_frame_parse(slice_first(buf_slice(&bytes), cut), &frame, &used),
					TAKEOVER_FRAME_MORE);
		}
		CHECK_INT(takeover_frame_parse(buf_slice(&bytes), &frame, &used), TAKEOVER_FRAME_OK);
		CHECK_INT(used, len);
		check_same(&frame, &frames[i]);
		buf_finish(&bytes);
	}
}

static void test_bad_frames(void)
{
	static const struct {
		const char *what;
		struct slice bytes;
	} tests[] = {
		{ "no type", { "\0\0\0\0\0\0\0\0", 8 } },
		{ "unknown type", { "\x0a\0\0\0\0\0\0\0", 8 } },
		{ "type of another sign", { "\x81\0\0\0\0\0\0\0", 8 } },
		{ "too many files", { "\1\x41\0\0\0\0\0\0", 8 } },
		{ "reserved byte", { "\1\0\1\0\0\0\0\0", 8 } },
		{ "other reserved byte", { "\1\0\0\1\0\0\0\0", 8 } },
		{ "too long", { "\1\0\0\0\1\x40\0\0", 8 } },
		{ "much too long", { "\1\0\0\0\xff\xff\xff\xff", 8 } },
	};
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct takeover_frame frame;
		size_t used;
		CHECK_INT(takeover_frame_parse(tests[i].bytes, &frame, &used), TAKEOVER_FRAME_E_BAD);
	}
}

static void test_payloads(void)
{
	struct buf out;
	buf_init(&out, 0);
	takeover_put_u32(&out, 0x01020304);
	takeover_put_u64(&out, UINT64_MAX - 1);
	takeover_put_text(&out, SLICE("text"));
	takeover_put_text(&out, SLICE(""));
	CHECK_STRING(slice_first(buf_slice(&out), 4), "\4\3\2\1");
	for (size_t cut = 0; cut <= out.len; cut++) {
		struct takeover_reader reader = { .rest = slice_first(buf_slice(&out), cut) };
		uint32_t small = takeover_get_u32(&reader);
		uint64_t large = takeover_get_u64(&reader);
		struct slice text = takeover_get_text(&reader);
		struct slice none = takeover_get_text(&reader);
		CHECK_INT(reader.failed, cut < out.len);
		CHECK_INT(small, cut < 4 ? 0 : 0x01020304);
		CHECK(large == (cut < 12 ? 0 : UINT64_MAX - 1));
		CHECK_STRING(text, cut < 20 ? "" : "text");
		CHECK_INT(none.len, 0);
	}
	buf_finish(&out);
}

/* ---- With files ---- */

static ino_t inode_of(int fd)
{
	struct stat status = { 0 };
	CHECK_INT(fstat(fd, &status), 0);
	return status.st_ino;
}

/* A file each, told apart by what they are. */
static void make_files(int *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ends[2];
		CHECK_INT(pipe(ends), 0);
		close(ends[1]);
		files[i] = ends[0];
	}
}

static void close_files(const int *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		close(files[i]);
	}
}

/* Takes what is there; how many frames there are by then. */
static size_t take_frames(struct takeover_channel *in, size_t next, const int *sent)
{
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	while (takeover_channel_receive(in, &frame, files) == TAKEOVER_CHANNEL_OK) {
		check_same(&frame, &frames[next]);
		for (size_t i = 0; i < frame.file_count; i++) {
			CHECK_INT(inode_of(files[i]), inode_of(sent[i]));
			CHECK((fcntl(files[i], F_GETFD) & FD_CLOEXEC) != 0);
		}
		close_files(files, frame.file_count);
		next++;
	}
	return next;
}

static void test_channel(void)
{
	int ends[2];
	int sent[TAKEOVER_FILES_MAX];
	struct takeover_channel out;
	struct takeover_channel in;
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	takeover_channel_init(&out, ends[0]);
	takeover_channel_init(&in, ends[1]);
	make_files(sent, TAKEOVER_FILES_MAX);
	for (size_t i = 0; i < FRAMES; i++) {
		takeover_channel_send(&out, &frames[i], sent);
	}
	CHECK(!takeover_channel_has_output(&out));
	CHECK_INT(take_frames(&in, 0, sent), FRAMES);
	takeover_channel_finish(&out);
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	CHECK_INT(takeover_channel_receive(&in, &frame, files), TAKEOVER_CHANNEL_ENDED);
	CHECK_INT(takeover_channel_receive(&in, &frame, files), TAKEOVER_CHANNEL_ENDED);
	takeover_channel_finish(&in);
	close_files(sent, TAKEOVER_FILES_MAX);
}

/* More than the socket takes at once: the rest waits. */
static void test_full_channel(void)
{
	enum { MANY = 100 };
	static char payload[TAKEOVER_PAYLOAD_BYTES_MAX];
	int ends[2];
	int sent[1];
	struct takeover_channel out;
	struct takeover_channel in;
	struct takeover_frame frame = {
		.type = TAKEOVER_STATE,
		.file_count = 1,
		.payload = slice_make(payload, sizeof(payload)),
	};
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	takeover_channel_init(&out, ends[0]);
	takeover_channel_init(&in, ends[1]);
	make_files(sent, 1);
	for (size_t i = 0; i < MANY; i++) {
		takeover_channel_send(&out, &frame, sent);
	}
	CHECK(takeover_channel_has_output(&out));
	size_t received = 0;
	struct takeover_frame got;
	int files[TAKEOVER_FILES_MAX];
	while (takeover_channel_receive(&in, &got, files) == TAKEOVER_CHANNEL_OK) {
		CHECK_INT(got.payload.len, sizeof(payload));
		CHECK_INT(inode_of(files[0]), inode_of(sent[0]));
		close(files[0]);
		received++;
		CHECK(takeover_channel_flush(&out));
	}
	CHECK_INT(received, MANY);
	takeover_channel_finish(&in);
	takeover_channel_send(&out, &frame, sent);
	CHECK(!takeover_channel_flush(&out));
	takeover_channel_finish(&out);
	close_files(sent, 1);
}

/* Bytes that come one by one, and files that do not come. */
static void test_pieces(void)
{
	int ends[2];
	struct takeover_channel in;
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	takeover_channel_init(&in, ends[1]);
	struct buf bytes;
	buf_init(&bytes, 0);
	takeover_frame_write(&bytes, &frames[0]);
	takeover_frame_write(&bytes, &frames[3]);
	takeover_frame_write(&bytes, &frames[5]);
	size_t first_len = TAKEOVER_HEADER_BYTES + frames[0].payload.len;
	static const size_t order[] = { 0, 3, 5 };
	size_t count = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		CHECK_INT(write(ends[0], bytes.ptr + i, 1), 1);
		struct takeover_frame frame;
		int files[TAKEOVER_FILES_MAX];
		if (takeover_channel_receive(&in, &frame, files) == TAKEOVER_CHANNEL_OK) {
			check_same(&frame, &frames[order[count++]]);
			CHECK(i + 1 >= first_len);
		}
	}
	CHECK_INT(count, 3);
	buf_reset(&bytes, 0);
	takeover_frame_write(&bytes, &frames[1]); /* wants files */
	CHECK_INT(write(ends[0], bytes.ptr, bytes.len), (ssize_t)bytes.len);
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	CHECK_INT(takeover_channel_receive(&in, &frame, files), TAKEOVER_CHANNEL_E_BAD);
	buf_finish(&bytes);
	close(ends[0]);
	takeover_channel_finish(&in);
}

/* Who ends the wait has either got the last word, or the other side knows that it has not. */
static void test_last_word(void)
{
	for (int is_sent_before = 0; is_sent_before < 2; is_sent_before++) {
		static const struct takeover_frame bye = { .type = TAKEOVER_BYE };
		int ends[2];
		struct takeover_channel out;
		struct takeover_channel in;
		CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		takeover_channel_init(&out, ends[0]);
		takeover_channel_init(&in, ends[1]);
		if (is_sent_before) {
			CHECK(takeover_channel_send_at_once(&out, &bye));
		}
		takeover_channel_shut(&in);
		if (!is_sent_before) {
			CHECK(!takeover_channel_send_at_once(&out, &bye));
		}
		struct takeover_frame frame;
		int files[TAKEOVER_FILES_MAX];
		CHECK_INT(takeover_channel_receive(&in, &frame, files),
				is_sent_before ? TAKEOVER_CHANNEL_OK : TAKEOVER_CHANNEL_ENDED);
		if (is_sent_before) {
			check_same(&frame, &bye);
		}
		takeover_channel_finish(&in);
		takeover_channel_finish(&out);
	}
}

/* What could not be sent at once does not go out when there is room again. */
static void test_no_late_word(void)
{
	static const struct takeover_frame bye = { .type = TAKEOVER_BYE };
	static char payload[TAKEOVER_PAYLOAD_BYTES_MAX];
	struct takeover_frame large = {
		.type = TAKEOVER_REFUSAL,
		.payload = slice_make(payload, sizeof(payload)),
	};
	int ends[2];
	struct takeover_channel out;
	struct takeover_channel in;
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	takeover_channel_init(&out, ends[0]);
	takeover_channel_init(&in, ends[1]);
	while (!takeover_channel_has_output(&out)) {
		takeover_channel_send(&out, &large, NULL);
	}
	CHECK(!takeover_channel_send_at_once(&out, &bye));
	struct takeover_frame frame;
	int files[TAKEOVER_FILES_MAX];
	while (takeover_channel_receive(&in, &frame, files) == TAKEOVER_CHANNEL_OK) {
		CHECK_INT(frame.type, TAKEOVER_REFUSAL);
		takeover_channel_flush(&out);
	}
	takeover_channel_finish(&in);
	takeover_channel_finish(&out);
}

int main(void)
{
	RUN(test_frames);
	RUN(test_bad_frames);
	RUN(test_payloads);
	RUN(test_channel);
	RUN(test_full_channel);
	RUN(test_pieces);
	RUN(test_last_word);
	RUN(test_no_late_word);
	return check_done();
}
