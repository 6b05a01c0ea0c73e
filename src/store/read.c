#include "store/read.h"

enum { LABELS_GUESS = 8 };

/* ---- Words of a line ---- */

/* The quote that ends what began before `text`. */
static const char *closing_quote(const char *text, const char *end)
{
	const char *quote = memchr(text, '"', (size_t)(end - text));
	if (quote == text || quote[-1] != '\\') {
		return quote;
	}
	for (quote = text; *quote != '"';) {
		quote += *quote == '\\' ? 2 : 1;
	}
	return quote;
}

static enum sample_role role_of_suffix(struct slice suffix)
{
	switch (suffix.len) {
	case 4:
		return SAMPLE_SUM;
	case 5:
		return SAMPLE_GSUM;
	case 6:
		return SAMPLE_COUNT;
	case 7:
		return suffix.ptr[1] == 'b' ? SAMPLE_BUCKET : SAMPLE_GCOUNT;
	default:
		return SAMPLE_PLAIN;
	}
}

static void add_label(
		struct arena *arena, struct labels *labels, size_t *capacity, const struct label *label)
{
	if (labels->count == *capacity) {
		size_t old_bytes = *capacity * sizeof(*label);
		*capacity *= 2;
		labels->pairs = arena_grow(arena, labels->pairs, old_bytes, *capacity * sizeof(*label));
	}
	labels->pairs[labels->count++] = *label;
}

/* From the first label, or the brace without any; returns what is behind the brace. */
static const char *read_labels(struct block_reader *reader, const char *at, const char *end,
		struct arena *arena, struct labels *ret_labels)
{
	size_t capacity = reader->label_count;
	*ret_labels = (struct labels){ .pairs = arena_alloc(arena, capacity * sizeof(struct label)) };
	while (*at != '}') {
		struct label label;
		at += *at == ',';
		if (*at == '"') {
			const char *quote = closing_quote(at + 1, end);
			label.name = slice_between(at + 1, quote);
			at = quote + 1;
		} else {
			const char *equals = memchr(at, '=', (size_t)(end - at));
			label.name = slice_between(at, equals);
			at = equals;
		}
		const char *quote = closing_quote(at + 2, end);
		label.value = slice_between(at + 2, quote);
		at = quote + 1;
		add_label(arena, ret_labels, &capacity, &label);
	}
	reader->label_count = ret_labels->count > LABELS_GUESS ? ret_labels->count : LABELS_GUESS;
	return at + 1;
}

static bool has_label(const struct labels *labels, struct slice name)
{
	return labels_find(labels, name).ptr != NULL;
}

/*
 * name{a="b"} 1     {"name",a="b"} 1     name 1
 * The name is the family's with a suffix. Returns what is behind the line.
 */
static const char *read_line(
		struct block_reader *reader, struct arena *arena, struct sample *ret_sample)
{
	const char *at = reader->cursor.line;
	const char *end = reader->cursor.end;
	bool is_quoted = *at == '{';
	const char *suffix = at + (is_quoted ? 2 : 0) + reader->family.len;
	*ret_sample = (struct sample){ 0 };
	at = suffix;
	while (*at != '{' && *at != ' ' && *at != '"') {
		at++;
	}
	ret_sample->role = role_of_suffix(slice_between(suffix, at));
	if (*at != ' ') {
		at = read_labels(reader, at + 1, end, arena, &ret_sample->labels);
	}
	bool is_quantile = reader->type == METRIC_SUMMARY && ret_sample->role == SAMPLE_PLAIN
			&& has_label(&ret_sample->labels, reader->bound_name);
	if (is_quantile) {
		ret_sample->role = SAMPLE_QUANTILE;
	}
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	ret_sample->value = slice_between(at + 1, feed);
	return feed + 1;
}

/* ---- Notes ---- */

static void apply_note(
		struct sample *sample, struct arena *arena, enum note_kind kind, struct slice text)
{
	switch (kind) {
	case NOTE_POINT_ZERO:
		return;
	case NOTE_EXEMPLAR:
		sample_extend(sample, arena)->exemplar = text;
		return;
	case NOTE_CREATED:
		sample_extend(sample, arena)->created = text;
		return;
	case NOTE_NATIVE:
		sample_extend(sample, arena)->native = text;
		return;
	case NOTE_ADDED:
		sample_extend(sample, arena)->is_added = true;
		return;
	}
}

/* Those on the line that ends there. */
static void apply_notes(struct block_cursor *cursor, struct arena *arena, struct sample *sample)
{
	size_t end = (size_t)(cursor->line - cursor->text);
	for (; cursor->note < cursor->notes_end && cursor->note->at <= end; cursor->note++) {
		struct slice text = slice_make(cursor->note_text, cursor->note->bytes);
		apply_note(sample, arena, (enum note_kind)cursor->note->kind, text);
		cursor->note_text += text.len;
	}
}

/* ---- Metrics ---- */

static void enter_chunk(struct block_reader *reader, size_t number)
{
	const struct chunk *chunk = reader->chunks[number];
	const struct notes *notes = chunk_notes(chunk);
	reader->cursor = (struct block_cursor){
		.chunk = number,
		.line = chunk->text,
		.text = chunk->text,
		.end = chunk->text + chunk->text_bytes,
	};
	if (notes != NULL) {
		reader->cursor.note = notes->notes;
		reader->cursor.notes_end = notes->notes + notes->count;
		reader->cursor.note_text = notes_text(notes);
	}
}

/* Whether there is one more line; the cursor is before it then. */
static bool find_line(struct block_reader *reader)
{
	while (reader->cursor.line == reader->cursor.end) {
		if (reader->cursor.chunk + 1 >= reader->chunk_count) {
			return false;
		}
		enter_chunk(reader, reader->cursor.chunk + 1);
	}
	return true;
}

static void take_line(struct block_reader *reader, struct arena *arena, struct sample *ret_sample)
{
	reader->cursor.line = read_line(reader, arena, ret_sample);
	if (reader->cursor.note != reader->cursor.notes_end) {
		apply_notes(&reader->cursor, arena, ret_sample);
	}
}

static bool is_bound(const struct sample *sample)
{
	return sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE;
}

/* The first label from there on that tells metrics apart. */
static size_t skip_bound(
		const struct block_reader *reader, const struct sample *sample, size_t index)
{
	bool skips = is_bound(sample) && index < sample->labels.count
			&& slice_equal(sample->labels.pairs[index].name, reader->bound_name);
	return skips ? index + 1 : index;
}

static bool same_labels(
		const struct block_reader *reader, const struct sample *a, const struct sample *b)
{
	size_t i = skip_bound(reader, a, 0);
	size_t j = skip_bound(reader, b, 0);
	while (i < a->labels.count && j < b->labels.count) {
		const struct label *left = &a->labels.pairs[i];
		const struct label *right = &b->labels.pairs[j];
		if (!slice_equal(left->value, right->value) || !slice_equal(left->name, right->name)) {
			return false;
		}
		i = skip_bound(reader, a, i + 1);
		j = skip_bound(reader, b, j + 1);
	}
	return i == a->labels.count && j == b->labels.count;
}

/* Whether the line is of the metric of the line before. */
static bool continues(
		const struct block_reader *reader, const struct sample *before, const struct sample *sample)
{
	return (is_bound(before) || !is_bound(sample)) && same_labels(reader, before, sample);
}

static struct sample *add_sample(
		struct arena *arena, struct sample **samples, size_t count, size_t *capacity)
{
	if (count == *capacity) {
		size_t old_bytes = count * sizeof(struct sample);
		*capacity = *capacity == 0 ? 16 : *capacity * 2;
		*samples = arena_grow(arena, *samples, old_bytes, *capacity * sizeof(struct sample));
	}
	return &(*samples)[count];
}

/* The lines that go on with the first one's metric. */
static size_t read_rest(struct block_reader *reader, struct arena *arena, struct sample **samples)
{
	size_t count = 1;
	size_t capacity = 1;
	while (find_line(reader)) {
		struct block_cursor before = reader->cursor;
		struct sample *sample = add_sample(arena, samples, count, &capacity);
		take_line(reader, arena, sample);
		if (!continues(reader, sample - 1, sample)) {
			reader->cursor = before;
			break;
		}
		count++;
	}
	return count;
}

bool block_reader_next(struct block_reader *reader, struct arena *arena,
		const struct sample **ret_samples, size_t *ret_count)
{
	if (!find_line(reader) || reader->cursor.chunk >= reader->end_chunk) {
		return false;
	}
	struct sample *samples = arena_alloc(arena, sizeof(*samples));
	take_line(reader, arena, samples);
	*ret_count = reader->bound_name.ptr == NULL ? 1 : read_rest(reader, arena, &samples);
	*ret_samples = samples;
	return true;
}

/* ---- Beginnings ---- */

static void init(struct block_reader *reader, enum metric_type type, struct slice family_name)
{
	*reader = (struct block_reader){
		.family = family_name,
		.type = type,
		.label_count = LABELS_GUESS,
	};
	if (metric_type_has_bounds(type)) {
		reader->bound_name = metric_type_bound_name(type);
	}
}

/* To the last line of the chunk. */
static void seek_last_line(struct block_cursor *cursor)
{
	const char *feed = memrchr(cursor->text, '\n', (size_t)(cursor->end - cursor->text) - 1);
	cursor->line = feed == NULL ? cursor->text : feed + 1;
	cursor->note = cursor->notes_end;
}

/* Past the lines whose metric began in an earlier chunk. */
static void skip_begun_metric(struct block_reader *reader, size_t first_chunk)
{
	struct arena arena;
	arena_init(&arena);
	enter_chunk(reader, first_chunk - 1);
	seek_last_line(&reader->cursor);
	struct sample *before = arena_alloc(&arena, sizeof(*before));
	take_line(reader, &arena, before);
	/* One that goes on behind the part is no business of it. */
	while (find_line(reader) && reader->cursor.chunk < reader->end_chunk) {
		struct block_cursor place = reader->cursor;
		struct sample *sample = arena_alloc(&arena, sizeof(*sample));
		take_line(reader, &arena, sample);
		if (!continues(reader, before, sample)) {
			reader->cursor = place;
			break;
		}
		before = sample;
	}
	arena_finish(&arena);
}

void block_reader_init_part(struct block_reader *reader, const struct block *block,
		struct slice family_name, size_t first_chunk, size_t end_chunk)
{
	init(reader, (enum metric_type)block->type, family_name);
	reader->chunks = block->chunks;
	reader->chunk_count = block->chunk_count;
	reader->end_chunk = end_chunk;
	if (first_chunk > 0 && reader->bound_name.ptr != NULL) {
		skip_begun_metric(reader, first_chunk);
	} else {
		enter_chunk(reader, first_chunk);
	}
}

void block_reader_init(
		struct block_reader *reader, const struct block *block, struct slice family_name)
{
	block_reader_init_part(reader, block, family_name, 0, block->chunk_count);
}

void block_reader_init_text(struct block_reader *reader, struct slice text, enum metric_type type,
		struct slice family_name)
{
	init(reader, type, family_name);
	reader->end_chunk = 1;
	reader->cursor.line = text.ptr;
	reader->cursor.text = text.ptr;
	reader->cursor.end = text.ptr + text.len;
}
