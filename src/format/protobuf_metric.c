#include "format/protobuf_parser.h"

static void reset_metric(struct metric *metric)
{
	metric->label_count = 0;
	metric->values = 0;
	metric->gauge = 0;
	metric->untyped = 0;
	metric->counter = 0;
	metric->has_exemplar = false;
	exemplar_init(&metric->exemplar);
	metric->counter_created = (struct metric_created){ 0 };
	metric->summary_count = 0;
	metric->summary_sum = 0;
	metric->quantiles.count = 0;
	metric->summary_created = (struct metric_created){ 0 };
	metric->histogram_sum = 0;
	metric->buckets.count = 0;
	metric->histogram_created = (struct metric_created){ 0 };
	metric->native = (struct native){ 0 };
	buf_reset(&metric->native_fields, SIZE_MAX);
}

/* Whether all of it could be read. */
static bool finish(struct protobuf_parser *p, const struct wire_reader *in)
{
	return !in->failed || protobuf_fail_wire(p, in->at);
}

static bool read_created(
		struct protobuf_parser *p, struct slice message, struct metric_created *created)
{
	created->is_there = true;
	const char *broken = timestamp_read(&created->timestamp, message);
	return broken == NULL || protobuf_fail_wire(p, broken);
}

static bool read_exemplar(
		struct protobuf_parser *p, struct slice message, struct exemplar *exemplar)
{
	const char *broken = exemplar_read(exemplar, message);
	return broken == NULL || protobuf_fail_wire(p, broken);
}

/* ---- Labels ---- */

static bool add_label(struct protobuf_parser *p, const char *at, struct label label)
{
	struct metric *metric = &p->metric;
	if (metric->label_count == p->options->labels) {
		return protobuf_fail_limit(p, at, FORMAT_LIMIT_LABELS);
	}
	if (label.name.len > p->options->label_bytes || label.value.len > p->options->label_bytes) {
		return protobuf_fail_limit(p, at, FORMAT_LIMIT_LABEL_BYTES);
	}
	if (metric->label_count == metric->label_capacity) {
		size_t old_bytes = metric->label_count * sizeof(struct label);
		metric->label_capacity = metric->label_capacity == 0 ? 32 : metric->label_capacity * 2;
		metric->labels = arena_grow(
				p->arena, metric->labels, old_bytes, metric->label_capacity * sizeof(struct label));
	}
	metric->labels[metric->label_count++] = label;
	return true;
}

static bool read_label(struct protobuf_parser *p, struct slice message)
{
	struct label label = { .name = SLICE(""), .value = SLICE("") };
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_BYTES)) {
			label.name = field.bytes;
		} else if (field.tag == WIRE_TAG(2, WIRE_BYTES)) {
			label.value = field.bytes;
		}
	}
	return finish(p, &in) && add_label(p, message.ptr, label);
}

/* ---- Gauges, counters, untyped ---- */

/* A message of which only the first field counts. */
static bool read_value(struct protobuf_parser *p, struct slice message, double *value)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_FIXED64)) {
			*value = wire_double(field.number);
		}
	}
	return finish(p, &in);
}

static bool read_counter(struct protobuf_parser *p, struct slice message)
{
	struct metric *metric = &p->metric;
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	bool is_read = true;
	while (is_read && wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_FIXED64):
			metric->counter = wire_double(field.number);
			break;
		case WIRE_TAG(2, WIRE_BYTES):
			metric->has_exemplar = true;
			is_read = read_exemplar(p, field.bytes, &metric->exemplar);
			break;
		case WIRE_TAG(3, WIRE_BYTES):
			is_read = read_created(p, field.bytes, &metric->counter_created);
			break;
		default:
			break;
		}
	}
	return is_read && finish(p, &in);
}

/* ---- Summaries and histograms ---- */

/* One more; checked against the limit, since a message of no bytes is a bound, too. */
static bool add_bound(struct protobuf_parser *p, struct metric_bounds *bounds, const char *at,
		const struct metric_bound *bound)
{
	if (!protobuf_may_add(p, at, bounds->count + 1)) {
		return false;
	}
	if (bounds->count == bounds->capacity) {
		size_t old_bytes = bounds->count * sizeof(*bound);
		bounds->capacity = bounds->capacity == 0 ? 16 : bounds->capacity * 2;
		bounds->items =
				arena_grow(p->arena, bounds->items, old_bytes, bounds->capacity * sizeof(*bound));
	}
	bounds->items[bounds->count++] = *bound;
	return true;
}

static bool read_quantile(struct protobuf_parser *p, struct slice message)
{
	struct metric_bound quantile = { 0 };
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_FIXED64)) {
			quantile.bound = wire_double(field.number);
		} else if (field.tag == WIRE_TAG(2, WIRE_FIXED64)) {
			quantile.value = wire_double(field.number);
		}
	}
	return finish(p, &in) && add_bound(p, &p->metric.quantiles, message.ptr, &quantile);
}

static bool read_summary(struct protobuf_parser *p, struct slice message)
{
	struct metric *metric = &p->metric;
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	bool is_read = true;
	while (is_read && wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_VARINT):
			metric->summary_count = field.number;
			break;
		case WIRE_TAG(2, WIRE_FIXED64):
			metric->summary_sum = wire_double(field.number);
			break;
		case WIRE_TAG(3, WIRE_BYTES):
			is_read = read_quantile(p, field.bytes);
			break;
		case WIRE_TAG(4, WIRE_BYTES):
			is_read = read_created(p, field.bytes, &metric->summary_created);
			break;
		default:
			break;
		}
	}
	return is_read && finish(p, &in);
}

static bool read_bucket(struct protobuf_parser *p, struct slice message)
{
	struct metric_bound bucket = { 0 };
	struct exemplar exemplar;
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	bool has_exemplar = false;
	bool is_read = true;
	exemplar_init(&exemplar);
	while (is_read && wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_VARINT):
			bucket.count = field.number;
			break;
		case WIRE_TAG(2, WIRE_FIXED64):
			bucket.bound = wire_double(field.number);
			break;
		case WIRE_TAG(3, WIRE_BYTES):
			has_exemplar = true;
			is_read = read_exemplar(p, field.bytes, &exemplar);
			break;
		case WIRE_TAG(4, WIRE_FIXED64):
			bucket.value = wire_double(field.number);
			break;
		default:
			break;
		}
	}
	if (!is_read || !finish(p, &in)) {
		return false;
	}
	if (has_exemplar) {
		bucket.exemplar = exemplar_text(&exemplar, p->arena);
	}
	return add_bound(p, &p->metric.buckets, message.ptr, &bucket);
}

static bool take_native(struct protobuf_parser *p, const struct wire_field *field)
{
	const char *broken;
	bool is_kept;
	switch (native_take(&p->metric.native, field, &is_kept, &broken)) {
	case NATIVE_TAKEN:
		break;
	case NATIVE_OTHER:
		return true;
	case NATIVE_E_BROKEN:
		return protobuf_fail_wire(p, broken);
	}
	if (is_kept) {
		buf_append(&p->metric.native_fields, field->whole);
	}
	return true;
}

static bool read_histogram(struct protobuf_parser *p, struct slice message)
{
	struct metric *metric = &p->metric;
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	bool is_read = true;
	while (is_read && wire_next(&in, &field)) {
		switch (field.tag) {
		case WIRE_TAG(1, WIRE_VARINT):
			metric->native.count = field.number;
			metric->native.has_count = true;
			break;
		case WIRE_TAG(2, WIRE_FIXED64):
			metric->histogram_sum = wire_double(field.number);
			break;
		case WIRE_TAG(3, WIRE_BYTES):
			is_read = read_bucket(p, field.bytes);
			break;
		case WIRE_TAG(15, WIRE_BYTES):
			is_read = read_created(p, field.bytes, &metric->histogram_created);
			break;
		default:
			is_read = take_native(p, &field);
			break;
		}
	}
	return is_read && finish(p, &in);
}

/* ---- The metric ---- */

static bool read_field(struct protobuf_parser *p, const struct wire_field *field)
{
	struct metric *metric = &p->metric;
	switch (field->tag) {
	case WIRE_TAG(1, WIRE_BYTES):
		return read_label(p, field->bytes);
	case WIRE_TAG(2, WIRE_BYTES):
		metric->values |= VALUE_GAUGE;
		return read_value(p, field->bytes, &metric->gauge);
	case WIRE_TAG(3, WIRE_BYTES):
		metric->values |= VALUE_COUNTER;
		return read_counter(p, field->bytes);
	case WIRE_TAG(4, WIRE_BYTES):
		metric->values |= VALUE_SUMMARY;
		return read_summary(p, field->bytes);
	case WIRE_TAG(5, WIRE_BYTES):
		metric->values |= VALUE_UNTYPED;
		return read_value(p, field->bytes, &metric->untyped);
	case WIRE_TAG(6, WIRE_VARINT):
		p->family->has_timestamps = true;
		return true;
	case WIRE_TAG(7, WIRE_BYTES):
		metric->values |= VALUE_HISTOGRAM;
		return read_histogram(p, field->bytes);
	default:
		return true;
	}
}

bool protobuf_read_metric(struct protobuf_parser *p, struct slice message)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	reset_metric(&p->metric);
	while (wire_next(&in, &field)) {
		if (!read_field(p, &field)) {
			return false;
		}
	}
	return finish(p, &in);
}
