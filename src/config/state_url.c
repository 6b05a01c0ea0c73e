#include "config/state_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/state_redis_url.h"

enum { PASSWORD_MAX = 4096 };

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

/* Without the end of its line. */
static bool take_password(char *line, struct buf *error)
{
	size_t len = strcspn(line, "\r\n");
	if (len == 0) {
		buf_append_string(error, "its first line is empty: the password has to stand there");
		return false;
	}
	if (len == PASSWORD_MAX) {
		buf_printf(error, "its first line is too long: a password has less than %d bytes",
				PASSWORD_MAX);
		return false;
	}
	line[len] = '\0';
	return true;
}

/* False: errno says why. */
static bool read_line(const char *path, char ret_line[static PASSWORD_MAX + 1])
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	bool is_read = fgets(ret_line, PASSWORD_MAX + 1, file) != NULL || !ferror(file);
	int fault = errno;
	fclose(file);
	errno = fault;
	return is_read;
}

bool state_url_read_password(struct state_url *url, const char *path, struct buf *error)
{
	char *line = memory_zalloc(PASSWORD_MAX + 1, 1);
	bool is_read = read_line(path, line);
	if (!is_read) {
		buf_append_string(error, strerror(errno));
	}
	if (!is_read || !take_password(line, error)) {
		free(line);
		return false;
	}
	free(url->secret);
	url->secret = line;
	url->password = line;
	return true;
}
