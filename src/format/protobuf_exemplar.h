#pragma once

/*
 * Exemplars and points in time: as messages of protobuf they come in and go
 * out, in between they are the text that OpenMetrics has for them:
 *
 *     {trace_id="x"} 0.5 1520879607.789
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "model/labels.h"

/* Characters of all names and values together that OpenMetrics allows. */
enum { EXEMPLAR_CHARACTERS_MAX = 128 };

struct timestamp {
	int64_t seconds; /* since 1970 */
	int32_t nanos;   /* onwards from there, 0 to 999999999 */
};

struct exemplar {
	struct label labels[EXEMPLAR_CHARACTERS_MAX]; /* as on the wire */
	size_t label_count;                           /* of all; those that are too many are not kept */
	double value;
	bool has_timestamp;
	struct timestamp timestamp;
};

/* Empty; the labels stay uninitialised. */
void exemplar_init(struct exemplar *exemplar);

/*
 * Adds what a message says to what is known already, as a message that comes
 * in several pieces wants it. NULL, or the place where it is broken.
 */
const char *exemplar_read(struct exemplar *exemplar, struct slice message);
const char *timestamp_read(struct timestamp *timestamp, struct slice message);

/*
 * Whether OpenMetrics can say it: not, when labels are too long, twice the same
 * or not in its alphabet, or the time is beyond the years 1 to 9999.
 */
bool exemplar_is_sayable(const struct exemplar *exemplar);

/* In the arena; ptr NULL when OpenMetrics cannot say it. */
struct slice exemplar_text(const struct exemplar *exemplar, struct arena *arena);
struct slice timestamp_text(const struct timestamp *timestamp, struct arena *arena);

/*
 * Appends the message that a text stands for as a field of that number.
 * Nothing, when the text says no time, or of an exemplar no value.
 */
void exemplar_append(struct buf *out, uint32_t field, struct slice text);
void timestamp_append(struct buf *out, uint32_t field, struct slice text);
