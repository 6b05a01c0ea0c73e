#pragma once

/*
 * Where a weir of these settings is found by who runs beside it: the first of
 * its addresses as a URL. The settings are read as weir reads them, so a health
 * check in the same container needs no arguments of its own.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "cli/flags.h"

/* Settings by which it may be told apart from what the environment says. */
struct probe_settings {
	struct cli_list addresses; /* --web.listen-address */
	const char *route_prefix;  /* each as its flag; NULL: not given */
	const char *external_url;
	const char *web_config_file;
	const char *config_file;
};

struct probe_self {
	struct buf url;    /* with the prefix; a string */
	struct buf socket; /* a Unix socket's path, or @name; a string, empty: TCP */
	bool is_tls;
};

/* False when there is none that could be asked, which has been said on stderr. */
bool probe_self_find(
		struct probe_self *self, const char *command, const struct probe_settings *settings);
void probe_self_finish(struct probe_self *self);
