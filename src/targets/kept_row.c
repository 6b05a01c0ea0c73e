#include "targets/kept_row.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>

#include "base/duration.h"
#include "format/json.h"
#include "targets/targets_json.h"
#include "targets/targets_read.h"
#include "transfer/line_json.h"

static const double NS = 1e9;

/* ---- Reading ---- */

static void append_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, ",\"%s\":", name);
	json_append_string(out, text);
}

/* Whole milliseconds, as the API has them. */
static void append_seconds(struct buf *out, const char *name, double seconds)
{
	char text[DURATION_TEXT_BYTES];
	int64_t ms = llround(seconds * 1e3);
	append_text(out, name, ms == 0 ? SLICE("") : duration_format(ms * 1000000, text));
}

/* Who writes a row by hand may leave it at the job and the instance. */
static void append_labels(struct buf *out, const struct storage_target *row)
{
	if (!slice_equal(row->labels, SLICE("{}"))) {
		buf_append(out, row->labels);
		return;
	}
	buf_append(out, SLICE("{\"job\":"));
	json_append_string(out, row->job);
	if (row->instance.len > 0) {
		append_text(out, "instance", row->instance);
	}
	buf_append_byte(out, '}');
}

static void append_row(struct buf *out, const struct storage_target *row)
{
	buf_append(out, SLICE("{\"labels\":"));
	append_labels(out, row);
	append_text(out, "mode", row->mode);
	append_text(out, "address", row->address);
	append_text(out, "scheme", row->scheme);
	append_text(out, "path", row->path);
	append_seconds(out, "scrape_interval", row->scrape_interval_seconds);
	append_seconds(out, "scrape_timeout", row->scrape_timeout_seconds);
	append_seconds(out, "interval", row->interval_seconds);
	buf_printf(out, ",\"silent_after\":%.17g,\"enabled\":%s,\"attributes\":", row->silent_after,
			row->is_enabled ? "true" : "false");
	buf_append(out, row->attributes);
	buf_append(out, SLICE(",\"thresholds\":"));
	buf_append(out, row->thresholds);
	buf_append_byte(out, '}');
}

/* Written as weir writes it, or it could not be found by it. */
static bool read_id(struct slice text, struct target_id *ret_id)
{
	char again[TARGET_ID_TEXT];
	if (!target_id_parse(text, ret_id)) {
		return false;
	}
	target_id_format(ret_id, again);
	return slice_equal(text, slice_make(again, sizeof(again)));
}

bool kept_row_read(const struct storage_target *row, const struct format_options *limits,
		struct arena *arena, struct target_row *ret_row, struct slice *reterr_why)
{
	struct targets_read read = { 0 };
	struct target_id id;
	struct buf text;
	if (!read_id(row->id, &id)) {
		*reterr_why = SLICE("id is no UUID in small letters");
		return false;
	}
	buf_init(&text, 0);
	append_row(&text, row);
	cJSON *tree = line_json_parse(buf_slice(&text), arena, reterr_why);
	bool is_good = tree != NULL && targets_read(&read, tree, limits, arena, reterr_why);
	cJSON_Delete(tree);
	buf_finish(&text);
	*ret_row = (struct target_row){
		.id = id,
		.key = read.key,
		.config = read.config,
		.is_configured = row->is_configured,
		.fresh = { .first_seen_ns = row->created_ns },
	};
	return is_good;
}

static void read_gaps(struct slice text, struct interval_gaps *gaps)
{
	cJSON *tree = cJSON_ParseWithLength(text.ptr, text.len);
	const cJSON *gap = tree == NULL ? NULL : tree->child;
	for (; gap != NULL; gap = gap->next) {
		if (cJSON_IsNumber(gap) && gap->valuedouble >= 0 && gap->valuedouble <= UINT32_MAX) {
			interval_add_gap(gaps, (uint64_t)gap->valuedouble * 1000000);
		}
	}
	cJSON_Delete(tree);
}

struct target_freshness kept_row_read_seen(const struct storage_seen *row, struct arena *arena)
{
	struct target_freshness fresh = {
		.first_seen_ns = row->first_seen_ns,
		.last_seen_ns = row->last_seen_ns,
		.pushed_ns = row->last_push_ns,
		.pushes = (uint64_t)row->pushes,
		.stored_interval_ns = (int64_t)(row->learnt_interval * NS),
		.rejected_ns = row->rejected_at_ns,
	};
	snprintf(fresh.format, sizeof(fresh.format), SLICE_FMT, SLICE_ARG(row->format));
	snprintf(fresh.source, sizeof(fresh.source), SLICE_FMT, SLICE_ARG(row->source));
	read_gaps(row->gaps, &fresh.gaps);
	if (row->rejected_reason.len > 0) {
		char *text = arena_text(arena, row->rejected_reason.len + 1);
		memcpy(text, row->rejected_reason.ptr, row->rejected_reason.len);
		text[row->rejected_reason.len] = '\0';
		fresh.rejection = text;
	}
	return fresh;
}

/* ---- Writing ---- */

static struct slice id_text(const struct target_id *id, struct arena *arena)
{
	char *text = arena_text(arena, TARGET_ID_TEXT);
	target_id_format(id, text);
	return slice_make(text, TARGET_ID_TEXT);
}

static struct slice labels_text(const struct labels *labels, struct arena *arena)
{
	struct buf text;
	if (labels->count == 0) {
		return SLICE("{}");
	}
	buf_init(&text, 0);
	targets_json_append_labels(&text, labels);
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static struct slice thresholds_text(const struct target_config *config, struct arena *arena)
{
	struct buf text;
	if (config->threshold_count == 0) {
		return SLICE("[]");
	}
	buf_init(&text, 0);
	targets_json_append_thresholds(&text, config);
	struct slice copy = arena_copy(arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

static struct slice label_text(const struct group_key *key, struct slice name, struct arena *arena)
{
	return labels_unescape(arena, labels_find(&key->labels, name));
}

struct storage_target kept_row_write(
		const struct target_row *row, int64_t version, struct arena *arena)
{
	const struct target_config *config = &row->config;
	return (struct storage_target){
		.id = id_text(&row->id, arena),
		.job = label_text(&row->key, SLICE("job"), arena),
		.instance = label_text(&row->key, SLICE("instance"), arena),
		.labels = labels_text(&row->key.labels, arena),
		.mode = target_mode_name(config->mode),
		.address = config->address,
		.scheme = config->scheme,
		.path = config->path,
		.scrape_interval_seconds = (double)config->scrape_interval_ns / NS,
		.scrape_timeout_seconds = (double)config->scrape_timeout_ns / NS,
		.attributes = labels_text(&config->attributes, arena),
		.thresholds = thresholds_text(config, arena),
		.is_enabled = !config->is_disabled,
		.is_configured = row->is_configured,
		.interval_seconds = (double)config->interval_ns / NS,
		.silent_after = (double)config->silent_after,
		.created_ns = row->fresh.first_seen_ns,
		.version = version,
	};
}

/* Oldest first. */
static struct slice gaps_text(const struct interval_gaps *gaps, struct arena *arena)
{
	char text[INTERVAL_GAPS_MAX * 12 + 3] = "";
	size_t first = gaps->count < INTERVAL_GAPS_MAX ? 0 : gaps->next;
	size_t len = 0;
	for (size_t i = 0; i < gaps->count; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%u", i == 0 ? '[' : ',',
				gaps->ms[(first + i) % INTERVAL_GAPS_MAX]);
	}
	snprintf(text + len, sizeof(text) - len, "%s", len == 0 ? "" : "]");
	return arena_copy(arena, slice_of_string(text));
}

struct storage_seen kept_row_write_seen(const struct registry *registry,
		const struct target *target, struct slice replica, struct arena *arena)
{
	const struct target_freshness *fresh = &target->fresh;
	const char *rejection = fresh->rejection == NULL ? "" : fresh->rejection;
	return (struct storage_seen){
		.target_id = id_text(&target->id, arena),
		.replica = replica,
		.first_seen_ns = fresh->first_seen_ns,
		.last_seen_ns = fresh->own_seen_ns,
		.last_push_ns = fresh->own_pushed_ns,
		.pushes = (int64_t)fresh->own_pushes,
		.format = slice_of_string(fresh->format),
		.source = slice_of_string(fresh->source),
		.gaps = gaps_text(&fresh->gaps, arena),
		.learnt_interval = (double)registry_learnt_ns(target) / NS,
		.state = target_state_name(registry_state(registry, target)),
		.rejected_at_ns = fresh->rejected_ns,
		.rejected_reason = slice_of_string(rejection),
	};
}
