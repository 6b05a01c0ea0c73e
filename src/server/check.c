#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/address.h"
#include "server/server.h"
#include "server/tls_files.h"

static bool check_addresses(const struct config *config, struct buf *text)
{
	bool fine = true;
	for (size_t i = 0; i < config->web_listen_address.len; i++) {
		const char *shown = config->web_listen_address.items[i];
		struct address address;
		const char *what;
		if (!address_parse(slice_of_string(shown), &address, &what)) {
			buf_append_string(text, "weir: error: ");
			config_begin_fault(config, "web.listen-address", shown, text);
			buf_printf(text, "%s\n", what);
			fine = false;
		}
	}
	return fine;
}

bool server_check(const struct config *config, struct buf *errors)
{
	return check_addresses(config, errors);
}

/* Says which setting names a file that cannot be read: the file itself has no place to name. */
static bool check_readable(const struct config *config, const char *path, struct buf *errors)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int fault = fd < 0 || read(fd, &byte, 1) < 0 ? errno : 0;
	if (fd >= 0) {
		close(fd);
	}
	if (fault != 0) {
		buf_append_string(errors, "weir: error: ");
		config_begin_fault(config, "web.config.file", path, errors);
		buf_printf(errors, "%s\n", strerror(fault));
	}
	return fault == 0;
}

bool server_check_files(const struct config *config, struct buf *errors)
{
	const char *path = config->web_config_file;
	if (path[0] == '\0') {
		return true;
	}
	if (!check_readable(config, path, errors)) {
		return false;
	}
	struct buf lines;
	buf_init(&lines, 0);
	bool fine = tls_files_check(path, &lines);
	struct slice rest = buf_slice(&lines);
	while (rest.len > 0) {
		const char *end = memchr(rest.ptr, '\n', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.ptr);
		buf_printf(errors, "weir: error: %.*s\n", (int)len, rest.ptr);
		rest = slice_skip(rest, end == NULL ? len : len + 1);
	}
	buf_finish(&lines);
	return fine;
}
