#pragma once

/*
 * The grouping key in a push's path:
 *
 *     /metrics/job/<job>{/<label>/<value>}
 *     /metrics/job@base64/<job>{/<label>@base64/<value>}
 *
 * Values may be base64url (RFC 4648, section 5), padded or not; a single "="
 * is the empty value.
 *
 * With utf8_names a label's name is any UTF-8, as it is or under the escaping
 * scheme "values": U__a_2e_b is a.b. Without, U__a_2e_b is a name like others.
 */

#include <stdbool.h>

#include "api/route.h"
#include "model/group_key.h"

struct push_url_limits {
	size_t labels;
	size_t label_bytes; /* of a name or a value */
	bool utf8_names;    /* names may be any UTF-8 */
};

enum push_url_result {
	PUSH_URL_OK,
	PUSH_URL_E_INVALID,     /* 400, with this text */
	PUSH_URL_E_LABELS,      /* too many */
	PUSH_URL_E_LABEL_BYTES, /* too long */
};

/*
 * The key lives in the arena and in the path. The error's text is what
 * Pushgateway says, without a line feed.
 */
enum push_url_result push_url_parse(const struct route *route, const struct push_url_limits *limits,
		struct arena *arena, struct group_key *ret_key, struct slice *reterr_text);

/*
 * Values that are not UTF-8 would make the whole page unreadable: such a key
 * may be deleted, not pushed to.
 */
enum push_url_result push_url_check_values(
		const struct group_key *key, struct arena *arena, struct slice *reterr_text);
