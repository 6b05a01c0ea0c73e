#pragma once

/*
 * The native part of a histogram: fields of a Histogram message that lines of
 * text cannot say. They are kept as they came. What is known about them is
 * gathered while they pass by, so that a histogram of a million buckets takes
 * no memory but its bytes.
 *
 * A Prometheus that reads native histograms drops the whole page for one whose
 * parts contradict each other, and some versions end with it; such a histogram
 * is refused. Two contradictions are taken, since a Pushgateway takes them and
 * keeps the histogram as it is: see native_is_sound().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "format/protobuf_wire.h"

enum native_result {
	NATIVE_TAKEN,
	NATIVE_OTHER, /* the field is none of the native part */
	NATIVE_E_BROKEN,
};

/* The buckets for negative or for positive observations. */
struct native_side {
	size_t spans;
	uint64_t span_buckets; /* that the spans have */
	int64_t next_index;    /* of the bucket behind the last span */
	bool goes_back;        /* a span starts before the end of the one before */
	bool leaves_range;     /* an index that is no int32 */

	uint64_t deltas;
	int64_t population; /* of the bucket that the last delta leads to */
	uint64_t delta_sum; /* of all populations; stays at its end */
	bool goes_below;    /* a population that is negative, or no int64 */

	uint64_t counts;
	bool has_negative_count;
};

struct native {
	uint64_t count;     /* field 1, which is also a line: the caller sets it */
	double count_float; /* field 4: the count when above 0 */
	int32_t schema;
	double zero_threshold;
	uint64_t zero_count;
	double zero_count_float; /* the zero count when above 0 */
	bool has_count;          /* field 1 is there */
	struct native_side negative;
	struct native_side positive;
};

/*
 * Takes notice of a field of a Histogram message. Whether it is to be kept:
 * *ret_is_kept, which is false of an exemplar that OpenMetrics could not say.
 * *reterr_at is the place that is broken.
 */
enum native_result native_take(struct native *native, const struct wire_field *field,
		bool *ret_is_kept, const char **reterr_at);

/*
 * Whether these are fields that would be kept, of a native histogram that is
 * not refused. `count` is the value of its line.
 */
bool native_is_right(struct slice fields, struct slice count);

/* What is known about fields that were kept. */
struct native native_of(struct slice fields);

/* Whether the counts are floats: those of buckets are counts then, not deltas. */
static inline bool native_is_float(const struct native *native)
{
	return native->count_float > 0 || native->zero_count_float > 0;
}

/*
 * Whether a Prometheus that reads native histograms takes it for one: then it
 * does not look at the buckets of the classic one.
 */
static inline bool native_is_there(const struct native *native)
{
	return native->negative.spans > 0 || native->positive.spans > 0 || native->zero_threshold > 0
			|| native->zero_count > 0;
}

/*
 * Why it is refused: "has an invalid native histogram: ...". ptr NULL when it
 * is not.
 */
struct slice native_problem(const struct native *native, struct arena *arena);

/*
 * Of one that is not refused, whether Prometheus 3 takes it, too: no count below
 * 0 and, when they are integers, exactly as many observations as its count says.
 * Observations of NaN are in no bucket; then the sum is none.
 */
bool native_is_sound(const struct native *native, bool has_no_sum);
