#include "format/protobuf_native.h"

#include "base/number.h"
#include "format/protobuf_exemplar.h"

/* Each bucket's width in relation to the one before is 2^(2^-schema). */
enum { SCHEMA_MIN = -4, SCHEMA_MAX = 8 };

/* Numbers of the fields of a Histogram. */
enum {
	COUNT = 1,
	COUNT_FLOAT = 4,
	SCHEMA = 5,
	ZERO_THRESHOLD = 6,
	ZERO_COUNT = 7,
	ZERO_COUNT_FLOAT = 8,
	NEGATIVE_SPAN = 9,
	NEGATIVE_DELTA = 10,
	NEGATIVE_COUNT = 11,
	POSITIVE_SPAN = 12,
	POSITIVE_DELTA = 13,
	POSITIVE_COUNT = 14,
	EXEMPLAR = 16,
};

/* ---- What passes by ---- */

static void take_span(struct native_side *side, int32_t offset, uint32_t length)
{
	side->goes_back |= side->spans > 0 && offset < 0;
	side->spans++;
	side->span_buckets += length;
	/* Once it has left its range it may be anything; that it did is known. */
	int64_t first = side->next_index + offset;
	side->next_index = first + length;
	side->leaves_range |= length > 0 && (first < INT32_MIN || side->next_index - 1 > INT32_MAX);
	if (side->leaves_range) {
		side->next_index = 0;
	}
}

static const char *read_span(struct native_side *side, struct slice message)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	int32_t offset = 0;
	uint32_t length = 0;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_VARINT)) {
			offset = wire_sint32(field.number);
		} else if (field.tag == WIRE_TAG(2, WIRE_VARINT)) {
			length = (uint32_t)field.number;
		}
	}
	take_span(side, offset, length);
	return in.failed ? in.at : NULL;
}

static void take_delta(struct native_side *side, int64_t delta)
{
	side->deltas++;
	if (__builtin_add_overflow(side->population, delta, &side->population)
			|| side->population < 0) {
		side->goes_below = true;
		side->population = 0;
	}
	if (__builtin_add_overflow(side->delta_sum, (uint64_t)side->population, &side->delta_sum)) {
		side->delta_sum = UINT64_MAX;
	}
}

static void take_count(struct native_side *side, double count)
{
	side->counts++;
	side->has_negative_count |= count < 0;
}

static const char *read_deltas(struct native_side *side, struct slice packed)
{
	struct wire_reader in = wire_reader_of(packed);
	uint64_t number;
	while (wire_next_varint(&in, &number)) {
		take_delta(side, wire_sint64(number));
	}
	return in.failed ? in.at : NULL;
}

static const char *read_counts(struct native_side *side, struct slice packed)
{
	struct wire_reader in = wire_reader_of(packed);
	double count;
	while (wire_next_double(&in, &count)) {
		take_count(side, count);
	}
	return in.failed ? in.at : NULL;
}

static const char *read_exemplar(struct slice message, bool *ret_is_kept)
{
	struct exemplar exemplar;
	exemplar_init(&exemplar);
	const char *broken = exemplar_read(&exemplar, message);
	*ret_is_kept = broken == NULL && exemplar_is_sayable(&exemplar);
	return broken;
}

/* A field that consists of others, or is packed. */
static enum native_result take_bytes(struct native *native, const struct wire_field *field,
		bool *ret_is_kept, const char **reterr_at)
{
	switch (field->tag) {
	case WIRE_TAG(NEGATIVE_SPAN, WIRE_BYTES):
		*reterr_at = read_span(&native->negative, field->bytes);
		break;
	case WIRE_TAG(NEGATIVE_DELTA, WIRE_BYTES):
		*reterr_at = read_deltas(&native->negative, field->bytes);
		break;
	case WIRE_TAG(NEGATIVE_COUNT, WIRE_BYTES):
		*reterr_at = read_counts(&native->negative, field->bytes);
		break;
	case WIRE_TAG(POSITIVE_SPAN, WIRE_BYTES):
		*reterr_at = read_span(&native->positive, field->bytes);
		break;
	case WIRE_TAG(POSITIVE_DELTA, WIRE_BYTES):
		*reterr_at = read_deltas(&native->positive, field->bytes);
		break;
	case WIRE_TAG(POSITIVE_COUNT, WIRE_BYTES):
		*reterr_at = read_counts(&native->positive, field->bytes);
		break;
	case WIRE_TAG(EXEMPLAR, WIRE_BYTES):
		*reterr_at = read_exemplar(field->bytes, ret_is_kept);
		break;
	default:
		return NATIVE_OTHER;
	}
	return *reterr_at == NULL ? NATIVE_TAKEN : NATIVE_E_BROKEN;
}

enum native_result native_take(struct native *native, const struct wire_field *field,
		bool *ret_is_kept, const char **reterr_at)
{
	*ret_is_kept = true;
	switch (field->tag) {
	case WIRE_TAG(COUNT_FLOAT, WIRE_FIXED64):
		native->count_float = wire_double(field->number);
		break;
	case WIRE_TAG(SCHEMA, WIRE_VARINT):
		native->schema = wire_sint32(field->number);
		break;
	case WIRE_TAG(ZERO_THRESHOLD, WIRE_FIXED64):
		native->zero_threshold = wire_double(field->number);
		break;
	case WIRE_TAG(ZERO_COUNT, WIRE_VARINT):
		native->zero_count = field->number;
		break;
	case WIRE_TAG(ZERO_COUNT_FLOAT, WIRE_FIXED64):
		native->zero_count_float = wire_double(field->number);
		break;
	case WIRE_TAG(NEGATIVE_DELTA, WIRE_VARINT):
		take_delta(&native->negative, wire_sint64(field->number));
		break;
	case WIRE_TAG(NEGATIVE_COUNT, WIRE_FIXED64):
		take_count(&native->negative, wire_double(field->number));
		break;
	case WIRE_TAG(POSITIVE_DELTA, WIRE_VARINT):
		take_delta(&native->positive, wire_sint64(field->number));
		break;
	case WIRE_TAG(POSITIVE_COUNT, WIRE_FIXED64):
		take_count(&native->positive, wire_double(field->number));
		break;
	default:
		return take_bytes(native, field, ret_is_kept, reterr_at);
	}
	return NATIVE_TAKEN;
}

struct native native_of(struct slice fields)
{
	struct native native = { 0 };
	struct wire_reader in = wire_reader_of(fields);
	struct wire_field field;
	bool is_kept;
	const char *broken;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(COUNT, WIRE_VARINT)) {
			native.count = field.number;
			native.has_count = true;
		} else {
			native_take(&native, &field, &is_kept, &broken);
		}
	}
	return native;
}

/* ---- What is to be said about it ---- */

static struct slice side_problem(
		const struct native_side *side, bool is_float, const char *name, struct arena *arena)
{
	uint64_t buckets = is_float ? side->counts : side->deltas;
	if (side->goes_back) {
		return arena_printf(arena, "a span of its %s buckets has an offset below 0", name);
	}
	if (side->leaves_range) {
		return arena_printf(arena, "its %s buckets are beyond all numbers", name);
	}
	if (side->span_buckets != buckets) {
		return arena_printf(arena,
				"the spans of its %s buckets have room for %llu, but %llu %s "
				"are there",
				name, (unsigned long long)side->span_buckets, (unsigned long long)buckets,
				is_float ? "counts" : "deltas");
	}
	if (!is_float && side->goes_below) {
		return arena_printf(arena, "the deltas of its %s buckets lead below 0", name);
	}
	return slice_make(NULL, 0);
}

/* Observations in all buckets; stays at its end. */
static uint64_t count_observations(const struct native *native)
{
	uint64_t sum = native->zero_count;
	if (__builtin_add_overflow(sum, native->negative.delta_sum, &sum)
			|| __builtin_add_overflow(sum, native->positive.delta_sum, &sum)) {
		return UINT64_MAX;
	}
	return sum;
}

static struct slice find_problem(const struct native *native, struct arena *arena)
{
	bool is_float = native_is_float(native);
	if (native->schema < SCHEMA_MIN || native->schema > SCHEMA_MAX) {
		return arena_printf(arena, "its schema is %d, not one from %d to %d", (int)native->schema,
				SCHEMA_MIN, SCHEMA_MAX);
	}
	if (!(native->zero_threshold >= 0)) {
		return SLICE("its zero threshold is below 0 or no number");
	}
	if (is_float && (native->count_float < 0 || native->zero_count_float < 0)) {
		return SLICE("its count or its zero count is below 0");
	}
	struct slice problem = side_problem(&native->positive, is_float, "positive", arena);
	if (problem.ptr == NULL) {
		problem = side_problem(&native->negative, is_float, "negative", arena);
	}
	uint64_t observations = count_observations(native);
	if (problem.ptr == NULL && !is_float && observations > native->count) {
		return arena_printf(arena, "it has %llu observations in its buckets, but a count of %llu",
				(unsigned long long)observations, (unsigned long long)native->count);
	}
	return problem;
}

static bool has_buckets(const struct native_side *side)
{
	return side->deltas > 0 || side->counts > 0;
}

struct slice native_problem(const struct native *native, struct arena *arena)
{
	/* Prometheus 2 recognises one by its buckets, too. */
	if (!native_is_there(native) && !has_buckets(&native->negative)
			&& !has_buckets(&native->positive)) {
		return slice_make(NULL, 0);
	}
	struct slice problem = find_problem(native, arena);
	if (problem.ptr == NULL) {
		return problem;
	}
	return arena_printf(arena, "has an invalid native histogram: " SLICE_FMT, SLICE_ARG(problem));
}

/* A count that is no uint64 is one of floats, which nothing is compared with. */
static uint64_t count_of(struct slice text)
{
	uint64_t count = 0;
	if (!number_is_uint(text)) {
		return 0;
	}
	for (size_t i = 0; i < text.len; i++) {
		count = count * 10 + (uint64_t)(text.ptr[i] - '0');
	}
	return count;
}

bool native_is_right(struct slice fields, struct slice count)
{
	struct native native = { .count = count_of(count) };
	struct wire_reader in = wire_reader_of(fields);
	struct wire_field field;
	bool is_kept = true;
	const char *broken;
	while (is_kept && wire_next(&in, &field)) {
		/* The count of integers stands beside one of floats. */
		is_kept = field.tag == WIRE_TAG(COUNT, WIRE_VARINT)
				|| (native_take(&native, &field, &is_kept, &broken) == NATIVE_TAKEN && is_kept);
	}
	struct arena arena;
	arena_init(&arena);
	bool has_problem = native_problem(&native, &arena).ptr != NULL;
	arena_finish(&arena);
	return is_kept && !in.failed && !has_problem;
}

bool native_is_sound(const struct native *native, bool has_no_sum)
{
	if (!native_is_there(native)) {
		return true;
	}
	if (native_is_float(native)) {
		return !native->negative.has_negative_count && !native->positive.has_negative_count;
	}
	return has_no_sum || count_observations(native) == native->count;
}
