#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/password_file.h"
#include "config/state_check.h"
#include "config/state_url.h"
#include "config/targets_url.h"
#include "net/address.h"
#include "server/server.h"
#include "server/tls_files.h"
#include "targets/storage.h"
#include "targets/virtual_names.h"

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

static bool refuse(const struct config *config, const char *name, const char *value,
		const char *why, struct buf *errors)
{
	config_begin_fault(config, name, value, errors);
	buf_printf(errors, "%s\n", why);
	return false;
}

/* What libpq has to say of it. */
static bool check_postgres_url(const struct config *config, struct buf *errors)
{
	struct buf shown;
	struct buf why;
	buf_init(&shown, 0);
	buf_init(&why, 0);
	bool fits = storage_check_postgres_url(config->targets_url, &why);
	if (!fits) {
		state_url_print_wrong(config->targets_url, &shown);
		buf_append_byte(&shown, '\0');
		buf_append_byte(&why, '\0');
		refuse(config, "targets.url", shown.ptr, why.ptr, errors);
	}
	buf_finish(&shown);
	buf_finish(&why);
	return fits;
}

static bool check_targets_url(const struct config *config, struct buf *errors)
{
	const char *file = config->targets_password_file;
	if (targets_url_scheme(config->targets_url) == TARGETS_SCHEME_POSTGRES) {
		return check_postgres_url(config, errors);
	}
	return file[0] == '\0'
			|| refuse(config, "targets.password-file", file,
					"only with --targets.url=postgres://...", errors);
}

static bool check_virtual_targets(const struct config *config, struct buf *errors)
{
	struct arena arena;
	struct virtual_names names;
	struct slice why;
	arena_init(&arena);
	bool fits = virtual_names_read(slice_of_string(config->targets_virtual), &arena, &names, &why);
	if (!fits) {
		config_begin_fault(config, "targets.virtual", config->targets_virtual, errors);
		buf_append(errors, why);
		buf_append_byte(errors, '\n');
	}
	arena_finish(&arena);
	return fits;
}

bool server_check(const struct config *config, struct buf *errors)
{
	bool fits = check_addresses(config, errors);
	fits &= check_targets_url(config, errors);
	fits &= lists_check(config, errors);
	fits &= check_virtual_targets(config, errors);
	return state_check(config, errors) && fits;
}

/* Says which setting names a file that cannot be read: the file itself has no place to name. */
static bool check_readable(
		const struct config *config, const char *name, const char *path, struct buf *errors)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int fault = fd < 0 || read(fd, &byte, 1) < 0 ? errno : 0;
	if (fd >= 0) {
		close(fd);
	}
	if (fault != 0) {
		config_begin_fault(config, name, path, errors);
		buf_printf(errors, "%s\n", strerror(fault));
	}
	return fault == 0;
}

static bool check_web_config(const struct config *config, struct buf *errors)
{
	const char *path = config->web_config_file;
	return path[0] == '\0'
			|| (check_readable(config, "web.config.file", path, errors)
					&& tls_files_check(path, errors));
}

static bool check_password(
		const struct config *config, const char *name, const char *path, struct buf *errors)
{
	if (path[0] == '\0') {
		return true;
	}
	struct buf why;
	buf_init(&why, 0);
	char *password = password_file_read(path, &why);
	bool fine = password != NULL;
	if (!fine) {
		config_begin_fault(config, name, path, errors);
		buf_append(errors, buf_slice(&why));
		buf_append_byte(errors, '\n');
	}
	buf_finish(&why);
	free(password);
	return fine;
}

static bool check_state_files(const struct config *config, struct buf *errors)
{
	const struct {
		const char *name;
		const char *path;
	} files[] = {
		{ "state.tls-ca-file", config->state_tls_ca_file },
		{ "state.tls-cert-file", config->state_tls_cert_file },
		{ "state.tls-key-file", config->state_tls_key_file },
		{ "ingest.redis-lists.tls-ca-file", config->ingest_redis_lists_tls_ca_file },
		{ "ingest.redis-lists.tls-cert-file", config->ingest_redis_lists_tls_cert_file },
		{ "ingest.redis-lists.tls-key-file", config->ingest_redis_lists_tls_key_file },
	};
	bool fine = check_password(config, "state.password-file", config->state_password_file, errors);
	fine &= check_password(config, "targets.password-file", config->targets_password_file, errors);
	fine &= check_password(config, "ingest.redis-lists.password-file",
			config->ingest_redis_lists_password_file, errors);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		fine &= files[i].path[0] == '\0'
				|| check_readable(config, files[i].name, files[i].path, errors);
	}
	return fine;
}

bool server_check_files(const struct config *config, struct buf *errors)
{
	bool fine = check_web_config(config, errors);
	return check_state_files(config, errors) && fine;
}
