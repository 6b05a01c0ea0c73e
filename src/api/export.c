#include <stdlib.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/export_lines.h"
#include "api/task.h"
#include "base/memory.h"
#include "http/coded_body.h"
#include "http/target.h"

enum { JOBS_MAX = 1000 };

/* An export as a response body, with what was asked for. */
struct export
{
	struct export_lines lines;
	struct api_task task; /* what comes behind on the same connection waits */
	struct arena arena;
	struct slice jobs[JOBS_MAX];
	size_t job_count;
};

/* job=NAME, as often as there are jobs wanted; anything else is refused, so that no export is
 * larger than it was meant to be. */
static bool read_parameter(struct export *export, struct slice pair, struct slice *reterr_text)
{
	struct slice value;
	if (!slice_starts_with(pair, SLICE("job="))) {
		*reterr_text = SLICE("unknown parameter: there is job=NAME, which may be repeated");
		return false;
	}
	if (export->job_count == JOBS_MAX) {
		*reterr_text = SLICE("too many jobs: 1000 are allowed");
		return false;
	}
	if (!answer_decode_query(slice_skip(pair, strlen("job=")), &export->arena, &value)) {
		*reterr_text = SLICE("invalid parameter \"job\": invalid URL escape");
		return false;
	}
	export->jobs[export->job_count++] = labels_escape(&export->arena, value);
	return true;
}

static bool read_query(struct export *export, struct slice query, struct slice *reterr_text)
{
	while (query.len > 0) {
		const char *and = slice_find_byte(query, '&');
		struct slice pair = and == NULL ? query : slice_between(query.ptr, and);
		query = slice_skip(query, pair.len + (and != NULL));
		if (pair.len > 0 && !read_parameter(export, pair, reterr_text)) {
			return false;
		}
	}
	return true;
}

static void close_export(struct worked_source *source)
{
	struct export_lines *lines = LIST_ENTRY(source, struct export_lines, source);
	struct export *export = LIST_ENTRY(lines, struct export, lines);
	export_lines_finish(lines);
	api_task_end(&export->task);
	arena_finish(&export->arena);
	free(export);
}

static void count(struct api *api, unsigned status)
{
	stats_count_request(api->stats, STATS_HANDLER_API_EXPORT, STATS_METHOD_GET, status);
}

void export_handle(struct api *api, struct exchange *exchange)
{
	struct export *export = memory_zalloc(1, sizeof(*export));
	struct slice fault;
	arena_init(&export->arena);
	if (!read_query(export, exchange->request.query, &fault)) {
		answer_error(exchange, 400, fault);
		count(api, 400);
		arena_finish(&export->arena);
		free(export);
		exchange_answer(exchange);
		return;
	}
	export_lines_init(&export->lines, api->store, export->jobs, export->job_count);
	export->lines.source.close = close_export;
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("application/x-ndjson; charset=utf-8");
	count(api, 200);
	api_task_hold(&export->task, api, exchange);
	coded_body_answer(
			&api->coded_pool, exchange, worked_body_create(api->executor, &export->lines.source));
	exchange_answer(exchange);
}
