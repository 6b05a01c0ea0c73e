#pragma once

/*
 * Whose a database file is, told by its bytes alone: SQLite is not asked, since it
 * may change what it opens.
 *
 * weir's are known by the application id in their header. Where the header is
 * gone, by any row whose checksum is right.
 */

#include <stdbool.h>
#include <stdint.h>

#include "state/sqlite/leaf.h"

enum sqlite_owner {
	SQLITE_OWNER_NOBODY,  /* there is no file, or nothing in it */
	SQLITE_OWNER_WEIR,    /* as far as its header tells */
	SQLITE_OWNER_DAMAGED, /* it is weir's, and the header or the log is damaged */
	SQLITE_OWNER_NEWER,
	SQLITE_OWNER_FOREIGN,
};

enum { SQLITE_WRITER_BYTES = 64 };

struct sqlite_examined {
	enum sqlite_owner owner;
	uint32_t version;                     /* of the schema */
	char written_by[SQLITE_WRITER_BYTES]; /* "weir 0.1.0"; empty: it does not say */
	const char *what;                     /* of a damaged or foreign one: in words */
};

/* False: it cannot be read; see errno. */
bool sqlite_examine(const char *path, struct sqlite_examined *ret_examined);

/* The row has the columns of a segment. */
bool sqlite_is_segment(const struct sqlite_row *row);

/* Such a row's checksum is right: it is as weir wrote it. */
bool sqlite_is_right_segment(const struct sqlite_row *row);
