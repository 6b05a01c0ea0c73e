#pragma once

/*
 * gzip (RFC 1952) for coded_body.c:
 *
 *	header | segment | segment | ... | empty last block | CRC, length
 *	         each ended by a full flush
 *
 * After a full flush nothing refers to what was before it, so segments know
 * nothing of each other.
 */

#include <isa-l/igzip_lib.h>

/* What compressing a segment takes. */
struct gzip_state {
	struct isal_zstream stream;
	unsigned char level_buf[ISAL_DEF_LVL1_DEFAULT];
};

extern const struct coder gzip_coder;
