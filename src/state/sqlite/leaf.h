#pragma once

/*
 * What is on a leaf page of an SQLite database, read without SQLite and without
 * trust: the rows of a table, or of a table without row ids. Whatever the bytes
 * are, reading them ends and stays within them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "state/sqlite/pages.h"

enum { SQLITE_COLUMNS_MAX = 8 };

enum sqlite_leaf_kind {
	SQLITE_LEAF_ROWS,  /* of a table */
	SQLITE_LEAF_INDEX, /* of a table without row ids */
	SQLITE_LEAF_NONE,  /* it is no leaf */
};

struct sqlite_leaf {
	const struct sqlite_pages *pages;
	const char *bytes; /* the page's, the caller's */
	enum sqlite_leaf_kind kind;
	size_t head; /* where the page's own header is */
	size_t count;
};

struct sqlite_column {
	enum { SQLITE_COLUMN_NULL, SQLITE_COLUMN_NUMBER, SQLITE_COLUMN_BLOB, SQLITE_COLUMN_TEXT } kind;
	int64_t number;
	struct slice bytes;
};

struct sqlite_row {
	int64_t id;
	size_t column_count;
	struct sqlite_column columns[SQLITE_COLUMNS_MAX];
	bool is_cut; /* pages that its last columns go on in cannot be read */
};

struct sqlite_leaf sqlite_leaf_of(
		const struct sqlite_pages *pages, uint32_t number, const char *bytes);

/* The row lies in the buffer, which is filled anew. False: it is none. */
bool sqlite_leaf_read(
		const struct sqlite_leaf *leaf, size_t i, struct buf *buffer, struct sqlite_row *ret_row);

/* 7 bits a byte, highest first, at most 9 bytes; it ends before `end`. NULL: it does not. */
const char *sqlite_leaf_varint(const char *at, const char *end, uint64_t *ret_number);
