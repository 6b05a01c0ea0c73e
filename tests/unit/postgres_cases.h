#pragma once

/*
 * A PostgreSQL for all cases of a test, and storages that are opened on it.
 */

#include "postgres_driver.h"
#include "storage_driver.h"

static struct postgres_server server;
static char url[256];

static inline void open_at(struct rig *rig, const char *where)
{
	rig_init(rig);
	rig->options.postgres_url = where;
	rig_open(rig);
}

static inline void case_open(struct rig *rig)
{
	open_at(rig, url);
}

static inline void open_loaded(struct rig *rig)
{
	case_open(rig);
	RIG_AWAIT(rig, rig->loaded == 1);
}
