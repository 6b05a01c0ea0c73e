#include "config/lists_url.h"

#include <string.h>

#include "config/state_redis_url.h"
#include "config/state_url.h"

bool lists_url_is_given(const char *text)
{
	return strcmp(text, "none") != 0;
}

bool lists_url_check(const char *text, struct buf *error)
{
	if (!lists_url_is_given(text)) {
		return true;
	}
	if (!state_redis_url_begins(text)) {
		buf_append_string(
				error, "must be redis://HOST:PORT, rediss://HOST:PORT, redis+unix:///PATH or none");
		return false;
	}
	if (!state_url_check(text, error)) {
		return false;
	}
	const char *query = strchr(text, '?');
	if (query != NULL && strstr(query, "prefix=") != NULL) {
		buf_append_string(
				error, "lists have no prefix: --ingest.redis-lists.match says which are drained");
		return false;
	}
	return true;
}
