#include "api/merge_state.h"

/* Lines that are left out, after they were read: of families that cannot be taken. */

void merge_reject_family(struct merge *merge, struct batch_family *family,
		enum ingest_reason reason, struct slice why)
{
	merge->counts.rejected[reason] += family->sample_count;
	if (merge->fault.ptr == NULL && family->sample_count > 0) {
		merge->fault = ARENA_JOIN(&merge->arena, family->name, SLICE(": "), why);
	}
	merge->brought.sample_count -= family->sample_count;
	family->sample_count = 0;
}

void merge_drop_rejected(struct merge *merge)
{
	struct batch_family **link = &merge->brought.families;
	while (*link != NULL) {
		if ((*link)->sample_count == 0) {
			*link = (*link)->next;
			merge->brought.family_count--;
		} else {
			link = &(*link)->next;
		}
	}
}

void merge_reject_all(struct merge *merge, enum ingest_reason reason, struct slice why)
{
	for (struct batch_family *f = merge->brought.families; f != NULL; f = f->next) {
		merge_reject_family(merge, f, reason, why);
	}
	merge_drop_rejected(merge);
}

void merge_reject_named(
		struct merge *merge, struct slice name, enum ingest_reason reason, struct slice why)
{
	for (struct batch_family *f = merge->brought.families; f != NULL; f = f->next) {
		if (slice_equal(f->name, name)) {
			merge_reject_family(merge, f, reason, why);
		}
	}
	merge_drop_rejected(merge);
}
