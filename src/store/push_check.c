#include "base/hash.h"
#include "base/quote.h"
#include "store/check.h"
#include "store/describe.h"
#include "store/push_parts.h"

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

bool push_claim(struct store_push *op, size_t i)
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

void push_unclaim(struct store_push *op, size_t i)
{
	struct family *family = op->push->families[i].family;
	family->claims--;
	family->claims_openmetrics -= op->push->families[i].is_openmetrics;
	/* Every scrape that runs may stand on it. */
	contents_drop_unused_family(op->store->contents, family, op->store->version + 1);
}

/* ---- Checking ---- */

/* What contradicts something else is refused; else it is shadowed. */
static bool is_checked(const struct store_push *op)
{
	return op->store->options.is_checked && !op->is_given;
}

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

enum check_result push_check(struct store_push *op, size_t i)
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

bool push_check_twin(struct store_push *op)
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
