#include "state/sqlite/pages.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/sqlite/log.h"

enum {
	PAGE_BYTES = 4096, /* unless a header says otherwise */
	PAGE_BYTES_MIN = 512,
	PAGE_BYTES_MAX = 65536,
	PAGES_MAX = 1 << 28, /* more than weir's disks have */
	TRIES = 3,           /* to read a place */
};

static const char magic[16] = "SQLite format 3";

uint32_t sqlite_pages_u16(const char *bytes)
{
	uint16_t number;
	memcpy(&number, bytes, sizeof(number));
	return be16toh(number);
}

uint32_t sqlite_pages_u32(const char *bytes)
{
	uint32_t number;
	memcpy(&number, bytes, sizeof(number));
	return be32toh(number);
}

bool sqlite_pages_has_magic(const char *bytes)
{
	return memcmp(bytes, magic, sizeof(magic)) == 0;
}

/* ---- Files ---- */

/* What cannot be read is given up, for good: not before it was tried again. */
static ssize_t read_some(int fd, char *bytes, size_t count, off_t offset)
{
	ssize_t got;
	int tries = 0;
	do {
		got = pread(fd, bytes, count, offset);
	} while (got < 0 && (errno == EINTR || ++tries < TRIES));
	return got;
}

/* What is behind the file's end is zero; something must be there. */
static bool read_at(int fd, char *bytes, size_t count, off_t offset)
{
	size_t done = 0;
	while (done < count) {
		ssize_t got = read_some(fd, bytes + done, count - done, offset + (off_t)done);
		if (got <= 0) {
			memset(bytes + done, 0, count - done);
			return got == 0 && done > 0;
		}
		done += (size_t)got;
	}
	return true;
}

/* False: it is there and cannot be opened. */
static bool open_one(const char *path, const char *suffix, int *ret_fd)
{
	char *name = memory_alloc(strlen(path) + strlen(suffix) + 1);
	sprintf(name, "%s%s", path, suffix);
	*ret_fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	free(name);
	return *ret_fd >= 0 || errno == ENOENT;
}

static uint64_t size_of(int fd)
{
	struct stat status;
	return fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

/* ---- Sizes ---- */

static bool is_page_size(size_t bytes)
{
	return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

/* By the file's header; 0: it does not say. */
static size_t page_bytes_of_file(int fd)
{
	char header[SQLITE_HEADER_BYTES];
	if (fd < 0 || !read_at(fd, header, sizeof(header), 0) || !sqlite_pages_has_magic(header)) {
		return 0;
	}
	size_t bytes = sqlite_pages_u16(header + 16);
	bytes = bytes == 1 ? PAGE_BYTES_MAX : bytes;
	return is_page_size(bytes) ? bytes : 0;
}

static size_t find_page_bytes(const struct sqlite_pages *pages, const struct sqlite_log *log)
{
	size_t bytes = page_bytes_of_file(pages->file);
	if (bytes == 0 && log->is_whole) {
		bytes = log->page_bytes;
	}
	return is_page_size(bytes) ? bytes : PAGE_BYTES;
}

/* ---- Opening ---- */

static void list_beyond(struct sqlite_pages *pages, uint32_t number, uint32_t frame)
{
	if (pages->beyond_count == pages->beyond_capacity) {
		pages->beyond_capacity = pages->beyond_capacity == 0 ? 64 : pages->beyond_capacity * 2;
		pages->beyond =
				memory_resize(pages->beyond, pages->beyond_capacity * sizeof(pages->beyond[0]));
	}
	pages->beyond[pages->beyond_count++] = (struct sqlite_frame){ .page = number, .number = frame };
}

static void set_frame(struct sqlite_pages *pages, uint32_t number, uint32_t frame)
{
	if (number > pages->in_frames) {
		uint32_t had = pages->in_frames;
		uint32_t room = number > had * 2 ? number : had * 2;
		pages->frames = memory_resize(pages->frames, room * sizeof(uint32_t));
		memset(pages->frames + had, 0, (room - had) * sizeof(uint32_t));
		pages->in_frames = room;
	}
	pages->frames[number - 1] = frame;
	pages->count = number > pages->count ? number : pages->count;
}

static void on_page(void *data, uint32_t number, uint32_t frame, enum sqlite_log_trust trust)
{
	struct sqlite_pages *pages = data;
	bool is_beyond = trust != SQLITE_LOG_COMMITTED;
	if (number == 0 || number > PAGES_MAX || (is_beyond && !pages->is_beyond)) {
		return;
	}
	if (is_beyond) {
		list_beyond(pages, number, frame);
	}
	if (trust != SQLITE_LOG_DOUBTFUL) {
		set_frame(pages, number, frame);
	}
}

static bool read_log(void *data, char *bytes, size_t count, uint64_t offset)
{
	const struct sqlite_pages *pages = data;
	return read_at(pages->log, bytes, count, (off_t)offset);
}

bool sqlite_pages_open(struct sqlite_pages *pages, const char *path, bool is_beyond)
{
	*pages = (struct sqlite_pages){ .file = -1, .log = -1, .is_beyond = is_beyond };
	if (!open_one(path, "", &pages->file) || !open_one(path, "-wal", &pages->log)) {
		int fault = errno;
		sqlite_pages_close(pages);
		errno = fault;
		return false;
	}
	struct sqlite_log log = { .read = read_log, .on_page = on_page, .data = pages };
	log.bytes = size_of(pages->log);
	sqlite_log_begin(&log);
	pages->page_bytes = find_page_bytes(pages, &log);
	uint64_t count = (size_of(pages->file) + pages->page_bytes - 1) / pages->page_bytes;
	pages->count = count < PAGES_MAX ? (uint32_t)count : PAGES_MAX;
	sqlite_log_read(&log, pages->page_bytes);
	pages->committed = log.committed;
	pages->has_broken_log = log.is_broken;
	return true;
}

void sqlite_pages_close(struct sqlite_pages *pages)
{
	if (pages->file >= 0) {
		close(pages->file);
	}
	if (pages->log >= 0) {
		close(pages->log);
	}
	free(pages->frames);
	free(pages->beyond);
}

/* ---- Reading ---- */

bool sqlite_pages_read_frame(
		const struct sqlite_pages *pages, const struct sqlite_frame *frame, char *ret_bytes)
{
	uint64_t offset = sqlite_log_page_offset(frame->number, pages->page_bytes);
	return read_at(pages->log, ret_bytes, pages->page_bytes, (off_t)offset);
}

bool sqlite_pages_read(const struct sqlite_pages *pages, uint32_t number, char *ret_bytes)
{
	if (number == 0 || number > pages->count) {
		return false;
	}
	struct sqlite_frame frame = { .page = number };
	frame.number = number <= pages->in_frames ? pages->frames[number - 1] : 0;
	if (frame.number != 0) {
		return sqlite_pages_read_frame(pages, &frame, ret_bytes);
	}
	off_t offset = (off_t)(number - 1) * (off_t)pages->page_bytes;
	return pages->file >= 0 && read_at(pages->file, ret_bytes, pages->page_bytes, offset);
}
