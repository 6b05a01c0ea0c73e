#pragma once

/*
 * The lines of one metric in OpenMetrics, comments first. What is wrong with one
 * of them may be told of another: a bucket that is missing, say, of the sum
 * behind it. So when one was taken out, what is then told of those that are left
 * may only be so because of that.
 */

#include "cli/check_page.h"

/*
 * Whether the fault of that line is to be doubted: lines of its metric were
 * taken out before it, and by itself it is not wrong in this way.
 */
bool check_block_is_doubtful(
		const struct check_page *page, const struct format_error *error, struct slice line);
