#include "model/labels.h"

#include <stdlib.h>

#include "base/memory.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool labels_is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (!is_letter(name.ptr[i]) && !(i > 0 && is_digit(name.ptr[i]))) {
			return false;
		}
	}
	return name.len > 0;
}

bool labels_is_metric_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!is_letter(c) && c != ':' && !(i > 0 && is_digit(c))) {
			return false;
		}
	}
	return name.len > 0;
}

static void insertion_sort(struct labels *labels)
{
	for (size_t i = 1; i < labels->count; i++) {
		struct label label = labels->pairs[i];
		size_t place = i;
		while (place > 0 && slice_compare(labels->pairs[place - 1].name, label.name) > 0) {
			labels->pairs[place] = labels->pairs[place - 1];
			place--;
		}
		labels->pairs[place] = label;
	}
}

/* Merges runs that double in length; stable, unlike qsort(3). */
static void merge_sort(struct labels *labels)
{
	size_t count = labels->count;
	struct label *from = labels->pairs;
	struct label *to = memory_zalloc(count, sizeof(struct label));
	struct label *scratch = to;
	for (size_t run = 1; run < count; run *= 2) {
		for (size_t start = 0; start < count; start += 2 * run) {
			size_t i = start;
			size_t middle = start + run < count ? start + run : count;
			size_t j = middle;
			size_t end = middle + run < count ? middle + run : count;
			for (size_t out = start; out < end; out++) {
				bool takes_left =
						i < middle && (j == end || slice_compare(from[i].name, from[j].name) <= 0);
				to[out] = takes_left ? from[i++] : from[j++];
			}
		}
		struct label *swap = from;
		from = to;
		to = swap;
	}
	if (from != labels->pairs) {
		memcpy(labels->pairs, from, count * sizeof(struct label));
	}
	free(scratch);
}

void labels_sort(struct labels *labels)
{
	enum { FEW = 32 };
	if (labels->count <= FEW) {
		insertion_sort(labels);
	} else {
		merge_sort(labels);
	}
}

struct slice labels_find(const struct labels *labels, struct slice name)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (slice_equal(labels->pairs[i].name, name)) {
			return labels->pairs[i].value;
		}
	}
	return slice_make(NULL, 0);
}

static bool needs_escape(char c)
{
	return c == '\\' || c == '"' || c == '\n';
}

struct slice labels_escape(struct arena *arena, struct slice value)
{
	size_t extra = 0;
	for (size_t i = 0; i < value.len; i++) {
		extra += needs_escape(value.ptr[i]);
	}
	if (extra == 0) {
		return value;
	}
	char *text = arena_text(arena, value.len + extra);
	char *out = text;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		if (needs_escape(c)) {
			*out++ = '\\';
		}
		*out++ = c == '\n' ? 'n' : c;
	}
	return slice_between(text, out);
}

struct slice labels_unescape(struct arena *arena, struct slice escaped)
{
	if (slice_find_byte(escaped, '\\') == NULL) {
		return escaped;
	}
	char *text = arena_text(arena, escaped.len);
	char *out = text;
	for (size_t i = 0; i < escaped.len; i++) {
		char c = escaped.ptr[i];
		if (c == '\\' && i + 1 < escaped.len) {
			c = escaped.ptr[++i];
			c = c == 'n' ? '\n' : c;
		}
		*out++ = c;
	}
	return slice_between(text, out);
}

/* ---- Copies ---- */

size_t labels_copy_bytes(const struct labels *labels)
{
	size_t bytes = labels->count * sizeof(struct label);
	for (size_t i = 0; i < labels->count; i++) {
		bytes += labels->pairs[i].name.len + labels->pairs[i].value.len;
	}
	return bytes;
}

static struct slice copy_text(char **text, struct slice from)
{
	struct slice copy = slice_make(*text, from.len);
	if (from.len > 0) {
		memcpy(*text, from.ptr, from.len);
	}
	*text += from.len;
	return copy;
}

struct labels labels_copy(const struct labels *labels, void *memory)
{
	struct labels copy = { .pairs = memory, .count = labels->count };
	char *text = (char *)(copy.pairs + copy.count);
	for (size_t i = 0; i < copy.count; i++) {
		copy.pairs[i].name = copy_text(&text, labels->pairs[i].name);
		copy.pairs[i].value = copy_text(&text, labels->pairs[i].value);
	}
	return copy;
}
