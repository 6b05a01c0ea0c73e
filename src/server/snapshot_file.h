#pragma once

/*
 * The state file that earlier versions of weir kept at PATH.weir, where the
 * database is now: all groups, written as a whole now and then.
 *
 *     PATH.weir                       the file
 *     PATH.weir.snapshot              out of the database's way, being moved into it
 *     PATH.weir.snapshot.moved-TIME   the database has everything
 *
 * As long as the second one is there, the database is not complete and is begun
 * anew. The file is never removed.
 */

#include <stdbool.h>

#include "state/image/image.h"

/*
 * Gets it out of the way, with what was made of a database before that was
 * complete. *ret_path: where it is now, owned; NULL: there is none. False: errno
 * says why not.
 */
bool snapshot_file_find(const char *path, char **ret_path);

/*
 * Reads what is in it, also when some of it is damaged, into a store that is empty.
 * False: the log says why.
 */
bool snapshot_file_read(
		const char *path, struct store *store, const struct image_read_options *options);

/* The database has everything. False: errno says why it keeps its name. */
bool snapshot_file_retire(const char *path);
