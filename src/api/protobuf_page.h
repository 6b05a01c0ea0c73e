#pragma once

/*
 * The scrape page as delimited protobuf: what page.h has as text, each family
 * as one message, exemplars, times of creation and native histograms included.
 *
 * A message begins with its length. Families of moderate size are made whole
 * before they are sent; for larger ones all is made twice, once to be measured.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/job.h"
#include "http/body.h"
#include "store/page.h"

/* What came of a page. */
struct protobuf_page_result {
	uint64_t bytes;
	uint64_t collisions; /* names that gave way: see names.h */
};

struct protobuf_page_options {
	struct page_options
			page; /* whatever its format; what it points to is the caller's until closed() */
	/*
	 * Native histograms whose parts contradict each other are shown without the
	 * native part. A Prometheus drops the whole page for one.
	 */
	bool only_sound;
	/*
	 * The body is closed and all that it needed is free; on the loop, maybe later
	 * than the body's close().
	 */
	void (*closed)(void *data, const struct protobuf_page_result *result);
	void *data;
};

/* NULL while a change is being made in slices; see snapshot_open(). */
struct http_body *protobuf_page_create(struct executor *executor, struct store *store,
		const struct protobuf_page_options *options);
