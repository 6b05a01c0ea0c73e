#include <stdlib.h>

#include "api/merge_state.h"
#include "base/hash.h"
#include "format/complete.h"
#include "model/series.h"
#include "store/read.h"

enum { RENDERED_FACTOR = 4 }; /* of the largest body: the largest delivery with its labels */

/* ---- Reading ---- */

void merge_know_group(struct merge *merge)
{
	const struct group *group = store_find_group(merge->merges->api->store, &merge->key);
	for (uint32_t i = 0; group != NULL && i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		const struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
		if (metric_type_has_bounds((enum metric_type)block->type)) {
			struct batch_family *known = arena_zalloc(&merge->arena, 1, sizeof(*known));
			known->name = arena_copy(&merge->arena, member->family->name);
			known->type = (enum metric_type)block->type;
			known->next = merge->known;
			merge->known = known;
		}
	}
}

void merge_read(struct merge *merge)
{
	const struct merge_delivery *delivery = merge->delivery;
	const struct job_rule *rule = merge->terms.rule;
	struct ingest_lines lines;
	ingest_lines_init(&lines, &merge->terms.format, &merge->key.labels, &merge->arena);
	for (const struct batch_family *f = merge->known; f != NULL; f = f->next) {
		ingest_lines_know(&lines, f->name, f->type);
	}
	for (size_t i = 0; i < delivery->text_count; i++) {
		ingest_lines_read(&lines, delivery->texts[i]);
	}
	ingest_lines_collect(&lines, &merge->brought);
	merge->counts = lines.counts;
	merge->fault = lines.fault;
	ingest_lines_finish(&lines);
	merge->is_relabelled =
			rule == NULL || relabel_apply(&rule->relabel, &merge->brought, &merge->arena);
}

/* ---- The series of a family ---- */

struct line {
	struct map_node node;
	struct sample *sample;
};

struct merging {
	struct merge *merge;
	struct merge_family *family;
	struct map by_series; // line::node
};

static struct line *find_line(
		const struct merging *merging, const struct sample *sample, uint64_t hash)
{
	struct map_node *node = map_first(&merging->by_series, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct line *line = MAP_ENTRY(node, struct line, node);
		if (series_equal(line->sample, sample)) {
			return line;
		}
	}
	return NULL;
}

static void take_out_key(const struct merge *merge, struct labels *labels)
{
	size_t kept = 0;
	for (size_t i = 0; i < labels->count; i++) {
		if (labels_find(&merge->key.labels, labels->pairs[i].name).ptr == NULL) {
			labels->pairs[kept++] = labels->pairs[i];
		}
	}
	labels->count = kept;
}

/* When it was delivered or pushed last. */
static uint64_t last_seen_ns(const struct merging *merging, uint64_t hash)
{
	const struct merge *merge = merging->merge;
	const struct merge_family *family = merging->family;
	uint64_t seen_ns = merged_seen_ns(merge->merged, hash);
	if (family->is_own && seen_ns != 0) {
		return seen_ns;
	}
	/* Before the monotonic clock's zero, too: that is older than any other. */
	int64_t age_ns = merge->now_wall_ns - family->pushed_ns;
	uint64_t pushed_ns = age_ns <= 0           ? merge->now_ns
			: (uint64_t)age_ns < merge->now_ns ? merge->now_ns - (uint64_t)age_ns
											   : 1;
	return pushed_ns > seen_ns ? pushed_ns : seen_ns;
}

static void note_series(struct merge *merge, uint64_t hash, uint64_t seen_ns)
{
	merge->series[merge->series_count++] = (struct merge_series){ hash, seen_ns };
}

/* A look: it stays, or is too old. */
static bool is_over(struct merging *merging, uint64_t hash)
{
	struct merge *merge = merging->merge;
	uint64_t seen_ns = last_seen_ns(merging, hash);
	if (merge->now_ns - seen_ns >= (uint64_t)merge->merges->ttl_ns) {
		return true;
	}
	note_series(merge, hash, seen_ns);
	return false;
}

/* A line of the store; buckets that the sender left out are made anew. */
static void keep_line(struct merging *merging, const struct sample *stored)
{
	struct merge *merge = merging->merge;
	struct merge_family *family = merging->family;
	struct sample sample = *stored;
	if (sample.extra != NULL && sample.extra->is_added) {
		return;
	}
	take_out_key(merge, &sample.labels);
	uint64_t hash = series_hash(family->name, &sample);
	if (family->brought == NULL && is_over(merging, hash)) {
		family->has_changed = true;
		return;
	}
	*batch_family_add(&family->result, &merge->attempt) = sample;
}

static void read_stored(struct merging *merging)
{
	struct merge_family *family = merging->family;
	struct block_reader reader;
	const struct sample *samples;
	size_t count;
	block_reader_init(&reader, family->block, family->name);
	while (block_reader_next(&reader, &merging->merge->attempt, &samples, &count)) {
		for (size_t i = 0; i < count; i++) {
			keep_line(merging, &samples[i]);
		}
	}
}

static void index_line(struct merging *merging, struct sample *sample, uint64_t hash)
{
	struct line *line = arena_zalloc(&merging->merge->attempt, 1, sizeof(*line));
	line->sample = sample;
	map_insert(&merging->by_series, &line->node, hash);
}

/* With room for all that is brought, so that none of them moves. */
static void index_lines(struct merging *merging)
{
	struct merge_family *family = merging->family;
	struct batch_family *result = &family->result;
	size_t most = result->sample_count + family->brought->sample_count;
	struct sample *samples = arena_alloc(&merging->merge->attempt, most * sizeof(*samples));
	for (size_t i = 0; i < result->sample_count; i++) {
		samples[i] = result->samples[i];
		index_line(merging, &samples[i], series_hash(family->name, &samples[i]));
	}
	result->samples = samples;
	result->sample_capacity = most;
}

static bool put_over_old(struct merging *merging, const struct sample *sample, uint64_t hash)
{
	struct line *line = find_line(merging, sample, hash);
	if (line == NULL) {
		return false;
	}
	if (!slice_equal(line->sample->value, sample->value)) {
		line->sample->value = sample->value;
		line->sample->extra = NULL;
		merging->family->has_changed = true;
	}
	return true;
}

static bool put_new(struct merging *merging, const struct sample *sample, uint64_t hash)
{
	struct merge *merge = merging->merge;
	if (merge->room == 0) {
		merge->over++;
		return false;
	}
	struct sample *added = batch_family_add(&merging->family->result, &merge->attempt);
	*added = *sample;
	index_line(merging, added, hash);
	merging->family->has_changed = true;
	merge->room--;
	return true;
}

static void put_brought(struct merging *merging)
{
	const struct batch_family *brought = merging->family->brought;
	for (size_t i = 0; i < brought->sample_count; i++) {
		const struct sample *sample = &brought->samples[i];
		uint64_t hash = series_hash(brought->name, sample);
		if (put_over_old(merging, sample, hash) || put_new(merging, sample, hash)) {
			note_series(merging->merge, hash, merging->merge->now_ns);
		}
	}
}

/* ---- The family as a whole ---- */

static bool differ(struct slice a, struct slice b)
{
	return (a.ptr == NULL) != (b.ptr == NULL) || !slice_equal(a, b);
}

/* What lines of the one type are, they are in the other. */
static bool has_same_lines(enum metric_type a, enum metric_type b)
{
	return a == b || (!metric_type_has_bounds(a) && !metric_type_has_bounds(b));
}

/* A TYPE or HELP that was brought is newer than what is stored. */
static void set_head(struct merge_family *family)
{
	const struct batch_family *brought = family->brought;
	struct batch_family *result = &family->result;
	enum metric_type stored =
			family->block == NULL ? METRIC_UNTYPED : (enum metric_type)family->block->type;
	bool is_typed = brought != NULL && (brought->type != METRIC_UNTYPED || family->block == NULL);
	bool has_help = brought != NULL && brought->help.ptr != NULL;
	*result = (struct batch_family){
		.name = family->name,
		.help = has_help ? brought->help : family->help,
		.unit = family->unit,
		.type = is_typed ? brought->type : stored,
	};
	family->has_changed =
			family->block == NULL || result->type != stored || differ(result->help, family->help);
}

static bool complete(struct merge *merge, struct merge_family *family)
{
	size_t most = merge->delivery == NULL ? SIZE_MAX : merge->terms.format.samples;
	return !metric_type_has_bounds(family->result.type)
			|| complete_family(&merge->batch, &family->result, most, &merge->attempt);
}

static void merge_family(struct merge *merge, struct merge_family *family)
{
	struct merging merging = { .merge = merge, .family = family };
	set_head(family);
	if (family->block != NULL
			&& has_same_lines((enum metric_type)family->block->type, family->result.type)) {
		read_stored(&merging);
	}
	if (family->brought != NULL) {
		map_init(&merging.by_series);
		index_lines(&merging);
		put_brought(&merging);
		map_finish(&merging.by_series);
	}
	if (!complete(merge, family)) {
		merge->culprit = family->name;
	}
}

/* ---- The whole ---- */

static size_t count_series(const struct merge *merge)
{
	size_t count = merge->brought.sample_count;
	for (size_t i = 0; i < merge->family_count && merge->delivery == NULL; i++) {
		count += merge->families[i].block->line_count;
	}
	return count;
}

static int compare_age(const void *a, const void *b)
{
	const struct merge_series *left = a;
	const struct merge_series *right = b;
	return left->seen_ns == right->seen_ns ? 0 : left->seen_ns < right->seen_ns ? -1 : 1;
}

/* Where a family has gone, only a put of the others can say so. */
static void make_batch(struct merge *merge)
{
	struct batch_family **link = &merge->batch.families;
	for (size_t i = 0; i < merge->family_count; i++) {
		merge->is_put |= merge->families[i].result.sample_count == 0
				&& merge->families[i].has_changed && merge->delivery == NULL;
	}
	for (size_t i = 0; i < merge->family_count; i++) {
		struct merge_family *family = &merge->families[i];
		bool is_posted = merge->is_put || family->has_changed;
		if (is_posted && family->result.sample_count > 0) {
			*link = &family->result;
			link = &family->result.next;
			merge->batch.family_count++;
			merge->batch.sample_count += family->result.sample_count;
		}
	}
	*link = NULL;
}

/* A family that cannot be exposed whatever else there is. */
static void find_culprit(struct merge *merge, struct prepare_options options)
{
	struct batch_fault ignored;
	options.is_checked = false;
	merge->batch.fault = (struct batch_fault){ 0 };
	merge->prepare = prepare_push(
			&merge->batch, &merge->key, &options, &merge->attempt, &merge->prepared, &ignored);
	for (size_t i = 0; i < merge->prepared.family_count; i++) {
		if (merge->prepared.families[i].block->is_invalid) {
			merge->culprit = merge->prepared.families[i].name;
		}
	}
}

void merge_work(struct merge *merge)
{
	const struct api_options *api = &merge->merges->api->options;
	struct prepare_options options = {
		.is_checked = api->is_checked && merge->delivery != NULL,
		.max_bytes = merge->delivery == NULL ? SIZE_MAX : RENDERED_FACTOR * api->body_bytes,
	};
	struct batch_fault fault;
	merge->batch = (struct batch){ 0 };
	merge->is_put = false;
	merge->culprit = slice_make(NULL, 0);
	merge->over = 0;
	merge->series_count = 0;
	merge->series =
			arena_alloc(&merge->attempt, (count_series(merge) + 1) * sizeof(*merge->series));
	for (size_t i = 0; i < merge->family_count; i++) {
		merge_family(merge, &merge->families[i]);
	}
	if (merge->delivery == NULL) {
		qsort(merge->series, merge->series_count, sizeof(*merge->series), compare_age);
	}
	make_batch(merge);
	merge->prepare = prepare_push(
			&merge->batch, &merge->key, &options, &merge->attempt, &merge->prepared, &fault);
	if (merge->prepare == PREPARE_E_FAULT) {
		find_culprit(merge, options);
	}
}
