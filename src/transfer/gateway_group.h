#pragma once

/*
 * One group of a Pushgateway as lines of an export have it.
 *
 * The API says which group has which families, and when each was pushed; the
 * page says exactly what is in them. Both are read, one after the other, so a
 * push may come in between. The page shows the time of each group's last push:
 * where that is another one, page and group do not belong together.
 */

#include "transfer/gateway_page.h"
#include "transfer/line_write.h"

enum gateway_group_result {
	GATEWAY_GROUP_OK,
	GATEWAY_GROUP_CHANGED,   /* something was pushed to it since the page was read */
	GATEWAY_GROUP_E_INVALID, /* see *reterr_what */
};

/* After which a line gets no more families. */
enum { GATEWAY_LINE_BYTES = 512 * 1024 };

struct gateway_family {
	struct line_family head;
	const struct sample *samples; /* with the grouping labels */
	size_t sample_count;
};

struct gateway_group {
	struct line_group head;
	struct gateway_family *families;
	size_t family_count;
	size_t lossy_metrics; /* native histograms without their buckets */
};

/*
 * Reads a group of the API. Page NULL: there is none, what the API says must do.
 * All that comes out lives in the arena. *ret_group has its key whatever the
 * answer, if it could be told.
 */
enum gateway_group_result gateway_group_read(struct slice text, const struct gateway_page *page,
		struct arena *arena, struct gateway_group *ret_group, struct slice *reterr_what);

/* Writes a line of it, or several when it is large. */
void gateway_group_write(const struct gateway_group *group, struct line_writer *writer);
