#include <endian.h>

#include "base/hash.h"
#include "base/number.h"
#include "base/utf8.h"
#include "state/record.h"
#include "state/record_check.h"
#include "state/record_layout.h"

/* Bytes that one of them has at least: a count can be no larger than what is left. */
enum {
	LABEL_BYTES_MIN = 2,
	PUSH_BYTES_MIN = 10,
	FAMILY_BYTES_MIN = 6,
	SAMPLE_BYTES_MIN = 3,
};

struct reader {
	const char *at;
	const char *end;
	const struct record_checks *checks;
	struct arena *arena;
	const char *what; /* is wrong; NULL: nothing yet */
};

/* ---- Pieces ---- */

static bool fail(struct reader *r, const char *what)
{
	r->what = r->what == NULL ? what : r->what;
	return false;
}

static size_t bytes_left(const struct reader *r)
{
	return (size_t)(r->end - r->at);
}

static bool read_u8(struct reader *r, unsigned *ret_number)
{
	if (r->at == r->end) {
		return fail(r, "it ends too early");
	}
	*ret_number = (unsigned char)*r->at++;
	return true;
}

static bool read_i64(struct reader *r, int64_t *ret_number)
{
	uint64_t bytes;
	if (bytes_left(r) < sizeof(bytes)) {
		return fail(r, "it ends too early");
	}
	memcpy(&bytes, r->at, sizeof(bytes));
	r->at += sizeof(bytes);
	*ret_number = (int64_t)le64toh(bytes);
	return true;
}

/* A Unix time as pages can show it. */
static bool read_time(struct reader *r, int64_t *ret_ns)
{
	return read_i64(r, ret_ns) && (*ret_ns >= 0 || fail(r, "a time is before 1970"));
}

static bool read_varint(struct reader *r, uint64_t *ret_number)
{
	enum { BITS = 7, BITS_MAX = 63 };
	uint64_t number = 0;
	unsigned byte = 0x80;
	for (unsigned shift = 0; (byte & 0x80) != 0; shift += BITS) {
		if (shift >= BITS_MAX) {
			return fail(r, "a number is too large");
		}
		if (!read_u8(r, &byte)) {
			return false;
		}
		number |= (uint64_t)(byte & 0x7f) << shift;
	}
	*ret_number = number;
	return true;
}

static bool read_place(struct reader *r, uint32_t *ret_place)
{
	uint64_t place;
	if (!read_varint(r, &place)) {
		return false;
	}
	*ret_place = (uint32_t)place;
	return place < SLOT_NONE || fail(r, "a place is none");
}

/* How many of something come, each of at least so many bytes. */
static bool read_count(struct reader *r, size_t bytes_min, size_t *ret_count)
{
	uint64_t count;
	if (!read_varint(r, &count)) {
		return false;
	}
	if (count > bytes_left(r) / bytes_min) {
		return fail(r, "a count is larger than what follows");
	}
	*ret_count = (size_t)count;
	return true;
}

static bool read_text(struct reader *r, struct slice *ret_text)
{
	size_t len;
	if (!read_count(r, 1, &len)) {
		return false;
	}
	*ret_text = slice_make(r->at, len);
	r->at += len;
	return true;
}

/* ---- Labels ---- */

static bool is_label(const struct label *label, bool is_exposed)
{
	if (!is_exposed) {
		return record_text_is_escaped(label->name) && record_text_is_escaped(label->value);
	}
	return record_text_is_name(label->name) && record_text_is_escaped(label->value)
			&& utf8_is_valid(label->value);
}

static bool read_labels(struct reader *r, bool is_exposed, struct labels *ret_labels)
{
	struct labels labels = { 0 };
	size_t count;
	if (!read_count(r, LABEL_BYTES_MIN, &count)) {
		return false;
	}
	labels.pairs = arena_alloc(r->arena, (count + 1) * sizeof(struct label));
	for (; labels.count < count; labels.count++) {
		struct label *label = &labels.pairs[labels.count];
		if (!read_text(r, &label->name) || !read_text(r, &label->value)) {
			return false;
		}
		if (!is_label(label, is_exposed)) {
			return fail(r, "a label is none");
		}
		/* A name that is there twice is found when it is rendered. */
		if (labels.count > 0 && slice_compare(label[-1].name, label->name) > 0) {
			return fail(r, "labels are not in order");
		}
	}
	*ret_labels = labels;
	return true;
}

static bool read_key(struct reader *r, struct group_key *ret_key)
{
	if (!read_labels(r, true, &ret_key->labels)) {
		return false;
	}
	for (size_t i = 1; i < ret_key->labels.count; i++) {
		if (slice_equal(ret_key->labels.pairs[i - 1].name, ret_key->labels.pairs[i].name)) {
			return fail(r, "a grouping label is there twice");
		}
	}
	return labels_find(&ret_key->labels, SLICE("job")).len > 0
			|| fail(r, "there is no grouping label job");
}

/* ---- Samples ---- */

static bool check_bound(struct reader *r, enum metric_type type, const struct sample *sample)
{
	char digits[NUMBER_TEXT_MAX];
	if (sample->role != SAMPLE_BUCKET && sample->role != SAMPLE_QUANTILE) {
		return true;
	}
	struct slice bound = labels_find(&sample->labels, metric_type_bound_name(type));
	if (bound.ptr == NULL || !number_is_float(bound)) {
		return fail(r, "a bound is no number");
	}
	size_t len = number_format(number_value(bound), digits);
	return slice_equal(bound, slice_make(digits, len))
			|| fail(r, "a bound is not written in the shortest form");
}

static bool check_value(struct reader *r, bool is_exposed, struct slice value)
{
	bool is_good = is_exposed
			? number_is_float(value)
			: slice_find_byte(value, '\n') == NULL && slice_find_byte(value, ' ') == NULL;
	return is_good || fail(r, "a value is no number");
}

/* Where they stand is looked at when the whole family is read. */
static bool read_extra(struct reader *r, unsigned head, struct sample *sample)
{
	enum {
		ANY = RECORD_SAMPLE_EXEMPLAR | RECORD_SAMPLE_CREATED | RECORD_SAMPLE_NATIVE
				| RECORD_SAMPLE_ADDED,
	};
	if ((head & ANY) == 0) {
		return true;
	}
	struct sample_extra *extra = sample_extend(sample, r->arena);
	extra->is_added = (head & RECORD_SAMPLE_ADDED) != 0;
	return ((head & RECORD_SAMPLE_EXEMPLAR) == 0 || read_text(r, &extra->exemplar))
			&& ((head & RECORD_SAMPLE_CREATED) == 0 || read_text(r, &extra->created))
			&& ((head & RECORD_SAMPLE_NATIVE) == 0 || read_text(r, &extra->native));
}

static bool read_sample(
		struct reader *r, enum metric_type type, bool is_exposed, struct sample *sample)
{
	unsigned head;
	*sample = (struct sample){ 0 };
	if (!read_u8(r, &head)) {
		return false;
	}
	unsigned role = head & RECORD_SAMPLE_ROLE;
	if (role > SAMPLE_GCOUNT || (head & 0x80) != 0) {
		return fail(r, "a sample is of no known kind");
	}
	sample->role = (enum sample_role)role;
	if (is_exposed && !record_role_fits(type, sample->role)) {
		return fail(r, "a sample is none of its family's type");
	}
	return read_labels(r, is_exposed, &sample->labels) && read_text(r, &sample->value)
			&& check_value(r, is_exposed, sample->value)
			&& (!is_exposed || check_bound(r, type, sample)) && read_extra(r, head, sample);
}

static bool check_native(
		struct reader *r, enum metric_type type, const struct sample *sample, bool is_last)
{
	return is_last && metric_type_is_histogram(type) && sample->role == SAMPLE_COUNT
			&& (r->checks->native_is_right == NULL
					|| r->checks->native_is_right(sample->extra->native, sample->value));
}

static bool check_extra(struct reader *r, enum metric_type type, const struct sample *sample,
		const struct sample *next)
{
	const struct sample_extra *extra = sample->extra;
	bool may_have_exemplar = type == METRIC_COUNTER || sample->role == SAMPLE_BUCKET;
	if (extra->exemplar.len > 0
			&& (!may_have_exemplar || !record_text_is_exemplar(extra->exemplar))) {
		return fail(r, "an exemplar is none");
	}
	bool is_last = record_ends_metric(type, sample, next);
	if (extra->created.len > 0 && (!is_last || !record_text_is_real(extra->created))) {
		return fail(r, "a time of creation is none");
	}
	if (extra->native.len > 0 && !check_native(r, type, sample, is_last)) {
		return fail(r, "a native histogram is none");
	}
	return !extra->is_added || sample->role == SAMPLE_BUCKET
			|| fail(r, "an added line is no bucket");
}

static bool read_samples(struct reader *r, struct batch_family *family, bool is_exposed)
{
	size_t count;
	if (!read_count(r, SAMPLE_BYTES_MIN, &count)) {
		return false;
	}
	if (count == 0) {
		return fail(r, "a family has no samples");
	}
	family->samples = arena_alloc(r->arena, count * sizeof(struct sample));
	family->sample_capacity = count;
	for (; family->sample_count < count; family->sample_count++) {
		struct sample *sample = &family->samples[family->sample_count];
		if (!read_sample(r, family->type, is_exposed, sample)) {
			return false;
		}
	}
	for (size_t i = 0; i < count && is_exposed; i++) {
		const struct sample *sample = &family->samples[i];
		if (sample->extra != NULL
				&& !check_extra(r, family->type, sample, i + 1 < count ? sample + 1 : NULL)) {
			return false;
		}
	}
	return true;
}

/* ---- Families and pushes ---- */

static bool read_metadata(struct reader *r, unsigned flags, struct batch_family *family)
{
	if ((flags & RECORD_FAMILY_HELP) != 0
			&& (!read_text(r, &family->help) || !record_text_is_help(family->help))) {
		return fail(r, "a help text is none");
	}
	if ((flags & RECORD_FAMILY_UNIT) != 0
			&& (!read_text(r, &family->unit) || !utf8_is_valid(family->unit))) {
		return fail(r, "a unit is none");
	}
	return true;
}

/* Of what says no time the group had it since that push. */
static bool read_since(struct reader *r, bool is_there, int64_t *since_ns)
{
	return !is_there || read_time(r, since_ns);
}

static bool read_family(
		struct reader *r, struct batch_family *family, uint32_t *ret_place, int64_t *since_ns)
{
	unsigned type;
	unsigned flags;
	*family = (struct batch_family){ 0 };
	if (!read_u8(r, &type) || !read_u8(r, &flags)
			|| !read_since(r, (flags & RECORD_FAMILY_SINCE) != 0, since_ns)
			|| !read_place(r, ret_place) || !read_text(r, &family->name)) {
		return false;
	}
	bool is_exposed = (flags & RECORD_FAMILY_INVALID) == 0;
	const unsigned known = RECORD_FAMILY_HELP | RECORD_FAMILY_UNIT | RECORD_FAMILY_INVALID
			| RECORD_FAMILY_SHADOWED | RECORD_FAMILY_SINCE;
	if (type >= METRIC_TYPE_COUNT || (flags & ~known) != 0) {
		return fail(r, "a family is of no known type");
	}
	if (!record_text_is_name(family->name) || prepare_is_computed(family->name)) {
		return fail(r, "a family's name is none");
	}
	family->type = (enum metric_type)type;
	if (!read_metadata(r, flags, family) || !read_samples(r, family, is_exposed)) {
		return false;
	}
	if (!is_exposed) {
		sample_extend(&family->samples[0], r->arena)->problem =
				SLICE("could not be exposed when it was pushed");
	}
	return true;
}

static bool read_push(struct reader *r, struct record_push *push)
{
	unsigned flags;
	size_t count;
	*push = (struct record_push){ 0 };
	if (!read_time(r, &push->pushed_ns) || !read_u8(r, &flags)
			|| !read_count(r, FAMILY_BYTES_MIN, &count)) {
		return false;
	}
	if (flags > RECORD_PUSH_OPENMETRICS || count == 0) {
		return fail(r, "a push is none");
	}
	struct batch *batch = &push->batch;
	struct batch_family *families = arena_alloc(r->arena, count * sizeof(*families));
	batch->is_openmetrics = (flags & RECORD_PUSH_OPENMETRICS) != 0;
	batch->families = families;
	push->places = arena_alloc(r->arena, count * sizeof(uint32_t));
	push->since_ns = arena_alloc(r->arena, count * sizeof(int64_t));
	for (; batch->family_count < count; batch->family_count++) {
		struct batch_family *family = &families[batch->family_count];
		push->since_ns[batch->family_count] = push->pushed_ns;
		if (!read_family(r, family, &push->places[batch->family_count],
					&push->since_ns[batch->family_count])) {
			return false;
		}
		if (batch->family_count > 0) {
			family[-1].next = family;
			if (slice_compare(family[-1].name, family->name) >= 0) {
				return fail(r, "families are not in order");
			}
		}
		batch->sample_count += family->sample_count;
	}
	return true;
}

static bool read_pushes(struct reader *r, struct record *record)
{
	size_t count;
	if (!read_count(r, PUSH_BYTES_MIN, &count)) {
		return false;
	}
	record->pushes = arena_alloc(r->arena, (count + 1) * sizeof(struct record_push));
	for (; record->push_count < count; record->push_count++) {
		if (!read_push(r, &record->pushes[record->push_count])) {
			return false;
		}
	}
	return r->at == r->end || fail(r, "something is behind its end");
}

/* ---- The record ---- */

/* False: it cannot be read on. */
static bool read_version(struct reader *r, bool *ret_is_known, unsigned *ret_flags)
{
	unsigned version;
	*ret_flags = 0;
	*ret_is_known =
			read_u8(r, &version) && (version == RECORD_VERSION || version == RECORD_VERSION_FLAGS);
	if (*ret_is_known && version == RECORD_VERSION_FLAGS && !read_u8(r, ret_flags)) {
		return false;
	}
	return (*ret_flags & ~(RECORD_SHADOWED | RECORD_SINCE)) == 0 || fail(r, "its flags are none");
}

static bool read_group(struct reader *r, unsigned flags, struct record *record)
{
	bool has_since = (flags & RECORD_SINCE) != 0;
	if (!read_since(r, has_since, &record->since_ns) || !read_key(r, &record->key)
			|| !read_place(r, &record->place) || !read_time(r, &record->times.pushed_ns)
			|| !read_time(r, &record->times.failed_ns) || !read_time(r, &record->expires_ns)) {
		return false;
	}
	record->since_ns = has_since ? record->since_ns : record->times.pushed_ns;
	return read_pushes(r, record);
}

static bool has_checksum(struct slice bytes)
{
	uint64_t sum;
	struct slice summed = slice_first(bytes, bytes.len - sizeof(sum));
	memcpy(&sum, bytes.ptr + summed.len, sizeof(sum));
	return le64toh(sum) == checksum64(summed, 0);
}

enum record_result record_read(struct slice bytes, const struct record_checks *checks,
		struct arena *arena, struct record *ret_record, const char **reterr_what)
{
	struct record record = { 0 };
	bool is_known;
	unsigned flags;
	if (bytes.len <= RECORD_CHECKSUM_BYTES || !has_checksum(bytes)) {
		*reterr_what = "its checksum is wrong";
		return RECORD_E_DAMAGED;
	}
	struct reader r = {
		.at = bytes.ptr,
		.end = bytes.ptr + bytes.len - RECORD_CHECKSUM_BYTES,
		.checks = checks,
		.arena = arena,
	};
	bool is_read = read_version(&r, &is_known, &flags);
	if (!is_known) {
		*reterr_what = "it is of a version that this weir does not know";
		return RECORD_E_VERSION;
	}
	if (!is_read || !read_group(&r, flags, &record)) {
		*reterr_what = r.what;
		return RECORD_E_INVALID;
	}
	*ret_record = record;
	return RECORD_OK;
}

struct slice record_guess_key(struct slice bytes, struct arena *arena)
{
	struct reader r = { .at = bytes.ptr, .end = bytes.ptr + bytes.len, .arena = arena };
	struct group_key key;
	bool is_known;
	unsigned flags;
	int64_t since_ns;
	if (bytes.len == 0 || !read_version(&r, &is_known, &flags)
			|| !read_since(&r, (flags & RECORD_SINCE) != 0, &since_ns)
			|| !read_labels(&r, false, &key.labels) || key.labels.count == 0) {
		return slice_make(NULL, 0);
	}
	return group_key_text(&key, arena);
}
