#pragma once

/*
 * Finds the end of a request's head and checks what llhttp, built without its
 * strict mode, lets pass: every line ends in CRLF, no line starts with a blank
 * (obs-fold), no control bytes, no lone CR. Who reads a head otherwise than
 * the proxy before us can be made to see another request than it does.
 *
 * Works on pieces: what was scanned is never looked at again, so that a head
 * that drips in byte by byte costs no more than one that comes at once.
 */

#include <stddef.h>

#include "base/slice.h"

enum head_scan_result {
	HEAD_SCAN_DONE = 0, /* the bytes used end with the empty line */
	HEAD_SCAN_MORE,     /* all bytes used, the head goes on */
	HEAD_SCAN_E_SYNTAX,
};

enum head_scan_state {
	HEAD_SCAN_FIRST_LINE, /* before or in the request line */
	HEAD_SCAN_LINE,       /* in a header line */
	HEAD_SCAN_LINE_CR,    /* after the CR of a line */
	HEAD_SCAN_LINE_START, /* after the LF of a line */
	HEAD_SCAN_END_CR,     /* after the CR of the empty line */
};

struct head_scan {
	enum head_scan_state state;
};

static inline void head_scan_init(struct head_scan *scan)
{
	scan->state = HEAD_SCAN_FIRST_LINE;
}

/* ret_used is how many of the bytes belong to the head; not set on an error. */
enum head_scan_result head_scan_feed(struct head_scan *scan, struct slice bytes, size_t *ret_used);
