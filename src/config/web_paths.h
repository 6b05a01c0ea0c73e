#pragma once

/*
 * The paths that weir answers under: --web.external-url, --web.route-prefix and
 * --web.telemetry-path.
 *
 * A prefix is empty, or begins with a slash and does not end with one. The
 * scrape path stands below it.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

struct config;

/* For the table: whether a setting may have that value. If not, `error` says why. */
bool web_paths_check_url(const char *text, struct buf *error);
bool web_paths_check_prefix(const char *text, struct buf *error);
bool web_paths_check_scrape_path(const char *text, struct buf *error);

/*
 * The prefix of links to here: the path of the URL, without a slash at the end.
 * Points into the text.
 */
struct slice web_paths_of_url(const char *url);

/*
 * Replaces the route prefix by the one that is in force, which may come from
 * the external URL, and gives the scrape path its slash.
 */
void web_paths_resolve(struct config *config);
