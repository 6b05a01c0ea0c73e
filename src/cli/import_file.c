#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "cli/import_source.h"
#include "transfer/line_read.h"

/*
 * An export in a file. Lines are read as they are needed; what their groups say
 * is not looked at here. Several exports may stand one behind the other.
 */
struct import_file {
	struct import_source source;
	int fd;
	struct buf buf;
	size_t used;    /* of the buffer */
	bool is_at_end; /* of the file; the buffer has the rest */
	bool is_open;   /* an export has begun and not ended */
	uint64_t lines; /* of groups, in that export */
	char fault[256];
};

enum {
	READ_BYTES = 256 * 1024,
	LINE_BYTES_MAX = 1024 * 1024 * 1024,
};

/* ---- Bytes ---- */

static struct slice unread(const struct import_file *file)
{
	return slice_skip(buf_slice(&file->buf), file->used);
}

/* Whether there may be more. */
static bool read_more(struct import_file *file, int *fault)
{
	buf_consume(&file->buf, file->used);
	file->used = 0;
	if (!buf_reserve(&file->buf, READ_BYTES)) {
		*fault = EFBIG;
		return false;
	}
	ssize_t count = read(file->fd, file->buf.ptr + file->buf.len, READ_BYTES);
	if (count > 0) {
		file->buf.len += (size_t)count;
		file->source.bytes += (uint64_t)count;
	} else if (count == 0) {
		file->is_at_end = true;
	} else if (errno != EINTR) {
		*fault = errno;
		return false;
	}
	return true;
}

/* The next line; ptr NULL: there is none. */
static struct slice take_line(struct import_file *file, int *fault)
{
	size_t looked = 0;
	const char *feed = NULL;
	while (!file->is_at_end) {
		struct slice bytes = slice_skip(unread(file), looked);
		feed = slice_find_byte(bytes, '\n');
		if (feed != NULL) {
			break;
		}
		looked += bytes.len;
		if (!read_more(file, fault)) {
			return slice_make(NULL, 0);
		}
	}
	struct slice rest = unread(file);
	if (rest.len == 0) {
		return slice_make(NULL, 0);
	}
	size_t before = rest.len;
	struct slice line = slice_take_line(&rest);
	file->used += before - rest.len;
	file->source.line++;
	return line;
}

/* ---- Lines ---- */

static enum import_source_result end(
		struct import_file *file, enum import_source_result result, const char *fault)
{
	snprintf(file->fault, sizeof(file->fault), "%s", fault);
	file->source.fault = file->fault;
	return result;
}

/* The first line of an export, or its last one. */
static bool is_frame(struct slice line)
{
	return slice_starts_with(line, SLICE("{\"weir_export"));
}

/* Somebody may have taken lines out; it is said, and no fault. */
static void check_counts(const struct import_file *file, const struct line_counts *counts)
{
	if (counts->lines != file->lines) {
		fprintf(stderr,
				"weir import: %s:%" PRIu64 ": the export had %" PRIu64 " lines of groups, and here "
				"are %" PRIu64 "\n",
				file->source.name, file->source.line, counts->lines, file->lines);
	}
}

/* False when the rest is of no use. */
static bool read_frame(struct import_file *file, struct slice text)
{
	struct arena arena;
	struct line line;
	struct line_error error;
	arena_init(&arena);
	bool is_read = line_read(text, &arena, &line, &error);
	if (is_read) {
		if (line.kind == LINE_END) {
			check_counts(file, &line.counts);
		}
		file->is_open = line.kind == LINE_HEADER;
		file->lines = 0;
	} else {
		snprintf(file->fault, sizeof(file->fault), "line %" PRIu64 ": " SLICE_FMT,
				file->source.line, SLICE_ARG(error.what));
		file->source.fault = file->fault;
	}
	arena_finish(&arena);
	return is_read;
}

static enum import_source_result next(struct import_source *source, struct slice *ret_line)
{
	struct import_file *file = (struct import_file *)source;
	int fault = 0;
	for (;;) {
		struct slice line = take_line(file, &fault);
		if (line.ptr == NULL) {
			break;
		}
		if (slice_ends_with(line, SLICE("\r"))) {
			line.len--;
		}
		if (is_frame(line)) {
			if (!read_frame(file, line)) {
				return IMPORT_SOURCE_FAULT;
			}
		} else if (slice_trim(line).len > 0) {
			file->lines++;
			*ret_line = line;
			return IMPORT_SOURCE_LINE;
		}
	}
	if (fault != 0) {
		return end(file, IMPORT_SOURCE_FAULT,
				fault == EFBIG ? "a line is longer than 1 GiB" : strerror(fault));
	}
	return file->is_open
			? end(file, IMPORT_SOURCE_CUT, "it ends without the last line of an export: it was cut")
			: IMPORT_SOURCE_END;
}

/* ---- Life ---- */

static void close_file(struct import_source *source)
{
	struct import_file *file = (struct import_file *)source;
	if (file->fd != STDIN_FILENO) {
		close(file->fd);
	}
	buf_finish(&file->buf);
	free(file);
}

struct import_source *import_file_open(const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat status;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return NULL;
	}
	struct import_file *file = memory_zalloc(1, sizeof(*file));
	file->fd = fd;
	file->source.name = is_stdin ? "<stdin>" : path;
	file->source.next = next;
	file->source.close = close_file;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		file->source.total = (uint64_t)status.st_size;
	}
	buf_init(&file->buf, LINE_BYTES_MAX);
	buf_reserve(&file->buf, READ_BYTES);
	return &file->source;
}
