#pragma once

/*
 * Keeps the registry and a database alike.
 *
 * What the registry has to tell is written behind: rows of new targets within a moment, what was
 * seen of them once a second, some hundred rows at a time, one batch of each at a time. What
 * somebody asks for (change.h) is written first, and counts when the database has it. What others
 * change in the database changes the registry.
 *
 * Nothing is queued but the targets themselves, each once, however long the database is
 * away. When it is back everything is read: what others wrote counts, and what they do not have
 * is sent again.
 *
 * Targets of equal keys may be made by several weirs at once. Those of pushes then have the
 * same id, and there is one row. Else there are two, of which one is deleted: everybody keeps
 * the one that was configured by hand, and of two such the one with the smaller id.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "format/format.h"
#include "targets/registry.h"
#include "targets/storage.h"

struct keeper;

/* Is copied. */
struct keeper_options {
	struct storage_options storage;
	const char *name;    /* of the database, for the log: without what is secret */
	const char *replica; /* under which this weir writes what it saw */
	bool is_shared;      /* other weirs write what they saw of pushes that are told here, too */
	struct format_options limits;  /* of what others write */
	void (*on_loaded)(void *data); /* at first, when it was read */
	void (*on_closed)(void *data); /* the keeper is gone when that returns */
	void *data;
};

/* The registry tells its events to the keeper from now on. */
struct keeper *keeper_open(
		const struct keeper_options *options, uv_loop_t *loop, struct registry *registry);

/* What is to be written gets its time. No change may be asked for any more. */
void keeper_close(struct keeper *keeper);

/* Nothing is left to be written, or it cannot be. If there is, it is begun. */
bool keeper_is_at_rest(struct keeper *keeper);

struct keeper_stats {
	struct storage_stats storage;
	uint64_t waiting; /* changes and batches */
	uint64_t faults;  /* rows that could not be read, or were not taken */
};

void keeper_collect(const struct keeper *keeper, struct keeper_stats *ret_stats);
