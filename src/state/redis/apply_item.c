#include "state/redis/apply_item.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "state/redis/group_name.h"
#include "state/redis/parts.h"
#include "state/redis/scan.h"
#include "state/redis/version.h"

enum { WAITING_BYTES = 1024 /* of an item's arena at first; thousands wait */ };

/* ---- Making one ---- */

struct apply_item *apply_create(struct partition *partition, enum apply_kind kind)
{
	struct apply_item *item = memory_zalloc(1, sizeof(*item));
	item->partition = partition;
	item->kind = kind;
	arena_init_sized(&item->arena, WAITING_BYTES);
	list_init(&item->contents);
	list_init(&item->winners);
	return item;
}

void apply_set_name(struct apply_item *item, struct slice name)
{
	item->name = arena_copy(&item->arena, name);
	item->is_good = group_name_read(item->name, &item->arena, &item->key);
}

void apply_add_content(struct apply_item *item, struct slice id, struct slice text)
{
	struct content *content = arena_zalloc(&item->arena, 1, sizeof(*content));
	if (id.len == VERSION_DIGITS && version_read(id.ptr, &content->id)) {
		content->text = arena_copy(&item->arena, text);
		list_append(&item->contents, &content->link);
		item->bytes += text.len;
	}
}

void apply_set_change(struct apply_item *item, struct slice text)
{
	struct slice copy = arena_copy(&item->arena, text);
	if (item->kind == APPLY_GROUP) {
		item->is_good &= change_read_own(copy, &item->arena, &item->change);
		return;
	}
	item->is_good &= change_read(copy, &item->arena, &item->change);
	if (item->is_good && item->change.content.len > 0) {
		struct content *content = arena_zalloc(&item->arena, 1, sizeof(*content));
		content->id = item->change.segment;
		content->text = item->change.content;
		list_append(&item->contents, &content->link);
		item->bytes += text.len;
	}
}

void apply_set_wipe(struct apply_item *item, uint64_t version)
{
	item->version = version;
}

void apply_set_scan(struct apply_item *item, struct scan *scan)
{
	item->scan = scan;
	item->scan_number = scan == NULL ? 0 : scan_number(scan);
	item->is_lossy = scan != NULL && scan_is_lossy(scan);
}

void apply_set_fetch(struct apply_item *item, struct fetch *fetch)
{
	item->fetch = fetch;
}

void apply_set_scanned(struct apply_item *item, uint64_t number, uint64_t version, bool is_lossy)
{
	item->scan_number = number;
	item->version = version;
	item->is_lossy = is_lossy;
}

void apply_queue(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	list_append(&state->items, &item->link);
	state->item_count++;
	turn_arm(&state->apply_turn);
}

void apply_destroy(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	list_remove(&item->link);
	state->item_count--;
	apply_drop_winners(item);
	if (item->scan != NULL) {
		scan_pass(item->scan);
	}
	if (item->fetch != NULL) {
		scan_pass_fetch(item->fetch);
	}
	arena_finish(&item->arena);
	free(item);
}

/* ---- Decoding: on any thread ---- */

static int compare_parts(const void *a, const void *b)
{
	const struct shared_part *left = a;
	const struct shared_part *right = b;
	return left->version == right->version ? 0 : left->version < right->version ? -1 : 1;
}

static uint64_t sum_names(const struct shared_part *part)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < part->record.push_count; i++) {
		const struct batch *batch = &part->record.pushes[i].batch;
		for (size_t j = 0; j < batch->family_count; j++) {
			sum += hash64(batch->families[j].name);
		}
	}
	return sum;
}

static bool is_of_group(
		const struct apply_item *item, const struct shared_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!group_key_equal(&parts[i].record.key, &item->key)) {
			return false;
		}
	}
	return true;
}

static void decode_content(
		struct apply_item *item, struct content *content, struct ZSTD_DCtx_s *unpacker)
{
	struct shared_part *parts;
	size_t count;
	const struct record_checks *checks = &item->partition->state->options.checks;
	content->is_unreadable = !content_read(
			content->text, checks, &item->arena, unpacker, &parts, &count, &content->what);
	if (!content->is_unreadable && !is_of_group(item, parts, count)) {
		content->what = "it is of another group";
		content->is_unreadable = true;
	}
	if (content->is_unreadable) {
		return;
	}
	content->names = count == 1 ? sum_names(&parts[0]) : 0;
	item->parts = arena_grow(&item->arena, item->parts, item->part_count * sizeof(*parts),
			(item->part_count + count + 1) * sizeof(*parts));
	memcpy(item->parts + item->part_count, parts, count * sizeof(*parts));
	item->part_count += count;
}

void apply_decode(struct apply_item *item, struct ZSTD_DCtx_s *unpacker)
{
	LIST_EACH (link, &item->contents) {
		decode_content(item, LIST_ENTRY(link, struct content, link), unpacker);
	}
	if (item->part_count > 1) {
		qsort(item->parts, item->part_count, sizeof(*item->parts), compare_parts);
	}
}

static void see_versions(struct apply_item *item)
{
	struct shared_clock *clock = &item->partition->state->clock;
	const struct shared_head *head = &item->change.head;
	shared_clock_see(clock, head->floor);
	shared_clock_see(clock, head->push);
	shared_clock_see(clock, head->failure);
	shared_clock_see(clock, item->change.segment);
	for (size_t i = 0; i < item->part_count; i++) {
		shared_clock_see(clock, item->parts[i].version);
	}
}

/* What could not be read stays in Redis until the group is put anew. */
void apply_report(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	see_versions(item);
	LIST_EACH (link, &item->contents) {
		const struct content *content = LIST_ENTRY(link, struct content, link);
		if (content->is_unreadable) {
			struct state_fault fault = { item->name, content->id, content->what };
			state->faults++;
			state->stats.set_aside++;
			state->events.on_fault(state->events.data, &fault);
		}
	}
}
