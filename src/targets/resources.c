#include "targets/resources.h"

#include <math.h>

#include "base/hash.h"
#include "base/number.h"
#include "format/json.h"
#include "store/line.h"

/* Where resources are read from. */
struct source {
	const struct registry *registry;
	const struct group *group; /* NULL: there is nothing to be read */
};

/* ---- Lines ---- */

/* NULL: the group has none of that family on the page, or too many lines. */
static const struct block *find_block_of(const struct source *source, struct slice family_name)
{
	const struct families *families = &source->registry->store->contents->families;
	struct family *family = families_find(families, family_name, hash64(family_name));
	const struct member *member = family == NULL ? NULL : group_find_member(source->group, family);
	if (member == NULL) {
		return NULL;
	}
	struct slot slot = *slots_at(&family->slots, member->slot);
	const struct block *block = slot_is_exposed(slot) ? slot_content(slot) : NULL;
	return block != NULL && block->line_count <= RESOURCES_LINES_MAX ? block : NULL;
}

/* By the name of its lines: OpenMetrics calls a family by what is in front of such an end. */
static const struct block *find_block(const struct source *source, struct slice name)
{
	static const struct slice ends[] = { SLICE_INIT("_total"), SLICE_INIT("_info") };
	const struct block *block = find_block_of(source, name);
	for (size_t i = 0; block == NULL && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (slice_ends_with(name, ends[i])) {
			block = find_block_of(source, slice_first(name, name.len - ends[i].len));
		}
	}
	return block;
}

static struct slice label_of(struct slice line, struct slice name)
{
	struct line_labels labels = line_labels_of(line_series(line));
	struct label label;
	while (line_labels_next(&labels, &label)) {
		if (slice_equal(label.name, name)) {
			return label.value;
		}
	}
	return slice_make(NULL, 0);
}

/* What is sought: lines of that name with that label; an empty label is every line's. */
struct sought {
	struct slice name;
	struct label label;
};

static bool fits(struct slice line, const struct sought *sought)
{
	return slice_equal(line_name(line_series(line)), sought->name)
			&& (sought->label.name.len == 0
					|| slice_equal(label_of(line, sought->label.name), sought->label.value));
}

/* How many lines are like that, up to so many; the first of them. */
static uint32_t count_lines(const struct block *block, const struct sought *sought, uint32_t max,
		struct slice *ret_first)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < block->chunk_count; i++) {
		struct slice rest = chunk_text(block->chunks[i]);
		while (rest.len > 0 && count < max) {
			struct slice line = slice_take_line(&rest);
			if (fits(line, sought) && count++ == 0) {
				*ret_first = line;
			}
		}
	}
	return count;
}

/* ptr NULL: there is none. */
static struct slice find_line(const struct source *source, const struct sought *sought)
{
	const struct block *block = find_block(source, sought->name);
	struct slice line = slice_make(NULL, 0);
	if (block != NULL) {
		count_lines(block, sought, 1, &line);
	}
	return line;
}

/* NaN: there is none. */
static double find_value(const struct source *source, const struct sought *sought)
{
	struct slice line = find_line(source, sought);
	if (line.ptr == NULL) {
		return NAN;
	}
	struct slice value = slice_skip(line, line_series(line).len + 1);
	return number_is_float(value) ? number_value(value) : NAN;
}

/* ---- Members ---- */

static void append_number(struct buf *out, const char *name, double number)
{
	if (isfinite(number)) {
		char text[NUMBER_TEXT_MAX];
		buf_printf(out, ",\"%s\":", name);
		buf_append(out, slice_make(text, number_format_plain(number, text)));
	}
}

static void append_cpus(struct buf *out, const struct source *source)
{
	static const struct sought idle = {
		SLICE_INIT("node_cpu_seconds_total"),
		{ SLICE_INIT("mode"), SLICE_INIT("idle") },
	};
	const struct block *block = find_block(source, idle.name);
	struct slice first;
	uint32_t count = block == NULL ? 0 : count_lines(block, &idle, UINT32_MAX, &first);
	if (count > 0) {
		buf_printf(out, ",\"cpus\":%u", count);
	}
}

#define ROOT                                                                                       \
	{                                                                                              \
		SLICE_INIT("mountpoint"), SLICE_INIT("/")                                                  \
	}

static void append_gauges(struct buf *out, const struct source *source)
{
	static const struct {
		const char *name;
		struct sought sought;
	} gauges[] = {
		{ "load1", { .name = SLICE_INIT("node_load1") } },
		{ "memory_bytes", { .name = SLICE_INIT("node_memory_MemTotal_bytes") } },
		{ "memory_available_bytes", { .name = SLICE_INIT("node_memory_MemAvailable_bytes") } },
		{ "filesystem_bytes", { SLICE_INIT("node_filesystem_size_bytes"), ROOT } },
		{ "filesystem_available_bytes", { SLICE_INIT("node_filesystem_avail_bytes"), ROOT } },
	};
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		append_number(out, gauges[i].name, find_value(source, &gauges[i].sought));
	}
}

static void append_boot_time(struct buf *out, const struct source *source)
{
	static const double latest = 9e9; /* whose nanoseconds are still a number */
	static const struct sought boot_time = { .name = SLICE_INIT("node_boot_time_seconds") };
	double seconds = find_value(source, &boot_time);
	if (seconds > 0 && seconds < latest) {
		buf_append(out, SLICE(",\"boot_time\":"));
		json_append_time(out, (int64_t)(seconds * 1e3) * 1000000);
	}
}

static void append_system(struct buf *out, const struct source *source)
{
	static const struct sought uname = { .name = SLICE_INIT("node_uname_info") };
	static const char *const names[] = { "nodename", "sysname", "release", "machine" };
	struct slice line = find_line(source, &uname);
	struct slice front = SLICE(",\"system\":{");
	size_t count = 0;
	for (size_t i = 0; line.ptr != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		struct slice value = label_of(line, slice_of_string(names[i]));
		if (value.len > 0) {
			buf_append(out, count++ == 0 ? front : SLICE(","));
			buf_printf(out, "\"%s\":", names[i]);
			json_append_escaped(out, value);
		}
	}
	buf_append(out, count > 0 ? SLICE("}") : SLICE(""));
}

void resources_append(struct buf *out, const struct registry *registry, const struct target *target)
{
	struct source source = { registry, registry_group(registry, target) };
	bool is_available = registry_state(registry, target) == TARGET_ACTIVE;
	buf_printf(out, "{\"available\":%s", is_available ? "true" : "false");
	if (source.group != NULL) {
		append_cpus(out, &source);
		append_gauges(out, &source);
		append_boot_time(out, &source);
		append_system(out, &source);
	}
	buf_append_byte(out, '}');
}
