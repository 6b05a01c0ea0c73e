#include "store/render.h"

#include <string.h>

#include "base/hash.h"
#include "store/prepare.h"

/* A grouping label as it is rendered into every line. */
struct key_piece {
	struct slice name;
	struct slice text; /* name="value" */
	struct slice value;
	bool has_value;
	bool gives_way; /* the implied instance="": a body label of that name counts */
};

struct render_note {
	uint32_t at;
	enum note_kind kind;
	struct slice text;
};

/* A line that is being written. */
struct line_writer {
	struct renderer *r;
	struct slice family;
	bool name_is_quoted;
	const struct sample *sample;
	struct slice bound_name; /* of a bucket or quantile; else empty */
	const char *chunk_text;  /* NULL: nothing is noted */
	bool skips_empty;
	bool has_empty;
	bool has_quoted;
};

/* ---- The grouping labels ---- */

static char *put(char *out, struct slice text)
{
	if (text.len > 0) {
		memcpy(out, text.ptr, text.len);
	}
	return out + text.len;
}

static char *put_name(char *out, struct slice name, bool is_quoted)
{
	if (!is_quoted) {
		return put(out, name);
	}
	*out++ = '"';
	out = put(out, name);
	*out++ = '"';
	return out;
}

static struct key_piece make_piece(struct renderer *r, struct slice name, struct slice value)
{
	bool is_quoted = !labels_is_name(name);
	char *text = arena_text(r->arena, name.len + value.len + sizeof("\"\"=\"\""));
	char *out = put_name(text, name, is_quoted);
	out = put(out, SLICE("=\""));
	out = put(out, value);
	*out++ = '"';
	r->key_has_quoted |= is_quoted;
	return (struct key_piece){
		.name = name,
		.text = slice_between(text, out),
		.value = value,
		.has_value = value.len > 0,
	};
}

void renderer_init(struct renderer *r, const struct group_key *key, struct arena *arena)
{
	const struct labels *labels = &key->labels;
	*r = (struct renderer){ .arena = arena };
	struct key_piece implied = make_piece(r, SLICE("instance"), SLICE(""));
	implied.gives_way = true;
	bool has_instance = labels_find(labels, implied.name).ptr != NULL;
	r->pieces = arena_alloc(arena, (labels->count + 1) * sizeof(struct key_piece));
	for (size_t i = 0; i < labels->count; i++) {
		struct label *label = &labels->pairs[i];
		if (!has_instance && slice_compare(label->name, implied.name) > 0) {
			r->pieces[r->piece_count++] = implied;
			has_instance = true;
		}
		r->pieces[r->piece_count++] = make_piece(r, label->name, label->value);
	}
	if (!has_instance) {
		r->pieces[r->piece_count++] = implied;
	}
	for (size_t i = 0; i < r->piece_count; i++) {
		r->pieces_bytes += r->pieces[i].text.len + 1;
		r->key_mask |= r->pieces[i].has_value ? prepare_label_bit(r->pieces[i].name) : 0;
	}
}

void renderer_reserve(struct renderer *r, size_t longest_line)
{
	r->series = arena_text(r->arena, longest_line);
}

/* ---- Sizes ---- */

size_t render_line_bound(
		const struct renderer *r, const struct batch_family *family, const struct sample *sample)
{
	size_t bytes = family->name.len + sample_suffix(sample->role).len + r->pieces_bytes
			+ sample->value.len + sizeof("{\"\",} \n");
	for (size_t i = 0; i < sample->labels.count; i++) {
		bytes += sample->labels.pairs[i].name.len + sample->labels.pairs[i].value.len
				+ sizeof("\"\"=\"\",");
	}
	return bytes;
}

size_t render_notes_bound(const struct sample *sample)
{
	const struct sample_extra *extra = sample->extra;
	size_t bytes = 0;
	if (sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE) {
		bytes += sizeof(struct note);
	}
	if (extra != NULL) {
		bytes += 4 * sizeof(struct note) + extra->exemplar.len + extra->created.len
				+ extra->native.len;
	}
	return bytes;
}

/* ---- Notes ---- */

static void add_note(struct renderer *r, size_t at, enum note_kind kind, struct slice text)
{
	if (r->note_count == r->note_capacity) {
		size_t old_bytes = r->note_count * sizeof(struct render_note);
		r->note_capacity = r->note_capacity == 0 ? 64 : r->note_capacity * 2;
		r->notes = arena_grow(
				r->arena, r->notes, old_bytes, r->note_capacity * sizeof(struct render_note));
	}
	r->notes[r->note_count++] = (struct render_note){ (uint32_t)at, kind, text };
}

/* OpenMetrics writes bounds that are whole numbers with a point: 1.0 */
static bool lacks_point(struct slice bound)
{
	for (size_t i = 0; i < bound.len; i++) {
		char c = bound.ptr[i];
		if (c != '-' && (c < '0' || c > '9')) {
			return false;
		}
	}
	return true;
}

/* `line_end` is on the line feed. */
static void note_extra(struct line_writer *w, const char *line_end)
{
	const struct sample_extra *extra = w->sample->extra;
	size_t at = (size_t)(line_end - w->chunk_text);
	/* Prometheus takes a NUL in an exemplar for the end of the page. */
	if (extra->exemplar.len > 0 && slice_find_byte(extra->exemplar, '\0') == NULL) {
		add_note(w->r, at, NOTE_EXEMPLAR, extra->exemplar);
	}
	if (extra->is_added) {
		add_note(w->r, at, NOTE_ADDED, slice_make(NULL, 0));
	}
	if (extra->created.len > 0) {
		add_note(w->r, at + 1, NOTE_CREATED, extra->created);
	}
	if (extra->native.len > 0) {
		add_note(w->r, at + 1, NOTE_NATIVE, extra->native);
	}
}

char *render_notes(struct renderer *r, char *out)
{
	if (r->note_count == 0) {
		return out;
	}
	struct notes *notes = (struct notes *)(void *)out;
	char *text = (char *)(notes->notes + r->note_count);
	char *start = text;
	notes->count = (uint32_t)r->note_count;
	for (size_t i = 0; i < r->note_count; i++) {
		const struct render_note *note = &r->notes[i];
		notes->notes[i] = (struct note){
			.at = note->at,
			.kind = (uint32_t)note->kind & 0xf,
			.bytes = (uint32_t)note->text.len & 0xfffffff,
		};
		text = put(text, note->text);
	}
	notes->bytes = (uint32_t)notes_bytes(r->note_count, (size_t)(text - start));
	r->note_count = 0;
	return out + notes->bytes;
}

/* ---- Lines ---- */

static char *put_label(struct line_writer *w, char *out, const struct label *label)
{
	bool is_quoted = !labels_is_name(label->name);
	w->has_quoted |= is_quoted;
	out = put_name(out, label->name, is_quoted);
	*out++ = '=';
	*out++ = '"';
	out = put(out, label->value);
	if (w->chunk_text != NULL && w->bound_name.len > 0 && slice_equal(label->name, w->bound_name)
			&& lacks_point(label->value)) {
		add_note(w->r, (size_t)(out - w->chunk_text), NOTE_POINT_ZERO, slice_make(NULL, 0));
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

/* name{ or, when the name needs quotes, {"name", */
static char *put_metric_name(const struct line_writer *w, char *out)
{
	if (!w->name_is_quoted) {
		out = put(out, w->family);
		out = put(out, sample_suffix(w->sample->role));
		*out++ = '{';
		return out;
	}
	*out++ = '{';
	*out++ = '"';
	out = put(out, w->family);
	out = put(out, sample_suffix(w->sample->role));
	*out++ = '"';
	*out++ = ',';
	return out;
}

/*
 * Name and labels of a line; grouping labels take the place of body labels of
 * the same name.
 */
static char *put_series(struct line_writer *w, char *out)
{
	const struct label *label = w->sample->labels.pairs;
	const struct label *labels_end = label == NULL ? NULL : label + w->sample->labels.count;
	const struct key_piece *piece = w->r->pieces;
	const struct key_piece *pieces_end = piece + w->r->piece_count;
	out = put_metric_name(w, out);
	while (label < labels_end || piece < pieces_end) {
		int order = label == labels_end ? 1
				: piece == pieces_end   ? -1
										: slice_compare(label->name, piece->name);
		bool takes_label = order < 0 || (order == 0 && piece->gives_way);
		bool is_empty = takes_label ? label->value.len == 0 : !piece->has_value;
		if (order == 0 && !takes_label) {
			w->r->has_overridden |= !slice_equal(piece->value, label->value);
		}
		w->has_empty |= is_empty;
		if (!(is_empty && w->skips_empty)) {
			out = takes_label ? put_label(w, out, label) : put_piece(out, piece);
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
	return out;
}

char *render_line(struct renderer *r, char *out, const char *chunk_text,
		const struct batch_family *family, const struct sample *sample, uint32_t *ret_id,
		bool *ret_has_quoted)
{
	bool has_bound = sample->role == SAMPLE_BUCKET || sample->role == SAMPLE_QUANTILE;
	struct line_writer w = {
		.r = r,
		.family = family->name,
		.name_is_quoted = !labels_is_metric_name(family->name),
		.sample = sample,
		.bound_name = has_bound ? metric_type_bound_name(family->type) : slice_make(NULL, 0),
		.chunk_text = chunk_text,
	};
	char *start = out;
	out = put_series(&w, out);
	struct slice series = slice_between(start, out);
	if (w.has_empty) {
		w.chunk_text = NULL;
		w.skips_empty = true;
		series = slice_between(r->series, put_series(&w, r->series));
	}
	*ret_id = (uint32_t)hash64(series);
	*ret_has_quoted = w.has_quoted || w.name_is_quoted || r->key_has_quoted;
	*out++ = ' ';
	out = put(out, sample->value);
	*out++ = '\n';
	w.chunk_text = chunk_text;
	if (sample->extra != NULL) {
		note_extra(&w, out - 1);
	}
	return out;
}
