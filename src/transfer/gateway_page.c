#include "transfer/gateway_page.h"

#include "base/hash.h"
#include "format/protobuf_wire.h"

struct gateway_metric {
	struct map_node node;
	struct slice family;
	struct slice field;   /* tag, length, message */
	struct slice message; /* the end of it */
};

void gateway_page_init(struct gateway_page *page)
{
	*page = (struct gateway_page){ 0 };
	arena_init(&page->arena);
	map_init(&page->by_series);
}

void gateway_page_finish(struct gateway_page *page)
{
	map_finish(&page->by_series);
	arena_finish(&page->arena);
}

/* ---- What a metric is known by ---- */

/* Of one label; the sum of all does not depend on their order. */
static uint64_t hash_label(struct slice name, struct slice value)
{
	return (hash64(name) | 1) * hash64(value);
}

static uint64_t hash_labels(const struct labels *labels)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < labels->count; i++) {
		sum += hash_label(labels->pairs[i].name, labels->pairs[i].value);
	}
	return sum;
}

static bool read_label(struct slice message, struct label *ret_label)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	struct label label = { .name = SLICE(""), .value = SLICE("") };
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_BYTES)) {
			label.name = field.bytes;
		} else if (field.tag == WIRE_TAG(2, WIRE_BYTES)) {
			label.value = field.bytes;
		}
	}
	*ret_label = label;
	return !in.failed;
}

static bool hash_message(struct slice message, uint64_t *ret_hash)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	struct label label;
	uint64_t sum = 0;
	while (wire_next(&in, &field)) {
		if (field.tag != WIRE_TAG(1, WIRE_BYTES)) {
			continue;
		}
		if (!read_label(field.bytes, &label)) {
			return false;
		}
		sum += hash_label(label.name, label.value);
	}
	*ret_hash = sum;
	return !in.failed;
}

/* Whether the message has these labels and no others. */
static bool has_labels(struct slice message, const struct labels *labels)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	struct label label;
	size_t count = 0;
	while (wire_next(&in, &field)) {
		if (field.tag != WIRE_TAG(1, WIRE_BYTES)) {
			continue;
		}
		struct slice value = { 0 };
		if (read_label(field.bytes, &label)) {
			value = labels_find(labels, label.name);
		}
		if (value.ptr == NULL || !slice_equal(value, label.value)) {
			return false;
		}
		count++;
	}
	return count == labels->count;
}

/* ---- Reading ---- */

static bool add_metric(
		struct gateway_page *page, struct slice family, const struct wire_field *field)
{
	uint64_t hash;
	if (!hash_message(field->bytes, &hash)) {
		return false;
	}
	struct gateway_metric *metric = arena_alloc(&page->arena, sizeof(*metric));
	*metric = (struct gateway_metric){
		.family = family,
		.field = field->whole,
		.message = field->bytes,
	};
	map_insert(&page->by_series, &metric->node, hash64(family) + hash);
	page->metric_count++;
	return true;
}

static bool find_name(struct slice message, struct slice *ret_name)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	struct slice name = SLICE("");
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(1, WIRE_BYTES)) {
			name = field.bytes;
		}
	}
	*ret_name = name;
	return !in.failed;
}

static bool read_family(struct gateway_page *page, struct slice message)
{
	struct slice name;
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	if (!find_name(message, &name)) {
		return false;
	}
	while (wire_next(&in, &field)) {
		if (field.tag == WIRE_TAG(4, WIRE_BYTES) && !add_metric(page, name, &field)) {
			return false;
		}
	}
	return !in.failed;
}

bool gateway_page_read(struct gateway_page *page, struct slice bytes)
{
	const char *at = bytes.ptr;
	const char *end = at + bytes.len;
	while (at < end) {
		uint64_t len;
		if (wire_read_varint(&at, end, &len) != WIRE_OK || len > (uint64_t)(end - at)
				|| !read_family(page, slice_make(at, (size_t)len))) {
			return false;
		}
		at += len;
	}
	return true;
}

/* ---- Looking up ---- */

struct slice gateway_page_find(
		const struct gateway_page *page, struct slice family, const struct labels *labels)
{
	uint64_t hash = hash64(family) + hash_labels(labels);
	struct map_node *node = map_first(&page->by_series, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct gateway_metric *metric = MAP_ENTRY(node, struct gateway_metric, node);
		if (slice_equal(metric->family, family) && has_labels(metric->message, labels)) {
			return metric->field;
		}
	}
	return slice_make(NULL, 0);
}

static struct slice find_field(struct slice message, uint32_t tag)
{
	struct wire_reader in = wire_reader_of(message);
	struct wire_field field;
	struct slice found = SLICE("");
	while (wire_next(&in, &field)) {
		if (field.tag == tag) {
			found = field.bytes;
		}
	}
	return found;
}

double gateway_page_gauge(struct slice field)
{
	struct wire_reader in = wire_reader_of(
			find_field(find_field(field, WIRE_TAG(4, WIRE_BYTES)), WIRE_TAG(2, WIRE_BYTES)));
	struct wire_field value;
	double number = 0;
	while (wire_next(&in, &value)) {
		if (value.tag == WIRE_TAG(1, WIRE_FIXED64)) {
			number = wire_double(value.number);
		}
	}
	return number;
}
