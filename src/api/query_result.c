#include "api/query_result.h"

#include "api/query_series.h"
#include "base/hash.h"

enum {
	FAMILY_BYTES = 128,             /* what a family counts for beside its text */
	PATTERN_UNIT_BYTES = 32 * 1024, /* of text, for which a pattern takes no thread for long */
};

/* What a unit of work is about. */
struct result_unit {
	struct query_part *parts;
	size_t count;
	size_t capacity;
	struct query_series series;
	bool is_last;
};

/* ---- Families ---- */

/* Those that may have a series of that name; a suffix tells nothing of the type yet. */
static void list_names(struct query_result *result)
{
	struct slice name = result->query->name;
	if (name.len == 0) {
		return;
	}
	result->names[result->name_count++] = name;
	for (size_t i = 0; i < SAMPLE_SUFFIX_COUNT; i++) {
		struct slice suffix = sample_suffixes[i].text;
		if (name.len > suffix.len && slice_ends_with(name, suffix)) {
			result->names[result->name_count++] = slice_first(name, name.len - suffix.len);
		}
	}
}

static bool find_named(struct query_result *result, struct family_span *ret_span)
{
	struct families *families = &result->snapshot.contents->families;
	while (result->next_name < result->name_count) {
		struct slice name = result->names[result->next_name++];
		struct family *family = families_find(families, name, hash64(name));
		if (family != NULL) {
			*ret_span = family_span_of(family);
			if (family_lines_has_any(&result->lines, ret_span)) {
				return true;
			}
		}
	}
	return false;
}

/* What it rests on between two turns is on the page: other families may go. */
static bool find_in_order(struct query_result *result, struct family_span *ret_span)
{
	struct list *end = &result->snapshot.contents->families.in_order;
	struct family *last = result->span.family;
	for (struct list *link = last == NULL ? end->next : last->in_order.next; link != end;
			link = link->next) {
		*ret_span = family_span_of(LIST_ENTRY(link, struct family, in_order));
		if (family_lines_has_any(&result->lines, ret_span)) {
			return true;
		}
	}
	return false;
}

/* False at the end. */
static bool find_family(struct query_result *result)
{
	struct family_span span;
	if (result->is_in_family) {
		return true;
	}
	if (result->name_count > 0 ? !find_named(result, &span) : !find_in_order(result, &span)) {
		return false;
	}
	result->span = span;
	result->place = (struct family_place){ 0 };
	result->is_in_family = true;
	return true;
}

/* ---- Gathering ---- */

static struct query_part *add_part(struct worked_unit *unit)
{
	struct result_unit *data = unit->data;
	if (data->count == data->capacity) {
		size_t old_bytes = data->count * sizeof(*data->parts);
		data->capacity = data->capacity == 0 ? 16 : data->capacity * 2;
		data->parts = arena_grow(
				&unit->arena, data->parts, old_bytes, data->capacity * sizeof(*data->parts));
	}
	struct query_part *part = &data->parts[data->count++];
	*part = (struct query_part){ 0 };
	return part;
}

/* Of lines of weir's own: blocks know theirs. */
static enum metric_type own_type(const struct family *family)
{
	return family->declaration == NULL ? METRIC_UNTYPED : family->declaration->type;
}

static size_t unit_bytes(const struct query_result *result)
{
	return result->query->has_patterns ? PATTERN_UNIT_BYTES : WORKED_UNIT_BYTES;
}

static void gather_family(struct query_result *result, struct worked_unit *unit)
{
	const struct family *family = result->span.family;
	struct query_part *part = add_part(unit);
	part->family = family->name;
	part->own_type = own_type(family);
	unit->bytes += FAMILY_BYTES
			+ family_lines_gather(&result->lines, &result->span, &result->place, &part->lines,
					&unit->arena, unit_bytes(result));
	result->is_in_family = result->place.step != FAMILY_PLACE_END;
}

static bool open(struct query_result *result)
{
	struct api *api = result->api;
	if (!snapshot_open(&result->snapshot, api->store)) {
		return false;
	}
	const struct slice *names = result->name_count > 0 ? result->names : NULL;
	family_lines_init(&result->lines, &result->snapshot, api->store->declarations,
			api_own_lines_of(api, names, result->name_count, &result->arena), NULL);
	result->is_open = true;
	return true;
}

static void begin_unit(struct query_result *result, struct worked_unit *unit)
{
	const struct query *query = result->query;
	struct result_unit *data = arena_zalloc(&unit->arena, 1, sizeof(*data));
	unit->data = data;
	data->series.query = query;
	data->series.work_ns_left =
			query->work_ns_limit > result->work_ns ? query->work_ns_limit - result->work_ns : 0;
	data->series.left = query->limit == 0 ? UINT64_MAX : query->limit - result->shown;
}

/* With a limit one unit has to know how many series the others have. */
static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct query_result *result = LIST_ENTRY(source, struct query_result, source);
	if (!result->is_open && !open(result)) {
		return WORKED_NOT_NOW;
	}
	if (result->query->limit > 0 && result->working > 0) {
		return WORKED_AWAITS;
	}
	if (result->is_cut) {
		return WORKED_ENDED;
	}
	begin_unit(result, unit);
	struct result_unit *data = unit->data;
	while (unit->bytes < unit_bytes(result) && !data->is_last) {
		if (find_family(result)) {
			gather_family(result, unit);
		} else {
			data->is_last = true;
		}
	}
	/* A regular expression may take long on little text: that is no work for the loop. */
	if (result->query->has_patterns) {
		unit->bytes = WORKED_UNIT_BYTES;
	}
	result->working++;
	return data->is_last ? WORKED_LAST : WORKED_GATHERED;
}

/* ---- Work ---- */

static void append_warnings(struct buf *out, const struct result_unit *data)
{
	const char *comma = "";
	if (!data->series.query->is_far && !data->series.is_cut) {
		return;
	}
	buf_append(out, SLICE(",\"warnings\":["));
	if (data->series.query->is_far) {
		buf_append(out,
				SLICE("\"weir has the latest values only: these are of now, not of the time that "
					  "is "
					  "asked for\""));
		comma = ",";
	}
	if (data->series.is_cut) {
		buf_append_string(out, comma);
		buf_append(out, SLICE("\"results truncated due to limit\""));
	}
	buf_append_byte(out, ']');
}

static void work(struct worked_unit *unit)
{
	struct result_unit *data = unit->data;
	struct query_series *series = &data->series;
	query_series_init(series, &unit->out, &unit->arena);
	for (size_t i = 0; i < data->count && !query_series_is_over(series); i++) {
		query_series_write(series, &data->parts[i]);
	}
	if (data->is_last || series->is_cut) {
		buf_append(&unit->out, SLICE("]}"));
		append_warnings(&unit->out, data);
		buf_append_byte(&unit->out, '}');
	}
	query_series_finish(series);
	unit->has_failed = series->has_failed_pattern || series->is_late;
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct query_result *result = LIST_ENTRY(source, struct query_result, source);
	const struct query_series *series = &((struct result_unit *)unit->data)->series;
	result->working--;
	result->shown += series->written;
	result->work_ns += series->work_ns;
	result->is_cut = result->is_cut || series->is_cut;
	if (unit->has_failed && result->failure == QUERY_IS_GOOD) {
		result->failure = series->has_failed_pattern ? QUERY_E_PATTERN : QUERY_E_TIMEOUT;
	}
}

/* Series come behind a comma; the first one behind what all begins with. */
static size_t show(struct worked_source *source, struct worked_unit *unit, struct slice *ret_parts)
{
	struct query_result *result = LIST_ENTRY(source, struct query_result, source);
	struct slice text = buf_slice(&unit->out);
	size_t count = 0;
	if (!result->is_begun) {
		result->is_begun = true;
		ret_parts[count++] =
				SLICE("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
		text = slice_skip(text, text.ptr[0] == ',');
	}
	ret_parts[count++] = text;
	return count;
}

/* ---- Life ---- */

void query_result_init(struct query_result *result, struct api *api, const struct query *query)
{
	*result = (struct query_result){
		.source = { .gather = gather, .work = work, .worked = worked, .show = show },
		.api = api,
		.query = query,
	};
	arena_init(&result->arena);
	list_names(result);
}

void query_result_finish(struct query_result *result)
{
	if (result->is_open) {
		family_lines_finish(&result->lines);
		snapshot_close(&result->snapshot);
	}
	arena_finish(&result->arena);
}
