#pragma once

/*
 * Rows that could not be read: moved to a table of their own, as they are, so that
 * they are neither lost nor read again.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* Remembers the row; the words are the caller's and stay. */
void sqlite_aside_note(struct list *rows, uint64_t number, const char *what);
void sqlite_aside_forget(struct list *rows);

/* Moves all that were noted. False: none was, and the database is as before; SQLite's fault. */
bool sqlite_aside_move(sqlite3 *db, const struct list *rows, int *reterr_fault);

/* How many rows were ever set aside. */
uint64_t sqlite_aside_count(sqlite3 *db);
