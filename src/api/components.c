#include "api/components.h"

#include <inttypes.h>
#include <string.h>

#include "config/table.h"
#include "config/value.h"
#include "format/json.h"
#include "ui/html.h"

size_t components_list(
		const struct stats *stats, int64_t now_ns, struct component ret_components[COMPONENTS_MAX])
{
	const struct stats_ingest *lists = &stats->ingest;
	const struct stats_state *state = &stats->state;
	const struct stats_targets *targets = &stats->targets;
	const bool is_used[COMPONENTS_MAX] = { lists->is_used, state->is_kept, targets->is_kept };
	const struct component all[COMPONENTS_MAX] = {
		{ "lists", "ingest.redis-lists", "lists", lists->is_up, lists->seen_ns, lists->lists },
		{ "state", "state.url", "changes", state->is_up, state->seen_ns, state->waiting_changes },
		{ "targets", "targets.url", "changes", targets->is_up, targets->seen_ns, targets->waiting },
	};
	size_t count = 0;
	for (size_t i = 0; i < COMPONENTS_MAX; i++) {
		if (is_used[i]) {
			ret_components[count] = all[i];
			ret_components[count].seen_ns = all[i].is_up ? now_ns : all[i].seen_ns;
			count++;
		}
	}
	return count;
}

/* As it is shown: without a password. */
static void print_url(struct buf *out, const struct config *config, const char *name)
{
	buf_reset(out, SIZE_MAX);
	value_print(config, settings_find(name, strlen(name)), out);
}

/* ---- JSON ---- */

static void append_component(
		struct buf *out, const struct component *component, const struct config *config)
{
	struct buf url;
	buf_init(&url, 0);
	print_url(&url, config, component->setting);
	buf_append(out, SLICE("{\"last_seen\":"));
	if (component->seen_ns == 0) {
		buf_append(out, SLICE("\"\""));
	} else {
		json_append_time(out, component->seen_ns);
	}
	buf_printf(out, ",\"name\":\"%s\",\"up\":%s,\"url\":", component->name,
			component->is_up ? "true" : "false");
	json_append_string(out, buf_slice(&url));
	buf_printf(out, ",\"waiting\":%" PRIu64 "}", component->waiting);
	buf_finish(&url);
}

void components_append_json(
		struct buf *out, const struct stats *stats, const struct config *config, int64_t now_ns)
{
	struct component components[COMPONENTS_MAX];
	size_t count = components_list(stats, now_ns, components);
	buf_append_byte(out, '[');
	for (size_t i = 0; i < count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		append_component(out, &components[i], config);
	}
	buf_append_byte(out, ']');
}

/* ---- HTML ---- */

static void append_how(struct buf *out, const struct component *component)
{
	if (component->is_up) {
		buf_append_string(out, "up");
	} else if (component->seen_ns == 0) {
		buf_append_string(out, "<span class=\"failed\">away since weir started</span>");
	} else {
		buf_append_string(out, "<span class=\"failed\">away, last seen ");
		html_append_time(out, component->seen_ns);
		buf_append_string(out, "</span>");
	}
}

static void append_row(
		struct buf *out, const struct component *component, const struct config *config)
{
	struct buf url;
	buf_init(&url, 0);
	print_url(&url, config, component->setting);
	buf_printf(out, "<tr><td>%s</td><td>", component->name);
	append_how(out, component);
	buf_printf(
			out, "</td><td>%" PRIu64 " %s waiting</td><td>", component->waiting, component->what);
	html_append(out, buf_slice(&url));
	buf_append_string(out, "</td></tr>\n");
	buf_finish(&url);
}

struct slice components_table(
		const struct stats *stats, const struct config *config, int64_t now_ns, struct arena *arena)
{
	struct component components[COMPONENTS_MAX];
	size_t count = components_list(stats, now_ns, components);
	struct buf out;
	buf_init(&out, 0);
	if (count > 0) {
		buf_append_string(&out, "<table class=\"flags components\">\n");
		for (size_t i = 0; i < count; i++) {
			append_row(&out, &components[i], config);
		}
		buf_append_string(&out, "</table>\n");
	}
	struct slice copy = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}

struct slice components_away(const struct stats *stats, struct arena *arena)
{
	struct component components[COMPONENTS_MAX];
	size_t count = components_list(stats, 0, components);
	struct buf out;
	buf_init(&out, 0);
	for (size_t i = 0; i < count; i++) {
		if (!components[i].is_up) {
			buf_printf(&out, "%s%s", out.len == 0 ? "" : ", ", components[i].name);
		}
	}
	struct slice copy = arena_copy(arena, buf_slice(&out));
	buf_finish(&out);
	return copy;
}
