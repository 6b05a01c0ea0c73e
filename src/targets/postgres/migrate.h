#pragma once

/*
 * Brings the tables of a PostgreSQL up to date, in one transaction, under a lock
 * that all weirs take: of two that start at once the second finds it done. A schema that is
 * newer than what this weir knows is left alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "targets/postgres/conn.h"

enum { TARGETS_POSTGRES_VERSION = 3 /* of the tables */ };

enum postgres_migrate_result {
	POSTGRES_MIGRATE_OK,
	POSTGRES_MIGRATE_E_NEWER,  /* a newer weir's; it was not touched */
	POSTGRES_MIGRATE_E_FAILED, /* not now; the connection is to be dropped */
};

struct postgres_migration {
	struct postgres_query query;
	struct postgres_conn *conn;
	struct buf text;
	struct buf why;
	void (*done)(struct postgres_migration *migration, enum postgres_migrate_result result);
	void *data;
};

void postgres_migration_init(struct postgres_migration *migration);
void postgres_migration_finish(struct postgres_migration *migration);

/* On a connection that is ready; settles how values are written on it as well. */
void postgres_migrate(struct postgres_migration *migration, struct postgres_conn *conn);
