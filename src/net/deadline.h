#pragma once

/*
 * Deadlines without a timer each. Those of one kind all lie equally far ahead
 * when they are set, so a queue in order of setting is one in order of time:
 * to set, to move and to drop one costs a few pointers.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct deadline {
	struct list link; /* unset: points at itself */
	uint64_t at_ms;
};

struct deadlines {
	struct list queue; // deadline::link, earliest first
	uint64_t after_ms;
};

static inline void deadlines_init(struct deadlines *deadlines, uint64_t after_ms)
{
	list_init(&deadlines->queue);
	deadlines->after_ms = after_ms;
}

static inline void deadline_init(struct deadline *deadline)
{
	list_init(&deadline->link);
	deadline->at_ms = 0;
}

/* Also moves it from wherever it was. */
static inline void deadline_set(
		struct deadlines *deadlines, struct deadline *deadline, uint64_t now_ms)
{
	list_remove(&deadline->link);
	deadline->at_ms = now_ms + deadlines->after_ms;
	list_append(&deadlines->queue, &deadline->link);
}

static inline void deadline_drop(struct deadline *deadline)
{
	list_remove(&deadline->link);
}

/* The earliest of all, or NULL. */
static inline struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	struct list *link = list_first(&deadlines->queue);
	return link == NULL ? NULL : LIST_ENTRY(link, struct deadline, link);
}
