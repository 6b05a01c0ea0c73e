#include "store/prepare.h"
#include "store/slots.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/describe.h"
#include "store/ids.h"
#include "store/line.h"
#include "store/render.h"

static const struct slice computed_families[] = {
	SLICE_INIT("push_failure_time_seconds"),
	SLICE_INIT("push_time_seconds"),
};

struct preparing {
	const struct batch *batch;
	const struct group_key *key;
	struct renderer renderer;
	struct pack *pack;
	char *at;
	struct arena *arena;
	const char **lines; /* scratch: the family's lines */
	struct batch_fault *fault;
};

uint64_t prepare_label_bit(struct slice name)
{
	return UINT64_C(1) << (hash64(name) & 63);
}

bool prepare_is_computed(struct slice name)
{
	for (size_t i = 0; i < sizeof(computed_families) / sizeof(computed_families[0]); i++) {
		if (slice_equal(name, computed_families[i])) {
			return true;
		}
	}
	return false;
}

/* ---- Sizes ---- */

enum { NOTES_ALIGNMENT = 4 };

/* Of the whole pack, and of the longest line and the most lines of a family. */
static size_t pack_bytes_bound(
		const struct preparing *p, size_t *ret_longest_line, size_t *ret_most_lines)
{
	size_t bytes = sizeof(struct pack) + sizeof(struct pack_entry);
	*ret_longest_line = 0;
	*ret_most_lines = 0;
	for (const struct batch_family *f = p->batch->families; f != NULL; f = f->next) {
		size_t text_bytes = 0;
		size_t noted_bytes = 0;
		for (size_t i = 0; i < f->sample_count; i++) {
			size_t line = render_line_bound(&p->renderer, f, &f->samples[i]);
			*ret_longest_line = line > *ret_longest_line ? line : *ret_longest_line;
			text_bytes += line;
			noted_bytes += render_notes_bound(&f->samples[i]);
		}
		*ret_most_lines = f->sample_count > *ret_most_lines ? f->sample_count : *ret_most_lines;
		bytes += block_bytes_bound(text_bytes, f->sample_count) + sizeof(struct pack_entry);
		size_t chunks = text_bytes / CHUNK_BYTES + 1;
		bytes += noted_bytes == 0 ? 0 : noted_bytes + chunks * notes_bytes(0, NOTES_ALIGNMENT);
	}
	return bytes;
}

/* ---- Faults ---- */

static bool set_fault(
		struct preparing *p, bool leaves_trace, const char *line, struct slice description)
{
	if (p->fault->text.ptr == NULL) {
		p->fault->line = describe_excerpt(p->arena, line);
		p->fault->text = description;
		p->fault->leaves_trace = leaves_trace;
	}
	return false;
}

static bool fault_of_line(struct preparing *p, bool leaves_trace, const struct batch_family *family,
		const char *line, struct slice problem)
{
	return set_fault(p, leaves_trace, line,
			describe_line(p->arena, family->name, family->type, line, problem));
}

/* One that the decoder found; the sample may be of another kind than its family. */
static bool fault_of_kind(struct preparing *p, const struct batch_family *family, const char *line,
		const struct sample_extra *extra)
{
	return set_fault(p, true, line,
			describe_sample(p->arena, family->name, extra->kind, line, extra->problem));
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
	struct preparing *p;
	const char *line; /* the second of two that are the same series */
};

static bool on_same_id(void *data, uint32_t number, uint32_t other)
{
	struct repeated *repeated = data;
	const char **lines = repeated->p->lines;
	if (!same_series(lines[number], lines[other])) {
		return false;
	}
	repeated->line = lines[number];
	return true;
}

static bool check_repeated(
		struct preparing *p, const struct batch_family *family, const uint32_t *ids, size_t count)
{
	struct repeated repeated = { .p = p };
	return !ids_find_repeated(ids, count, p->arena, on_same_id, &repeated)
			|| fault_of_line(p, true, family, repeated.line,
					SLICE("was collected before with the same name and label values"));
}

/* What the decoder found, and label names that a format lets pass and Prometheus does not. */
static bool check_sample(
		struct preparing *p, const struct batch_family *family, const struct sample *sample)
{
	const char *line = p->lines[sample - family->samples];
	struct slice before = { 0 };
	if (sample->extra != NULL && sample->extra->problem.ptr != NULL) {
		return fault_of_kind(p, family, line, sample->extra);
	}
	for (size_t i = 0; i < sample->labels.count; i++) {
		struct slice name = sample->labels.pairs[i].name;
		const char *what = slice_starts_with(name, SLICE("__")) ? "has a label with an invalid name"
				: before.ptr != NULL && slice_equal(name, before)
				? "has two or more labels with the same name"
				: NULL;
		if (what != NULL) {
			struct slice problem = ARENA_JOIN(p->arena, slice_of_string(what), SLICE(": "), name);
			return fault_of_line(p, true, family, line, problem);
		}
		before = name;
	}
	return true;
}

/* ---- Metrics of several lines ---- */

/* Whether the label tells lines of one metric apart. */
static bool is_of_line(const struct batch_family *family, struct slice name)
{
	return family->type == METRIC_STATESET
			? slice_equal(name, family->name)
			: slice_equal(name, metric_type_bound_name(family->type));
}

static uint32_t hash_metric(const struct batch_family *family, const char *line)
{
	struct line_labels labels = line_labels_of(line_series(line_at(line)));
	struct label label;
	uint64_t hash = 0;
	while (line_labels_next_with_value(&labels, &label)) {
		if (!is_of_line(family, label.name)) {
			uint64_t both[3] = { hash, hash64(label.name), hash64(label.value) };
			hash = hash64(slice_make((const char *)both, sizeof(both)));
		}
	}
	return (uint32_t)hash;
}

static bool on_same_metric(void *data, uint32_t number, uint32_t other)
{
	*(uint32_t *)data = number;
	return true;
}

/*
 * A grouping label may make one metric of two whose lines are apart. Text may
 * have them so; OpenMetrics, which wants them together, is held to it.
 */
static bool check_together(struct preparing *p, const struct batch_family *family)
{
	bool has_lines = metric_type_has_bounds(family->type) || family->type == METRIC_STATESET;
	if (!p->batch->is_openmetrics || !has_lines || !p->renderer.has_overridden) {
		return true;
	}
	uint32_t *runs = arena_alloc(p->arena, family->sample_count * sizeof(uint32_t));
	uint32_t *firsts = arena_alloc(p->arena, family->sample_count * sizeof(uint32_t));
	size_t count = 0;
	for (size_t i = 0; i < family->sample_count; i++) {
		uint32_t hash = hash_metric(family, p->lines[i]);
		if (count == 0 || runs[count - 1] != hash) {
			firsts[count] = (uint32_t)i;
			runs[count++] = hash;
		}
	}
	uint32_t number;
	return !ids_find_repeated(runs, count, p->arena, on_same_metric, &number)
			|| fault_of_line(p, true, family, p->lines[firsts[number]],
					SLICE("is not beside the other lines of its metric, which it has become by "
						  "the grouping labels"));
}

/* A bound among the grouping labels would be there twice. */
static bool check_key(struct preparing *p, const struct batch_family *family)
{
	struct slice bound = metric_type_bound_name(family->type);
	if (!metric_type_has_bounds(family->type) || labels_find(&p->key->labels, bound).ptr == NULL) {
		return true;
	}
	struct slice problem = arena_printf(
			p->arena, "must not have an explicit \"" SLICE_FMT "\" label", SLICE_ARG(bound));
	return fault_of_line(p, family->type == METRIC_SUMMARY, family, p->lines[0], problem);
}

/* ---- Blocks ---- */

static void *align_in_pack(struct preparing *p, size_t alignment)
{
	size_t offset = (size_t)(p->at - (char *)p->pack);
	p->at += -offset & (alignment - 1);
	return p->at;
}

static uint32_t offset_in_pack(const struct preparing *p, const void *place)
{
	return (uint32_t)((const char *)place - (const char *)p->pack);
}

/* The chunk's identities go behind its text, then what was noted of its lines. */
static void close_chunk(struct preparing *p, struct chunk *chunk, const uint32_t *ids)
{
	chunk->text_bytes = (uint32_t)(p->at - chunk->text);
	void *place = align_in_pack(p, sizeof(uint32_t));
	memcpy(place, ids, chunk->line_count * sizeof(uint32_t));
	p->at += chunk->line_count * sizeof(uint32_t);
	char *notes_end = render_notes(&p->renderer, p->at);
	chunk->has_notes = notes_end > p->at;
	p->at = notes_end;
}

static struct chunk *open_chunk(struct preparing *p)
{
	struct chunk *chunk = align_in_pack(p, sizeof(uint32_t));
	*chunk = (struct chunk){ .in_pack = offset_in_pack(p, chunk) };
	p->at = chunk->text;
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

/* Renders samples from the first on, until the chunk is full; returns it. */
static struct chunk *render_chunk(
		struct preparing *p, const struct batch_family *family, size_t first, uint32_t *ids)
{
	struct chunk *chunk = open_chunk(p);
	size_t i = first;
	while (i < family->sample_count && p->at - chunk->text < CHUNK_BYTES) {
		bool has_quoted;
		p->lines[i] = p->at;
		p->at = render_line(&p->renderer, p->at, chunk->text, family, &family->samples[i], &ids[i],
				&has_quoted);
		chunk->has_quoted |= has_quoted;
		i++;
	}
	chunk->line_count = (uint32_t)(i - first) & CHUNK_LINES_MAX;
	close_chunk(p, chunk, &ids[first]);
	return chunk;
}

/* Behind its chunks; those are listed by the caller. */
static struct block *open_block(
		struct preparing *p, const struct batch_family *family, size_t chunk_count)
{
	struct block *block = align_in_pack(p, sizeof(void *));
	*block = (struct block){
		.in_pack = offset_in_pack(p, block),
		.line_count = (uint32_t)family->sample_count,
		.type = (uint32_t)family->type & 0xf,
		.chunk_count = (uint32_t)chunk_count & 0xffffff,
		.is_openmetrics = p->batch->is_openmetrics,
	};
	p->at = (char *)(block->chunks + chunk_count);
	p->pack->refs += 1 + (uint32_t)chunk_count;
	p->pack->parts = p->pack->refs;
	return block;
}

/* Renders the family's lines in chunks, then the block that lists them. */
static struct block *render_block(
		struct preparing *p, const struct batch_family *family, uint32_t *ids)
{
	size_t count = family->sample_count;
	size_t chunk_count = 0;
	struct chunk *first = NULL;
	for (size_t i = 0; i < count; chunk_count++) {
		struct chunk *chunk = render_chunk(p, family, i, ids);
		first = first == NULL ? chunk : first;
		i += chunk->line_count;
	}
	struct block *block = open_block(p, family, chunk_count);
	struct chunk *chunk = first;
	for (size_t i = 0; i < chunk_count; i++) {
		block->chunks[i] = chunk;
		block->text_bytes += chunk->text_bytes;
		block->has_notes |= chunk->has_notes;
		block->has_quoted |= chunk->has_quoted;
		chunk = (struct chunk *)(void *)pack_align(
				p->pack, (char *)(uintptr_t)chunk_end(chunk), sizeof(uint32_t));
	}
	if (chunk_count > 1) {
		memcpy(block_sorted_ids(block), ids, count * sizeof(uint32_t));
		qsort(block_sorted_ids(block), count, sizeof(uint32_t), compare_ids);
		p->at += count * sizeof(uint32_t);
	}
	return block;
}

static bool prepare_family(struct preparing *p, const struct batch_family *family, uint32_t *ids,
		struct prepared_family *ret_family)
{
	*ret_family = (struct prepared_family){
		.name = family->name,
		.help = family->help,
		.unit = family->unit,
		.type = family->type,
		.label_mask = p->renderer.key_mask,
		.place = SLOT_NONE,
		.is_openmetrics = p->batch->is_openmetrics,
	};
	p->renderer.has_overridden = false;
	ret_family->block = render_block(p, family, ids);
	bool is_valid = check_key(p, family);
	for (size_t i = 0; i < family->sample_count && is_valid; i++) {
		ret_family->label_mask |= mask_of(&family->samples[i]);
		is_valid = check_sample(p, family, &family->samples[i]);
	}
	is_valid = is_valid && check_repeated(p, family, ids, family->sample_count)
			&& check_together(p, family);
	ret_family->block->is_invalid = !is_valid;
	return is_valid;
}

/* Sizes the pack and the scratch memory; false when it would be too large. */
static bool make_room(struct preparing *p, size_t max_bytes, uint32_t **ret_ids)
{
	size_t longest_line;
	size_t most_lines;
	size_t bytes = pack_bytes_bound(p, &longest_line, &most_lines);
	if (bytes > max_bytes || bytes > UINT32_MAX / 2) {
		return false;
	}
	p->pack = pack_begin(bytes);
	p->at = (char *)(p->pack + 1);
	renderer_reserve(&p->renderer, longest_line);
	p->lines = arena_alloc(p->arena, most_lines * sizeof(char *));
	*ret_ids = arena_alloc(p->arena, most_lines * sizeof(uint32_t));
	return true;
}

static void put_entries(struct preparing *p, const struct prepared_push *push)
{
	struct pack_entry *entries = align_in_pack(p, sizeof(uint32_t));
	p->pack->entries = offset_in_pack(p, entries);
	p->pack->entry_count = (uint32_t)push->family_count;
	p->pack->line_count = (uint32_t)push->line_count;
	for (size_t i = 0; i < push->family_count; i++) {
		entries[i] = (struct pack_entry){ .block = push->families[i].block->in_pack };
	}
	p->at = (char *)(entries + push->family_count);
}

/* The blocks may move with the pack. */
static void settle_pack(struct preparing *p, struct prepared_push *push)
{
	push->pack = pack_settle(p->pack, (size_t)(p->at - (char *)p->pack));
	const struct pack_entry *entries = pack_entries(push->pack);
	for (size_t i = 0; i < push->family_count; i++) {
		push->families[i].block = pack_block(push->pack, &entries[i]);
		push->families[i].entry = (uint32_t)i;
	}
}

static void prepare_families(
		struct preparing *p, bool is_checked, uint32_t *ids, struct prepared_push *push)
{
	for (const struct batch_family *f = p->batch->families; f != NULL; f = f->next) {
		if (prepare_is_computed(f->name)) {
			continue;
		}
		if (!prepare_family(p, f, ids, &push->families[push->family_count]) && is_checked) {
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
	struct preparing p = { .batch = batch, .key = key, .arena = arena, .fault = reterr_fault };
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
	renderer_init(&p.renderer, key, arena);
	if (!make_room(&p, options->max_bytes, &ids)) {
		return PREPARE_E_BYTES;
	}
	ret_push->families =
			arena_alloc(arena, (batch->family_count + 1) * sizeof(struct prepared_family));
	prepare_families(&p, options->is_checked, ids, ret_push);
	if (reterr_fault->text.ptr != NULL && options->is_checked) {
		pack_abandon(p.pack);
		return PREPARE_E_FAULT;
	}
	if (ret_push->family_count == 0) {
		pack_abandon(p.pack);
	} else {
		put_entries(&p, ret_push);
		settle_pack(&p, ret_push);
	}
	return PREPARE_OK;
}

void prepared_push_drop(struct prepared_push *push)
{
	free(push->pack);
	push->pack = NULL;
	for (size_t i = 0; i < push->joined_count; i++) {
		free(push->joined[i]);
	}
	push->joined_count = 0;
}
