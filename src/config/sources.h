#pragma once

/*
 * Where settings come from. Sources are read in the order in which they win,
 * and a setting that already has a value keeps it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/config.h"

/* What a flag that is no setting asks for. */
enum flags_action {
	FLAGS_RUN,
	FLAGS_SHOW_HELP,
	FLAGS_SHOW_VERSION,
	FLAGS_SHOW_CONFIG,
	FLAGS_CHECK_CONFIG,
};

struct flags_action_row {
	const char *name;
	const char *short_name; /* or NULL */
	const char *help;
	enum flags_action action;
};

extern const struct flags_action_row flags_actions[];
extern const size_t flags_actions_count;

/*
 * Flags as Prometheus' programs take them: `--name=value`, `--name value`, and
 * `--name` or `--no-name` for booleans. Stops at --help and --version. False:
 * `error` says what is wrong.
 */
bool flags_read(struct config *config, const struct config_input *input,
		enum flags_action *ret_action, struct buf *error);

/*
 * WEIR_GROUP_TTL=1h for --group.ttl=1h; commas separate the items of a list.
 * An empty variable is as good as none, and other names that begin with WEIR_
 * are left alone: Kubernetes sets some for a service called weir.
 */
bool environment_read(struct config *config, const char *const *environment, struct buf *error);

enum { ENVIRONMENT_NAME_MAX = 80 };

/* The variable of a setting; NUL-terminated. */
void environment_name(const char *setting_name, char ret_name[static ENVIRONMENT_NAME_MAX]);
