#include "format/text_layout.h"

#include "base/number.h"

struct scan {
	struct arena *arena;
	struct text_layout *layout;
	size_t value_capacity;
	char *skeleton; /* the body without its values */
	size_t skeleton_len;
};

static void add_value(struct scan *scan, struct slice value)
{
	struct text_layout *layout = scan->layout;
	if (layout->value_count == scan->value_capacity) {
		size_t old_bytes = layout->value_count * sizeof(struct slice);
		scan->value_capacity = scan->value_capacity == 0 ? 64 : scan->value_capacity * 2;
		layout->values = arena_grow(scan->arena, layout->values, old_bytes,
				scan->value_capacity * sizeof(struct slice));
	}
	layout->values[layout->value_count++] = value;
}

static void keep(struct scan *scan, const char *from, const char *to)
{
	memcpy(scan->skeleton + scan->skeleton_len, from, (size_t)(to - from));
	scan->skeleton_len += (size_t)(to - from);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A sample's line gives its last word away; comments and blank lines are kept whole. */
static void scan_line(struct scan *scan, const char *line, const char *feed)
{
	const char *first = line;
	while (first < feed && is_blank(*first)) {
		first++;
	}
	if (first == feed || *first == '#') {
		keep(scan, line, feed + 1);
		return;
	}
	const char *word = feed;
	while (word > first && !is_blank(word[-1])) {
		word--;
	}
	struct slice value = slice_between(word, feed);
	if (word == first || !number_is_float(value)) {
		scan->layout->is_plain = false;
		return;
	}
	/* The line feed stands for the value. */
	keep(scan, line, word);
	keep(scan, feed, feed + 1);
	add_value(scan, value);
}

void text_layout_scan(struct slice body, struct arena *arena, struct text_layout *ret_layout)
{
	const char *at = body.ptr;
	const char *end = body.ptr + body.len;
	struct scan scan = { .arena = arena, .layout = ret_layout };
	*ret_layout = (struct text_layout){ .is_plain = true };
	scan.skeleton = arena_text(arena, body.len);
	while (at < end && ret_layout->is_plain) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));
		if (feed == NULL) {
			ret_layout->is_plain = false;
			break;
		}
		scan_line(&scan, at, feed);
		at = feed + 1;
	}
	if (ret_layout->is_plain) {
		ret_layout->hash = hash128(slice_make(scan.skeleton, scan.skeleton_len));
	}
}

bool text_layout_fits(const struct text_layout *layout, const struct batch *batch)
{
	size_t next = 0;
	if (!layout->is_plain || layout->value_count != batch->sample_count) {
		return false;
	}
	for (const struct batch_family *f = batch->families; f != NULL; f = f->next) {
		for (size_t i = 0; i < f->sample_count; i++, next++) {
			struct slice value = f->samples[i].value;
			if (value.ptr != layout->values[next].ptr || value.len != layout->values[next].len) {
				return false;
			}
		}
	}
	return true;
}
