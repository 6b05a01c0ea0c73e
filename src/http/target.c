#include "http/target.h"

#include "http/chars.h"

bool http_percent_decode(struct slice text, struct arena *arena, struct slice *ret_decoded)
{
	if (slice_find_byte(text, '%') == NULL) {
		*ret_decoded = text;
		return true;
	}
	char *decoded = arena_text(arena, text.len);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '%') {
			decoded[len++] = text.ptr[i];
			continue;
		}
		int high = i + 2 < text.len ? http_hex_digit(text.ptr[i + 1]) : -1;
		int low = i + 2 < text.len ? http_hex_digit(text.ptr[i + 2]) : -1;
		if (high < 0 || low < 0) {
			return false;
		}
		decoded[len++] = (char)(high * 16 + low);
		i += 2;
	}
	*ret_decoded = slice_make(decoded, len);
	return true;
}

/* What follows scheme://authority, if the target starts like that. */
static bool skip_authority(struct slice target, struct slice *ret_rest)
{
	size_t scheme;
	if (slice_equal_nocase(slice_first(target, 7), SLICE("http://"))) {
		scheme = 7;
	} else if (slice_equal_nocase(slice_first(target, 8), SLICE("https://"))) {
		scheme = 8;
	} else {
		return false;
	}
	struct slice rest = slice_skip(target, scheme);
	size_t host = 0;
	while (host < rest.len && rest.ptr[host] != '/' && rest.ptr[host] != '?') {
		host++;
	}
	*ret_rest = slice_skip(rest, host);
	return host != 0;
}

bool http_target_split(struct http_request *request, struct arena *arena)
{
	struct slice target = request->target;
	request->query = slice_make("", 0);
	request->path = slice_make("", 0);
	request->raw_path = request->path;

	if (target.len == 1 && target.ptr[0] == '*') {
		request->path = target;
		request->raw_path = target;
		return request->method == METHOD_OPTIONS;
	}
	if (target.len == 0 || target.ptr[0] != '/') {
		if (slice_equal(request->method_name, SLICE("CONNECT"))) {
			return target.len != 0;
		}
		if (!skip_authority(target, &target)) {
			return false;
		}
	}
	const char *mark = slice_find_byte(target, '?');
	if (mark != NULL) {
		request->query = slice_between(mark + 1, target.ptr + target.len);
		target = slice_between(target.ptr, mark);
	}
	if (target.len == 0) {
		target = SLICE("/");
	}
	request->raw_path = target;
	return http_percent_decode(target, arena, &request->path);
}
