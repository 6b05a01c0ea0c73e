#include "store/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/quote.h"
#include "store/check.h"
#include "store/describe.h"
#include "store/members.h"
#include "store/shadow.h"

void push_init(struct store_push *op, struct store *store, enum store_method method,
		const struct group_key *key, struct prepared_push *push, struct arena *arena)
{
	*op = (struct store_push){
		.store = store,
		.key = key,
		.push = push,
		.arena = arena,
		.method = method,
		.place = SLOT_NONE,
	};
}

void push_limit_places(struct store_push *op, uint64_t *gaps)
{
	const struct contents *contents = op->store->contents;
	op->place = slots_allow(&contents->group_slots, op->place, gaps);
	for (size_t i = 0; i < op->push->family_count; i++) {
		struct prepared_family *prepared = &op->push->families[i];
		const struct family *family =
				families_find(&contents->families, prepared->name, hash64(prepared->name));
		prepared->place =
				slots_allow(family == NULL ? NULL : &family->slots, prepared->place, gaps);
	}
}

/* What contradicts something else is refused; else it is shadowed. */
static bool is_checked(const struct store_push *op)
{
	return op->store->options.is_checked && !op->is_given;
}

/* ---- Claiming ---- */

/* A large push keeps others from changing what it has checked. */
static bool must_wait(const struct store_push *op, const struct family *family)
{
	const struct store *store = op->store;
	if (store->slicing == NULL || store->slicing == op) {
		return false;
	}
	return family == NULL || family->claims > 0 || !check_is_exposed(op->group, family);
}

/* The families of a page come in the same order each time. */
static struct family *find_family(struct store_push *op, size_t i)
{
	struct slice name = op->push->families[i].name;
	if (op->group != NULL && i < op->group->member_count) {
		struct family *likely = op->group->members[i].family;
		if (slice_equal(likely->name, name)) {
			return likely;
		}
	}
	return families_find(&op->store->contents->families, name, hash64(name));
}

static bool claim(struct store_push *op, size_t i)
{
	struct prepared_family *prepared = &op->push->families[i];
	struct family *family = find_family(op, i);
	if (must_wait(op, family)) {
		return false;
	}
	if (family == NULL) {
		family = families_add(
				&op->store->contents->families, prepared->name, hash64(prepared->name));
	}
	struct member *member = op->group == NULL ? NULL : group_find_member(op->group, family);
	family->claims++;
	family->claims_openmetrics += prepared->is_openmetrics;
	family->claimed_type = prepared->type;
	prepared->family = family;
	prepared->slot = member == NULL ? SLOT_NONE : member->slot;
	return true;
}

/* ---- Checking ---- */

static bool check_help(struct store_push *op, const struct prepared_family *prepared)
{
	const struct family_declaration *declared = prepared->family->declaration;
	if (declared == NULL || !declared->help_must_match
			|| (prepared->help.ptr != NULL && slice_equal(prepared->help, declared->help))) {
		return true;
	}
	struct buf text;
	buf_init(&text, 0);
	buf_printf(&text, "gathered metric family " SLICE_FMT " has help ", SLICE_ARG(declared->name));
	quote_append(&text, prepared->help.ptr == NULL ? SLICE("") : prepared->help);
	buf_append(&text, SLICE(" but should have "));
	quote_append(&text, declared->help);
	op->fault.text = arena_copy(op->arena, buf_slice(&text));
	buf_finish(&text);
	return false;
}

static bool is_over(struct store_push *op, enum store_limit limit, uint64_t count)
{
	op->limit = limit;
	return store_is_over(op->store, limit, count);
}

/* Each shape is tried for each line that is checked, so there may not be any number. */
static bool has_too_many_shapes(struct store_push *op, const struct family *family)
{
	uint64_t limit = op->store->options.limits.label_sets;
	return !op->is_given && limit != 0 && family->shapes.len >= limit
			&& is_over(op, STORE_LIMIT_LABEL_SETS, shape_counts_with(&family->shapes, op->shape));
}

static enum check_result check(struct store_push *op, size_t i)
{
	struct prepared_family *prepared = &op->push->families[i];
	struct check_subject subject = {
		.key = op->key,
		.shape = op->shape,
		.group = op->group,
		.family = prepared->family,
		.block = prepared->block,
		.label_mask = prepared->label_mask,
		.replaces_all = op->method == STORE_PUT,
		.has_twin = op->has_twin,
	};
	enum check_result result = CHECK_E_REFUSED;
	if (!is_checked(op) || check_help(op, prepared)) {
		result = check_block(op->store->contents, &subject, &op->cursor,
				is_checked(op) ? op->arena : NULL, &op->fault);
	}
	if (result == CHECK_MORE) {
		return CHECK_MORE;
	}
	op->cursor = (struct check_cursor){ 0 };
	op->fault.leaves_trace = true;
	prepared->is_shadowed = result == CHECK_E_REFUSED;
	return is_checked(op) ? result : CHECK_OK;
}

/* Two keys that normalise to the same would expose the same push times. */
static bool check_twin(struct store_push *op)
{
	op->has_twin = contents_find_twin(op->store->contents, op->key) != NULL;
	if (op->group != NULL || !is_checked(op) || !op->has_twin) {
		return true;
	}
	struct slice labels = group_key_text(op->key, op->arena);
	struct slice line = ARENA_JOIN(op->arena, SLICE("push_time_seconds{"), labels, SLICE("} 0\n"));
	op->fault.text = describe_line(op->arena, SLICE("push_time_seconds"), METRIC_GAUGE, line.ptr,
			SLICE("was collected before with the same name and label values"));
	op->fault.leaves_trace = false;
	return false;
}

struct replaced {
	uint64_t lines;
	uint64_t bytes;
};

static void add_replaced(struct replaced *replaced, const struct family *family, uint32_t slot)
{
	struct block *block = slot_content(*slots_at(&family->slots, slot));
	replaced->lines += block->line_count;
	replaced->bytes += block_bytes(block) + sizeof(struct pack_entry);
}

/* What the push takes the place of. */
static struct replaced find_replaced(const struct store_push *op)
{
	struct replaced replaced = { 0 };
	if (op->group == NULL) {
		return replaced;
	}
	replaced.bytes = sizeof(struct pack);
	if (op->method == STORE_PUT) {
		for (uint32_t i = 0; i < op->group->member_count; i++) {
			add_replaced(&replaced, op->group->members[i].family, op->group->members[i].slot);
		}
		return replaced;
	}
	for (size_t i = 0; i < op->push->family_count; i++) {
		const struct prepared_family *prepared = &op->push->families[i];
		if (prepared->slot != SLOT_NONE) {
			add_replaced(&replaced, prepared->family, prepared->slot);
		}
	}
	return replaced;
}

/* Help and unit that nobody has yet. */
static uint64_t count_new_metadata(const struct store_push *op)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < op->push->family_count; i++) {
		const struct prepared_family *prepared = &op->push->families[i];
		if (!family_has_metadata(prepared->family, prepared->help, prepared->unit)) {
			bytes += metadata_bytes(prepared->help, prepared->unit);
		}
	}
	return bytes;
}

static bool is_within_job_limits(struct store_push *op, uint64_t series)
{
	uint64_t most = op->job_limits.series_per_group;
	bool is_wide = most != 0 && series > most;
	op->limit = is_wide ? STORE_LIMIT_SERIES_PER_GROUP : STORE_LIMIT_GROUPS;
	op->store->counters.refused[STORE_LIMIT_SERIES_PER_GROUP] += is_wide;
	op->is_job_limit = is_wide
			|| (op->group == NULL && store_job_is_full(op->store, op->key, &op->job_limits));
	return !op->is_job_limit;
}

static uint64_t pushed_bytes(const struct prepared_push *push)
{
	uint64_t bytes = push->pack == NULL ? 0 : push->pack->bytes;
	for (size_t i = 0; i < push->joined_count; i++) {
		bytes += push->joined[i]->bytes;
	}
	return bytes;
}

static bool is_within_limits(struct store_push *op)
{
	uint64_t lines = op->push->line_count;
	uint64_t bytes = pushed_bytes(op->push);
	bytes += op->group == NULL ? group_bytes(op->key) : 0;
	bytes += count_new_metadata(op);
	uint64_t had = op->group == NULL ? 0 : op->group->series;
	if (op->group == NULL && is_over(op, STORE_LIMIT_GROUPS, 1)) {
		return false;
	}
	/* Far from the limits there is no need to look closely. */
	const struct store_limits *limits = &op->store->options.limits;
	const struct contents *contents = op->store->contents;
	bool is_far = had + lines <= limits->series_per_group
			&& contents->series + lines <= limits->series
			&& contents->bytes + bytes <= limits->bytes;
	bool has_job_limits = op->job_limits.groups != 0 || op->job_limits.series_per_group != 0;
	if (is_far && !has_job_limits) {
		return true;
	}
	struct replaced replaced = find_replaced(op);
	if (has_job_limits && !is_within_job_limits(op, had - replaced.lines + lines)) {
		return false;
	}
	uint64_t more_lines = lines > replaced.lines ? lines - replaced.lines : 0;
	uint64_t more_bytes = bytes > replaced.bytes ? bytes - replaced.bytes : 0;
	return !is_over(op, STORE_LIMIT_SERIES_PER_GROUP, had - replaced.lines + lines)
			&& !is_over(op, STORE_LIMIT_SERIES, more_lines)
			&& !is_over(op, STORE_LIMIT_BYTES, more_bytes);
}

/* ---- Committing ---- */

/* Of a new group. */
static int64_t find_group_since(const struct store_push *op)
{
	int64_t pushed_ns = op->times == NULL ? op->now_ns : op->times->pushed_ns;
	return op->since_ns != 0 ? op->since_ns : pushed_ns;
}

static void begin_commit(struct store_push *op)
{
	struct contents *contents = op->store->contents;
	op->version = store_next_version(op->store);
	op->store->is_committing |= op->store->slicing == op;
	if (op->group == NULL) {
		op->group =
				contents_add_group(contents, op->key, op->place, find_group_since(op), op->version);
	} else {
		store_announce(op->store, op->group);
	}
	if (op->since_ns != 0 && op->since_ns != op->group->since_ns) {
		contents_set_since(contents, op->group, op->since_ns, op->version);
	}
	op->wear = (struct wear){ .contents = contents, .group = op->group, .arena = op->arena };
	op->group->is_busy = true;
	op->group->layout_pack = NULL;
	op->members = arena_alloc(op->arena, (op->push->family_count + 1) * sizeof(struct member));
	contents->bytes += pushed_bytes(op->push);
	if (op->push->pack != NULL) {
		op->push->pack->pushed_ns = op->now_ns;
	}
}

/* The pack that a post takes a block from, held on to; NULL: none. */
static struct pack *hold_old_pack(struct store_push *op, const struct prepared_family *prepared)
{
	bool has_block = op->method == STORE_POST && prepared->slot != SLOT_NONE;
	struct slot *slot = has_block ? slots_at(&prepared->family->slots, prepared->slot) : NULL;
	return has_block ? wear_hold(slot_content(*slot)) : NULL;
}

/* The group has the family since it had what is replaced, unless it is told otherwise. */
static int64_t find_since(const struct prepared_family *prepared)
{
	if (prepared->since_ns != 0) {
		return prepared->since_ns;
	}
	if (prepared->slot == SLOT_NONE) {
		return block_pack(prepared->block)->pushed_ns;
	}
	const struct block *old = slot_content(*slots_at(&prepared->family->slots, prepared->slot));
	return old->since_ns;
}

static void commit(struct store_push *op, size_t i)
{
	struct prepared_family *prepared = &op->push->families[i];
	struct family *family = prepared->family;
	struct pack *old_pack = hold_old_pack(op, prepared);
	pack_entries(block_pack(prepared->block))[prepared->entry].family_id = family->id;
	prepared->block->since_ns = find_since(prepared);
	if (prepared->slot == SLOT_NONE) {
		prepared->slot = slots_take_at(&family->slots, prepared->place);
	}
	struct metadata *metadata = family_enter_metadata(family, prepared->help, prepared->unit);
	prepared->block->metadata = metadata;
	if (metadata != NULL && metadata->refs == 1) {
		op->store->contents->bytes += metadata_bytes(prepared->help, prepared->unit);
	}
	contents_set_block(op->store->contents, op->group, family, prepared->slot, prepared->block,
			prepared->is_shadowed, op->version);
	if (old_pack != NULL) {
		wear_check(&op->wear, old_pack);
	}
	op->members[i] = (struct member){ family, family->id, prepared->slot };
}

static void set_members(struct store_push *op)
{
	struct group *group = op->group;
	uint32_t count = (uint32_t)op->push->family_count;
	bool keeps_others = op->method == STORE_POST && group->member_count > 0;
	members_sort(op->members, count, op->arena);
	op->old_members = group->members;
	op->old_member_count = group->member_count;
	uint32_t capacity = keeps_others ? count + group->member_count : count;
	group->members = memory_alloc(capacity * sizeof(struct member));
	if (keeps_others) {
		group->member_count = members_merge(
				op->old_members, op->old_member_count, op->members, count, group->members);
		free(op->old_members);
		op->old_members = NULL;
		op->old_member_count = 0;
	} else {
		memcpy(group->members, op->members, count * sizeof(struct member));
		group->member_count = count;
	}
}

/* A post of families that the group has already leaves its members as they are. */
static bool has_new_members(const struct store_push *op)
{
	if (op->method == STORE_PUT) {
		return true;
	}
	for (size_t i = 0; i < op->push->family_count; i++) {
		if (group_find_member(op->group, op->push->families[i].family) == NULL) {
			return true;
		}
	}
	return false;
}

/* A put drops what it does not bring. */
static void remove_if_left_out(struct store_push *op, size_t i)
{
	struct member *old = &op->old_members[i];
	if (group_find_member(op->group, old->family) == NULL) {
		contents_remove_block(op->store->contents, op->group, old->family, old->slot, op->version);
	}
}

/* A body of the same layout can be spliced into what this one became. */
static void remember_layout(struct store_push *op)
{
	struct pack *pack = op->push->pack;
	if (!op->push->layout.is_known || pack == NULL) {
		return;
	}
	struct pack_entry *entries = pack_entries(pack);
	for (size_t i = 0; i < op->push->family_count; i++) {
		struct member *member = group_find_member(op->group, op->push->families[i].family);
		entries[i].member = (uint32_t)(member - op->group->members);
	}
	op->group->layout = op->push->layout;
	op->group->layout_pack = pack;
}

static void end_commit(struct store_push *op)
{
	struct group_times times = { .pushed_ns = op->now_ns, .failed_ns = op->group->times.failed_ns };
	contents_set_times(
			op->store->contents, op->group, op->times == NULL ? times : *op->times, op->version);
	contents_set_deadline(op->store->contents, op->group, op->deadline_ns);
	remember_layout(op);
	wear_repack(&op->wear, op->version);
	free(op->old_members);
	/* Of several pushes at once, listeners look at the group as it is now. */
	bool is_post = op->method == STORE_POST && op->times == NULL;
	struct store_change change = {
		.kind = is_post ? STORE_CHANGE_POST : STORE_CHANGE_PUT,
		.group = op->group,
		.pack = op->push->pack,
	};
	op->push->pack = NULL; /* it is the store's now, and so are those that were joined */
	op->push->joined_count = 0;
	if (op->store->slicing == op) {
		op->store->is_committing = false;
		store_next_version(op->store); /* others had numbers of their own meanwhile */
	}
	store_report(op->store, &change);
}

/* ---- Phases ---- */

static void unclaim(struct store_push *op, size_t i)
{
	struct family *family = op->push->families[i].family;
	family->claims--;
	family->claims_openmetrics -= op->push->families[i].is_openmetrics;
	/* Every scrape that runs may stand on it. */
	contents_drop_unused_family(op->store->contents, family, op->store->version + 1);
}

static void enter_phase(struct store_push *op, enum push_phase phase)
{
	op->phase = phase;
	op->next = 0;
}

/* Claims that were made are given back, whatever comes of the push. */
static void decide(struct store_push *op, enum push_result result)
{
	size_t claimed = op->phase == PUSH_CLAIMING ? op->next : op->push->family_count;
	op->result = result;
	enter_phase(op, PUSH_UNCLAIMING);
	op->next = op->push->family_count - claimed;
}

static size_t phase_len(const struct store_push *op)
{
	return op->phase == PUSH_REMOVING ? op->old_member_count : op->push->family_count;
}

/* False when that was a slice of its own. */
static bool do_one(struct store_push *op)
{
	size_t i = op->next;
	switch (op->phase) {
	case PUSH_CLAIMING:
		if (!claim(op, i)) {
			decide(op, PUSH_WAIT);
			return true;
		}
		break;
	case PUSH_CHECKING:
		if (has_too_many_shapes(op, op->push->families[i].family)) {
			decide(op, PUSH_E_LIMIT);
			return true;
		}
		switch (check(op, i)) {
		case CHECK_OK:
			break;
		case CHECK_MORE:
			return false;
		case CHECK_E_REFUSED:
			decide(op, PUSH_E_INCONSISTENT);
			return true;
		}
		break;
	case PUSH_COMMITTING:
		commit(op, i);
		break;
	case PUSH_REMOVING:
		remove_if_left_out(op, i);
		break;
	case PUSH_UNCLAIMING:
		/* Those that were claimed, the last first. */
		unclaim(op, op->push->family_count - 1 - i);
		break;
	}
	op->next++;
	return true;
}

/* At the end of a phase, on to the next; false when all is done. */
static bool advance(struct store_push *op)
{
	switch (op->phase) {
	case PUSH_CLAIMING:
		if (!op->is_given && !is_within_limits(op)) {
			decide(op, PUSH_E_LIMIT);
		} else {
			enter_phase(op, PUSH_CHECKING);
		}
		return true;
	case PUSH_CHECKING:
		begin_commit(op);
		enter_phase(op, PUSH_COMMITTING);
		return true;
	case PUSH_COMMITTING:
		if (has_new_members(op)) {
			set_members(op);
		}
		enter_phase(op, PUSH_REMOVING);
		return true;
	case PUSH_REMOVING:
		end_commit(op);
		enter_phase(op, PUSH_COMMITTING);
		decide(op, PUSH_OK);
		return true;
	case PUSH_UNCLAIMING:
		break;
	}
	return false;
}

static bool is_large(const struct store_push *op)
{
	uint32_t members = op->group != NULL && op->method == STORE_PUT ? op->group->member_count : 0;
	return op->push->family_count > SLICE_FAMILIES || members > SLICE_FAMILIES
			|| op->push->line_count > SLICE_LINES;
}

/* Finds out what a push needs before it starts; a refusal needs no undoing. */
static enum push_result start(struct store_push *op)
{
	op->group = store_find_group(op->store, op->key);
	bool is_taken = op->group != NULL && op->group->is_busy;
	if (is_taken || (op->store->deleting != NULL && is_large(op))
			|| (op->store->slicing != NULL && (is_large(op) || op->group == NULL))) {
		return PUSH_WAIT;
	}
	if (!check_twin(op)) {
		return PUSH_E_INCONSISTENT;
	}
	op->shape = shape_enter(&op->store->contents->shapes, op->key);
	if (is_large(op)) {
		op->store->slicing = op;
		op->store->contents->is_slicing = true;
		if (op->group != NULL) {
			op->group->is_busy = true;
		}
	}
	return PUSH_OK;
}

static enum push_result finish(struct store_push *op)
{
	struct store *store = op->store;
	if (store->slicing == op) {
		store->slicing = NULL;
		store->contents->is_slicing = false;
	}
	if (op->group != NULL) {
		op->group->is_busy = false;
	}
	shadow_settle(store->contents, store->version);
	shape_leave(&op->store->contents->shapes, op->shape);
	op->shape = NULL;
	return op->result;
}

enum push_result push_step(struct store_push *op)
{
	if (op->shape == NULL) {
		enum push_result started = start(op);
		if (started != PUSH_OK) {
			return started;
		}
		enter_phase(op, PUSH_CLAIMING);
	}
	size_t budget = op->store->slicing == op ? SLICE_FAMILIES : SIZE_MAX;
	for (;;) {
		if (op->next == phase_len(op)) {
			if (!advance(op)) {
				return finish(op);
			}
			continue;
		}
		if (budget-- == 0) {
			return PUSH_AGAIN;
		}
		if (!do_one(op) && op->store->slicing == op) {
			return PUSH_AGAIN;
		}
	}
}

bool push_retreat(struct store_push *op)
{
	if (op->shape == NULL) {
		return true;
	}
	if (op->phase != PUSH_CLAIMING && op->phase != PUSH_CHECKING) {
		return false;
	}
	decide(op, PUSH_WAIT);
	while (op->next < phase_len(op)) {
		do_one(op);
	}
	op->cursor = (struct check_cursor){ 0 };
	finish(op);
	return true;
}
