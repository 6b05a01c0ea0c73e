#pragma once

/*
 * --targets.url: where targets are kept.
 *
 *     none                 in memory only
 *     sqlite:[PATH]        as in state_url.h; without a path targets.db in the data directory
 *     postgres://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...][/DATABASE][?OPTION=VALUE&...]
 *
 * postgresql is as good as postgres. What libpq makes of such a URL is up to libpq; a password
 * stands where it is found when settings are shown.
 */

#include <stdbool.h>

#include "base/buf.h"

enum targets_scheme {
	TARGETS_SCHEME_NONE,
	TARGETS_SCHEME_SQLITE,
	TARGETS_SCHEME_POSTGRES,
};

/* For the table: whether it is such a URL. If not, `error` says why. */
bool targets_url_check(const char *text, struct buf *error);

/* Of a text that was checked. */
enum targets_scheme targets_url_scheme(const char *text);
