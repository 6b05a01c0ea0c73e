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
		config_begin_fault(config, "web.config.file", path, errors);
		buf_printf(errors, "%s\n", strerror(fault));
	}
	return fault == 0;
}

bool server_check_files(const struct config *config, struct buf *errors)
{
	const char *path = config->web_config_file;
	return path[0] == '\0'
			|| (check_readable(config, path, errors) && tls_files_check(path, errors));
}
