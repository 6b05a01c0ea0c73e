#pragma once

/*
 * Takes what was wiped out of Redis, where it lies until somebody does. Nobody sees it any
 * more, so it does not matter when.
 */

struct partition;

/* In the background; if it is cut short, the rest goes when a weir next reads all groups. */
void sweep_begin(struct partition *partition);
