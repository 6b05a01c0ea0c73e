#include "config/web_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/duration.h"
#include "config/web_names.h"
#include "config/yaml.h"

enum {
	HEADERS_MAX = 5,
	BCRYPT_BYTES = 60, /* $2y$10$ and 53 of salt and hash */
};

/* What is being read; the config's memory is the file's. */
struct reader {
	struct web_config config;
	size_t tls_line;
	bool has_sans;
	struct slice directory; /* of the file, with its slash; empty: the working directory */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- tls_server_config ---- */

static void read_text(
		struct yaml_file *file, const char *name, const struct yaml_node *node, char **ret_text)
{
	char *text = yaml_text(file, name, node);
	*ret_text = text == NULL || text[0] == '\0' ? NULL : text;
}

/* Relative to where the file of settings lies. */
static void read_path(struct yaml_file *file, const char *name, const struct yaml_node *node,
		const struct reader *reader, struct web_pem *pem)
{
	read_text(file, name, node, &pem->file);
	if (pem->file != NULL && pem->file[0] != '/') {
		struct slice joined =
				ARENA_JOIN(&file->arena, reader->directory, slice_of_string(pem->file));
		pem->file = arena_copy_string(&file->arena, joined);
	}
	struct buf where;
	buf_init(&where, 0);
	buf_printf(&where, "%s:%zu: %s", file->path, node->line, name);
	pem->where = arena_copy_string(&file->arena, buf_slice(&where));
	buf_finish(&where);
}

static void read_cert(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_text(file, name, node, &reader->config.tls.cert.text);
}

static void read_cert_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->config.tls.cert);
}

static void read_key(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_text(file, name, node, &reader->config.tls.key.text);
}

static void read_key_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->config.tls.key);
}

static void read_client_ca(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_text(file, name, node, &reader->config.tls.client_ca.text);
}

static void read_client_ca_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->config.tls.client_ca);
}

static void read_client_auth(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	static const struct {
		const char *name;
		enum web_client_auth auth;
	} types[] = {
		{ "", WEB_CLIENT_AUTH_NONE },
		{ "NoClientCert", WEB_CLIENT_AUTH_NONE },
		{ "RequestClientCert", WEB_CLIENT_AUTH_REQUEST },
		{ "RequireAnyClientCert", WEB_CLIENT_AUTH_REQUIRE_ANY },
		{ "RequireClientCert", WEB_CLIENT_AUTH_REQUIRE_ANY }, /* of older files */
		{ "VerifyClientCertIfGiven", WEB_CLIENT_AUTH_VERIFY_IF_GIVEN },
		{ "RequireAndVerifyClientCert", WEB_CLIENT_AUTH_REQUIRE_VERIFIED },
	};
	struct reader *reader = data;
	const char *text = yaml_text(file, name, node);
	for (size_t i = 0; text != NULL && i < COUNT(types); i++) {
		if (strcmp(types[i].name, text) == 0) {
			reader->config.tls.client_auth = types[i].auth;
			reader->config.tls.is_on |= text[0] != '\0';
			return;
		}
	}
	if (text != NULL) {
		yaml_fail(file, node->line,
				"unknown client_auth_type '%s', must be NoClientCert, RequestClientCert, "
				"RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert",
				text);
	}
}

static void read_allowed_sans(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	if (!yaml_is_list(file, name, node)) {
		return;
	}
	struct web_strings *sans = &reader->config.tls.allowed_sans;
	sans->items = arena_zalloc(&file->arena, node->count, sizeof(*sans->items));
	for (size_t i = 0; i < node->count; i++) {
		char *text = yaml_text(file, name, node->items[i]);
		if (text != NULL) {
			sans->items[sans->count++] = text;
		}
	}
	reader->has_sans = node->kind == YAML_KIND_LIST;
}

static void read_version(struct yaml_file *file, const char *name, const struct yaml_node *node,
		enum web_tls_version *version)
{
	static const char *const names[] = { "TLS10", "TLS11", "TLS12", "TLS13" };
	const char *text = yaml_text(file, name, node);
	for (size_t i = 0; text != NULL && i < COUNT(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*version = (enum web_tls_version)i;
			return;
		}
	}
	if (text != NULL) {
		yaml_fail(file, node->line, "unknown %s '%s', must be TLS10, TLS11, TLS12 or TLS13", name,
				text);
	}
}

static void read_min_version(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_version(file, name, node, &reader->config.tls.min_version);
}

static void read_max_version(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_version(file, name, node, &reader->config.tls.max_version);
}

/* What is known of names in a list. */
struct names {
	const char *(*find)(const char *name);
	const char *(*suggest)(const char *name);
	const char *hint; /* what would be right, when nothing is near */
};

/* Go's names of a list, as OpenSSL has them, with colons between. */
static char *read_names(struct yaml_file *file, const char *name, const struct yaml_node *node,
		const struct names *names)
{
	struct buf joined;
	buf_init(&joined, 0);
	for (size_t i = 0; i < node->count; i++) {
		const char *text = yaml_text(file, name, node->items[i]);
		const char *found = text == NULL ? NULL : names->find(text);
		if (found != NULL) {
			buf_append_string(&joined, joined.len > 0 && found[0] != '\0' ? ":" : "");
			buf_append_string(&joined, found);
		} else if (text != NULL) {
			const char *near = names->suggest(text);
			yaml_fail(file, node->items[i]->line, "unknown name '%s' in %s%s%s%s", text, name,
					near == NULL ? "; " : ", did you mean '", near == NULL ? names->hint : near,
					near == NULL ? "" : "'?");
		}
	}
	char *copy = arena_copy_string(&file->arena, buf_slice(&joined));
	buf_finish(&joined);
	return copy;
}

static void read_ciphers(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	static const struct names names = {
		.find = web_cipher_of_go,
		.suggest = web_suggest_cipher,
		.hint = "they are named as in Go, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	};
	struct reader *reader = data;
	if (yaml_is_list(file, name, node) && node->count > 0) {
		reader->config.tls.restricts_ciphers = true;
		reader->config.tls.ciphers = read_names(file, name, node, &names);
	}
}

static void read_curves(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	static const struct names names = {
		.find = web_curve_of_go,
		.suggest = web_suggest_curve,
		.hint = "there are X25519, CurveP256, CurveP384 and CurveP521",
	};
	struct reader *reader = data;
	if (yaml_is_list(file, name, node) && node->count > 0) {
		reader->config.tls.curves = read_names(file, name, node, &names);
	}
}

static void read_prefers_server(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	yaml_bool(file, name, node, &reader->config.tls.prefers_server_ciphers);
}

static const struct yaml_key tls_keys[] = {
	{ "cert", read_cert },
	{ "cert_file", read_cert_file },
	{ "cipher_suites", read_ciphers },
	{ "client_allowed_sans", read_allowed_sans },
	{ "client_auth_type", read_client_auth },
	{ "client_ca", read_client_ca },
	{ "client_ca_file", read_client_ca_file },
	{ "curve_preferences", read_curves },
	{ "key", read_key },
	{ "key_file", read_key_file },
	{ "max_version", read_max_version },
	{ "min_version", read_min_version },
	{ "prefer_server_cipher_suites", read_prefers_server },
};

static bool has_pem(const struct web_pem *pem)
{
	return pem->file != NULL || pem->text != NULL;
}

/* What does not go together. */
static void check_tls(struct yaml_file *file, const struct reader *reader)
{
	const struct web_tls *tls = &reader->config.tls;
	size_t line = reader->tls_line;
	if (!has_pem(&tls->cert)) {
		yaml_fail(file, line, "tls_server_config needs cert_file or cert");
	}
	if (!has_pem(&tls->key)) {
		yaml_fail(file, line, "tls_server_config needs key_file or key");
	}
	if (has_pem(&tls->client_ca) && tls->client_auth == WEB_CLIENT_AUTH_NONE) {
		yaml_fail(file, line,
				"a client CA without client_auth_type has no effect; RequireAndVerifyClientCert "
				"demands certificates of that CA");
	}
	if (reader->has_sans && tls->client_auth != WEB_CLIENT_AUTH_REQUIRE_ANY
			&& tls->client_auth != WEB_CLIENT_AUTH_REQUIRE_VERIFIED) {
		yaml_fail(file, line,
				"client_allowed_sans needs client_auth_type RequireAnyClientCert or "
				"RequireAndVerifyClientCert");
	}
	if (tls->min_version > tls->max_version) {
		yaml_fail(file, line, "min_version is above max_version");
	}
}

static void read_tls(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	struct web_tls *tls = &reader->config.tls;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	reader->tls_line = node->line;
	yaml_read_map(file, node, "in tls_server_config", tls_keys, COUNT(tls_keys), reader);
	tls->is_on =
			tls->is_on || has_pem(&tls->cert) || has_pem(&tls->key) || has_pem(&tls->client_ca);
	if (tls->is_on && !file->failed) {
		check_tls(file, reader);
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
					(struct web_user){ slice_of_string(node->keys[i]), hash };
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

static const struct yaml_key keys[] = {
	{ "basic_auth_users", read_users },
	{ "http_server_config", read_http },
	{ "rate_limit", read_rate },
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
