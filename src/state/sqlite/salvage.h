#pragma once

/*
 * Saves what can be read of a damaged database.
 *
 * The file and its log are kept under another name, byte for byte, and a new
 * database takes their place: with every row that is found anywhere in the pages,
 * whether or not the pages above it can be read, as it is. Rows whose checksum is
 * wrong are among them, for whoever loads them to report.
 *
 *     PATH.damaged-20261127T070000Z        the file; SQLite reads it together with
 *     PATH.damaged-20261127T070000Z-wal    its log
 *     PATH.salvage                         which one it is, until the new one is there
 *
 * It may be interrupted anywhere. Opening PATH then says that it is damaged, and
 * salvaging it goes on with what is kept.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sqlite_salvaged {
	char *kept;                /* where the damaged one is; owned */
	uint64_t rows;             /* that were saved; with right checksums */
	uint64_t rows_wrong;       /* likewise, with wrong ones */
	uint64_t pages;            /* that there are */
	uint64_t pages_unreadable; /* the disk does not give them */
};

/* Nobody may have it open. False: nothing is lost, and the buffer says why. */
bool sqlite_salvage(const char *path, struct sqlite_salvaged *ret_salvaged, struct buf *reterr_why);

void sqlite_salvaged_finish(struct sqlite_salvaged *salvaged);

/* It was interrupted; the path is without symbolic links. */
bool sqlite_salvage_is_under_way(const char *path);
