#include "config/state_url.h"

#include <string.h>

static const char sqlite_scheme[] = "sqlite:";

/* What stands behind the scheme and an empty authority. */
static const char *path_of(const char *text)
{
	const char *path = text + strlen(sqlite_scheme);
	return strncmp(path, "//", 2) == 0 ? path + 2 : path;
}

bool state_url_check(const char *text, struct buf *error)
{
	if (strcmp(text, "none") == 0) {
		return true;
	}
	if (strncmp(text, sqlite_scheme, strlen(sqlite_scheme)) != 0) {
		buf_append_string(error, "must be sqlite:PATH, sqlite: or none");
		return false;
	}
	const char *rest = text + strlen(sqlite_scheme);
	const char *path = path_of(text);
	if (path != rest && *path != '/') {
		buf_append_string(error, "a database is a file on this host: write sqlite:PATH");
		return false;
	}
	if (*path != '\0' && path[strlen(path) - 1] == '/') {
		buf_append_string(error, "names a directory: write sqlite:PATH of the database in it");
		return false;
	}
	return true;
}

struct state_url state_url_read(const char *text)
{
	struct state_url url = { .scheme = STATE_SCHEME_NONE, .path = "" };
	if (strcmp(text, "none") != 0) {
		url.scheme = STATE_SCHEME_SQLITE;
		url.path = path_of(text);
	}
	return url;
}
