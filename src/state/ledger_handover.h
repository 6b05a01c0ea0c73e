#pragma once

/*
 * The ledger of one process, for the one that takes over from it: both have the
 * same groups, and the rows in the database are the same.
 */

#include <stdbool.h>

#include "state/ledger.h"

/* Appends it to the file. Nothing may be gathered. False: errno says why. */
bool ledger_write(const struct ledger *ledger, int fd);

/*
 * Reads it, from where the file stands, into a ledger without entries, whose store has the
 * groups. False: it is not that of these groups; nothing was changed then, but for the place
 * in the file.
 */
bool ledger_read(struct ledger *ledger, int fd);
