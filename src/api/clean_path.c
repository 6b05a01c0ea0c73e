#include "api/clean_path.h"

bool clean_path_is(struct slice path)
{
	if (path.len == 0 || path.ptr[0] != '/') {
		return false;
	}
	for (size_t i = 0; i + 1 < path.len; i++) {
		if (path.ptr[i] != '/') {
			continue;
		}
		struct slice rest = slice_skip(path, i + 1);
		const char *slash = slice_find_byte(rest, '/');
		size_t len = slash == NULL ? rest.len : (size_t)(slash - rest.ptr);
		struct slice part = slice_first(rest, len);
		if (len == 0 || slice_equal(part, SLICE(".")) || slice_equal(part, SLICE(".."))) {
			return false;
		}
	}
	return true;
}

struct slice clean_path(struct slice path, struct arena *arena)
{
	char *text = arena_text(arena, path.len + 2);
	size_t len = 0;
	const char *at = path.ptr;
	const char *end = path.ptr + path.len;
	while (at < end) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		struct slice part = slice_between(at, slash == NULL ? end : slash);
		at = slash == NULL ? end : slash + 1;
		if (part.len == 0 || slice_equal(part, SLICE("."))) {
			continue;
		}
		if (slice_equal(part, SLICE(".."))) {
			while (len > 0 && text[--len] != '/') {
			}
			continue;
		}
		text[len++] = '/';
		memcpy(text + len, part.ptr, part.len);
		len += part.len;
	}
	bool had_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
	if (len == 0 || had_slash) {
		text[len++] = '/';
	}
	return slice_make(text, len);
}
