#pragma once

/*
 * Watches an export pass by in pieces: counts its lines, and reads its last
 * one, without which it is not whole.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "transfer/line.h"

struct export_watch {
	uint64_t lines;  /* of groups */
	struct buf line; /* the one that is not over yet; of a long one the beginning */
	bool has_end;    /* the last line is an end */
	struct line_counts end;
};

void export_watch_init(struct export_watch *watch);
void export_watch_finish(struct export_watch *watch);
void export_watch_bytes(struct export_watch *watch, struct slice bytes);

/* It has its end, and as many lines as that says. */
bool export_watch_is_whole(const struct export_watch *watch);
