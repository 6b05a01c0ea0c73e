/*
 * A weir without libpq: it says so instead of trying.
 */

#include "check.h"
#include "targets/storage.h"

static void test_says_so(void)
{
	struct buf why;
	buf_init(&why, 0);
	CHECK(!storage_check_postgres_url("postgres://weir@localhost/weir", &why));
	CHECK_SLICE(slice_first(buf_slice(&why), 26), SLICE("weir was built without lib"));
	buf_finish(&why);
}

int main(void)
{
	RUN(test_says_so);
	return check_done();
}
