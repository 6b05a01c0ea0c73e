#include "config/web_tls.h"

#include <string.h>

#include "config/web_names.h"

/* What is being read; texts are in the file's arena. */
struct reader {
	struct web_tls *tls;
	size_t line;
	bool has_sans;
	struct slice directory;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

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
	read_text(file, name, node, &reader->tls->cert.text);
}

static void read_cert_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->tls->cert);
}

static void read_key(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_text(file, name, node, &reader->tls->key.text);
}

static void read_key_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->tls->key);
}

static void read_client_ca(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_text(file, name, node, &reader->tls->client_ca.text);
}

static void read_client_ca_file(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_path(file, name, node, reader, &reader->tls->client_ca);
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
			reader->tls->client_auth = types[i].auth;
			reader->tls->is_on |= text[0] != '\0';
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
	struct web_strings *sans = &reader->tls->allowed_sans;
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
	read_version(file, name, node, &reader->tls->min_version);
}

static void read_max_version(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	read_version(file, name, node, &reader->tls->max_version);
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
		reader->tls->restricts_ciphers = true;
		reader->tls->ciphers = read_names(file, name, node, &names);
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
		reader->tls->curves = read_names(file, name, node, &names);
	}
}

static void read_prefers_server(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *data)
{
	struct reader *reader = data;
	yaml_bool(file, name, node, &reader->tls->prefers_server_ciphers);
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
	const struct web_tls *tls = reader->tls;
	size_t line = reader->line;
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
	if (reader->has_sans && tls->allowed_sans.count == 0) {
		yaml_fail(file, line,
				"client_allowed_sans is empty: nobody would be let in; without it every name is");
	}
	if (tls->min_version > tls->max_version) {
		yaml_fail(file, line, "min_version is above max_version");
	}
}

void web_tls_read(struct yaml_file *file, const struct yaml_node *node, struct slice directory,
		struct web_tls *tls)
{
	struct reader reader = { .tls = tls, .line = node->line, .directory = directory };
	yaml_read_map(file, node, "in tls_server_config", tls_keys, COUNT(tls_keys), &reader);
	tls->is_on =
			tls->is_on || has_pem(&tls->cert) || has_pem(&tls->key) || has_pem(&tls->client_ca);
	if (tls->is_on && !file->failed) {
		check_tls(file, &reader);
	}
}
