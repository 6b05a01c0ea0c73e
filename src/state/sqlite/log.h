#pragma once

/*
 * SQLite's write-ahead log, read without SQLite: which pages its committed
 * transactions have, and whether one of its frames is damaged.
 *
 *     header 32 bytes, then frames: 24 bytes and a page; a transaction's last one
 *     says so. Checksums run on from one frame to the next.
 *
 * A frame with a wrong checksum is the end of the log, for SQLite. That is right
 * where the power was cut, since the transaction it belongs to was not on disk yet
 * and none came after it. When others were committed behind it, it was on disk,
 * and is damaged. The next frame's checksum begins with what is stored in this one,
 * so that what follows can be checked still.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a frame's page is, of a transaction that was committed. */
enum sqlite_log_trust {
	SQLITE_LOG_COMMITTED,
	SQLITE_LOG_BEYOND,   /* a damaged frame; SQLite does not know of it */
	SQLITE_LOG_DOUBTFUL, /* likewise, and this one is damaged itself */
};

struct sqlite_log {
	/* Set by the caller. */
	bool (*read)(void *data, char *bytes, size_t count, uint64_t offset);
	/* The page is in that frame, numbered from 1; called again for newer ones. */
	void (*on_page)(void *data, uint32_t number, uint32_t frame, enum sqlite_log_trust trust);
	void *data;
	uint64_t bytes; /* the log's size; 0: there is none */

	/* What its header says. */
	bool is_whole;
	bool is_big_endian;
	size_t page_bytes;
	uint32_t salts[2];
	uint32_t sums[2]; /* of all before the next frame */

	/* What was found. */
	uint64_t committed;
	bool is_broken; /* committed transactions are behind a damaged frame */
};

/* Reads its header. */
void sqlite_log_begin(struct sqlite_log *log);

/* Reads its frames, with pages of that size. */
void sqlite_log_read(struct sqlite_log *log, size_t page_bytes);

/* Where the page is that a frame has. */
uint64_t sqlite_log_page_offset(uint32_t frame, size_t page_bytes);
