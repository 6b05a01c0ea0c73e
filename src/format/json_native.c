#include "format/json_native.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "format/protobuf_wire.h"

/* Fields of the messages Histogram and BucketSpan. */
enum {
	COUNT_FLOAT = WIRE_TAG(4, WIRE_FIXED64),
	SCHEMA = WIRE_TAG(5, WIRE_VARINT),
	ZERO_THRESHOLD = WIRE_TAG(6, WIRE_FIXED64),
	ZERO_COUNT = WIRE_TAG(7, WIRE_VARINT),
	ZERO_COUNT_FLOAT = WIRE_TAG(8, WIRE_FIXED64),
	NEGATIVE_SPAN = WIRE_TAG(9, WIRE_BYTES),
	NEGATIVE_DELTA = WIRE_TAG(10, WIRE_VARINT),
	NEGATIVE_DELTAS = WIRE_TAG(10, WIRE_BYTES),
	NEGATIVE_COUNT = WIRE_TAG(11, WIRE_FIXED64),
	NEGATIVE_COUNTS = WIRE_TAG(11, WIRE_BYTES),
	POSITIVE_SPAN = WIRE_TAG(12, WIRE_BYTES),
	POSITIVE_DELTA = WIRE_TAG(13, WIRE_VARINT),
	POSITIVE_DELTAS = WIRE_TAG(13, WIRE_BYTES),
	POSITIVE_COUNT = WIRE_TAG(14, WIRE_FIXED64),
	POSITIVE_COUNTS = WIRE_TAG(14, WIRE_BYTES),

	SPAN_OFFSET = WIRE_TAG(1, WIRE_VARINT),
	SPAN_LENGTH = WIRE_TAG(2, WIRE_VARINT),
};

enum { SCHEMA_MIN = -4, SCHEMA_MAX = 8 };

enum inclusive { INCLUDES_UPPER = 0, INCLUDES_LOWER = 1, INCLUDES_BOTH = 3 };

struct span {
	int64_t offset;
	uint64_t length;
};

union number {
	int64_t delta; /* or, added up, a count */
	double count;
};

struct numbers {
	union number *items;
	size_t count;
	size_t capacity;
};

/* The negative or the positive buckets. */
struct side {
	struct span *spans;
	size_t span_count;
	size_t span_capacity;
	struct numbers deltas;
	struct numbers counts;
};

struct native {
	struct arena *arena;
	enum json_dialect dialect;
	struct side negative;
	struct side positive;
	int32_t schema;
	double zero_threshold;
	uint64_t zero_count;
	double zero_count_float;
	double count_float;
};

/* ---- Fields ---- */

static void add_number(struct native *native, struct numbers *numbers, union number number)
{
	if (numbers->count == numbers->capacity) {
		size_t old_bytes = numbers->count * sizeof(number);
		numbers->capacity = numbers->capacity == 0 ? 16 : numbers->capacity * 2;
		numbers->items = arena_grow(
				native->arena, numbers->items, old_bytes, numbers->capacity * sizeof(number));
	}
	numbers->items[numbers->count++] = number;
}

static void add_delta(struct native *native, struct numbers *numbers, uint64_t number)
{
	add_number(native, numbers, (union number){ .delta = wire_sint64(number) });
}

static void add_count(struct native *native, struct numbers *numbers, double number)
{
	add_number(native, numbers, (union number){ .count = number });
}

static bool add_deltas(struct native *native, struct numbers *numbers, struct slice packed)
{
	struct wire_reader reader = wire_reader_of(packed);
	uint64_t number;
	while (wire_next_varint(&reader, &number)) {
		add_delta(native, numbers, number);
	}
	return !reader.failed;
}

static bool add_counts(struct native *native, struct numbers *numbers, struct slice packed)
{
	struct wire_reader reader = wire_reader_of(packed);
	double number;
	while (wire_next_double(&reader, &number)) {
		add_count(native, numbers, number);
	}
	return !reader.failed;
}

static bool add_span(struct native *native, struct side *side, struct slice message)
{
	struct wire_reader reader = wire_reader_of(message);
	struct wire_field field;
	struct span span = { 0 };
	while (wire_next(&reader, &field)) {
		if (field.tag == SPAN_OFFSET) {
			span.offset = wire_sint32(field.number);
		} else if (field.tag == SPAN_LENGTH) {
			span.length = (uint32_t)field.number;
		}
	}
	if (side->span_count == side->span_capacity) {
		size_t old_bytes = side->span_count * sizeof(span);
		side->span_capacity = side->span_capacity == 0 ? 8 : side->span_capacity * 2;
		side->spans = arena_grow(
				native->arena, side->spans, old_bytes, side->span_capacity * sizeof(span));
	}
	side->spans[side->span_count++] = span;
	return !reader.failed;
}

static bool take_field(struct native *native, const struct wire_field *field)
{
	switch (field->tag) {
	case COUNT_FLOAT:
		native->count_float = wire_double(field->number);
		return true;
	case SCHEMA:
		native->schema = wire_sint32(field->number);
		return true;
	case ZERO_THRESHOLD:
		native->zero_threshold = wire_double(field->number);
		return true;
	case ZERO_COUNT:
		native->zero_count = field->number;
		return true;
	case ZERO_COUNT_FLOAT:
		native->zero_count_float = wire_double(field->number);
		return true;
	case NEGATIVE_SPAN:
		return add_span(native, &native->negative, field->bytes);
	case NEGATIVE_DELTA:
		add_delta(native, &native->negative.deltas, field->number);
		return true;
	case NEGATIVE_DELTAS:
		return add_deltas(native, &native->negative.deltas, field->bytes);
	case NEGATIVE_COUNT:
		add_count(native, &native->negative.counts, wire_double(field->number));
		return true;
	case NEGATIVE_COUNTS:
		return add_counts(native, &native->negative.counts, field->bytes);
	case POSITIVE_SPAN:
		return add_span(native, &native->positive, field->bytes);
	case POSITIVE_DELTA:
		add_delta(native, &native->positive.deltas, field->number);
		return true;
	case POSITIVE_DELTAS:
		return add_deltas(native, &native->positive.deltas, field->bytes);
	case POSITIVE_COUNT:
		add_count(native, &native->positive.counts, wire_double(field->number));
		return true;
	case POSITIVE_COUNTS:
		return add_counts(native, &native->positive.counts, field->bytes);
	default:
		return true;
	}
}

static bool read_native(struct native *native, struct slice fields)
{
	struct wire_reader reader = wire_reader_of(fields);
	struct wire_field field;
	while (wire_next(&reader, &field)) {
		if (!take_field(native, &field)) {
			return false;
		}
	}
	bool is_enough = native->dialect == JSON_PROMETHEUS
			|| native->negative.span_count + native->positive.span_count > 0;
	return !reader.failed && is_enough && native->schema >= SCHEMA_MIN
			&& native->schema <= SCHEMA_MAX;
}

/* ---- Bounds ---- */

/*
 * 2^(index / 2^schema) / 2, for an index below 2^schema: with the very digits
 * of Go's libraries, which multiply from one bound to the next.
 */
static double fraction(int schema, unsigned index)
{
	static const double half_root = 0.7071067811865475;
	if (index == 0) {
		return 0.5;
	}
	if (schema == 1) {
		return half_root;
	}
	if (index % 2 == 0) {
		return fraction(schema - 1, index / 2);
	}
	return fraction(schema, index - 1) * exp2(ldexp(1, -schema));
}

static int clamp_exponent(int64_t exponent)
{
	enum { BEYOND = 5000 };
	return exponent > BEYOND ? BEYOND : exponent < -BEYOND ? -BEYOND : (int)exponent;
}

/* The bucket's upper bound. The last one before infinity would be too large for a double. */
static double upper_bound(int schema, int64_t index)
{
	if (schema < 0) {
		int exponent = clamp_exponent(index * (INT64_C(1) << -schema));
		return exponent == 1024 ? DBL_MAX : ldexp(1, exponent);
	}
	int64_t per_power = INT64_C(1) << schema;
	int64_t remainder = ((index % per_power) + per_power) % per_power;
	double part = fraction(schema, (unsigned)remainder);
	int exponent = clamp_exponent((index - remainder) / per_power + 1);
	return remainder == 0 && exponent == 1025 ? DBL_MAX : ldexp(part, exponent);
}

/* ---- Buckets ---- */

struct bucket {
	int64_t index;
	union number count;
};

static void append_bucket(struct buf *out, const struct native *native, enum inclusive inclusive,
		double lower, double upper, union number count, bool is_float)
{
	enum json_dialect dialect = native->dialect;
	buf_printf(out, "%s[%d,", out->ptr[out->len - 1] == '[' ? "" : ",", (int)inclusive);
	json_append_number(out, lower, dialect);
	buf_append_byte(out, ',');
	json_append_number(out, upper, dialect);
	buf_append_byte(out, ',');
	if (is_float) {
		json_append_number(out, count.count, dialect);
	} else if (dialect == JSON_PROMETHEUS) {
		json_append_number(out, (double)(uint64_t)count.delta, dialect);
	} else {
		buf_printf(out, "\"%" PRIu64 "\"", (uint64_t)count.delta);
	}
	buf_append_byte(out, ']');
}

/* The side's buckets that are not empty, ascending by index. */
static struct bucket *list_buckets(
		const struct native *native, const struct side *side, bool is_float, size_t *ret_count)
{
	const struct numbers *numbers = is_float ? &side->counts : &side->deltas;
	struct bucket *buckets = arena_alloc(native->arena, (numbers->count + 1) * sizeof(*buckets));
	int64_t index = 0;
	uint64_t sum = 0;
	size_t next = 0;
	*ret_count = 0;
	for (size_t i = 0; i < side->span_count && next < numbers->count; i++) {
		index += side->spans[i].offset;
		for (uint64_t j = 0; j < side->spans[i].length && next < numbers->count; j++) {
			union number number = numbers->items[next++];
			if (!is_float) {
				sum += (uint64_t)number.delta;
				number.delta = (int64_t)sum;
			}
			if (is_float ? number.count != 0 : number.delta != 0) {
				buckets[(*ret_count)++] = (struct bucket){ .index = index, .count = number };
			}
			index++;
		}
	}
	return buckets;
}

static void append_negative(struct buf *out, const struct native *native, bool is_float)
{
	size_t count;
	const struct bucket *buckets = list_buckets(native, &native->negative, is_float, &count);
	for (size_t i = count; i > 0; i--) {
		int64_t index = buckets[i - 1].index;
		append_bucket(out, native, INCLUDES_LOWER, -upper_bound(native->schema, index),
				-upper_bound(native->schema, index - 1), buckets[i - 1].count, is_float);
	}
}

static void append_positive(struct buf *out, const struct native *native, bool is_float)
{
	size_t count;
	const struct bucket *buckets = list_buckets(native, &native->positive, is_float, &count);
	for (size_t i = 0; i < count; i++) {
		int64_t index = buckets[i].index;
		append_bucket(out, native, INCLUDES_UPPER, upper_bound(native->schema, index - 1),
				upper_bound(native->schema, index), buckets[i].count, is_float);
	}
}

/* Else the counts are deltas. */
static bool has_float_counts(const struct native *native)
{
	return native->count_float > 0 || native->zero_count_float > 0;
}

bool json_append_native_buckets(
		struct buf *out, struct slice fields, enum json_dialect dialect, struct arena *arena)
{
	struct native native = { .arena = arena, .dialect = dialect };
	if (!read_native(&native, fields)) {
		return false;
	}
	bool is_float = has_float_counts(&native);
	union number zero = { .delta = (int64_t)native.zero_count };
	if (is_float) {
		zero.count = native.zero_count_float;
	}
	buf_append_byte(out, '[');
	append_negative(out, &native, is_float);
	if (is_float ? zero.count != 0 : zero.delta != 0) {
		append_bucket(out, &native, INCLUDES_BOTH, -native.zero_threshold, native.zero_threshold,
				zero, is_float);
	}
	append_positive(out, &native, is_float);
	buf_append_byte(out, ']');
	return true;
}
