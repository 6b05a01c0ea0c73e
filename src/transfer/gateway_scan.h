#pragma once

/*
 * Cuts the groups out of what a Pushgateway's API says, while it arrives:
 *
 *     {"status":"success","data":[{...},{...}]}
 *                                 ----- -----
 *
 * With 10,000 groups that is 150 MB; as trees in memory it would be more than
 * 1 GB. One group at a time is whole here, and what is around it is looked at no
 * closer than to find its ends.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum gateway_scan_result {
	GATEWAY_SCAN_GROUP, /* here is one */
	GATEWAY_SCAN_MORE,  /* the input is used up */
	GATEWAY_SCAN_END,   /* that was all of it */
	GATEWAY_SCAN_E_SYNTAX,
	GATEWAY_SCAN_E_LARGE, /* a group of more than GATEWAY_GROUP_BYTES */
};

enum { GATEWAY_GROUP_BYTES = 512 * 1024 * 1024 };

enum gateway_scan_phase {
	SCAN_AROUND, /* the groups */
	SCAN_BETWEEN,
	SCAN_GROUP,
	SCAN_DONE,
};

struct gateway_scan {
	enum gateway_scan_phase phase;
	size_t depth; /* of open brackets and braces */
	bool in_string;
	bool is_escaped; /* the next byte of the string */
	bool is_data;    /* the key at hand is "data" */
	bool has_data;   /* and was there */
	char text[8];    /* how the last string outside of groups begins */
	size_t text_len;
	struct buf group; /* what there is of one that has not come all */
};

void gateway_scan_init(struct gateway_scan *scan);
void gateway_scan_finish(struct gateway_scan *scan);

/*
 * Takes from the front of the input what belongs to the next group. The group
 * is valid until the next call.
 */
enum gateway_scan_result gateway_scan_next(
		struct gateway_scan *scan, struct slice *input, struct slice *ret_group);
