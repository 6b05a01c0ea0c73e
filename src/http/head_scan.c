#include "http/head_scan.h"

#include <stdint.h>
#include <string.h>

#include "http/chars.h"

/*
 * Whether one of eight bytes is below 32 or 127: a tab is, too, and the slow
 * path tells it apart. The classic test for a byte below n, and for a zero.
 */
static bool has_control(uint64_t eight)
{
	const uint64_t ones = UINT64_MAX / 255;
	const uint64_t tops = ones * 0x80;
	uint64_t below = (eight - ones * 0x20) & ~eight & tops;
	uint64_t del = eight ^ (ones * 0x7f);
	return (below | ((del - ones) & ~del & tops)) != 0;
}

/* The first control byte, or the end. */
static const char *skip_text(const char *at, const char *end)
{
	for (;;) {
		uint64_t eight;
		while (end - at >= 8 && (memcpy(&eight, at, 8), !has_control(eight))) {
			at += 8;
		}
		const char *stop = end - at >= 8 ? at + 8 : end;
		while (at < stop && !http_is_control((unsigned char)*at)) {
			at++;
		}
		if (at < stop || at == end) {
			return at;
		}
	}
}

/* One byte that is not in the middle of a line; false when it may not stand there. */
static bool step(struct head_scan *scan, char byte)
{
	switch (scan->state) {
	case HEAD_SCAN_FIRST_LINE:
	case HEAD_SCAN_LINE:
		scan->state = HEAD_SCAN_LINE_CR;
		return byte == '\r';
	case HEAD_SCAN_LINE_CR:
		scan->state = HEAD_SCAN_LINE_START;
		return byte == '\n';
	case HEAD_SCAN_LINE_START:
		scan->state = byte == '\r' ? HEAD_SCAN_END_CR : HEAD_SCAN_LINE;
		return byte == '\r'
				|| (byte != ' ' && byte != '\t' && !http_is_control((unsigned char)byte));
	case HEAD_SCAN_END_CR:
		return byte == '\n';
	}
	return false;
}

enum head_scan_result head_scan_feed(struct head_scan *scan, struct slice bytes, size_t *ret_used)
{
	const char *at = bytes.ptr;
	const char *end = bytes.ptr + bytes.len;

	while (at < end) {
		if (scan->state == HEAD_SCAN_FIRST_LINE || scan->state == HEAD_SCAN_LINE) {
			at = skip_text(at, end);
			if (at == end) {
				break;
			}
		}
		bool last = scan->state == HEAD_SCAN_END_CR;
		if (!step(scan, *at)) {
			return HEAD_SCAN_E_SYNTAX;
		}
		at++;
		if (last) {
			*ret_used = (size_t)(at - bytes.ptr);
			return HEAD_SCAN_DONE;
		}
	}
	*ret_used = bytes.len;
	return HEAD_SCAN_MORE;
}
