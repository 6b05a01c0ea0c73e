#pragma once

/*
 * What an error of PostgreSQL says about a statement.
 */

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/slice.h"

enum postgres_fault {
	POSTGRES_FAULT_OF_ROW,    /* of what is in one of the rows */
	POSTGRES_FAULT_OF_MOMENT, /* a deadlock: all is as before */
	POSTGRES_FAULT_OF_SERVER, /* it ends, or is not one that can be written */
	POSTGRES_FAULT_OF_SCHEMA, /* or of anything else: for all rows alike */
};

enum postgres_fault postgres_fault_of(const PGresult *result);

/* One line, without where in the statement it is. */
struct slice postgres_fault_message(const PGresult *result, struct arena *arena);
