#pragma once

/*
 * Reads groups from Redis: one, or all of a partition. What is read is queued to be applied.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/labels.h"

struct fetch;
struct partition;
struct scan;

/*
 * Reads all of the partition. If it is lossy, Redis may have lost something, and groups that
 * it does not have are sent to it again; otherwise they are gone.
 */
void scan_begin(struct partition *partition, bool is_lossy);
void scan_give_up(struct partition *partition);

uint64_t scan_number(const struct scan *scan);
bool scan_is_lossy(const struct scan *scan);

/* A group that it read is in the store. */
void scan_pass(struct scan *scan);

/*
 * Reads one group; again when it is asked for before what was read of it has passed, however often
 * that is.
 */
void scan_group(struct partition *partition, const struct labels *key);
void scan_name(struct partition *partition, struct slice name);
void scan_pass_fetch(struct fetch *fetch);
