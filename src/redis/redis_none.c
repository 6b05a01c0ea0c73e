#include <stddef.h>

#include "redis/client.h"

const char *redis_missing(void)
{
	return "weir was built without libhiredis: build it with -Dredis=enabled";
}
