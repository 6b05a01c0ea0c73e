#include "state/redis/reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

const char *reply_fault(const struct redis_result *result)
{
	if (result->reply == NULL) {
		return result->why;
	}
	return result->reply->type == REDIS_REPLY_ERROR ? result->reply->str : NULL;
}

struct slice reply_text(const struct redisReply *reply)
{
	bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
	return is_text ? slice_make(reply->str, (size_t)reply->len) : slice_make("", 0);
}

uint64_t reply_time_us(const struct redisReply *seconds, const struct redisReply *microseconds)
{
	if (seconds->type != REDIS_REPLY_STRING || microseconds->type != REDIS_REPLY_STRING) {
		return 0;
	}
	return strtoull(seconds->str, NULL, 10) * 1000000 + strtoull(microseconds->str, NULL, 10);
}

struct stream_id stream_id_read(const struct redisReply *reply)
{
	struct stream_id id = { 0 };
	if (reply->type == REDIS_REPLY_STRING) {
		char *end;
		id.ms = strtoull(reply->str, &end, 10);
		id.number = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
	}
	return id;
}

struct slice stream_id_write(struct stream_id id, char ret_text[static STREAM_ID_TEXT_MAX])
{
	size_t len = number_format_uint(id.ms, ret_text);
	ret_text[len++] = '-';
	len += number_format_uint(id.number, ret_text + len);
	return slice_make(ret_text, len);
}

int stream_id_compare(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms) {
		return a.ms < b.ms ? -1 : 1;
	}
	return a.number == b.number ? 0 : a.number < b.number ? -1 : 1;
}
