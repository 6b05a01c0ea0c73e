#include "api/status_page.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/snapshot.h"

enum {
	LISTED_AT_ONCE = 2000, /* slots on one turn of the loop */
	MEMBERS_MAX = 500,     /* of a group that are looked at; the others are counted */
};

/* What a unit of work is about. */
struct status_unit {
	struct status_page *page;
	bool is_view;
	struct snapshot snapshot; /* of a view */
};

/* ---- Listing ---- */

static bool is_wanted(const struct status_view *view, struct slice job)
{
	return view->job.len == 0 || slice_equal(view->job, job);
}

static void list_group(struct status_page *page, const struct group *group)
{
	struct slice job = labels_find(&group->key.labels, SLICE("job"));
	if (!is_wanted(&page->view, job)) {
		return;
	}
	if (page->ref_count == page->ref_capacity) {
		page->ref_capacity = page->ref_capacity == 0 ? 64 : page->ref_capacity * 2;
		page->refs = memory_resize(page->refs, page->ref_capacity * sizeof(page->refs[0]));
	}
	page->refs[page->ref_count++] = (struct status_ref){ .group = group, .job = job };
}

static void begin_listing(struct status_page *page)
{
	snapshot_open(&page->listed, page->store);
	page->is_listing = true;
	page->end_group = page->store->contents->group_slots.len;
}

static void end_listing(struct status_page *page)
{
	if (page->is_listing) {
		snapshot_close(&page->listed);
		page->is_listing = false;
	}
}

/* The page that was asked for, or the last one. */
static void turn_to_page(struct status_page *page)
{
	struct status_view *view = &page->view;
	view->group_total = page->ref_count;
	view->page_count = (page->ref_count + STATUS_PAGE_GROUPS - 1) / STATUS_PAGE_GROUPS;
	view->page_count = view->page_count == 0 ? 1 : view->page_count;
	view->page = view->page > view->page_count ? view->page_count : view->page;
	page->first = (size_t)(view->page - 1) * STATUS_PAGE_GROUPS;
	view->group_count = page->ref_count - page->first;
	if (view->group_count > STATUS_PAGE_GROUPS) {
		view->group_count = STATUS_PAGE_GROUPS;
	}
}

static enum worked_gathering list(struct status_page *page, struct worked_unit *unit)
{
	const struct slots *slots = &page->listed.contents->group_slots;
	for (uint32_t looked = 0; page->next_group < page->end_group; looked++) {
		if (looked == LISTED_AT_ONCE) {
			return WORKED_NOT_NOW;
		}
		struct slot *slot = slots_at(slots, page->next_group++);
		const struct group *group = slot_content(snapshot_slot(&page->listed, HISTORY_GROUP, slot));
		if (group != NULL) {
			list_group(page, group);
		}
	}
	turn_to_page(page);
	page->step = STATUS_SELECTS;
	unit->bytes = page->ref_count * sizeof(page->refs[0]);
	return WORKED_GATHERED;
}

/* ---- Viewing ---- */

static void view_member(
		struct status_group *view, const struct snapshot *snapshot, const struct member *member)
{
	const struct slot *place = slots_at(&member->family->slots, member->slot);
	struct slot slot = snapshot_slot(snapshot, HISTORY_BLOCK, place);
	struct block *block = slot_content(slot);
	if (block == NULL) {
		return;
	}
	view->families[view->family_count++] = (struct status_family){
		.name = member->family->name,
		.help = block->metadata == NULL ? slice_make("", 0) : block->metadata->help,
		.block = block,
		.pushed_ns = block_pack(block)->pushed_ns,
		.is_shadowed = slot_is_shadowed(slot),
	};
}

static void view_group(struct status_group *view, struct worked_unit *unit,
		const struct snapshot *snapshot, const struct group *group)
{
	uint32_t looked = group->member_count < MEMBERS_MAX ? group->member_count : MEMBERS_MAX;
	*view = (struct status_group){
		.labels = group->key.labels,
		.times = group->times,
		.series = group->series,
		.families = arena_alloc(&unit->arena, (looked + 1) * sizeof(struct status_family)),
		.more_families = group->member_count - looked,
	};
	for (uint32_t i = 0; i < looked; i++) {
		view_member(view, snapshot, &group->members[i]);
	}
}

static enum worked_gathering view(struct status_page *page, struct worked_unit *unit)
{
	struct status_unit *data = unit->data;
	struct status_view *view = &page->view;
	size_t listed = view->group_count;
	data->is_view = true;
	snapshot_open(&data->snapshot, page->store);
	bool was_wiped = data->snapshot.contents != page->listed.contents;
	view->groups = arena_alloc(&unit->arena, (listed + 1) * sizeof(view->groups[0]));
	view->group_count = 0;
	view->all_groups = page->store->contents->group_count;
	view->all_series = page->store->contents->series;
	for (size_t i = 0; i < listed && !was_wiped; i++) {
		const struct group *group = page->refs[page->first + i].group;
		if (!group->is_gone) {
			view_group(&view->groups[view->group_count++], unit, &data->snapshot, group);
		}
	}
	end_listing(page);
	unit->bytes = view->group_count == 0 ? 0 : WORKED_UNIT_BYTES;
	return WORKED_LAST;
}

/* ---- The steps ---- */

static enum worked_gathering gather(struct worked_source *source, struct worked_unit *unit)
{
	struct status_page *page = LIST_ENTRY(source, struct status_page, source);
	struct status_unit *data = arena_zalloc(&unit->arena, 1, sizeof(*data));
	data->page = page;
	unit->data = data;
	if (page->step == STATUS_SELECTS) {
		return WORKED_AWAITS;
	}
	bool needs_snapshot = !page->is_listing || page->step == STATUS_VIEWS;
	if (needs_snapshot && !snapshot_is_possible(page->store)) {
		return WORKED_NOT_NOW;
	}
	if (page->step == STATUS_VIEWS) {
		return view(page, unit);
	}
	if (!page->is_listing) {
		begin_listing(page);
	}
	return list(page, unit);
}

static void work(struct worked_unit *unit)
{
	struct status_unit *data = unit->data;
	struct status_page *page = data->page;
	if (data->is_view) {
		status_view_write(&page->view, &unit->out);
	} else if (page->ref_count > 0) {
		status_order_select(page->refs, page->ref_count, page->first, page->view.group_count);
	}
}

static void worked(struct worked_source *source, struct worked_unit *unit)
{
	struct status_page *page = LIST_ENTRY(source, struct status_page, source);
	struct status_unit *data = unit->data;
	if (data->is_view) {
		snapshot_close(&data->snapshot);
	} else {
		page->step = STATUS_VIEWS;
	}
}

void status_page_init(struct status_page *page, struct store *store)
{
	*page = (struct status_page){
		.source = { .gather = gather, .work = work, .worked = worked },
		.store = store,
	};
}

void status_page_finish(struct status_page *page)
{
	end_listing(page);
	free(page->refs);
}
