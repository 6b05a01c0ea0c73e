#pragma once

/*
 * What weir itself says on the page about targets:
 *
 *     target_info{instance="i",job="j",rack="r1"} 1     of each with attributes
 *     weir_service_active_instances{service="s"} 3      of each service that is active
 *     weir_target_expires_time_seconds{...} 1.7e9       of each whose group is about to expire
 *     weir_target_silent{instance="i",job="j"} 1        of each that is overdue
 *     weir_target_last_seen_time_seconds{...} 1.7e9     of each that has to be heard of in time
 *
 * Whoever pushes such a series for a job and instance, or for a service, knows better: weir says
 * nothing of that one then.
 */

#include "api/api.h"

enum target_lines {
	TARGET_LINES_INFO,
	TARGET_LINES_INSTANCES,
	TARGET_LINES_EXPIRES,
	TARGET_LINES_LAST_SEEN,
	TARGET_LINES_SILENT,
	TARGET_LINES_COUNT,
};

/* By enum target_lines. */
extern const struct family_declaration target_lines_declarations[TARGET_LINES_COUNT];

/* Of all targets, or of one. */
void target_lines_append(
		const struct api *api, struct buf *out, enum target_lines lines, const struct target *one);
