#include <stdlib.h>

#include "targets/storage_backend.h"

/* The URL was checked, so nobody gets here. */
struct storage_backend *storage_postgres_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage)
{
	abort();
}

bool storage_check_postgres_url(const char *url, struct buf *reterr_why)
{
	buf_append_string(reterr_why, "weir was built without libpq: build it with -Dpostgres=enabled");
	return false;
}
