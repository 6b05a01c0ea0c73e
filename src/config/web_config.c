#include "config/web_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "config/web_roles.h"
#include "config/web_tls.h"
#include "config/yaml.h"

enum {
	HEADERS_MAX = 5,
	BCRYPT_BYTES = 60, /* $2y$10$ and 53 of salt and hash */
};

/* What is being read; the config's memory is the file's. */
struct reader {
	struct web_config config;
	const struct yaml_node *roles; /* read when all users are; NULL: there are none */
	struct slice directory;        /* of the file, with its slash; empty: the working directory */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- tls_server_config ---- */

static void read_tls(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	if (yaml_is_map(file, name, node)) {
		web_tls_read(file, node, reader->directory, &reader->config.tls);
	}
}

/* ---- http_server_config ---- */

static const struct {
	const char *name;
	const char *values[3]; /* those it may have, ended by NULL; none: any */
} header_rows[HEADERS_MAX] = {
	{ "Content-Security-Policy", { NULL } },
	{ "Strict-Transport-Security", { NULL } },
	{ "X-Content-Type-Options", { "nosniff", NULL } },
	{ "X-Frame-Options", { "deny", "sameorigin", NULL } },
	{ "X-XSS-Protection", { NULL } },
};

static bool header_may_be(size_t row, const char *value)
{
	const char *const *values = header_rows[row].values;
	for (size_t i = 0; values[i] != NULL; i++) {
		if (strcmp(values[i], value) == 0) {
			return true;
		}
	}
	return values[0] == NULL;
}

static void add_header(
		struct yaml_file *file, struct reader *reader, size_t row, const struct yaml_node *node)
{
	const char *name = header_rows[row].name;
	const char *value = yaml_text(file, name, node);
	struct web_config *config = &reader->config;
	if (value == NULL) {
		return;
	}
	if (!header_may_be(row, value)) {
		const char *const *values = header_rows[row].values;
		yaml_fail(file, node->line, "%s must be %s%s%s, not '%s'", name, values[0],
				values[1] == NULL ? "" : " or ", values[1] == NULL ? "" : values[1], value);
		return;
	}
	for (const char *at = value; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			yaml_fail(file, node->line, "%s must be one line of printable text", name);
			return;
		}
	}
	if (value[0] != '\0') {
		config->headers[config->header_count++] =
				(struct web_header){ slice_of_string(name), slice_of_string(value) };
	}
}

static void read_headers(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	reader->config.headers =
			arena_zalloc(&file->arena, HEADERS_MAX, sizeof(*reader->config.headers));
	for (size_t i = 0; i < node->count; i++) {
		size_t row = 0;
		while (row < HEADERS_MAX && strcmp(header_rows[row].name, node->keys[i]) != 0) {
			row++;
		}
		if (row < HEADERS_MAX) {
			add_header(file, reader, row, node->items[i]);
		} else {
			yaml_fail(file, node->key_lines[i],
					"HTTP header '%s' can not be configured; there are Content-Security-Policy, "
					"Strict-Transport-Security, X-Content-Type-Options, X-Frame-Options and "
					"X-XSS-Protection",
					node->keys[i]);
		}
	}
}

/* Taken so that files of others work; weir speaks HTTP/1.1. */
static void read_http2(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	bool is_on;
	yaml_bool(file, name, node, &is_on);
}

static const struct yaml_key http_keys[] = {
	{ "headers", read_headers },
	{ "http2", read_http2 },
};

static void read_http(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	if (yaml_is_map(file, name, node)) {
		yaml_read_map(file, node, "in http_server_config", http_keys, COUNT(http_keys), data);
	}
}

/* ---- basic_auth_users ---- */

static bool is_bcrypt(const char *hash)
{
	if (strlen(hash) != BCRYPT_BYTES || strncmp(hash, "$2", 2) != 0 || hash[3] != '$'
			|| strchr("abxy", hash[2]) == NULL || hash[6] != '$') {
		return false;
	}
	for (const char *at = hash + 7; *at != '\0'; at++) {
		bool is_base64 = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z')
				|| (*at >= '0' && *at <= '9') || *at == '.' || *at == '/';
		if (!is_base64) {
			return false;
		}
	}
	int cost = atoi(hash + 4);
	return cost >= 4 && cost <= 31;
}

static void read_users(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	struct web_config *config = &reader->config;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	config->users = arena_zalloc(&file->arena, node->count, sizeof(*config->users));
	for (size_t i = 0; i < node->count; i++) {
		char *hash = yaml_text(file, node->keys[i], node->items[i]);
		if (hash != NULL && !is_bcrypt(hash)) {
			yaml_fail(file, node->items[i]->line,
					"the password of '%s' is no bcrypt hash, as htpasswd -nBC 10 '' makes it: "
					"$2y$10$...",
					node->keys[i]);
		} else if (hash != NULL) {
			config->users[config->user_count++] =
					(struct web_user){ slice_of_string(node->keys[i]), hash, WEB_MAY_ALL };
		}
	}
}

/* ---- rate_limit ---- */

static void read_interval(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	const char *text = yaml_text(file, name, node);
	int64_t ns;
	if (text == NULL) {
		return;
	}
	enum duration_result result = duration_parse(slice_of_string(text), &ns);
	if (result != DURATION_OK) {
		yaml_fail(file, node->line, "bad interval '%s': %s", text, duration_error(result));
	} else if (ns < 0) {
		yaml_fail(file, node->line, "bad interval '%s': it must not be negative", text);
	} else {
		reader->config.rate_interval_ns = ns;
	}
}

static void read_burst(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	const char *text = yaml_text(file, name, node);
	uint64_t burst;
	if (text == NULL) {
		return;
	}
	if (text[strspn(text, "0123456789")] != '\0'
			|| bytes_parse(slice_of_string(text), &burst) != BYTES_OK || burst > INT32_MAX) {
		yaml_fail(file, node->line, "bad burst '%s': not a whole number up to %d", text, INT32_MAX);
	} else {
		reader->config.rate_burst = burst;
	}
}

static const struct yaml_key rate_keys[] = {
	{ "burst", read_burst },
	{ "interval", read_interval },
};

static void read_rate(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	yaml_read_map(file, node, "in rate_limit", rate_keys, COUNT(rate_keys), reader);
	if (reader->config.rate_interval_ns != 0 && reader->config.rate_burst == 0 && !file->failed) {
		yaml_fail(file, node->line, "rate_limit with a burst of 0 refuses every request");
	}
}

/* ---- The file ---- */

static void read_tokens(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	web_tokens_read(file, name, node, &reader->config);
}

static void keep_roles(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	reader->roles = node;
}

static const struct yaml_key keys[] = {
	{ "basic_auth_users", read_users },
	{ "bearer_tokens", read_tokens },
	{ "http_server_config", read_http },
	{ "rate_limit", read_rate },
	{ "roles", keep_roles },
	{ "tls_server_config", read_tls },
};

static struct reader begin_reading(const char *path)
{
	const char *slash = strrchr(path, '/');
	return (struct reader){
		.config.tls = { .min_version = WEB_TLS_1_2,
				.max_version = WEB_TLS_1_3,
				.prefers_server_ciphers = true },
		.directory = slash == NULL ? SLICE("") : slice_between(path, slash + 1),
	};
}

static bool read_tree(struct web_config *config, struct yaml_file *file, bool is_yaml)
{
	struct reader reader = begin_reading(file->path);
	if (is_yaml && file->root != NULL && yaml_is_map(file, file->path, file->root)) {
		yaml_read_map(file, file->root, "", keys, COUNT(keys), &reader);
		web_roles_read(file, reader.roles, &reader.config);
	}
	*config = reader.config;
	config->arena = file->arena; /* the file's texts are the config's now */
	return !file->failed;
}

bool web_config_read(struct web_config *config, const char *path, struct buf *errors)
{
	struct yaml_file file;
	return read_tree(config, &file, yaml_read(&file, path, errors));
}

bool web_config_read_text(
		struct web_config *config, const char *path, struct slice text, struct buf *errors)
{
	struct yaml_file file;
	return read_tree(config, &file, yaml_read_text(&file, path, text, errors));
}

void web_config_finish(struct web_config *config)
{
	arena_finish(&config->arena);
}
