#pragma once

/*
 * A body whose text takes work: for formats that are not stored as they are
 * sent. The work is cut into units.
 *
 *     gather   the next unit, from the store           loop
 *     work     its text made                           a thread; small ones on the spot
 *     worked   what came of it told to the source      loop, as they come back
 *     show     its text sent                           loop, in order
 *
 * Few units are there at a time; no more are gathered before the consumer took
 * the first one. To add such a body: a source with these four steps.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/job.h"
#include "base/list.h"
#include "http/body.h"

struct worked_body;

enum {
	WORKED_UNIT_BYTES = 256 * 1024, /* about so much text for one unit */
	WORKED_PARTS_MAX = 3,
};

struct worked_unit {
	struct job job;
	struct list link; // worked_body::units or worked_body::spares
	struct worked_body *body;
	struct arena arena; /* what the work needs; reset afterwards */
	void *data;         /* the source's, in the arena */
	size_t bytes;       /* of text to be gone through, about */
	struct buf out;     /* what is made of it */
	bool is_worked;
	bool has_failed; /* the body cannot be completed */
};

enum worked_gathering {
	WORKED_GATHERED, /* a unit */
	WORKED_LAST,     /* a unit, and no more after it */
	WORKED_NOT_NOW,  /* none on this turn of the loop */
	WORKED_AWAITS,   /* none before one that is being worked on has come back */
	WORKED_ENDED,    /* that was all */
};

struct worked_source {
	enum worked_gathering (*gather)(struct worked_source *source, struct worked_unit *unit);
	/* On any thread: appends to the unit's out; touches nothing else that others may. */
	void (*work)(struct worked_unit *unit);
	/* NULL: nothing to be told. May say that the unit has failed. */
	void (*worked)(struct worked_source *source, struct worked_unit *unit);
	/* The parts to be sent, usually one: out. NULL: that. Not called when out is empty. */
	size_t (*show)(struct worked_source *source, struct worked_unit *unit, struct slice *ret_parts);
	/* Once, when the body is closed and all units are back. Frees the source. */
	void (*close)(struct worked_source *source);
};

/* The source is the body's from now on. */
struct http_body *worked_body_create(struct executor *executor, struct worked_source *source);

/*
 * Begins before anybody asks for a piece. True when the first piece, the end or
 * a failure is there; otherwise the body's ready() will be called, once.
 */
bool worked_body_begin(struct http_body *body);

/* Whether some unit has failed. */
bool worked_body_has_failed(const struct http_body *body);
