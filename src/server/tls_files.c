#include "server/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { FILE_BYTES_MAX = 1024 * 1024 };

/* The three texts of PEM, as read from their files. */
struct pem_texts {
	struct buf cert;
	struct buf key;
	struct buf client_ca;
};

/* ---- Reading ---- */

/* Until the end of the file; errno says why not. */
static bool read_all(int fd, struct buf *text)
{
	for (;;) {
		if (!buf_reserve(text, 4096)) {
			errno = EFBIG;
			return false;
		}
		ssize_t count = read(fd, text->ptr + text->len, text->capacity - text->len);
		if (count <= 0) {
			return count == 0;
		}
		text->len += (size_t)count;
	}
}

/* errno says why not. */
static bool read_file(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	bool good = read_all(fd, text);
	int fault = errno;
	close(fd);
	errno = fault;
	return good;
}

/* From its file or from the web config itself; `inline_name` is what errors call the latter. */
static bool read_pem(const struct web_pem *from, const char *inline_name, struct buf *text,
		struct tls_pem *ret_pem, struct buf *errors)
{
	if (from->file == NULL) {
		ret_pem->name = from->text == NULL ? NULL : inline_name;
		ret_pem->text = from->text == NULL ? SLICE("") : slice_of_string(from->text);
		return true;
	}
	if (!read_file(from->file, text)) {
		buf_printf(errors, "%s: %s: %s\n", from->where, from->file, strerror(errno));
		return false;
	}
	ret_pem->name = from->file;
	ret_pem->text = buf_slice(text);
	return true;
}

static enum tls_client_auth to_client_auth(enum web_client_auth auth)
{
	switch (auth) {
	case WEB_CLIENT_AUTH_NONE:
		return TLS_CLIENT_AUTH_NONE;
	case WEB_CLIENT_AUTH_REQUEST:
		return TLS_CLIENT_AUTH_REQUEST;
	case WEB_CLIENT_AUTH_REQUIRE_ANY:
		return TLS_CLIENT_AUTH_REQUIRE_ANY;
	case WEB_CLIENT_AUTH_VERIFY_IF_GIVEN:
		return TLS_CLIENT_AUTH_VERIFY_IF_GIVEN;
	case WEB_CLIENT_AUTH_REQUIRE_VERIFIED:
		return TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
	}
	return TLS_CLIENT_AUTH_REQUIRE_VERIFIED;
}

static enum tls_version to_version(enum web_tls_version version)
{
	switch (version) {
	case WEB_TLS_1_0:
		return TLS_VERSION_1_0;
	case WEB_TLS_1_1:
		return TLS_VERSION_1_1;
	case WEB_TLS_1_2:
		return TLS_VERSION_1_2;
	case WEB_TLS_1_3:
		return TLS_VERSION_1_3;
	}
	return TLS_VERSION_1_3;
}

static struct tls_context *make_context(
		const struct web_tls *tls, struct pem_texts *texts, struct buf *errors)
{
	struct tls_options options = {
		.client_auth = to_client_auth(tls->client_auth),
		.allowed_sans = (const char *const *)tls->allowed_sans.items,
		.allowed_san_count = tls->allowed_sans.count,
		.min_version = to_version(tls->min_version),
		.max_version = to_version(tls->max_version),
		.ciphers = tls->restricts_ciphers ? tls->ciphers : NULL,
		.curves = tls->curves,
		.prefers_server_ciphers = tls->prefers_server_ciphers,
	};
	bool good = read_pem(&tls->cert, "cert", &texts->cert, &options.cert, errors);
	good &= read_pem(&tls->key, "key", &texts->key, &options.key, errors);
	good &= read_pem(&tls->client_ca, "client_ca", &texts->client_ca, &options.client_ca, errors);
	return good ? tls_context_create(&options, errors) : NULL;
}

static struct tls_context *load(const struct web_tls *tls, struct buf *errors)
{
	struct pem_texts texts;
	buf_init(&texts.cert, FILE_BYTES_MAX);
	buf_init(&texts.key, FILE_BYTES_MAX);
	buf_init(&texts.client_ca, FILE_BYTES_MAX);
	struct tls_context *context = make_context(tls, &texts, errors);
	buf_finish(&texts.cert);
	buf_finish(&texts.key);
	buf_finish(&texts.client_ca);
	return context;
}

bool tls_files_check(const char *path, struct buf *errors)
{
	struct web_config config;
	bool good = web_config_read(&config, path, errors);
	if (good && config.tls.is_on) {
		struct tls_context *context = load(&config.tls, errors);
		good = context != NULL;
		if (good) {
			tls_context_unref(context);
		}
	}
	web_config_finish(&config);
	return good;
}

/* ---- The subscriber ---- */

static void drop_next(struct tls_files *files)
{
	if (files->next != NULL) {
		tls_context_unref(files->next);
		files->next = NULL;
	}
}

static bool check(void *data, const struct web_config *config, struct buf *errors)
{
	struct tls_files *files = data;
	bool was_on = files->server->context != NULL;
	drop_next(files);
	if (files->is_started && config->tls.is_on != was_on) {
		buf_printf(errors, "TLS is turned %s by a restart only\n", was_on ? "off" : "on");
		return false;
	}
	if (config->tls.is_on) {
		files->next = load(&config->tls, errors);
	}
	return !config->tls.is_on || files->next != NULL;
}

/* Taken all the same: clients say so, too, and some of them do not mind. */
static void warn_of_dates(const struct tls_context *context, const struct web_tls *tls)
{
	const char *name = tls->cert.file != NULL ? tls->cert.file : "cert";
	int64_t now_seconds = clock_wall_ns() / 1000000000;
	if (context->not_after_seconds < now_seconds) {
		log_warn("the TLS certificate has expired cert=%s", name);
	}
	if (context->not_before_seconds > now_seconds) {
		log_warn("the TLS certificate is not yet valid cert=%s", name);
	}
}

static void apply(void *data, const struct web_config *config)
{
	struct tls_files *files = data;
	files->is_started = true;
	if (files->next != NULL) {
		warn_of_dates(files->next, &config->tls);
		tls_server_use(files->server, files->next);
		files->next = NULL;
	}
}

void tls_files_init(struct tls_files *files, struct tls_server *server, struct web_file *file)
{
	*files = (struct tls_files){
		.subscriber = { .check = check, .apply = apply, .data = files },
		.server = server,
	};
	web_file_subscribe(file, &files->subscriber);
}

void tls_files_finish(struct tls_files *files)
{
	drop_next(files);
}
