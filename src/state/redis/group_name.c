#include "state/redis/group_name.h"

#include <string.h>

enum { LABEL_BYTES_MIN = 5 /* ""="" */ };

void group_name_append(struct buf *out, const struct labels *key)
{
	for (size_t i = 0; i < key->count; i++) {
		buf_append(out, i == 0 ? SLICE("\"") : SLICE(",\""));
		buf_append(out, key->pairs[i].name);
		buf_append(out, SLICE("\"=\""));
		buf_append(out, key->pairs[i].value);
		buf_append_byte(out, '"');
	}
}

/* What stands in quotes; *at moves behind them. */
static bool read_quoted(const char **at, const char *end, struct slice *ret_text)
{
	if (*at == end || **at != '"') {
		return false;
	}
	const char *start = ++*at;
	while (*at < end && **at != '"') {
		*at += **at == '\\' && end - *at > 1 ? 2 : 1;
	}
	if (*at >= end) {
		return false;
	}
	*ret_text = slice_between(start, *at);
	(*at)++;
	return true;
}

static bool read_label(const char **at, const char *end, struct label *ret_label)
{
	if (!read_quoted(at, end, &ret_label->name) || *at == end || **at != '=') {
		return false;
	}
	(*at)++;
	return read_quoted(at, end, &ret_label->value);
}

bool group_name_read(struct slice name, struct arena *arena, struct group_key *ret_key)
{
	const char *at = name.ptr;
	const char *end = name.ptr + name.len;
	struct labels labels = {
		.pairs = arena_alloc(arena, (name.len / LABEL_BYTES_MIN + 1) * sizeof(struct label)),
	};
	while (at < end) {
		if (labels.count > 0 && *at++ != ',') {
			return false;
		}
		if (!read_label(&at, end, &labels.pairs[labels.count++])) {
			return false;
		}
	}
	size_t count = labels.count;
	group_key_init(ret_key, labels);
	return count > 0 && ret_key->labels.count == count
			&& labels_find(&ret_key->labels, SLICE("job")).len > 0;
}
