#include "targets/postgres/arrays.h"

#include <assert.h>

enum { KEPT_BYTES = 64 * 1024 /* of each column, from one statement to the next */ };

void arrays_init(struct arrays *arrays)
{
	*arrays = (struct arrays){ 0 };
	for (size_t i = 0; i < ARRAYS_MAX; i++) {
		buf_init(&arrays->texts[i], 0);
	}
}

void arrays_finish(struct arrays *arrays)
{
	for (size_t i = 0; i < ARRAYS_MAX; i++) {
		buf_finish(&arrays->texts[i]);
	}
}

void arrays_begin(struct arrays *arrays, size_t count)
{
	assert(count <= ARRAYS_MAX);
	arrays->count = count;
	arrays->rows = 0;
	for (size_t i = 0; i < count; i++) {
		buf_reset(&arrays->texts[i], KEPT_BYTES);
		buf_append_byte(&arrays->texts[i], '{');
	}
}

static void append_quoted(struct buf *out, struct slice text)
{
	buf_append_byte(out, '"');
	while (text.len > 0) {
		size_t plain = 0;
		while (plain < text.len && text.ptr[plain] != '"' && text.ptr[plain] != '\\') {
			plain++;
		}
		buf_append(out, slice_first(text, plain));
		text = slice_skip(text, plain);
		if (text.len > 0) {
			buf_append_byte(out, '\\');
			buf_append_byte(out, text.ptr[0]);
			text = slice_skip(text, 1);
		}
	}
	buf_append_byte(out, '"');
}

bool arrays_add(struct arrays *arrays, const struct slice *row)
{
	for (size_t i = 0; i < arrays->count; i++) {
		if (slice_find_byte(row[i], '\0') != NULL) {
			return false;
		}
	}
	for (size_t i = 0; i < arrays->count; i++) {
		struct buf *out = &arrays->texts[i];
		buf_append_string(out, arrays->rows == 0 ? "" : ",");
		if (row[i].ptr == NULL) {
			buf_append_string(out, "NULL");
		} else {
			append_quoted(out, row[i]);
		}
	}
	arrays->rows++;
	return true;
}

void arrays_end(struct arrays *arrays)
{
	for (size_t i = 0; i < arrays->count; i++) {
		buf_append(&arrays->texts[i], slice_make("}", 2)); /* and the NUL */
		arrays->values[i] = arrays->texts[i].ptr;
	}
}
