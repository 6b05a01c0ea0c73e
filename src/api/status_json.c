#include "api/components.h"
#include "api/endpoints.h"
#include "base/clock.h"
#include "config/table.h"
#include "config/value.h"
#include "format/json.h"
#include "version.h"

/* What a Pushgateway tells of its build, as far as weir has it. */
static const struct {
	struct slice key;
	struct slice value;
} build_information[] = {
	{ SLICE_INIT("branch"), SLICE_INIT("") },
	{ SLICE_INIT("buildDate"), SLICE_INIT("") },
	{ SLICE_INIT("buildUser"), SLICE_INIT("") },
	{ SLICE_INIT("goVersion"), SLICE_INIT("") },
	{ SLICE_INIT("revision"), SLICE_INIT("") },
	{ SLICE_INIT("version"), SLICE_INIT(WEIR_VERSION) },
};

static void append_member(struct buf *out, size_t number, struct slice key, struct slice value)
{
	buf_append_string(out, number == 0 ? "" : ",");
	json_append_string(out, key);
	buf_append_byte(out, ':');
	json_append_string(out, value);
}

static void append_build_information(struct buf *out)
{
	for (size_t i = 0; i < sizeof(build_information) / sizeof(build_information[0]); i++) {
		append_member(out, i, build_information[i].key, build_information[i].value);
	}
}

static void append_flags(struct buf *out, const struct config *config)
{
	const struct setting *sorted[CONFIG_SETTINGS_MAX];
	struct buf value;
	settings_by_name(sorted);
	buf_init(&value, 0);
	for (size_t i = 0; i < settings_count; i++) {
		buf_reset(&value, SIZE_MAX);
		value_print(config, sorted[i], &value);
		append_member(out, i, slice_of_string(sorted[i]->name), buf_slice(&value));
	}
	buf_finish(&value);
}

void status_json_handle(struct api *api, struct exchange *exchange)
{
	struct buf out;
	buf_init(&out, 0);
	buf_append(&out, SLICE("{\"status\":\"success\",\"data\":{\"build_information\":{"));
	append_build_information(&out);
	stats_collect(api->stats);
	buf_append(&out, SLICE("},\"components\":"));
	components_append_json(&out, api->stats, api->options.config, clock_wall_ns());
	buf_append(&out, SLICE(",\"flags\":{"));
	append_flags(&out, api->options.config);
	buf_append(&out, SLICE("},\"start_time\":"));
	json_append_time(&out, api->started_ns);
	buf_append(&out, SLICE("}}"));
	exchange->response.status = 200;
	exchange->response.content_type = SLICE("application/json");
	exchange->response.body = arena_copy(&exchange->arena, buf_slice(&out));
	buf_finish(&out);
	stats_count_request(api->stats, STATS_HANDLER_API_STATUS, STATS_METHOD_GET, 200);
	exchange_answer(exchange);
}
