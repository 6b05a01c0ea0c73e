/*
 * Without libhiredis there is no client, and a sentence that says what to do.
 * Linked before the library, so that it is the one in use.
 */

#include "check.h"
#include "redis/client.h"

static void test_missing(void)
{
	const char *what = redis_missing();
	CHECK(what != NULL && strstr(what, "-Dredis=enabled") != NULL);
}

int main(void)
{
	RUN(test_missing);
	return check_done();
}
