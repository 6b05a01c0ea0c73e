#pragma once

/*
 * What Redis answers, taken apart.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/number.h"
#include "base/slice.h"
#include "redis/client.h"
#include "state/redis/parts.h"

enum { STREAM_ID_TEXT_MAX = 2 * NUMBER_TEXT_MAX };

/* Why it is no answer: there is none, or it is an error. NULL: it is one. */
const char *reply_fault(const struct redis_result *result);

struct slice reply_text(const struct redisReply *reply);

/* What TIME answers, as microseconds; 0: it is no time. */
uint64_t reply_time_us(const struct redisReply *seconds, const struct redisReply *microseconds);

/* "1526919030474-55"; zero: it is none. */
struct stream_id stream_id_read(const struct redisReply *reply);
struct slice stream_id_write(struct stream_id id, char ret_text[static STREAM_ID_TEXT_MAX]);
int stream_id_compare(struct stream_id a, struct stream_id b);
