#include "targets/addresses.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static size_t text_bytes(const struct slice *all, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += all[i].len;
	}
	return bytes;
}

/* They are sorted. */
static size_t drop_repeated(struct slice *all, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || !slice_equal(all[kept - 1], all[i])) {
			all[kept++] = all[i];
		}
	}
	return kept;
}

struct addresses *addresses_create(const struct slice *all, size_t count)
{
	size_t list_bytes = count * sizeof(struct slice);
	struct addresses *addresses =
			memory_alloc(sizeof(*addresses) + list_bytes + text_bytes(all, count));
	char *text = (char *)addresses->all + list_bytes;
	for (size_t i = 0; i < count; i++) {
		memcpy(text, all[i].ptr, all[i].len);
		addresses->all[i] = slice_make(text, all[i].len);
		text += all[i].len;
	}
	qsort(addresses->all, count, sizeof(struct slice), compare);
	addresses->count = drop_repeated(addresses->all, count);
	return addresses;
}

bool addresses_equal(const struct addresses *a, const struct addresses *b)
{
	size_t count = a == NULL ? 0 : a->count;
	if (count != (b == NULL ? 0 : b->count)) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!slice_equal(a->all[i], b->all[i])) {
			return false;
		}
	}
	return true;
}
