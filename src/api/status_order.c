#include "api/status_order.h"

#include <stdlib.h>

enum {
	SORTED_AT_ONCE = 64,
	ROUNDS_MAX = 64, /* for keys chosen so that they are never halved: sorted then */
};

static int compare_labels(const struct labels *a, const struct labels *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		int order = slice_compare(a->pairs[i].name, b->pairs[i].name);
		if (order == 0) {
			order = slice_compare(a->pairs[i].value, b->pairs[i].value);
		}
		if (order != 0) {
			return order;
		}
	}
	return (a->count > b->count) - (a->count < b->count);
}

static int compare(const struct status_ref *a, const struct status_ref *b)
{
	int order = slice_compare(a->job, b->job);
	return order != 0 ? order : compare_labels(&a->group->key.labels, &b->group->key.labels);
}

static int compare_refs(const void *a, const void *b)
{
	return compare(a, b);
}

static void swap(struct status_ref *a, struct status_ref *b)
{
	struct status_ref kept = *a;
	*a = *b;
	*b = kept;
}

/* Puts the middle one of three in the middle, so that what is in order already is halved. */
static void choose_pivot(struct status_ref *refs, size_t len)
{
	struct status_ref *middle = &refs[len / 2];
	struct status_ref *last = &refs[len - 1];
	if (compare(middle, refs) < 0) {
		swap(middle, refs);
	}
	if (compare(last, middle) < 0) {
		swap(last, middle);
		if (compare(middle, refs) < 0) {
			swap(middle, refs);
		}
	}
}

/* Keys differ, so all before the place returned are less than the one there, all behind more. */
static size_t partition(struct status_ref *refs, size_t len)
{
	choose_pivot(refs, len);
	swap(&refs[len / 2], &refs[len - 1]);
	size_t less = 0;
	for (size_t i = 0; i + 1 < len; i++) {
		if (compare(&refs[i], &refs[len - 1]) < 0) {
			swap(&refs[i], &refs[less++]);
		}
	}
	swap(&refs[less], &refs[len - 1]);
	return less;
}

void status_order_select(struct status_ref *refs, size_t len, size_t first, size_t count)
{
	size_t end = first + count;
	/* Quickselect: goes on with the part that the page is in; a part that it spans is sorted. */
	for (unsigned rounds = 0; len > SORTED_AT_ONCE && rounds < ROUNDS_MAX; rounds++) {
		size_t pivot = partition(refs, len);
		if (end <= pivot) {
			len = pivot;
		} else if (first > pivot) {
			refs += pivot + 1;
			len -= pivot + 1;
			first -= pivot + 1;
			end -= pivot + 1;
		} else if (end - first > len / 4) {
			break;
		} else {
			status_order_select(refs, pivot, first, pivot - first);
			status_order_select(refs + pivot + 1, len - pivot - 1, 0, end - pivot - 1);
			return;
		}
	}
	qsort(refs, len, sizeof(refs[0]), compare_refs);
}
