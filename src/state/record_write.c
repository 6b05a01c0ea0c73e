#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"
#include "state/record.h"
#include "state/record_layout.h"
#include "store/read.h"

/* The grouping labels, which are in every line and only once in the record. */
struct key_filter {
	const struct labels *key;
	bool implies_instance; /* lines have instance="" of themselves */
};

/* ---- Pieces ---- */

static void put_varint(struct buf *out, uint64_t number)
{
	while (number >= 0x80) {
		buf_append_byte(out, (char)(number | 0x80));
		number >>= 7;
	}
	buf_append_byte(out, (char)number);
}

static void put_u64(struct buf *out, uint64_t number)
{
	uint64_t bytes = htole64(number);
	buf_append(out, slice_make((const char *)&bytes, sizeof(bytes)));
}

static void put_text(struct buf *out, struct slice text)
{
	put_varint(out, text.len);
	buf_append(out, text);
}

/* ---- Samples ---- */

/* Whether the line gets that label from the key, in any case. */
static bool is_of_key(const struct key_filter *filter, size_t *next, const struct label *label)
{
	const struct labels *key = filter->key;
	while (*next < key->count && slice_compare(key->pairs[*next].name, label->name) < 0) {
		(*next)++;
	}
	if (*next < key->count && slice_equal(key->pairs[*next].name, label->name)) {
		return true;
	}
	return filter->implies_instance && label->value.len == 0
			&& slice_equal(label->name, SLICE("instance"));
}

static void put_labels(
		struct buf *out, const struct key_filter *filter, const struct labels *labels)
{
	size_t next = 0;
	size_t count = 0;
	for (size_t i = 0; i < labels->count; i++) {
		count += !is_of_key(filter, &next, &labels->pairs[i]);
	}
	put_varint(out, count);
	next = 0;
	for (size_t i = 0; i < labels->count; i++) {
		if (!is_of_key(filter, &next, &labels->pairs[i])) {
			put_text(out, labels->pairs[i].name);
			put_text(out, labels->pairs[i].value);
		}
	}
}

static void put_sample(
		struct buf *out, const struct key_filter *filter, const struct sample *sample)
{
	static const struct sample_extra none;
	const struct sample_extra *extra = sample->extra == NULL ? &none : sample->extra;
	unsigned head = (unsigned)sample->role;
	head |= extra->exemplar.len > 0 ? RECORD_SAMPLE_EXEMPLAR : 0;
	head |= extra->created.len > 0 ? RECORD_SAMPLE_CREATED : 0;
	head |= extra->native.len > 0 ? RECORD_SAMPLE_NATIVE : 0;
	head |= extra->is_added ? RECORD_SAMPLE_ADDED : 0;
	buf_append_byte(out, (char)head);
	put_labels(out, filter, &sample->labels);
	put_text(out, sample->value);
	const struct slice texts[] = { extra->exemplar, extra->created, extra->native };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].len > 0) {
			put_text(out, texts[i]);
		}
	}
}

static void put_samples(struct buf *out, const struct key_filter *filter,
		const struct record_family *family, struct arena *arena)
{
	enum { ARENA_BYTES = 64 * 1024 };
	const struct sample *samples;
	size_t count;
	struct block_reader reader;
	put_varint(out, family->block->line_count);
	block_reader_init(&reader, family->block, family->name);
	while (block_reader_next(&reader, arena, &samples, &count)) {
		for (size_t i = 0; i < count; i++) {
			put_sample(out, filter, &samples[i]);
		}
		if (arena->used_bytes > ARENA_BYTES) {
			arena_reset(arena);
		}
	}
}

/* ---- Families and pushes ---- */

static void put_family(struct buf *out, const struct key_filter *filter,
		const struct record_family *family, struct arena *arena)
{
	unsigned flags = family->block->is_invalid ? RECORD_FAMILY_INVALID : 0;
	flags |= family->help.ptr != NULL ? RECORD_FAMILY_HELP : 0;
	flags |= family->unit.ptr != NULL ? RECORD_FAMILY_UNIT : 0;
	flags |= family->is_shadowed ? RECORD_FAMILY_SHADOWED : 0;
	flags |= family->since_ns != family->pushed_ns ? RECORD_FAMILY_SINCE : 0;
	buf_append_byte(out, (char)family->block->type);
	buf_append_byte(out, (char)flags);
	if ((flags & RECORD_FAMILY_SINCE) != 0) {
		put_u64(out, (uint64_t)family->since_ns);
	}
	put_varint(out, family->place);
	put_text(out, family->name);
	if (family->help.ptr != NULL) {
		put_text(out, family->help);
	}
	if (family->unit.ptr != NULL) {
		put_text(out, family->unit);
	}
	put_samples(out, filter, family, arena);
}

static int compare_pushes(const struct record_family *a, const struct record_family *b)
{
	if (a->pushed_ns != b->pushed_ns) {
		return a->pushed_ns < b->pushed_ns ? -1 : 1;
	}
	return (int)a->block->is_openmetrics - (int)b->block->is_openmetrics;
}

static int compare_families(const void *a, const void *b)
{
	const struct record_family *left = a;
	const struct record_family *right = b;
	int order = compare_pushes(left, right);
	return order != 0 ? order : slice_compare(left->name, right->name);
}

/* Pages mostly come in the order of their names. */
static bool are_sorted(const struct record_source *source)
{
	for (size_t i = 1; i < source->family_count; i++) {
		if (compare_families(&source->families[i - 1], &source->families[i]) > 0) {
			return false;
		}
	}
	return true;
}

/* How many of the families, from the first on, came in one push. */
static size_t push_len(const struct record_family *families, size_t count)
{
	size_t len = count > 0;
	while (len < count && compare_pushes(&families[0], &families[len]) == 0) {
		len++;
	}
	return len;
}

static size_t count_pushes(const struct record_source *source)
{
	size_t count = 0;
	for (size_t i = 0; i < source->family_count; count++) {
		i += push_len(&source->families[i], source->family_count - i);
	}
	return count;
}

static void put_pushes(
		struct buf *out, const struct key_filter *filter, const struct record_source *source)
{
	struct arena arena;
	arena_init(&arena);
	put_varint(out, count_pushes(source));
	for (size_t i = 0; i < source->family_count;) {
		const struct record_family *families = &source->families[i];
		size_t len = push_len(families, source->family_count - i);
		put_u64(out, (uint64_t)families[0].pushed_ns);
		buf_append_byte(out, families[0].block->is_openmetrics ? RECORD_PUSH_OPENMETRICS : 0);
		put_varint(out, len);
		for (size_t j = 0; j < len; j++) {
			put_family(out, filter, &families[j], &arena);
		}
		i += len;
	}
	arena_finish(&arena);
}

int64_t record_expiry(int64_t deadline_ns, int64_t ahead_ns)
{
	int64_t expires_ns;
	if (deadline_ns == 0) {
		return 0;
	}
	/* So late that it cannot be said: never. */
	bool is_never = __builtin_add_overflow(deadline_ns, ahead_ns, &expires_ns);
	return is_never ? 0 : expires_ns > 1 ? expires_ns : 1;
}

static void put_version(struct buf *out, const struct record_source *source)
{
	unsigned flags = source->is_shadowed ? RECORD_SHADOWED : 0;
	flags |= source->since_ns != source->times.pushed_ns ? RECORD_SINCE : 0;
	buf_append_byte(out, flags != 0 ? RECORD_VERSION_FLAGS : RECORD_VERSION);
	if (flags != 0) {
		buf_append_byte(out, (char)flags);
	}
	if ((flags & RECORD_SINCE) != 0) {
		put_u64(out, (uint64_t)source->since_ns);
	}
}

void record_write(struct buf *out, struct record_source *source)
{
	size_t start = out->len;
	struct key_filter filter = {
		.key = &source->key,
		.implies_instance = labels_find(&source->key, SLICE("instance")).ptr == NULL,
	};
	if (!are_sorted(source)) {
		qsort(source->families, source->family_count, sizeof(struct record_family),
				compare_families);
	}
	put_version(out, source);
	put_varint(out, source->key.count);
	for (size_t i = 0; i < source->key.count; i++) {
		put_text(out, source->key.pairs[i].name);
		put_text(out, source->key.pairs[i].value);
	}
	put_varint(out, source->place);
	put_u64(out, (uint64_t)source->times.pushed_ns);
	put_u64(out, (uint64_t)source->times.failed_ns);
	put_u64(out, (uint64_t)source->expires_ns);
	put_pushes(out, &filter, source);
	put_u64(out, checksum64(slice_make(out->ptr + start, out->len - start), 0));
}
