#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "server/durability.h"
#include "server/lists_parts.h"
#include "server/parts.h"

/*
 * What comes off lists on its way to the store, and what is left alone or left out.
 */

enum {
	SKIPPED_MAX = 10000, /* lists of which it is remembered that they are left alone */
	KEY_SHOWN = 200,
};

static const uint64_t COMPLAIN_EVERY_NS = UINT64_C(10) * 1000000000;

static const char unknown[] = "its target is not known (--targets.register=known)";

/* Of a list that is left alone: that it was told. */
struct lists_skipped {
	struct map_node node;
	struct lists_skipped *next;
};

/* A part of a list on its way to the store. */
struct delivery {
	struct merge_delivery merge;
	struct drain_part *part;
	struct lists *lists;
	struct slice fault; /* of its first line that was left out; owned */
	uint64_t outages;   /* of the state, when it began */
};

/* ---- What is left alone ---- */

static bool is_skipped(const struct lists *lists, struct slice key)
{
	return map_first(&lists->skipped, hash64(key)) != NULL;
}

/* Once for each key. */
static void skip(struct lists *lists, struct slice key, const char *why)
{
	if (is_skipped(lists, key) || lists->skipped.len == SKIPPED_MAX) {
		return;
	}
	struct lists_skipped *skipped = memory_zalloc(1, sizeof(*skipped));
	skipped->next = lists->skipped_first;
	lists->skipped_first = skipped;
	map_insert(&lists->skipped, &skipped->node, hash64(key));
	log_warn("a list is left alone redis=%s list=" SLICE_FMT " reason=%s", lists->name,
			SLICE_ARG(slice_first(key, KEY_SHOWN)), why);
}

/* Why a list of that key is left alone; NULL: it is not. */
static const char *find_objection(const struct lists *lists, struct slice key)
{
	if (key.len == 0) {
		return "its key is empty";
	}
	if (!utf8_is_valid(key)) {
		return "its key is not UTF-8";
	}
	if (key.len > lists->server->config->limit_label_bytes) {
		return "its key is longer than --limit.label-bytes";
	}
	return merges_admit(&lists->merges, key) ? NULL : unknown;
}

static bool fits(void *data, struct slice key)
{
	struct lists *lists = data;
	const char *why = find_objection(lists, key);
	if (why != NULL) {
		skip(lists, key, why);
	}
	return why == NULL;
}

/* ---- What was left out ---- */

static void add_counts(struct ingest_counts *sum, const struct ingest_counts *more)
{
	sum->lines += more->lines;
	sum->timestamps += more->timestamps;
	sum->superseded += more->superseded;
	for (size_t i = 0; i < INGEST_REASON_COUNT; i++) {
		sum->rejected[i] += more->rejected[i];
	}
}

static uint64_t count_rejected(const struct ingest_counts *counts)
{
	uint64_t rejected = 0;
	for (size_t i = 0; i < INGEST_REASON_COUNT; i++) {
		rejected += counts->rejected[i];
	}
	return rejected;
}

/* A sender whose lines are wrong sends them again and again. */
static void complain(struct lists *lists, const struct delivery *delivery)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint64_t rejected = count_rejected(&delivery->merge.counts);
	if (rejected == 0) {
		return;
	}
	lists->silenced += rejected;
	if (lists->complained_ns != 0 && now_ns - lists->complained_ns < COMPLAIN_EVERY_NS) {
		return;
	}
	log_warn("lines of lists were left out lines=%llu redis=%s list=" SLICE_FMT " first=" SLICE_FMT,
			(unsigned long long)lists->silenced, lists->name,
			SLICE_ARG(slice_first(delivery->part->key, KEY_SHOWN)), SLICE_ARG(delivery->fault));
	lists->complained_ns = now_ns;
	lists->silenced = 0;
}

/* ---- A part on its way ---- */

static uint64_t count_outages(const struct server *server)
{
	struct stats_state state = { 0 };
	durability_collect(server, &state);
	return state.outages;
}

static void destroy(struct delivery *delivery)
{
	free((void *)(uintptr_t)delivery->fault.ptr);
	free(delivery);
}

static struct slice copy_text(struct slice text)
{
	if (text.ptr == NULL) {
		return text;
	}
	char *copy = memory_alloc(text.len + 1);
	memcpy(copy, text.ptr, text.len);
	return slice_make(copy, text.len);
}

/* What is answered during an outage may be in memory alone. */
static bool may_be_lost(const struct delivery *delivery)
{
	const struct server *server = delivery->lists->server;
	return durability_is_away(server) || count_outages(server) != delivery->outages;
}

static void on_merged(struct merge_delivery *merge, enum merge_result result, struct slice why)
{
	struct delivery *delivery = LIST_ENTRY(merge, struct delivery, merge);
	struct lists *lists = delivery->lists;
	struct drain_part *part = delivery->part;
	if (lists->drain == NULL) {
		destroy(delivery); /* its list was left as it is */
		return;
	}
	if (result == MERGE_STORED && may_be_lost(delivery)) {
		result = MERGE_LATER;
		why = SLICE("the state store was away meanwhile");
	}
	switch (result) {
	case MERGE_STORED:
		delivery->fault = copy_text(why);
		drain_settle(lists->drain, part, DRAIN_STORED, why);
		return;
	case MERGE_LATER:
		drain_settle(lists->drain, part, DRAIN_LATER, why);
		break;
	case MERGE_UNKNOWN:
		skip(lists, part->key, unknown);
		drain_settle(lists->drain, part, DRAIN_UNREAD, why);
		break;
	}
	destroy(delivery);
}

static void on_part(void *data, struct drain_part *part)
{
	struct lists *lists = data;
	struct delivery *delivery = memory_zalloc(1, sizeof(*delivery));
	delivery->lists = lists;
	delivery->part = part;
	delivery->outages = count_outages(lists->server);
	delivery->merge.instance = part->key;
	delivery->merge.texts = part->elements;
	delivery->merge.text_count = part->count;
	delivery->merge.done = on_merged;
	part->data = delivery;
	merge_deliver(&lists->merges, &delivery->merge);
}

static void on_taken_off(void *data, struct drain_part *part, bool is_taken_off)
{
	struct lists *lists = data;
	struct delivery *delivery = part->data;
	if (is_taken_off) {
		add_counts(&lists->counts, &delivery->merge.counts);
		complain(lists, delivery);
	}
	destroy(delivery);
}

/* ---- What else happens ---- */

static bool is_ready(void *data)
{
	const struct lists *lists = data;
	const struct server *server = lists->server;
	bool needs_targets = server->targets.is_loading && server->targets.options.only_known;
	return !lists->is_closing && !needs_targets && !durability_is_loading(server)
			&& !durability_is_away(server);
}

static void on_too_large(void *data, struct slice key, uint64_t bytes)
{
	struct lists *lists = data;
	lists->oversized++;
	log_warn("an element of a list was thrown away, it has more than --limit.body-bytes redis=%s "
			 "list=" SLICE_FMT " bytes=%llu",
			lists->name, SLICE_ARG(slice_first(key, KEY_SHOWN)), (unsigned long long)bytes);
}

static void on_trouble(void *data, struct slice why)
{
	struct lists *lists = data;
	log_error("cannot drain lists, trying again redis=%s error=" SLICE_FMT, lists->name,
			SLICE_ARG(why));
}

static void on_well(void *data)
{
	struct lists *lists = data;
	log_info("lists are drained again redis=%s", lists->name);
}

static void on_fault(void *data, struct slice key, struct slice why)
{
	struct lists *lists = data;
	if (!is_skipped(lists, key)) {
		struct buf text;
		buf_init(&text, 0);
		buf_append(&text, why);
		buf_append_byte(&text, '\0');
		skip(lists, key, text.ptr);
		buf_finish(&text);
	}
}

/* ---- All of it ---- */

struct drain_events lists_events(struct lists *lists)
{
	return (struct drain_events){
		.is_ready = is_ready,
		.fits = fits,
		.on_part = on_part,
		.on_taken_off = on_taken_off,
		.on_too_large = on_too_large,
		.on_trouble = on_trouble,
		.on_well = on_well,
		.on_fault = on_fault,
		.data = lists,
	};
}

void lists_forget_skipped(struct lists *lists)
{
	while (lists->skipped_first != NULL) {
		struct lists_skipped *skipped = lists->skipped_first;
		lists->skipped_first = skipped->next;
		free(skipped);
	}
	map_finish(&lists->skipped);
}
