#pragma once

/*
 * --config.file: every setting as a key of a YAML file, by the name of its flag,
 * in one piece or by its parts, and the rules for jobs.
 *
 *	group.ttl: 24h
 *	web:
 *	  listen-address: [":9091", "unix:/run/weir.sock"]
 *	  enable-admin-api: true
 *	jobs:
 *	  - job: backup
 *	    ttl: 26h
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "config/config.h"

/*
 * Sets what flags and environment have not; what they have is checked all the
 * same. False: `errors` has what is wrong, a line each, as "FILE:LINE: what".
 */
bool file_read(struct config *config, const char *path, struct buf *errors);

/* The same from memory. */
bool file_read_text(struct config *config, const char *path, struct slice text, struct buf *errors);
