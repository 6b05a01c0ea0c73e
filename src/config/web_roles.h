#pragma once

/*
 * The parts of --web.config.file that exporter-toolkit has not: tokens, and what users and tokens
 * may do.
 */

#include "config/web_config.h"
#include "config/yaml.h"

/* bearer_tokens: {NAME: SHA-256 in hexadecimal digits}. */
void web_tokens_read(
		struct yaml_file *file, const char *name, const struct yaml_node *node, void *web_config);

/*
 * roles: {NAME: ROLE or [ROLE, ...]}, when all users and tokens are read. Who is not named may do
 * everything. The node may be NULL.
 */
void web_roles_read(
		struct yaml_file *file, const struct yaml_node *node, struct web_config *config);
