#include "api/merge.h"

#include <stdlib.h>

#include "api/away.h"
#include "api/limit_text.h"
#include "api/merge_state.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

enum {
	INLINE_BYTES = 32 * 1024, /* what is more is done on a worker thread */
	LARGE_AT_A_TIME = 2,      /* on threads, of which some are left to others */
};

static void gather(struct merge *merge);

/* ---- From step to step ---- */

static struct merge *merge_of(struct job *job)
{
	return LIST_ENTRY(job, struct merge, job);
}

static void on_work(struct job *job)
{
	merge_of(job)->work(merge_of(job));
}

static void on_turn(struct job *job)
{
	merge_of(job)->then(merge_of(job));
}

static void on_done(struct job *job)
{
	struct merges *merges = merge_of(job)->merges;
	struct list *next = list_first(&merges->waiting);
	if (next == NULL) {
		merges->running--;
	} else {
		list_remove(next);
		executor_submit(merges->api->executor, &LIST_ENTRY(next, struct merge, link)->job);
	}
	on_turn(job);
}

static void submit(struct merge *merge)
{
	struct merges *merges = merge->merges;
	if (merges->running == LARGE_AT_A_TIME) {
		list_append(&merges->waiting, &merge->link);
		return;
	}
	merges->running++;
	executor_submit(merges->api->executor, &merge->job);
}

/* Does the work, on the spot or on a thread, then goes on. */
static void run(struct merge *merge, size_t bytes, void (*work)(struct merge *merge),
		void (*then)(struct merge *merge))
{
	if (bytes <= INLINE_BYTES) {
		work(merge);
		then(merge);
		return;
	}
	merge->work = work;
	merge->then = then;
	merge->job = (struct job){ .work = on_work, .done = on_done };
	submit(merge);
}

static void defer(struct merge *merge, void (*then)(struct merge *merge))
{
	merge->then = then;
	merge->job = (struct job){ .done = on_turn };
	executor_defer(merge->merges->api->executor, &merge->job);
}

/* ---- The end ---- */

/* The store may have dropped them: then what they took is given back now. */
static void let_go_of_blocks(struct merge *merge)
{
	struct contents *contents = merge->merges->api->store->contents;
	size_t freed = 0;
	for (size_t i = 0; i < merge->family_count; i++) {
		if (merge->families[i].block != NULL) {
			freed += block_unref(merge->families[i].block);
		}
	}
	/* After a wipe the bytes were those of contents that are gone. */
	if (contents->id == merge->contents_id) {
		contents->bytes -= freed;
	}
}

static void let_go(struct merge *merge)
{
	let_go_of_blocks(merge);
	prepared_push_drop(&merge->prepared);
	merge->family_count = 0;
	merge->series_count = 0;
	merge->over = 0;
	merge->batch = (struct batch){ 0 };
	arena_reset(&merge->attempt);
}

/* Nothing of it is at work any more. */
static void leave(struct merge *merge)
{
	merge->merges->working--;
	merge->merges->looking -= merge->delivery == NULL;
	let_go(merge);
}

static void finish(struct merge *merge, enum merge_result result, struct slice why)
{
	struct merges *merges = merge->merges;
	struct merged *merged = merge->merged;
	struct merge_delivery *delivery = merge->delivery;
	merged->current = NULL;
	if (delivery != NULL) {
		delivery->counts = merge->counts;
		delivery->done(delivery, result, why);
	}
	if (merge->terms.rules != NULL) {
		push_terms_finish(&merge->terms);
	}
	arena_finish(&merge->attempt);
	arena_finish(&merge->arena);
	free(merge);
	merges_go_on(merges, merged);
}

static void end(struct merge *merge, enum merge_result result, struct slice why)
{
	leave(merge);
	finish(merge, result, why);
}

static void on_acknowledged(struct ack *ack, enum ack_result result)
{
	struct merge *merge = LIST_ENTRY(ack, struct merge, ack);
	if (result == ACK_DURABLE) {
		finish(merge, MERGE_STORED, merge->fault);
	} else {
		finish(merge, MERGE_LATER, SLICE("it could not be stored durably"));
	}
}

/* Nothing is left of a delivery: that is an end, too. */
static bool has_ended_empty(struct merge *merge)
{
	if (merge->delivery == NULL || merge->brought.sample_count > 0) {
		return false;
	}
	end(merge, MERGE_STORED, merge->fault);
	return true;
}

/* ---- What came of it ---- */

static void count_over(struct merge *merge)
{
	if (merge->over > 0) {
		merge->merges->api->store->counters.refused[STORE_LIMIT_SERIES_PER_GROUP]++;
		merge->counts.rejected[INGEST_LIMIT] += merge->over;
		merge->fault = merge->fault.ptr != NULL
				? merge->fault
				: SLICE("too many series (--limit.series-per-group, --limit.series)");
	}
}

static void finish_look(struct merge *merge)
{
	uint64_t ttl_ns = (uint64_t)merge->merges->ttl_ns;
	uint64_t until_ns = merge->now_ns > ttl_ns ? merge->now_ns - ttl_ns : 0;
	merge->merged->needs_look = false;
	merged_forget(merge->merged, until_ns, MERGE_SERIES_A_TURN);
	end(merge, MERGE_STORED, slice_make(NULL, 0));
}

/* All that goes in is in. */
static void finish_delivery(struct merge *merge)
{
	struct api *api = merge->merges->api;
	count_over(merge);
	if (merge->op.group == NULL) {
		end(merge, MERGE_STORED, merge->fault);
		return;
	}
	registry_note_push(api->targets, &merge->key, merge->merges->format, SLICE(""));
	leave(merge);
	ack_when_durable(api, &merge->ack, NULL, &merge->key, on_acknowledged);
}

/* When its series came, in slices if they are many. */
static void remember(struct merge *merge)
{
	size_t left = merge->series_count - merge->remembered;
	size_t count = left < MERGE_SERIES_A_TURN ? left : MERGE_SERIES_A_TURN;
	merged_see(merge->merged, merge->series + merge->remembered, count);
	merge->remembered += count;
	if (merge->remembered < merge->series_count) {
		defer(merge, remember);
	} else if (merge->delivery == NULL) {
		finish_look(merge);
	} else {
		finish_delivery(merge);
	}
}

static void on_applied(struct merge *merge)
{
	for (const struct batch_family *f = merge->batch.families; f != NULL; f = f->next) {
		merged_set_posted(merge->merged, hash64(f->name), merge->op.now_ns);
	}
	merge->remembered = 0;
	remember(merge);
}

/* ---- Applying ---- */

static int64_t least(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

static int64_t deadline_of(const struct merge *merge)
{
	int64_t deadline_ns;
	int64_t ttl_ns = least(merge->merges->ttl_ns, merge->terms.ttl.max_ns);
	bool is_never = __builtin_add_overflow((int64_t)clock_monotonic_ns(), ttl_ns, &deadline_ns);
	return is_never ? 0 : deadline_ns;
}

/* Nobody has changed in the meantime what the work went by. */
static bool is_still_so(const struct merge *merge)
{
	const struct group *group = store_find_group(merge->merges->api->store, &merge->key);
	bool is_look = merge->delivery == NULL;
	if (is_look && (group == NULL || group->member_count != merge->family_count)) {
		return false;
	}
	for (size_t i = 0; i < merge->family_count; i++) {
		if (merge_find_block(merge, merge->families[i].name) != merge->families[i].block) {
			return false;
		}
	}
	return true;
}

static void begin_op(struct merge *merge)
{
	const struct group *group = store_find_group(merge->merges->api->store, &merge->key);
	bool is_look = merge->delivery == NULL;
	push_init(&merge->op, merge->merges->api->store, merge->is_put ? STORE_PUT : STORE_POST,
			&merge->key, &merge->prepared, &merge->attempt);
	/* To take something out is no sign of life. */
	merge->op.now_ns = is_look ? group->times.pushed_ns : clock_wall_ns();
	merge->op.deadline_ns = is_look ? group->deadline_ns : deadline_of(merge);
	merge->op.job_limits = merge->terms.store;
	merge->op.is_given = is_look;
}

/* The family that the store refuses; ptr NULL: it is the group. */
static struct slice refused_family(const struct merge *merge)
{
	for (size_t i = 0; i < merge->prepared.family_count; i++) {
		if (merge->prepared.families[i].is_shadowed) {
			return merge->prepared.families[i].name;
		}
	}
	return slice_make(NULL, 0);
}

static void try_without(struct merge *merge, struct slice name, struct slice why)
{
	if (name.ptr == NULL) {
		merge_reject_all(merge, INGEST_INCONSISTENT, why);
	} else {
		merge_reject_named(merge, arena_copy(&merge->arena, name), INGEST_INCONSISTENT, why);
	}
	if (!has_ended_empty(merge)) {
		gather(merge);
	}
}

static void apply(struct merge *merge)
{
	struct slice away = away_text(merge->merges->api, &merge->key, &merge->arena);
	if (away.ptr != NULL && push_retreat(&merge->op)) {
		end(merge, MERGE_LATER, away);
		return;
	}
	/* Until its first step is done, what it goes by may change. */
	if (merge->op.shape == NULL) {
		if (!is_still_so(merge)) {
			gather(merge);
			return;
		}
		begin_op(merge);
	}
	switch (push_step(&merge->op)) {
	case PUSH_AGAIN:
	case PUSH_WAIT:
		defer(merge, apply);
		return;
	case PUSH_OK:
		on_applied(merge);
		return;
	case PUSH_E_INCONSISTENT:
		try_without(merge, refused_family(merge), merge->op.fault.text);
		return;
	case PUSH_E_LIMIT:
		merge_reject_all(
				merge, INGEST_LIMIT, limit_text_of_store(&merge->arena, &merge->op, &merge->terms));
		end(merge, MERGE_STORED, merge->fault);
		return;
	}
}

static void on_worked(struct merge *merge)
{
	bool has_group = store_find_group(merge->merges->api->store, &merge->key) != NULL;
	if (merge->culprit.ptr != NULL) {
		try_without(merge, merge->culprit, SLICE("it contradicts itself"));
		return;
	}
	if (merge->prepare != PREPARE_OK) {
		merge_reject_all(merge, INGEST_LIMIT,
				SLICE("too many bytes with the grouping labels in every line"));
		end(merge, MERGE_STORED, merge->fault);
		return;
	}
	/* A delivery that changes nothing is a sign of life for a group that is there. */
	bool has_nothing = merge->batch.family_count == 0 && !merge->is_put;
	merge->op = (struct store_push){ 0 };
	if (has_nothing && (merge->delivery == NULL || !has_group)) {
		on_applied(merge);
	} else {
		apply(merge);
	}
}

static void gather(struct merge *merge)
{
	struct group *group = store_find_group(merge->merges->api->store, &merge->key);
	let_go(merge);
	if (group != NULL && group->is_busy) {
		defer(merge, gather);
		return;
	}
	if (merge->delivery == NULL && group == NULL) {
		finish_look(merge);
		return;
	}
	merge_reject_types(merge);
	if (has_ended_empty(merge)) {
		return;
	}
	merge_gather(merge, group);
	run(merge, merge->text_bytes + merge->held_bytes, merge_work, on_worked);
}

/* ---- Reading ---- */

static void on_read(struct merge *merge)
{
	if (!merge->is_relabelled) {
		end(merge, MERGE_LATER,
				SLICE("a regular expression of the rule for this job takes too long"));
		return;
	}
	for (struct batch_family *f = merge->brought.families; f != NULL; f = f->next) {
		if (prepare_is_computed(f->name)) {
			merge_reject_family(merge, f, INGEST_INCONSISTENT, SLICE("weir computes it itself"));
		}
	}
	merge_drop_rejected(merge);
	if (!has_ended_empty(merge)) {
		gather(merge);
	}
}

/* ---- The beginning ---- */

/* Empty when it may begin; else why it may not. */
static struct slice find_objection(struct merge *merge, enum merge_result *ret_result)
{
	struct api *api = merge->merges->api;
	*ret_result = MERGE_LATER;
	switch (registry_admit(api->targets, &merge->key)) {
	case REGISTRY_ADMITTED:
		break;
	case REGISTRY_UNKNOWN:
		*ret_result = MERGE_UNKNOWN;
		return SLICE("the target is not known, and only known ones may push "
					 "(--targets.register=known)");
	case REGISTRY_LOADING:
		return SLICE("the targets that may push are being loaded");
	}
	struct slice away = away_text(api, &merge->key, &merge->arena);
	if (away.ptr != NULL) {
		return away;
	}
	if (!push_terms_init(&merge->terms, api, &merge->key, &merge->arena)) {
		return SLICE("a regular expression of the rules for jobs takes too long");
	}
	return SLICE("");
}

void merge_begin(struct merges *merges, struct merged *merged, struct merge_delivery *delivery)
{
	struct merge *merge = memory_zalloc(1, sizeof(*merge));
	enum merge_result result;
	merge->merges = merges;
	merge->merged = merged;
	merge->delivery = delivery;
	arena_init(&merge->arena);
	arena_init(&merge->attempt);
	merged->current = merge;
	merges->working++;
	merges->looking += delivery == NULL;
	merge->key = merges_key(merged_instance(merged), merge->pairs, &merge->arena);
	struct slice objection = find_objection(merge, &result);
	if (objection.len > 0) {
		end(merge, result, objection);
	} else if (delivery == NULL) {
		gather(merge);
	} else {
		for (size_t i = 0; i < delivery->text_count; i++) {
			merge->text_bytes += delivery->texts[i].len;
		}
		merge_know_group(merge);
		run(merge, merge->text_bytes, merge_read, on_read);
	}
}
