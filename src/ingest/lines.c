#include "ingest/lines.h"

#include "base/hash.h"
#include "format/text_parser.h"
#include "model/series.h"

const char *const ingest_reason_names[INGEST_REASON_COUNT] = {
	[INGEST_SYNTAX] = "syntax",
	[INGEST_NAME] = "name",
	[INGEST_LABEL] = "label",
	[INGEST_DUPLICATE] = "duplicate",
	[INGEST_VALUE] = "value",
	[INGEST_TIMESTAMP] = "timestamp",
	[INGEST_TYPE] = "type",
	[INGEST_INCONSISTENT] = "inconsistent",
	[INGEST_LIMIT] = "limit",
};

struct ingest_family {
	struct batch_family batch; /* without samples, until they are collected */
	struct map_node node;
	struct ingest_family *next;
	struct ingest_series *first;
	struct ingest_series **last;
};

struct ingest_series {
	struct map_node node;
	struct ingest_series *next;
	struct ingest_family *family;
	struct sample sample;
	bool has_timestamp;
	int64_t timestamp;
};

void ingest_lines_init(struct ingest_lines *lines, const struct format_options *options,
		const struct labels *key, struct arena *arena)
{
	*lines = (struct ingest_lines){ .options = options, .key = key, .arena = arena };
	lines->last = &lines->first;
	arena_init(&lines->fault_arena);
	map_init(&lines->families);
	map_init(&lines->series);
}

void ingest_lines_finish(struct ingest_lines *lines)
{
	map_finish(&lines->families);
	map_finish(&lines->series);
	arena_finish(&lines->fault_arena);
}

void ingest_lines_know(struct ingest_lines *lines, struct slice name, enum metric_type type)
{
	struct ingest_family *family = arena_zalloc(lines->arena, 1, sizeof(*family));
	family->batch.name = name;
	family->batch.type = type;
	family->next = lines->known;
	lines->known = family;
}

/* ---- What is wrong ---- */

static enum ingest_reason reason_of(const struct text_parser *p)
{
	if (p->in.result == FORMAT_E_LIMIT) {
		return INGEST_LIMIT;
	}
	switch (p->part) {
	case TEXT_PART_LINE:
		return INGEST_SYNTAX;
	case TEXT_PART_NAME:
		return INGEST_NAME;
	case TEXT_PART_LABELS:
		return INGEST_LABEL;
	case TEXT_PART_SORTED_LABELS:
		return INGEST_DUPLICATE;
	case TEXT_PART_VALUE:
		return INGEST_VALUE;
	case TEXT_PART_TIMESTAMP:
		return INGEST_TIMESTAMP;
	}
	return INGEST_SYNTAX;
}

static void reject(struct ingest_lines *lines, const struct text_parser *p,
		enum ingest_reason reason, struct slice what)
{
	enum { SHOWN_BYTES = 200 };
	lines->counts.rejected[reason]++;
	if (lines->fault.ptr == NULL) {
		struct slice line = slice_between(p->in.line_start, p->in.eol);
		lines->fault = ARENA_JOIN(lines->arena, what.len > 0 ? what : SLICE("over a limit"),
				SLICE(": "), slice_first(line, SHOWN_BYTES));
	}
}

/* ---- Labels ---- */

/* The first name that no other label has: exported_instance, exported_exported_instance ... */
static struct slice exported_name(
		struct ingest_lines *lines, const struct labels *labels, struct slice name)
{
	do {
		name = ARENA_JOIN(lines->arena, SLICE("exported_"), name);
	} while (labels_find(labels, name).ptr != NULL || labels_find(lines->key, name).ptr != NULL);
	return name;
}

static void take_out_key(struct ingest_lines *lines, struct labels *labels)
{
	bool has_changed = false;
	size_t kept = 0;
	for (size_t i = 0; i < labels->count; i++) {
		struct label label = labels->pairs[i];
		struct slice value = labels_find(lines->key, label.name);
		bool is_said =
				value.ptr != NULL && (label.value.len == 0 || slice_equal(label.value, value));
		if (value.ptr != NULL && !is_said) {
			label.name = exported_name(lines, labels, label.name);
			has_changed = true;
		}
		labels->pairs[i] = label;
		if (!is_said) {
			labels->pairs[kept++] = label;
		}
	}
	labels->count = kept;
	if (has_changed) {
		labels_sort(labels);
	}
}

/* ---- Families ---- */

static struct ingest_family *find_family(const struct ingest_lines *lines, struct slice name)
{
	uint64_t hash = hash64(name);
	struct map_node *node = map_first(&lines->families, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct ingest_family *family = MAP_ENTRY(node, struct ingest_family, node);
		if (slice_equal(family->batch.name, name)) {
			return family;
		}
	}
	return NULL;
}

static struct ingest_family *add_family(
		struct ingest_lines *lines, const struct batch_family *found)
{
	struct ingest_family *family = arena_zalloc(lines->arena, 1, sizeof(*family));
	family->batch.name = found->name;
	family->batch.type = found->type;
	family->last = &family->first;
	map_insert(&lines->families, &family->node, hash64(found->name));
	*lines->last = family;
	lines->last = &family->next;
	return family;
}

/* The one that a text calls so; NULL: it is of another type, or such a line is not of its type. */
static struct ingest_family *enter_family(
		struct ingest_lines *lines, const struct batch_family *found, enum sample_role role)
{
	struct ingest_family *family = lines->current;
	if (family == NULL || !slice_equal(family->batch.name, found->name)) {
		family = find_family(lines, found->name);
	}
	if (family == NULL) {
		family = add_family(lines, found);
	}
	lines->current = family;
	struct batch_family *batch = &family->batch;
	bool has_bounds = metric_type_has_bounds(batch->type) || metric_type_has_bounds(found->type);
	if (has_bounds && (batch->type != found->type || role == SAMPLE_PLAIN)) {
		return NULL;
	}
	batch->type = found->type == METRIC_UNTYPED ? batch->type : found->type;
	return family;
}

/* ---- Series ---- */

static struct ingest_series *find_series(const struct ingest_lines *lines,
		const struct ingest_family *family, const struct sample *sample, uint64_t hash)
{
	struct map_node *node = map_first(&lines->series, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct ingest_series *series = MAP_ENTRY(node, struct ingest_series, node);
		if (series->family == family && series_equal(&series->sample, sample)) {
			return series;
		}
	}
	return NULL;
}

static struct ingest_series *add_series(struct ingest_lines *lines, struct ingest_family *family,
		const struct sample *sample, uint64_t hash)
{
	struct ingest_series *series = arena_zalloc(lines->arena, 1, sizeof(*series));
	series->family = family;
	series->sample = *sample;
	map_insert(&lines->series, &series->node, hash);
	*family->last = series;
	family->last = &series->next;
	family->batch.sample_count++;
	lines->sample_count++;
	return series;
}

/* Where only one of the two says when it is from, the later line counts. */
static bool is_newer(const struct ingest_series *series, const struct text_parser *p)
{
	if (series->has_timestamp != p->has_timestamp) {
		return true;
	}
	return !p->has_timestamp || p->timestamp >= series->timestamp;
}

static void take_sample(
		struct ingest_lines *lines, const struct text_parser *p, struct sample *sample)
{
	take_out_key(lines, &sample->labels);
	struct ingest_family *family = enter_family(lines, &p->family->batch, sample->role);
	if (family == NULL) {
		reject(lines, p, INGEST_TYPE, SLICE("its family is of another type in the same list"));
		return;
	}
	uint64_t hash = series_hash(family->batch.name, sample);
	struct ingest_series *series = find_series(lines, family, sample, hash);
	if (series == NULL && lines->sample_count == lines->options->samples) {
		reject(lines, p, INGEST_LIMIT, SLICE("too many series (--limit.series-per-group)"));
		return;
	}
	lines->counts.superseded += series != NULL;
	if (series == NULL) {
		series = add_series(lines, family, sample, hash);
	} else if (!is_newer(series, p)) {
		return;
	}
	series->sample.value = sample->value;
	series->has_timestamp = p->has_timestamp;
	series->timestamp = p->timestamp;
}

/* ---- Lines ---- */

/* The parser only reads the line: what it brings is taken from it at once. */
static bool take_out(struct text_parser *p, struct sample *ret_sample)
{
	if (p->batch->sample_count == 0) {
		return false;
	}
	struct batch_family *family = &p->family->batch;
	*ret_sample = family->samples[--family->sample_count];
	p->batch->sample_count = 0;
	return true;
}

static void read_line(struct ingest_lines *lines, struct text_parser *p)
{
	struct sample sample;
	const char *feed = memchr(p->in.at, '\n', (size_t)(p->in.end - p->in.at));
	p->in.line++;
	p->in.line_start = p->in.at;
	p->in.eol = feed > p->in.at && feed[-1] == '\r' ? feed - 1 : feed;
	bool is_good = text_read_line_within(p);
	bool has_sample = take_out(p, &sample);
	lines->counts.lines += has_sample || !is_good;
	if (!is_good) {
		reject(lines, p, reason_of(p), p->in.error->what);
		p->in.result = FORMAT_OK;
		arena_reset(&lines->fault_arena);
	} else if (has_sample) {
		lines->counts.timestamps += p->has_timestamp;
		take_sample(lines, p, &sample);
	}
	p->in.at = feed + 1;
}

/* The text ends with a line feed. */
static void read_whole_lines(struct ingest_lines *lines, struct text_parser *p, struct slice text)
{
	p->in.at = text.ptr;
	p->in.end = text.ptr + text.len;
	while (p->in.at < p->in.end) {
		read_line(lines, p);
	}
}

/* HELP may stand behind the samples. */
static void take_help(struct ingest_lines *lines, const struct text_parser *p)
{
	for (const struct text_family *found = p->families.first; found != NULL; found = found->next) {
		struct ingest_family *family =
				found->batch.help.ptr == NULL ? NULL : find_family(lines, found->batch.name);
		if (family != NULL) {
			family->batch.help = found->batch.help;
		}
	}
}

static void settle_known(struct ingest_lines *lines, struct text_parser *p)
{
	for (const struct ingest_family *known = lines->known; known != NULL; known = known->next) {
		enum sample_role role;
		text_families_enter(&p->families, known->batch.name, &role)->batch.type = known->batch.type;
	}
}

void ingest_lines_read(struct ingest_lines *lines, struct slice text)
{
	struct batch batch = { 0 };
	struct format_error error;
	struct text_parser p = {
		.in = {
			.arena = lines->arena,
			.fault_arena = &lines->fault_arena,
			.result = FORMAT_OK,
			.error = &error,
		},
		.options = lines->options,
		.batch = &batch,
	};
	size_t whole = text.len;
	while (whole > 0 && text.ptr[whole - 1] != '\n') {
		whole--;
	}
	text_families_init(&p.families, lines->arena);
	settle_known(lines, &p);
	read_whole_lines(lines, &p, slice_first(text, whole));
	if (whole < text.len) {
		struct slice rest = slice_skip(text, whole);
		read_whole_lines(lines, &p, ARENA_JOIN(lines->arena, rest, SLICE("\n")));
	}
	take_help(lines, &p);
	text_families_finish(&p.families);
}

/* ---- What came of it ---- */

static void collect_family(struct ingest_lines *lines, struct ingest_family *family)
{
	struct batch_family *batch = &family->batch;
	size_t count = 0;
	batch->samples = arena_alloc(lines->arena, (batch->sample_count + 1) * sizeof(struct sample));
	batch->sample_capacity = batch->sample_count + 1;
	for (const struct ingest_series *series = family->first; series != NULL;
			series = series->next) {
		batch->samples[count++] = series->sample;
	}
}

void ingest_lines_collect(struct ingest_lines *lines, struct batch *ret_batch)
{
	struct batch_family **link = &ret_batch->families;
	*ret_batch = (struct batch){ 0 };
	for (struct ingest_family *family = lines->first; family != NULL; family = family->next) {
		if (family->batch.sample_count == 0) {
			continue;
		}
		collect_family(lines, family);
		*link = &family->batch;
		link = &family->batch.next;
		ret_batch->family_count++;
		ret_batch->sample_count += family->batch.sample_count;
	}
	*link = NULL;
}
