#include "store/prepare.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/describe.h"
#include "store/ids.h"
#include "store/line.h"

static const struct slice computed_families[] = {
	SLICE_INIT("push_failure_time_seconds"),
	SLICE_INIT("push_time_seconds"),
};

/* A grouping label as it is rendered into every line. */
struct key_piece {
	struct slice name;
	struct slice text; /* name="value" */
	bool has_value;
	bool gives_way; /* the implied instance="": a body label of that name counts */
};

struct renderer {
	const struct batch *batch;
	const struct group_key *key;
	struct key_piece *pieces; /* sorted by name */
	size_t piece_count;
	size_t pieces_bytes; /* of all pieces with their commas */
	uint64_t key_mask;
	struct pack *pack;
	char *at;
	struct arena *arena;
	char *series;       /* scratch: a series without its empty labels */
	const char **lines; /* scratch: the family's lines */
	struct batch_fault *fault;
};

uint64_t prepare_label_bit(struct slice name)
{
	return UINT64_C(1) << (hash64(name) & 63);
}

static bool is_computed(struct slice name)
{
	for (size_t i = 0; i < sizeof(computed_families) / sizeof(computed_families[0]); i++) {
		if (slice_equal(name, computed_families[i])) {
			return true;
		}
	}
	return false;
}

/* ---- The grouping labels ---- */

static struct key_piece make_piece(struct arena *arena, struct slice name, struct slice value)
{
	char *text = arena_text(arena, name.len + value.len + 3);
	memcpy(text, name.ptr, name.len);
	memcpy(text + name.len, "=\"", 2);
	if (value.len > 0) {
		memcpy(text + name.len + 2, value.ptr, value.len);
	}
	text[name.len + 2 + value.len] = '"';
	return (struct key_piece){
		.name = name,
		.text = slice_make(text, name.len + value.len + 3),
		.has_value = value.len > 0,
	};
}

static void make_pieces(struct renderer *r)
{
	const struct labels *labels = &r->key->labels;
	struct key_piece implied = make_piece(r->arena, SLICE("instance"), SLICE(""));
	implied.gives_way = true;
	bool has_instance = labels_find(labels, implied.name).ptr != NULL;
	r->pieces = arena_alloc(r->arena, (labels->count + 1) * sizeof(struct key_piece));
	for (size_t i = 0; i < labels->count; i++) {
		struct label *label = &labels->pairs[i];
		if (!has_instance && slice_compare(label->name, implied.name) > 0) {
			r->pieces[r->piece_count++] = implied;
			has_instance = true;
		}
		r->pieces[r->piece_count++] = make_piece(r->arena, label->name, label->value);
	}
	if (!has_instance) {
		r->pieces[r->piece_count++] = implied;
	}
	for (size_t i = 0; i < r->piece_count; i++) {
		r->pieces_bytes += r->pieces[i].text.len + 1;
		r->key_mask |= r->pieces[i].has_value ? prepare_label_bit(r->pieces[i].name) : 0;
	}
}

/* ---- Sizes ---- */

static size_t line_bytes_bound(
		const struct renderer *r, const struct batch_family *family, const struct sample *sample)
{
	size_t bytes = family->name.len + sample_suffix(sample->role).len + r->pieces_bytes
			+ sample->value.len + sizeof("{} \n");
	for (size_t i = 0; i < sample->labels.count; i++) {
		bytes += sample->labels.pairs[i].name.len + sample->labels.pairs[i].value.len
				+ sizeof("=\"\",");
	}
	return bytes;
}

/* Of the whole pack, and of the longest line and the most lines of a family. */
static size_t pack_bytes_bound(
		const struct renderer *r, size_t *ret_longest_line, size_t *ret_most_lines)
{
	size_t bytes = sizeof(struct pack) + sizeof(struct pack_entry);
	*ret_longest_line = 0;
	*ret_most_lines = 0;
	for (const struct batch_family *f = r->batch->families; f != NULL; f = f->next) {
		size_t text_bytes = 0;
		for (size_t i = 0; i < f->sample_count; i++) {
			size_t line = line_bytes_bound(r, f, &f->samples[i]);
			*ret_longest_line = line > *ret_longest_line ? line : *ret_longest_line;
			text_bytes += line;
		}
		*ret_most_lines = f->sample_count > *ret_most_lines ? f->sample_count : *ret_most_lines;
		bytes += block_bytes_bound(text_bytes, f->sample_count) + sizeof(struct pack_entry);
	}
	return bytes;
}

/* ---- Lines ---- */

static char *put(char *out, struct slice text)
{
	memcpy(out, text.ptr, text.len);
	return out + text.len;
}

static char *put_label(char *out, const struct label *label)
{
	out = put(out, label->name);
	*out++ = '=';
	*out++ = '"';
	if (label->value.len > 0) {
		out = put(out, label->value);
	}
	*out++ = '"';
	*out++ = ',';
	return out;
}

static char *put_piece(char *out, const struct key_piece *piece)
{
	out = put(out, piece->text);
	*out++ = ',';
	return out;
}

/*
 * Name and labels of a line; grouping labels take the place of body labels of
 * the same name. *ret_has_empty tells whether a label without a value was put.
 */
static char *put_series(char *out, const struct renderer *r, struct slice name,
		const struct sample *sample, bool skip_empty, bool *ret_has_empty)
{
	const struct label *label = sample->labels.pairs;
	const struct label *labels_end = label == NULL ? NULL : label + sample->labels.count;
	const struct key_piece *piece = r->pieces;
	const struct key_piece *pieces_end = piece + r->piece_count;
	bool has_empty = false;
	out = put(out, name);
	out = put(out, sample_suffix(sample->role));
	*out++ = '{';
	while (label < labels_end || piece < pieces_end) {
		int order = label == labels_end ? 1
				: piece == pieces_end   ? -1
										: slice_compare(label->name, piece->name);
		bool takes_label = order < 0 || (order == 0 && piece->gives_way);
		bool is_empty = takes_label ? label->value.len == 0 : !piece->has_value;
		has_empty |= is_empty;
		if (!(is_empty && skip_empty)) {
			out = takes_label ? put_label(out, label) : put_piece(out, piece);
		}
		if (order <= 0) {
			label++;
		}
		if (order >= 0) {
			piece++;
		}
	}
	if (out[-1] == ',') {
		out--;
	}
	*out++ = '}';
	*ret_has_empty = has_empty;
	return out;
}

/* Writes the line at r->at; returns its identity. */
static uint32_t put_line(
		struct renderer *r, const struct batch_family *family, const struct sample *sample)
{
	bool has_empty;
	char *start = r->at;
	char *out = put_series(start, r, family->name, sample, false, &has_empty);
	struct slice series = slice_between(start, out);
	if (has_empty) {
		char *end = put_series(r->series, r, family->name, sample, true, &has_empty);
		series = slice_between(r->series, end);
	}
	*out++ = ' ';
	out = put(out, sample->value);
	*out++ = '\n';
	r->at = out;
	r->pack->value_bytes += sample->value.len;
	return (uint32_t)hash64(series);
}

/* ---- Faults ---- */

static bool fault_of_line(struct renderer *r, bool leaves_trace, const struct batch_family *family,
		const char *line, struct slice problem)
{
	if (r->fault->text.ptr == NULL) {
		r->fault->line = describe_excerpt(r->arena, line);
		r->fault->text = describe_line(r->arena, family->name, family->type, line, problem);
		r->fault->leaves_trace = leaves_trace;
	}
	return false;
}

static struct slice line_at(const char *line)
{
	return slice_between(line, rawmemchr(line, '\n'));
}

static bool same_series(const char *a, const char *b)
{
	return line_same_series(line_series(line_at(a)), line_series(line_at(b)));
}

struct repeated {
	struct renderer *r;
	const char *line; /* the second of two that are the same series */
};

static bool on_same_id(void *data, uint32_t number, uint32_t other)
{
	struct repeated *repeated = data;
	const char **lines = repeated->r->lines;
	if (!same_series(lines[number], lines[other])) {
		return false;
	}
	repeated->line = lines[number];
	return true;
}

static bool check_repeated(
		struct renderer *r, const struct batch_family *family, const uint32_t *ids, size_t count)
{
	struct repeated repeated = { .r = r };
	return !ids_find_repeated(ids, count, r->arena, on_same_id, &repeated)
			|| fault_of_line(r, true, family, repeated.line,
					SLICE("was collected before with the same name and label values"));
}

/* Label names that the text format lets pass and Prometheus does not. */
static bool check_label_names(
		struct renderer *r, const struct batch_family *family, const struct sample *sample)
{
	for (size_t i = 0; i < sample->labels.count; i++) {
		struct slice name = sample->labels.pairs[i].name;
		if (slice_starts_with(name, SLICE("__"))) {
			struct slice problem = arena_printf(
					r->arena, "has a label with an invalid name: " SLICE_FMT, SLICE_ARG(name));
			return fault_of_line(r, true, family, r->lines[sample - family->samples], problem);
		}
	}
	return true;
}

/* A bound among the grouping labels would be there twice. */
static bool check_key(struct renderer *r, const struct batch_family *family)
{
	struct slice bound = family->type == METRIC_SUMMARY ? SLICE("quantile") : SLICE("le");
	bool has_bound = metric_type_is_histogram(family->type) || family->type == METRIC_SUMMARY;
	if (!has_bound || labels_find(&r->key->labels, bound).ptr == NULL) {
		return true;
	}
	struct slice problem = arena_printf(
			r->arena, "must not have an explicit \"" SLICE_FMT "\" label", SLICE_ARG(bound));
	return fault_of_line(r, family->type == METRIC_SUMMARY, family, r->lines[0], problem);
}

/* ---- Blocks ---- */

static void *align_in_pack(struct renderer *r, size_t alignment)
{
	size_t offset = (size_t)(r->at - (char *)r->pack);
	r->at += -offset & (alignment - 1);
	return r->at;
}

static uint32_t offset_in_pack(const struct renderer *r, const void *place)
{
	return (uint32_t)((const char *)place - (const char *)r->pack);
}

/* The chunk's identities go behind its text. */
static void close_chunk(struct renderer *r, struct chunk *chunk, const uint32_t *ids)
{
	chunk->text_bytes = (uint32_t)(r->at - chunk->text);
	void *place = align_in_pack(r, sizeof(uint32_t));
	memcpy(place, ids, chunk->line_count * sizeof(uint32_t));
	r->at += chunk->line_count * sizeof(uint32_t);
}

static struct chunk *open_chunk(struct renderer *r)
{
	struct chunk *chunk = align_in_pack(r, sizeof(uint32_t));
	*chunk = (struct chunk){ .in_pack = offset_in_pack(r, chunk) };
	r->at = chunk->text;
	return chunk;
}

static uint64_t mask_of(const struct sample *sample)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < sample->labels.count; i++) {
		const struct label *label = &sample->labels.pairs[i];
		mask |= label->value.len > 0 ? prepare_label_bit(label->name) : 0;
	}
	return mask;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;
	return (left > right) - (left < right);
}

/* Renders the family's lines in chunks, then the block that lists them. */
static struct block *render_block(
		struct renderer *r, const struct batch_family *family, uint32_t *ids, uint64_t *ret_mask)
{
	size_t count = family->sample_count;
	size_t capacity = 1;
	size_t chunk_count = 0;
	struct chunk *first[1];
	struct chunk **chunks = first;
	struct chunk *chunk = open_chunk(r);
	size_t text_bytes = 0;
	*ret_mask = r->key_mask;
	for (size_t i = 0; i < count; i++) {
		r->lines[i] = r->at;
		ids[i] = put_line(r, family, &family->samples[i]);
		*ret_mask |= mask_of(&family->samples[i]);
		chunk->line_count++;
		bool is_full = r->at - chunk->text >= CHUNK_BYTES;
		if (!is_full && i + 1 < count) {
			continue;
		}
		close_chunk(r, chunk, &ids[i + 1 - chunk->line_count]);
		text_bytes += chunk->text_bytes;
		if (chunk_count == capacity) {
			size_t old_bytes = capacity * sizeof(chunk);
			capacity *= 4;
			chunks = arena_grow(r->arena, chunks, old_bytes, capacity * sizeof(chunk));
		}
		chunks[chunk_count++] = chunk;
		if (i + 1 < count) {
			chunk = open_chunk(r);
		}
	}
	struct block *block = align_in_pack(r, sizeof(void *));
	*block = (struct block){
		.in_pack = offset_in_pack(r, block),
		.text_bytes = (uint32_t)text_bytes,
		.line_count = (uint32_t)count,
		.type = family->type,
		.chunk_count = (uint32_t)chunk_count,
	};
	memcpy(block->chunks, chunks, chunk_count * sizeof(chunk));
	r->at = (char *)(block->chunks + chunk_count);
	if (chunk_count > 1) {
		memcpy(block_sorted_ids(block), ids, count * sizeof(uint32_t));
		qsort(block_sorted_ids(block), count, sizeof(uint32_t), compare_ids);
		r->at += count * sizeof(uint32_t);
	}
	r->pack->refs += 1 + (uint32_t)chunk_count;
	r->pack->parts = r->pack->refs;
	return block;
}

static bool prepare_family(struct renderer *r, const struct batch_family *family, uint32_t *ids,
		struct prepared_family *ret_family)
{
	*ret_family = (struct prepared_family){
		.name = family->name,
		.help = family->help,
		.type = family->type,
	};
	ret_family->block = render_block(r, family, ids, &ret_family->label_mask);
	bool is_valid = check_key(r, family);
	for (size_t i = 0; i < family->sample_count && is_valid; i++) {
		is_valid = check_label_names(r, family, &family->samples[i]);
	}
	is_valid = is_valid && check_repeated(r, family, ids, family->sample_count);
	ret_family->block->is_invalid = !is_valid;
	return is_valid;
}

/* Sizes the pack and the scratch memory; false when it would be too large. */
static bool make_room(struct renderer *r, size_t max_bytes, uint32_t **ret_ids)
{
	size_t longest_line;
	size_t most_lines;
	size_t bytes = pack_bytes_bound(r, &longest_line, &most_lines);
	if (bytes > max_bytes || bytes > UINT32_MAX / 2) {
		return false;
	}
	r->pack = pack_begin(bytes);
	r->at = (char *)(r->pack + 1);
	r->series = arena_text(r->arena, longest_line);
	r->lines = arena_alloc(r->arena, most_lines * sizeof(char *));
	*ret_ids = arena_alloc(r->arena, most_lines * sizeof(uint32_t));
	return true;
}

static void put_entries(struct renderer *r, const struct prepared_push *push)
{
	struct pack_entry *entries = align_in_pack(r, sizeof(uint32_t));
	r->pack->entries = offset_in_pack(r, entries);
	r->pack->entry_count = (uint32_t)push->family_count;
	r->pack->line_count = (uint32_t)push->line_count;
	for (size_t i = 0; i < push->family_count; i++) {
		entries[i] = (struct pack_entry){ .block = push->families[i].block->in_pack };
	}
	r->at = (char *)(entries + push->family_count);
}

/* The blocks may move with the pack. */
static void settle_pack(struct renderer *r, struct prepared_push *push)
{
	push->pack = pack_settle(r->pack, (size_t)(r->at - (char *)r->pack));
	const struct pack_entry *entries = pack_entries(push->pack);
	for (size_t i = 0; i < push->family_count; i++) {
		push->families[i].block = pack_block(push->pack, &entries[i]);
	}
}

static void prepare_families(
		struct renderer *r, bool is_checked, uint32_t *ids, struct prepared_push *push)
{
	for (const struct batch_family *f = r->batch->families; f != NULL; f = f->next) {
		if (is_computed(f->name)) {
			continue;
		}
		if (!prepare_family(r, f, ids, &push->families[push->family_count]) && is_checked) {
			return;
		}
		push->family_count++;
		push->line_count += f->sample_count;
	}
}

enum prepare_result prepare_push(const struct batch *batch, const struct group_key *key,
		const struct prepare_options *options, struct arena *arena, struct prepared_push *ret_push,
		struct batch_fault *reterr_fault)
{
	struct renderer r = { .batch = batch, .key = key, .arena = arena, .fault = reterr_fault };
	uint32_t *ids;
	*ret_push = (struct prepared_push){ 0 };
	*reterr_fault = batch->fault;
	if (batch->has_timestamps && (batch->fault.text.ptr == NULL || !options->is_checked)) {
		*reterr_fault = (struct batch_fault){
			.text = SLICE("pushed metrics must not have timestamps"),
			.leaves_trace = true,
		};
		return PREPARE_E_FAULT;
	}
	if (batch->fault.text.ptr != NULL && options->is_checked) {
		return PREPARE_E_FAULT;
	}
	make_pieces(&r);
	if (!make_room(&r, options->max_bytes, &ids)) {
		return PREPARE_E_BYTES;
	}
	ret_push->families =
			arena_alloc(arena, (batch->family_count + 1) * sizeof(struct prepared_family));
	prepare_families(&r, options->is_checked, ids, ret_push);
	if (reterr_fault->text.ptr != NULL && options->is_checked) {
		pack_abandon(r.pack);
		return PREPARE_E_FAULT;
	}
	if (ret_push->family_count == 0) {
		pack_abandon(r.pack);
	} else {
		put_entries(&r, ret_push);
		settle_pack(&r, ret_push);
	}
	return PREPARE_OK;
}

void prepared_push_drop(struct prepared_push *push)
{
	free(push->pack);
	push->pack = NULL;
}
