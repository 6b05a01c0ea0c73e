#pragma once

/*
 * The pages of an SQLite database as they are on disk, read without SQLite: those
 * of the file, and over them those that its write-ahead log has committed. Nothing
 * is changed, nothing is trusted: this is for files of which it is not certain
 * whose they are, or that they are whole.
 *
 * SQLite takes the log to end at the first frame whose checksum is wrong; what the
 * power was cut in looks like that. What follows it may show that it is damage; see
 * sqlite_log.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SQLITE_HEADER_BYTES = 100 /* at the beginning of page 1 */ };

/* A frame of the log that SQLite would lose. */
struct sqlite_frame {
	uint32_t page;
	uint32_t number;
};

struct sqlite_pages {
	int file; /* -1: there is none */
	int log;  /* likewise */
	size_t page_bytes;
	uint32_t count;      /* pages are numbered from 1 to that */
	uint32_t *frames;    /* of the log, for each page; 0: it is in the file */
	uint32_t in_frames;  /* pages that may be there */
	uint64_t committed;  /* frames of the log that were committed */
	bool has_broken_log; /* transactions were committed behind a damaged frame: SQLite loses them */
	bool is_beyond;      /* those are counted in, and listed: */
	struct sqlite_frame *beyond;
	size_t beyond_count;
	size_t beyond_capacity;
};

/* Of files of which there is none the pages are none. False: see errno. */
bool sqlite_pages_open(struct sqlite_pages *pages, const char *path, bool is_beyond);
void sqlite_pages_close(struct sqlite_pages *pages);

/* False: there is no such page, or it cannot be read. One that is cut off goes on with zeros. */
bool sqlite_pages_read(const struct sqlite_pages *pages, uint32_t number, char *ret_bytes);

/* Likewise of a frame that is listed. */
bool sqlite_pages_read_frame(
		const struct sqlite_pages *pages, const struct sqlite_frame *frame, char *ret_bytes);

/* The page begins with the database's header. */
bool sqlite_pages_has_magic(const char *bytes);

/* Big-endian, as all numbers in pages. */
uint32_t sqlite_pages_u16(const char *bytes);
uint32_t sqlite_pages_u32(const char *bytes);
