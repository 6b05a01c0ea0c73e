#include "targets/storage_row.h"

#include <cjson/cJSON.h>

#include "base/number.h"
#include "base/utf8.h"
#include "targets/storage_time.h"
#include "targets/target.h"

/* Reading one row: the first thing that is wrong with it stays. */
struct reader {
	const struct slice *columns;
	const char *const *names;
	struct arena *arena;
	struct slice why;
};

static const char *const target_names[TARGET_COLUMNS] = {
	[TARGET_COLUMN_ID] = "id",
	[TARGET_COLUMN_JOB] = "job",
	[TARGET_COLUMN_INSTANCE] = "instance",
	[TARGET_COLUMN_LABELS] = "labels",
	[TARGET_COLUMN_MODE] = "mode",
	[TARGET_COLUMN_ADDRESS] = "address",
	[TARGET_COLUMN_SCHEME] = "scheme",
	[TARGET_COLUMN_PATH] = "path",
	[TARGET_COLUMN_SCRAPE_INTERVAL] = "scrape_interval_seconds",
	[TARGET_COLUMN_SCRAPE_TIMEOUT] = "scrape_timeout_seconds",
	[TARGET_COLUMN_ENABLED] = "enabled",
	[TARGET_COLUMN_CONFIGURED] = "configured",
	[TARGET_COLUMN_ATTRIBUTES] = "attributes",
	[TARGET_COLUMN_INTERVAL] = "interval_seconds",
	[TARGET_COLUMN_SILENT_AFTER] = "silent_after",
	[TARGET_COLUMN_THRESHOLDS] = "thresholds",
	[TARGET_COLUMN_CREATED] = "created",
	[TARGET_COLUMN_CHANGED] = "changed",
	[TARGET_COLUMN_VERSION] = "version",
};

static const char *const seen_names[SEEN_COLUMNS] = {
	[SEEN_COLUMN_TARGET] = "target_id",
	[SEEN_COLUMN_REPLICA] = "replica",
	[SEEN_COLUMN_FIRST] = "first_seen",
	[SEEN_COLUMN_LAST] = "last_seen",
	[SEEN_COLUMN_LAST_PUSH] = "last_push",
	[SEEN_COLUMN_PUSHES] = "pushes",
	[SEEN_COLUMN_FORMAT] = "format",
	[SEEN_COLUMN_SOURCE] = "source",
	[SEEN_COLUMN_GAPS] = "gaps",
	[SEEN_COLUMN_INTERVAL] = "learnt_interval",
	[SEEN_COLUMN_STATE] = "state",
	[SEEN_COLUMN_REJECTED_AT] = "rejected_at",
	[SEEN_COLUMN_REJECTED_REASON] = "rejected_reason",
};

/* ---- Fields ---- */

static void fail(struct reader *reader, size_t column, const char *what)
{
	if (reader->why.ptr == NULL) {
		reader->why = arena_printf(reader->arena, "%s %s", reader->names[column], what);
	}
}

static struct slice read_text(struct reader *reader, size_t column)
{
	struct slice text = reader->columns[column];
	if (text.ptr == NULL) {
		fail(reader, column, "is null");
		return SLICE("");
	}
	if (text.len > STORAGE_TEXT_MAX) {
		fail(reader, column, "is too long");
		return SLICE("");
	}
	if (!utf8_is_valid(text)) {
		fail(reader, column, "is not UTF-8");
	}
	return text;
}

/* Empty for NULL. */
static struct slice read_optional_text(struct reader *reader, size_t column)
{
	return reader->columns[column].ptr == NULL ? SLICE("") : read_text(reader, column);
}

static struct slice read_mode(struct reader *reader, size_t column)
{
	enum target_mode known;
	struct slice mode = read_text(reader, column);
	if (!target_mode_find(mode, &known)) {
		fail(reader, column,
				"is none of push, pull, static, virtual, dns, image, collector and service");
	}
	return mode;
}

static bool is_object_of_strings(const cJSON *tree)
{
	if (!cJSON_IsObject(tree)) {
		return false;
	}
	for (const cJSON *each = tree->child; each != NULL; each = each->next) {
		if (!cJSON_IsString(each)) {
			return false;
		}
	}
	return true;
}

/* cJSON goes by the length alone when it is not to look for a NUL. */
static struct slice read_json(struct reader *reader, size_t column, bool is_array)
{
	struct slice text = read_text(reader, column);
	const char *end = NULL;
	cJSON *tree = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, false);
	if (tree == NULL || end != text.ptr + text.len) {
		fail(reader, column, "is not JSON");
	} else if (is_array && !cJSON_IsArray(tree)) {
		fail(reader, column, "is not a JSON array");
	} else if (!is_array && !is_object_of_strings(tree)) {
		fail(reader, column, "is not a JSON object of strings");
	}
	cJSON_Delete(tree);
	return text;
}

/* Empty for NULL. */
static struct slice read_optional_array(struct reader *reader, size_t column)
{
	return reader->columns[column].ptr == NULL ? SLICE("") : read_json(reader, column, true);
}

static bool read_bool(struct reader *reader, size_t column)
{
	struct slice text = read_text(reader, column);
	bool is_true = slice_equal(text, SLICE("t")) || slice_equal(text, SLICE("1"))
			|| slice_equal(text, SLICE("true"));
	bool is_false = slice_equal(text, SLICE("f")) || slice_equal(text, SLICE("0"))
			|| slice_equal(text, SLICE("false"));
	if (!is_true && !is_false) {
		fail(reader, column, "is neither true nor false");
	}
	return is_true;
}

static int64_t read_count(struct reader *reader, size_t column)
{
	int64_t count = 0;
	struct slice text = read_text(reader, column);
	if (!number_parse_int(text, &count) || count < 0) {
		fail(reader, column, "is not a count");
		return 0;
	}
	return count;
}

/* 0 for NULL. */
static double read_positive(struct reader *reader, size_t column)
{
	struct slice text = reader->columns[column];
	double number = 0;
	if (text.ptr == NULL) {
		return 0;
	}
	if (number_is_float(text)) {
		number = number_value(text);
	}
	if (!(number > 0 && number < 1e12)) {
		fail(reader, column, "is not a positive number");
		return 0;
	}
	return number;
}

/* 0 for NULL. */
static int64_t read_optional_time(struct reader *reader, size_t column)
{
	int64_t ns = 0;
	struct slice text = reader->columns[column];
	if (text.ptr != NULL && !storage_time_read(text, &ns)) {
		fail(reader, column, "is not a time");
	}
	return ns;
}

static int64_t read_time(struct reader *reader, size_t column)
{
	if (reader->columns[column].ptr == NULL) {
		fail(reader, column, "is null");
	}
	return read_optional_time(reader, column);
}

/* ---- Rows ---- */

bool storage_target_read(const struct slice columns[static TARGET_COLUMNS],
		struct storage_target *ret_row, struct arena *arena, struct slice *reterr_why)
{
	struct reader reader = { .columns = columns, .names = target_names, .arena = arena };
	struct storage_target row = {
		.id = read_text(&reader, TARGET_COLUMN_ID),
		.job = read_text(&reader, TARGET_COLUMN_JOB),
		.instance = read_text(&reader, TARGET_COLUMN_INSTANCE),
		.labels = read_json(&reader, TARGET_COLUMN_LABELS, false),
		.mode = read_mode(&reader, TARGET_COLUMN_MODE),
		.address = read_optional_text(&reader, TARGET_COLUMN_ADDRESS),
		.scheme = read_optional_text(&reader, TARGET_COLUMN_SCHEME),
		.path = read_optional_text(&reader, TARGET_COLUMN_PATH),
		.scrape_interval_seconds = read_positive(&reader, TARGET_COLUMN_SCRAPE_INTERVAL),
		.scrape_timeout_seconds = read_positive(&reader, TARGET_COLUMN_SCRAPE_TIMEOUT),
		.is_enabled = read_bool(&reader, TARGET_COLUMN_ENABLED),
		.is_configured = read_bool(&reader, TARGET_COLUMN_CONFIGURED),
		.attributes = read_json(&reader, TARGET_COLUMN_ATTRIBUTES, false),
		.interval_seconds = read_positive(&reader, TARGET_COLUMN_INTERVAL),
		.silent_after = read_positive(&reader, TARGET_COLUMN_SILENT_AFTER),
		.thresholds = read_json(&reader, TARGET_COLUMN_THRESHOLDS, true),
		.created_ns = read_time(&reader, TARGET_COLUMN_CREATED),
		.changed_ns = read_time(&reader, TARGET_COLUMN_CHANGED),
		.version = read_count(&reader, TARGET_COLUMN_VERSION),
	};
	if (reader.why.ptr != NULL) {
		*reterr_why = reader.why;
		return false;
	}
	*ret_row = row;
	return true;
}

bool storage_seen_read(const struct slice columns[static SEEN_COLUMNS],
		struct storage_seen *ret_row, struct arena *arena, struct slice *reterr_why)
{
	struct reader reader = { .columns = columns, .names = seen_names, .arena = arena };
	struct storage_seen row = {
		.target_id = read_text(&reader, SEEN_COLUMN_TARGET),
		.replica = read_text(&reader, SEEN_COLUMN_REPLICA),
		.first_seen_ns = read_optional_time(&reader, SEEN_COLUMN_FIRST),
		.last_seen_ns = read_optional_time(&reader, SEEN_COLUMN_LAST),
		.last_push_ns = read_optional_time(&reader, SEEN_COLUMN_LAST_PUSH),
		.pushes = read_count(&reader, SEEN_COLUMN_PUSHES),
		.format = read_optional_text(&reader, SEEN_COLUMN_FORMAT),
		.source = read_optional_text(&reader, SEEN_COLUMN_SOURCE),
		.gaps = read_optional_array(&reader, SEEN_COLUMN_GAPS),
		.learnt_interval = read_positive(&reader, SEEN_COLUMN_INTERVAL),
		.state = read_optional_text(&reader, SEEN_COLUMN_STATE),
		.rejected_at_ns = read_optional_time(&reader, SEEN_COLUMN_REJECTED_AT),
		.rejected_reason = read_optional_text(&reader, SEEN_COLUMN_REJECTED_REASON),
	};
	if (reader.why.ptr != NULL) {
		*reterr_why = reader.why;
		return false;
	}
	*ret_row = row;
	return true;
}

/* ---- Writing ---- */

static const struct slice null;

static struct slice write_text(struct slice text)
{
	return text.ptr == NULL ? SLICE("") : text;
}

static struct slice write_optional_text(struct slice text)
{
	return text.len == 0 ? null : text;
}

static struct slice write_bool(bool is_true)
{
	return is_true ? SLICE("1") : SLICE("0");
}

static struct slice write_count(int64_t count, struct arena *arena)
{
	return arena_printf(arena, "%lld", (long long)count);
}

static struct slice write_positive(double number, struct arena *arena)
{
	return number > 0 ? arena_printf(arena, "%.17g", number) : null;
}

static struct slice write_time(int64_t ns, struct arena *arena)
{
	char text[STORAGE_TIME_BYTES];
	return ns == 0 ? null : arena_copy(arena, storage_time_write(ns, text));
}

void storage_target_write(const struct storage_target *row,
		struct slice columns[static TARGET_COLUMNS], struct arena *arena)
{
	columns[TARGET_COLUMN_ID] = write_text(row->id);
	columns[TARGET_COLUMN_JOB] = write_text(row->job);
	columns[TARGET_COLUMN_INSTANCE] = write_text(row->instance);
	columns[TARGET_COLUMN_LABELS] = write_text(row->labels);
	columns[TARGET_COLUMN_MODE] = write_text(row->mode);
	columns[TARGET_COLUMN_ADDRESS] = write_optional_text(row->address);
	columns[TARGET_COLUMN_SCHEME] = write_optional_text(row->scheme);
	columns[TARGET_COLUMN_PATH] = write_optional_text(row->path);
	columns[TARGET_COLUMN_SCRAPE_INTERVAL] = write_positive(row->scrape_interval_seconds, arena);
	columns[TARGET_COLUMN_SCRAPE_TIMEOUT] = write_positive(row->scrape_timeout_seconds, arena);
	columns[TARGET_COLUMN_ENABLED] = write_bool(row->is_enabled);
	columns[TARGET_COLUMN_CONFIGURED] = write_bool(row->is_configured);
	columns[TARGET_COLUMN_ATTRIBUTES] = write_text(row->attributes);
	columns[TARGET_COLUMN_INTERVAL] = write_positive(row->interval_seconds, arena);
	columns[TARGET_COLUMN_SILENT_AFTER] = write_positive(row->silent_after, arena);
	columns[TARGET_COLUMN_THRESHOLDS] = write_text(row->thresholds);
	columns[TARGET_COLUMN_CREATED] = write_time(row->created_ns, arena);
	columns[TARGET_COLUMN_CHANGED] = null;
	columns[TARGET_COLUMN_VERSION] = write_count(row->version, arena);
}

void storage_seen_write(const struct storage_seen *row, struct slice columns[static SEEN_COLUMNS],
		struct arena *arena)
{
	columns[SEEN_COLUMN_TARGET] = write_text(row->target_id);
	columns[SEEN_COLUMN_REPLICA] = write_text(row->replica);
	columns[SEEN_COLUMN_FIRST] = write_time(row->first_seen_ns, arena);
	columns[SEEN_COLUMN_LAST] = write_time(row->last_seen_ns, arena);
	columns[SEEN_COLUMN_LAST_PUSH] = write_time(row->last_push_ns, arena);
	columns[SEEN_COLUMN_PUSHES] = write_count(row->pushes, arena);
	columns[SEEN_COLUMN_FORMAT] = write_optional_text(row->format);
	columns[SEEN_COLUMN_SOURCE] = write_optional_text(row->source);
	columns[SEEN_COLUMN_GAPS] = write_optional_text(row->gaps);
	columns[SEEN_COLUMN_INTERVAL] = write_positive(row->learnt_interval, arena);
	columns[SEEN_COLUMN_STATE] = write_optional_text(row->state);
	columns[SEEN_COLUMN_REJECTED_AT] = write_time(row->rejected_at_ns, arena);
	columns[SEEN_COLUMN_REJECTED_REASON] = write_optional_text(row->rejected_reason);
}

/* ---- Copies ---- */

struct storage_target storage_target_copy(const struct storage_target *row, struct arena *arena)
{
	struct storage_target copy = *row;
	copy.id = arena_copy(arena, row->id);
	copy.job = arena_copy(arena, row->job);
	copy.instance = arena_copy(arena, row->instance);
	copy.labels = arena_copy(arena, row->labels);
	copy.mode = arena_copy(arena, row->mode);
	copy.address = arena_copy(arena, row->address);
	copy.scheme = arena_copy(arena, row->scheme);
	copy.path = arena_copy(arena, row->path);
	copy.attributes = arena_copy(arena, row->attributes);
	copy.thresholds = arena_copy(arena, row->thresholds);
	return copy;
}

struct storage_seen storage_seen_copy(const struct storage_seen *row, struct arena *arena)
{
	struct storage_seen copy = *row;
	copy.target_id = arena_copy(arena, row->target_id);
	copy.replica = arena_copy(arena, row->replica);
	copy.format = arena_copy(arena, row->format);
	copy.source = arena_copy(arena, row->source);
	copy.gaps = arena_copy(arena, row->gaps);
	copy.state = arena_copy(arena, row->state);
	copy.rejected_reason = arena_copy(arena, row->rejected_reason);
	return copy;
}
