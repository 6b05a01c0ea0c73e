#include "config/state_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/password_file.h"
#include "config/state_redis_url.h"

static const char sqlite_scheme[] = "sqlite:";

static bool is_sqlite(const char *text)
{
	return strncmp(text, sqlite_scheme, strlen(sqlite_scheme)) == 0;
}

/* What stands behind the scheme and an empty authority. */
static const char *path_of(const char *text)
{
	const char *path = text + strlen(sqlite_scheme);
	return strncmp(path, "//", 2) == 0 ? path + 2 : path;
}

static bool check_sqlite(const char *text, struct buf *error)
{
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

static struct state_url begin(const char *text)
{
	return (struct state_url){
		.path = "",
		.user = "",
		.password = "",
		.prefix = "weir",
		.text = memory_copy_string(text),
	};
}

bool state_url_check(const char *text, struct buf *error)
{
	if (strcmp(text, "none") == 0) {
		return true;
	}
	if (is_sqlite(text)) {
		return check_sqlite(text, error);
	}
	if (!state_redis_url_begins(text)) {
		buf_append_string(error, "must be sqlite:PATH, sqlite:, redis://HOST:PORT or none");
		return false;
	}
	struct state_url url = begin(text);
	bool fits = state_redis_url_split(&url, error);
	state_url_finish(&url);
	return fits;
}

void state_url_print_wrong(const char *text, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz+";
	size_t scheme = strspn(text, plain);
	if (is_sqlite(text) || strpbrk(text, ":@") == NULL) {
		buf_append_string(out, text);
	} else if (strncmp(text + scheme, "://", 3) == 0) {
		buf_append(out, slice_make(text, scheme + 3));
		buf_append_string(out, "...");
	} else {
		buf_append_string(out, "...");
	}
}

struct state_url state_url_read(const char *text)
{
	struct state_url url = begin(text);
	struct buf error;
	buf_init(&error, 0);
	if (is_sqlite(text)) {
		url.scheme = STATE_SCHEME_SQLITE;
		url.path = path_of(url.text);
	} else if (strcmp(text, "none") != 0) {
		url.scheme = STATE_SCHEME_REDIS;
		state_redis_url_split(&url, &error);
	}
	buf_finish(&error);
	return url;
}

void state_url_finish(struct state_url *url)
{
	free(url->addresses);
	free(url->text);
	free(url->secret);
	*url = (struct state_url){ 0 };
}

bool state_url_read_password(struct state_url *url, const char *path, struct buf *error)
{
	char *password = password_file_read(path, error);
	if (password == NULL) {
		return false;
	}
	free(url->secret);
	url->secret = password;
	url->password = password;
	return true;
}
