#include "config/web_paths.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/quote.h"
#include "config/config.h"

/* Where something else is, or is below, without the slash in front. */
static const struct slice taken[] = {
	SLICE_INIT(""),
	SLICE_INIT("-"),
	SLICE_INIT("api"),
	SLICE_INIT("metrics/job"),
	SLICE_INIT("metrics/job@base64"),
	SLICE_INIT("static"),
	SLICE_INIT("status"),
};

/* Without the slash at the end. */
static struct slice trim_end(struct slice path)
{
	bool has_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
	return slice_first(path, path.len - has_slash);
}

/* ---- Paths ---- */

/* What needs no escape in a path, and is no wildcard to a Pushgateway. */
static bool is_plain(char c)
{
	bool is_alphanumeric =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return is_alphanumeric || (c != '\0' && strchr("/-._~$&+,;=@", c) != NULL);
}

/* Without the slashes at both ends. */
static struct slice trim(struct slice path)
{
	return trim_end(slice_skip(path, slice_starts_with(path, SLICE("/"))));
}

/* Of a trimmed path, which is not empty. */
static bool parts_fit(struct slice path)
{
	const char *slash;
	do {
		slash = slice_find_byte(path, '/');
		struct slice part = slash == NULL ? path : slice_between(path.ptr, slash);
		if (part.len == 0 || slice_equal(part, SLICE(".")) || slice_equal(part, SLICE(".."))) {
			return false;
		}
		path = slice_skip(path, slash == NULL ? path.len : part.len + 1);
	} while (slash != NULL);
	return true;
}

/* A slash in front and one at the end may be there or not. */
static bool path_fits(struct slice path, struct buf *error)
{
	struct slice trimmed = trim(path);
	for (size_t i = 0; i < path.len; i++) {
		if (!is_plain(path.ptr[i])) {
			buf_append_string(error, "a path here has letters, digits and /-._~$&+,;=@, not ");
			quote_append_byte(error, (unsigned char)path.ptr[i]);
			return false;
		}
	}
	if ((trimmed.len > 0 || path.len > 1) && !parts_fit(trimmed)) {
		buf_append_string(error, "a part of the path must not be empty, \".\" or \"..\"");
		return false;
	}
	return true;
}

bool web_paths_check_prefix(const char *text, struct buf *error)
{
	return path_fits(slice_of_string(text), error);
}

static bool is_taken(struct slice path, struct slice by)
{
	bool is_below = by.len > 0 && path.len > by.len && path.ptr[by.len] == '/';
	return (path.len == by.len || is_below) && slice_equal_nocase(slice_first(path, by.len), by);
}

bool web_paths_check_scrape_path(const char *text, struct buf *error)
{
	struct slice path = slice_of_string(text);
	if (!path_fits(path, error)) {
		return false;
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (is_taken(trim(path), taken[i])) {
			buf_printf(error, "/" SLICE_FMT " is taken by something else", SLICE_ARG(taken[i]));
			return false;
		}
	}
	return true;
}

/* ---- The URL ---- */

/* What is behind the scheme; ptr NULL without one. */
static struct slice skip_scheme(struct slice url)
{
	static const struct slice schemes[] = { SLICE_INIT("http://"), SLICE_INIT("https://") };
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (slice_equal_nocase(slice_first(url, schemes[i].len), schemes[i])) {
			return slice_skip(url, schemes[i].len);
		}
	}
	return slice_make(NULL, 0);
}

/* The path of http://host/path, or of a path alone. */
static struct slice url_path(struct slice url)
{
	struct slice rest = skip_scheme(url);
	if (rest.ptr == NULL) {
		return url;
	}
	const char *slash = slice_find_byte(rest, '/');
	return slash == NULL ? slice_make("", 0) : slice_between(slash, rest.ptr + rest.len);
}

static bool authority_fits(struct slice authority, struct buf *error)
{
	const char *at = memrchr(authority.ptr, '@', authority.len);
	struct slice host =
			at == NULL ? authority : slice_between(at + 1, authority.ptr + authority.len);
	bool is_plain_host = host.len > 0 && host.ptr[0] != ':';
	for (size_t i = 0; i < host.len; i++) {
		is_plain_host &= host.ptr[i] > ' ' && strchr("\"#%<>?@\\^`{|}\x7f", host.ptr[i]) == NULL;
	}
	if (!is_plain_host) {
		buf_append_string(error, "no host in it; a URL is written like http://host:9091/path");
	}
	return is_plain_host;
}

bool web_paths_check_url(const char *text, struct buf *error)
{
	struct slice url = slice_of_string(text);
	struct slice rest = skip_scheme(url);
	if (url.len == 0) {
		return true;
	}
	if (rest.ptr == NULL && url.ptr[0] != '/') {
		buf_append_string(error, "a URL is written like http://host:9091/path, or as its path");
		return false;
	}
	struct slice path = url_path(url);
	if (rest.ptr != NULL && !authority_fits(slice_first(rest, rest.len - path.len), error)) {
		return false;
	}
	return path.len == 0 || path_fits(path, error);
}

struct slice web_paths_of_url(const char *url)
{
	return trim_end(url_path(slice_of_string(url)));
}

/* ---- What is in force ---- */

/* Gives the path its slash in front and takes the one at its end. */
static void replace(char **field, struct slice path)
{
	struct slice trimmed = trim_end(path);
	char *text = memory_alloc(trimmed.len + 2);
	const char *slash = trimmed.len > 0 && trimmed.ptr[0] != '/' ? "/" : "";
	sprintf(text, "%s" SLICE_FMT, slash, SLICE_ARG(trimmed));
	free(*field);
	*field = text;
}

void web_paths_resolve(struct config *config)
{
	struct slice prefix = slice_of_string(config->web_route_prefix);
	if (prefix.len == 0) {
		prefix = web_paths_of_url(config->web_external_url);
	}
	replace(&config->web_route_prefix, prefix);
	replace(&config->web_telemetry_path, slice_of_string(config->web_telemetry_path));
}
