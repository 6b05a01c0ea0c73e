#include "store/page_lines.h"

#include "base/utf8.h"
#include "store/line.h"

/* A chunk that is being gone through. */
struct writer {
	struct buf *out;
	const struct page_lines *lines;
	const struct chunk *chunk;
	enum metric_type type;
	const struct note *note;
	const struct note *notes_end;
	const char *note_text;
};

static bool is_escaped(const struct page_lines *lines)
{
	return lines->names->escaping != ESCAPING_ALLOW_UTF8;
}

static bool shows_notes(const struct page_lines *lines)
{
	return lines->format == PAGE_OPENMETRICS;
}

bool page_lines_is_copied(const struct page_lines *lines, const struct chunk *chunk)
{
	return !(chunk->has_notes && shows_notes(lines)) && !(chunk->has_quoted && is_escaped(lines));
}

/* ---- Names and labels ---- */

/* name{ or {"name", */
static void append_name(struct buf *out, struct slice name, struct slice suffix)
{
	bool is_quoted = !labels_is_metric_name(name);
	buf_append(out, is_quoted ? SLICE("{\"") : SLICE(""));
	buf_append(out, name);
	buf_append(out, suffix);
	buf_append(out, is_quoted ? SLICE("\",") : SLICE("{"));
}

static void append_label(
		struct buf *out, const struct names *names, const struct label *label, bool has_point)
{
	struct slice name = names_label(names, label->name);
	bool is_quoted = !labels_is_name(name);
	buf_append(out, is_quoted ? SLICE("\"") : SLICE(""));
	buf_append(out, name);
	buf_append(out, is_quoted ? SLICE("\"=\"") : SLICE("=\""));
	buf_append(out, label->value);
	buf_append(out, has_point ? SLICE(".0\",") : SLICE("\","));
}

/* Ends the list of labels, which may have a comma too much. */
static void close_labels(struct buf *out)
{
	if (out->ptr[out->len - 1] == ',') {
		out->len--;
	}
	buf_append_byte(out, '}');
}

static bool is_bound(const struct writer *w, struct slice name)
{
	return metric_type_has_bounds(w->type) && slice_equal(name, metric_type_bound_name(w->type));
}

static void append_labels(struct writer *w, struct slice series, bool has_bound, bool has_point)
{
	struct line_labels labels = line_labels_of(series);
	struct label label;
	while (line_labels_next(&labels, &label)) {
		bool bounds = is_bound(w, label.name);
		if (has_bound || !bounds) {
			append_label(w->out, w->lines->names, &label, bounds && has_point);
		}
	}
	close_labels(w->out);
}

/* ---- Notes ---- */

/* The next note if it is at that place and of that kind. */
static bool take_note(
		struct writer *w, const char *place, enum note_kind kind, struct slice *ret_text)
{
	bool is_next = w->note < w->notes_end && w->chunk->text + w->note->at == place
			&& w->note->kind == kind;
	if (is_next) {
		*ret_text = slice_make(w->note_text, w->note->bytes);
		w->note_text += w->note->bytes;
		w->note++;
	}
	return is_next;
}

/* Whether the labels, which begin behind a brace, have one that begins like this: name=" */
static bool has_label(struct slice labels, struct slice name)
{
	const char *at = labels.ptr;
	const char *end = labels.ptr + labels.len;
	while ((at = memmem(at, (size_t)(end - at), name.ptr, name.len)) != NULL) {
		if (at[-1] == '{' || at[-1] == ',') {
			return true;
		}
		at++;
	}
	return false;
}

/* Appends name="value", for one of an exemplar's labels; how many characters that are, or 0. */
static size_t append_exemplar_label(
		struct writer *w, size_t labels_start, const struct label *label)
{
	struct buf *out = w->out;
	size_t start = out->len;
	escaping_append_label(out, label->name, w->lines->names->escaping);
	buf_append(out, SLICE("=\""));
	struct slice name = slice_make(out->ptr + start, out->len - start);
	struct slice before = slice_make(out->ptr + labels_start, start - labels_start);
	bool is_usable = !has_label(before, name) && !slice_starts_with(name, SLICE("__"));
	size_t characters = name.len - 2 + utf8_count(label->value);
	buf_append(out, label->value); /* the name may lie elsewhere from here on */
	buf_append(out, SLICE("\","));
	return is_usable ? characters : 0;
}

/*
 * An exemplar with names in quotes, for a scraper that cannot read them. It is
 * left out when that makes two names equal, or the labels too long.
 */
static void append_escaped_exemplar(struct writer *w, struct slice text)
{
	enum { CHARACTERS_MAX = 128 };
	struct line_labels labels = { .at = text.ptr + 1, .end = text.ptr + text.len };
	size_t start = w->out->len;
	size_t characters = 0;
	bool is_good = true;
	struct label label;
	buf_append(w->out, SLICE(" # {"));
	size_t labels_start = w->out->len;
	do {
		line_labels_next(&labels, &label);
		size_t more = append_exemplar_label(w, labels_start, &label);
		is_good = is_good && more > 0;
		characters += more;
	} while (labels.at[-1] == ',');
	close_labels(w->out);
	buf_append(w->out, slice_between(labels.at, text.ptr + text.len));
	if (!is_good || characters > CHARACTERS_MAX) {
		w->out->len = start;
	}
}

static bool has_quoted_names(struct slice exemplar)
{
	struct line_labels labels = { .at = exemplar.ptr + 1, .end = exemplar.ptr + exemplar.len };
	struct label label;
	bool is_quoted = false;
	while (!is_quoted && *labels.at != '}' && labels.at[-1] != '}') {
		line_labels_next(&labels, &label);
		is_quoted = label.name.ptr[-1] == '"';
	}
	return is_quoted;
}

static void append_exemplar(struct writer *w, struct slice text)
{
	if (!shows_notes(w->lines) || !w->lines->head->has_exemplars) {
		return;
	}
	if (is_escaped(w->lines) && has_quoted_names(text)) {
		append_escaped_exemplar(w, text);
	} else {
		buf_append(w->out, SLICE(" # "));
		buf_append(w->out, text);
	}
}

/* name_created{labels} 1520879607.789 */
static void append_created(struct writer *w, struct slice series, struct slice text)
{
	if (shows_notes(w->lines) && w->lines->head->has_created) {
		append_name(w->out, w->lines->head->name, SLICE("_created"));
		append_labels(w, series, false, false);
		buf_append_byte(w->out, ' ');
		buf_append(w->out, text);
		buf_append_byte(w->out, '\n');
	}
}

/* ---- Lines ---- */

static void append_rewritten(struct writer *w, struct slice line, struct slice series)
{
	struct slice suffix = slice_skip(line_name(series), w->lines->family->name.len);
	struct slice name = names_family(w->lines->names, w->lines->family);
	bool has_point = w->note < w->notes_end && w->note->kind == NOTE_POINT_ZERO
			&& w->chunk->text + w->note->at < series.ptr + series.len;
	append_name(w->out, name, suffix);
	append_labels(w, series, true, has_point && shows_notes(w->lines));
	if (has_point) {
		w->note++;
	}
	buf_append(w->out, slice_skip(line, series.len));
}

static void append_rewritten_line(struct writer *w, struct slice line)
{
	const char *end = line.ptr + line.len;
	struct slice series = line_series(line);
	struct slice text;
	append_rewritten(w, line, series);
	if (take_note(w, end, NOTE_EXEMPLAR, &text)) {
		append_exemplar(w, text);
	}
	buf_append_byte(w->out, '\n');
	take_note(w, end, NOTE_ADDED, &text);
	if (take_note(w, end + 1, NOTE_CREATED, &text)) {
		append_created(w, series, text);
	}
	take_note(w, end + 1, NOTE_NATIVE, &text);
}

static void append_rewritten_lines(struct writer *w)
{
	const char *line = w->chunk->text;
	const char *end = line + w->chunk->text_bytes;
	while (line < end) {
		const char *feed = rawmemchr(line, '\n');
		append_rewritten_line(w, slice_between(line, feed));
		line = feed + 1;
	}
}

/* The series of the line that ends there, behind its line feed. */
static struct slice series_before(const struct writer *w, const char *line_end)
{
	const char *feed = line_end - 1;
	const char *before = memrchr(w->chunk->text, '\n', (size_t)(feed - w->chunk->text));
	const char *line = before == NULL ? w->chunk->text : before + 1;
	return line_series(slice_between(line, feed));
}

/* As they are, with what is noted at its place. */
static void append_noted_lines(struct writer *w)
{
	const char *at = w->chunk->text;
	for (; w->note < w->notes_end; w->note++) {
		const char *place = w->chunk->text + w->note->at;
		struct slice text = slice_make(w->note_text, w->note->bytes);
		buf_append(w->out, slice_between(at, place));
		at = place;
		w->note_text += w->note->bytes;
		switch ((enum note_kind)w->note->kind) {
		case NOTE_POINT_ZERO:
			buf_append(w->out, SLICE(".0"));
			break;
		case NOTE_EXEMPLAR:
			append_exemplar(w, text);
			break;
		case NOTE_CREATED:
			append_created(w, series_before(w, place), text);
			break;
		case NOTE_NATIVE:
		case NOTE_ADDED:
			break;
		}
	}
	buf_append(w->out, slice_between(at, w->chunk->text + w->chunk->text_bytes));
}

void page_lines_append(struct buf *out, const struct page_lines *lines, const struct chunk *chunk,
		enum metric_type type)
{
	const struct notes *notes = chunk_notes(chunk);
	struct writer w = {
		.out = out,
		.lines = lines,
		.chunk = chunk,
		.type = type,
		.note = notes == NULL ? NULL : notes->notes,
		.notes_end = notes == NULL ? NULL : notes->notes + notes->count,
		.note_text = notes == NULL ? NULL : notes_text(notes),
	};
	buf_reserve(out, chunk->text_bytes);
	if (chunk->has_quoted && is_escaped(lines)) {
		append_rewritten_lines(&w);
	} else {
		append_noted_lines(&w);
	}
}

void page_lines_append_own(struct buf *out, const struct page_lines *lines, struct slice label_text,
		struct slice value)
{
	struct line_labels labels = { .at = label_text.ptr, .end = label_text.ptr + label_text.len };
	struct label label;
	append_name(out, lines->head->name, SLICE(""));
	while (line_labels_next(&labels, &label)) {
		append_label(out, lines->names, &label, false);
	}
	close_labels(out);
	buf_append_byte(out, ' ');
	buf_append(out, value);
	buf_append_byte(out, '\n');
}
