#include "config/web_roles.h"

#include <string.h>

/* ---- bearer_tokens ---- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	const char *found = lower == '\0' ? NULL : strchr(digits, lower);
	return found == NULL ? -1 : (int)(found - digits);
}

static bool read_digest(const char *text, unsigned char ret_digest[static WEB_TOKEN_BYTES])
{
	if (strlen(text) != (size_t)WEB_TOKEN_BYTES * 2) {
		return false;
	}
	for (size_t i = 0; i < WEB_TOKEN_BYTES; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		ret_digest[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

/* Whose it is already; a token has to tell one name. NULL: nobody's. */
static const struct web_token *find_same(
		const struct web_config *config, const struct web_token *token)
{
	for (size_t i = 0; i < config->token_count; i++) {
		if (memcmp(config->tokens[i].digest, token->digest, WEB_TOKEN_BYTES) == 0) {
			return &config->tokens[i];
		}
	}
	return NULL;
}

static void read_token(
		struct yaml_file *file, struct web_config *config, char *name, const struct yaml_node *node)
{
	struct web_token token = { .name = slice_of_string(name), .rights = WEB_MAY_ALL };
	const char *text = yaml_text(file, name, node);
	if (text == NULL) {
		return;
	}
	if (!read_digest(text, token.digest)) {
		yaml_fail(file, node->line,
				"the token of '%s' is no SHA-256 of one, 64 hexadecimal digits as "
				"printf %%s TOKEN | sha256sum makes them",
				name);
		return;
	}
	const struct web_token *same = find_same(config, &token);
	if (same != NULL) {
		yaml_fail(file, node->line, "the token of '%s' is that of '" SLICE_FMT "'", name,
				SLICE_ARG(same->name));
		return;
	}
	config->tokens[config->token_count++] = token;
}

void web_tokens_read(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *web_config)
{
	struct web_config *config = web_config;
	if (!yaml_is_map(file, name, node)) {
		return;
	}
	config->tokens = arena_zalloc(&file->arena, node->count, sizeof(*config->tokens));
	for (size_t i = 0; i < node->count; i++) {
		read_token(file, config, node->keys[i], node->items[i]);
	}
}

/* ---- roles ---- */

static const struct {
	const char *name;
	unsigned rights;
} roles[] = {
	{ "admin", WEB_MAY_ALL },
	{ "push", WEB_MAY_PUSH },
	{ "read", WEB_MAY_READ },
};

enum { ROLE_COUNT = sizeof(roles) / sizeof(roles[0]) };

static unsigned read_role(struct yaml_file *file, const char *name, const struct yaml_node *node)
{
	const char *text = yaml_text(file, name, node);
	for (size_t i = 0; text != NULL && i < ROLE_COUNT; i++) {
		if (strcmp(roles[i].name, text) == 0) {
			return roles[i].rights;
		}
	}
	if (text != NULL) {
		yaml_fail(file, node->line, "unknown role '%s' of '%s', must be read, push or admin", text,
				name);
	}
	return 0;
}

/* Of one role, or of all in a list. */
static unsigned read_rights(struct yaml_file *file, const char *name, const struct yaml_node *node)
{
	unsigned rights = 0;
	if (node->kind != YAML_KIND_LIST) {
		return read_role(file, name, node);
	}
	for (size_t i = 0; i < node->count; i++) {
		rights |= read_role(file, name, node->items[i]);
	}
	return rights;
}

/* A user and a token may have the same name. False: nobody has it. */
static bool give(struct web_config *config, struct slice name, unsigned rights)
{
	bool is_known = false;
	for (size_t i = 0; i < config->user_count; i++) {
		if (slice_equal(config->users[i].name, name)) {
			config->users[i].rights = rights;
			is_known = true;
		}
	}
	for (size_t i = 0; i < config->token_count; i++) {
		if (slice_equal(config->tokens[i].name, name)) {
			config->tokens[i].rights = rights;
			is_known = true;
		}
	}
	return is_known;
}

void web_roles_read(struct yaml_file *file, const struct yaml_node *node, struct web_config *config)
{
	if (node == NULL || !yaml_is_map(file, "roles", node)) {
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		unsigned rights = read_rights(file, node->keys[i], node->items[i]);
		if (!give(config, slice_of_string(node->keys[i]), rights)) {
			yaml_fail(file, node->key_lines[i],
					"roles: '%s' is neither in basic_auth_users nor in bearer_tokens",
					node->keys[i]);
		}
	}
}
