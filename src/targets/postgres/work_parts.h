#pragma once

/*
 * What the files of work.h share: work.c reads, work_write.c writes row by row as it were, and
 * work_whole.c all rows of an operation or none.
 */

#include "targets/postgres/work.h"

struct work *work_of(struct postgres_query *query);

/* Of a result; ptr NULL is SQL's NULL. */
struct slice work_value(const PGresult *result, int row, int column);

void work_send(struct work *work, const char *text, const char *const *values, size_t count);

/* What the task says is written. */
void work_write(struct work *work);
void work_write_whole(struct work *work);

/* False: no row of the range is left to be written, for those that were refused are left out. */
bool work_send_rows(struct work *work, struct work_range range,
		void (*done)(struct postgres_query *query, const PGresult *result));

/* What came of the rows that were sent, unless it is an error. */
void work_note_rows(struct work *work, const PGresult *result, struct work_range range);

/* It cannot be written now, whatever is in the rows. */
void work_fail(struct work *work, struct work_range range, struct slice why);
