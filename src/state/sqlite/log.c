#include "state/sqlite/log.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "state/sqlite/pages.h"

enum {
	HEADER_BYTES = 32,
	FRAME_BYTES = 24, /* before its page */
	SUMMED_BYTES = 8, /* of these */
	MAGIC = 0x377f0682,
};

struct frame {
	uint32_t page;
	bool is_last; /* of its transaction */
	uint32_t salts[2];
	uint32_t sums[2];
};

/* Of the transaction whose end is still to come. */
struct pending {
	uint32_t page;
	uint32_t frame;
	enum sqlite_log_trust trust;
};

/* Where the reading is. */
struct walk {
	struct sqlite_log *log;
	size_t page_bytes;
	char *bytes; /* of one frame */
	struct pending *pending;
	size_t count;
	size_t capacity;
	bool has_bad;      /* there was a damaged one */
	bool was_bad;      /* the one before this, so that this one's checksum says nothing */
	int commits_after; /* transactions that ended behind it */
};

static void add_sums(bool is_big_endian, const char *bytes, size_t count, uint32_t sums[2])
{
	for (size_t i = 0; i + 8 <= count; i += 8) {
		uint32_t words[2];
		memcpy(words, bytes + i, sizeof(words));
		words[0] = is_big_endian ? be32toh(words[0]) : le32toh(words[0]);
		words[1] = is_big_endian ? be32toh(words[1]) : le32toh(words[1]);
		sums[0] += words[0] + sums[1];
		sums[1] += words[1] + sums[0];
	}
}

static void get_two(const char *bytes, uint32_t numbers[2])
{
	numbers[0] = sqlite_pages_u32(bytes);
	numbers[1] = sqlite_pages_u32(bytes + 4);
}

void sqlite_log_begin(struct sqlite_log *log)
{
	char header[HEADER_BYTES];
	if (log->bytes < HEADER_BYTES || !log->read(log->data, header, sizeof(header), 0)) {
		log->bytes = 0;
		return;
	}
	uint32_t stored[2];
	uint32_t magic = sqlite_pages_u32(header);
	bool has_magic = magic == MAGIC || magic == MAGIC + 1;
	log->is_big_endian = magic == MAGIC + 1;
	log->page_bytes = sqlite_pages_u32(header + 8);
	get_two(header + 16, log->salts);
	get_two(header + 24, stored);
	add_sums(log->is_big_endian, header, 24, log->sums);
	log->is_whole = has_magic && memcmp(stored, log->sums, sizeof(stored)) == 0;
	if (!log->is_whole) {
		log->is_big_endian = BYTE_ORDER == BIG_ENDIAN; /* as SQLite writes it here */
	}
	memcpy(log->sums, stored, sizeof(stored));
}

uint64_t sqlite_log_page_offset(uint32_t frame, size_t page_bytes)
{
	return HEADER_BYTES + (uint64_t)(frame - 1) * (FRAME_BYTES + page_bytes) + FRAME_BYTES;
}

/* ---- Frames ---- */

static void keep(struct walk *walk, uint32_t page, uint32_t frame, enum sqlite_log_trust trust)
{
	if (walk->count == walk->capacity) {
		walk->capacity = walk->capacity == 0 ? 64 : walk->capacity * 2;
		walk->pending = memory_resize(walk->pending, walk->capacity * sizeof(walk->pending[0]));
	}
	walk->pending[walk->count++] = (struct pending){ .page = page, .frame = frame, .trust = trust };
}

/* A transaction with a damaged frame is beyond it as a whole. */
static void commit(struct walk *walk)
{
	struct sqlite_log *log = walk->log;
	for (size_t i = 0; i < walk->count; i++) {
		const struct pending *pending = &walk->pending[i];
		bool is_beyond = walk->has_bad && pending->trust == SQLITE_LOG_COMMITTED;
		log->on_page(log->data, pending->page, pending->frame,
				is_beyond ? SQLITE_LOG_BEYOND : pending->trust);
	}
	log->committed += walk->has_bad ? 0 : walk->count;
	walk->count = 0;
}

/* Whether it is right; what it has stored is what the next one goes by. */
static bool check_frame(struct walk *walk, const struct frame *frame)
{
	struct sqlite_log *log = walk->log;
	uint32_t sums[2] = { log->sums[0], log->sums[1] };
	add_sums(log->is_big_endian, walk->bytes, SUMMED_BYTES, sums);
	add_sums(log->is_big_endian, walk->bytes + FRAME_BYTES, walk->page_bytes, sums);
	memcpy(log->sums, frame->sums, sizeof(frame->sums));
	return memcmp(sums, frame->sums, sizeof(sums)) == 0;
}

static struct frame read_frame(const char *bytes)
{
	struct frame frame = {
		.page = sqlite_pages_u32(bytes),
		.is_last = sqlite_pages_u32(bytes + 4) != 0,
	};
	get_two(bytes + 8, frame.salts);
	get_two(bytes + 16, frame.sums);
	return frame;
}

/* A header that is damaged may have any salts; then those of the first frame count. */
static bool has_salts(struct walk *walk, const struct frame *frame, uint32_t number)
{
	struct sqlite_log *log = walk->log;
	if (number == 1 && !log->is_whole) {
		memcpy(log->salts, frame->salts, sizeof(log->salts));
	}
	return memcmp(log->salts, frame->salts, sizeof(log->salts)) == 0;
}

static enum sqlite_log_trust trust_of(const struct walk *walk, bool is_good)
{
	bool is_known = is_good || walk->was_bad;
	return !walk->has_bad ? SQLITE_LOG_COMMITTED
			: is_known    ? SQLITE_LOG_BEYOND
						  : SQLITE_LOG_DOUBTFUL;
}

/* Without the salts it is damaged, or of the time before the log began anew. */
static void take_frame(struct walk *walk, uint32_t number)
{
	struct frame frame = read_frame(walk->bytes);
	bool is_ours = has_salts(walk, &frame, number);
	bool is_good = check_frame(walk, &frame) && is_ours;
	if (!is_good && !walk->has_bad) {
		walk->has_bad = true;
		walk->commits_after = frame.is_last && is_ours ? 1 : 0;
	}
	if (is_ours) {
		keep(walk, frame.page, number, trust_of(walk, is_good));
	}
	if (is_good && frame.is_last) {
		walk->commits_after += walk->has_bad;
		commit(walk);
	}
	walk->was_bad = !is_good;
}

/* The transaction with the damaged frame may have been the last; another was not. */
void sqlite_log_read(struct sqlite_log *log, size_t page_bytes)
{
	struct walk walk = { .log = log, .page_bytes = page_bytes };
	walk.has_bad = walk.was_bad = !log->is_whole;
	size_t step = FRAME_BYTES + page_bytes;
	uint64_t frames = log->bytes < HEADER_BYTES ? 0 : (log->bytes - HEADER_BYTES) / step;
	walk.bytes = memory_alloc(step);
	for (uint32_t number = 1; number <= frames && number < UINT32_MAX; number++) {
		uint64_t offset = sqlite_log_page_offset(number, page_bytes) - FRAME_BYTES;
		if (!log->read(log->data, walk.bytes, step, offset)) {
			memset(walk.bytes, 0, step); /* a place of the disk that cannot be read */
		}
		take_frame(&walk, number);
	}
	log->is_broken = walk.has_bad && walk.commits_after > 1;
	free(walk.bytes);
	free(walk.pending);
}
