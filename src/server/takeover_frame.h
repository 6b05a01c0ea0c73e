#pragma once

/*
 * What two weirs say to each other when one takes over from the other, as
 * bytes. Both run on one machine; numbers are little-endian all the same.
 *
 *	 0      1            2          4        8
 *	+------+------------+----------+--------+---------
 *	| type | file count | reserved | length | payload
 *	+------+------------+----------+--------+---------
 *
 * The files come with the first byte of their frame, as SCM_RIGHTS.
 *
 *	new                                       old
 *	 | HELLO version                       ->  |
 *	 |  <- OFFER version, listeners; lock, the socket this is said over, lock of the state
 *	 |  <- LISTENER each; its socket           |
 *	 | READY (all that can fail was done)  ->  |  ends a saving, freezes, answers what it has read
 *	 |  <- STATE connections; what is stored, what is half read
 *	 |  <- CONNECTIONS a batch; their sockets  |
 *	 | TAKEN (all of it is loaded)         ->  |  will not go on from here
 *	 |  <- BYE                                 |
 *
 * Either may say REFUSAL instead and hang up: the old one then goes on as if
 * nothing had happened. HELLO and REFUSAL are the same in every version.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	TAKEOVER_VERSION = 2,
	TAKEOVER_HEADER_BYTES = 8,
	TAKEOVER_PAYLOAD_BYTES_MAX = 16 * 1024,
	TAKEOVER_FILES_MAX = 64, /* of one frame; the kernel takes 253 */
};

enum takeover_frame_type {
	TAKEOVER_HELLO = 1,
	TAKEOVER_OFFER,
	TAKEOVER_LISTENER,
	TAKEOVER_READY,
	TAKEOVER_STATE,
	TAKEOVER_CONNECTIONS,
	TAKEOVER_TAKEN,
	TAKEOVER_BYE,
	TAKEOVER_REFUSAL,
	TAKEOVER_TYPE_COUNT,
};

struct takeover_frame {
	enum takeover_frame_type type;
	size_t file_count;
	struct slice payload; /* in the bytes that were parsed */
};

enum takeover_frame_result {
	TAKEOVER_FRAME_OK = 0,
	TAKEOVER_FRAME_MORE, /* the frame is not whole yet */
	TAKEOVER_FRAME_E_BAD,
};

/* ret_used: the bytes that the frame takes. */
enum takeover_frame_result takeover_frame_parse(
		struct slice bytes, struct takeover_frame *ret_frame, size_t *ret_used);

void takeover_frame_write(struct buf *out, const struct takeover_frame *frame);

/* "HELLO" and so on, for the log. */
const char *takeover_frame_name(enum takeover_frame_type type);

/* ---- Payloads ---- */

void takeover_put_u32(struct buf *out, uint32_t number);
void takeover_put_u64(struct buf *out, uint64_t number);

/* With its length in front. */
void takeover_put_text(struct buf *out, struct slice text);

/* Reads on; past the end it gives zeros and has failed, so check once. */
struct takeover_reader {
	struct slice rest;
	bool failed;
};

uint32_t takeover_get_u32(struct takeover_reader *reader);
uint64_t takeover_get_u64(struct takeover_reader *reader);
struct slice takeover_get_text(struct takeover_reader *reader);
