#include "config/suggest.h"

#include <stdint.h>
#include <string.h>

#include "config/sources.h"
#include "config/table.h"

/* Longer names are no slip of the finger. */
enum { NAME_MAX_BYTES = 64 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many bytes to add, remove or replace to make one of the other. */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[NAME_MAX_BYTES + 1];
	for (size_t j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t replaced = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
			diagonal = row[j];
			row[j] = least(replaced, 1 + least(row[j], row[j - 1]));
		}
	}
	return row[b.len];
}

struct suggestion suggestion_begin(struct slice typed)
{
	return (struct suggestion){ .typed = typed, .distance = typed.len / 3 + 1 };
}

void suggestion_consider(struct suggestion *suggestion, const char *name)
{
	struct slice typed = suggestion->typed;
	struct slice candidate = slice_of_string(name);
	if (typed.len == 0 || typed.len > NAME_MAX_BYTES || candidate.len > NAME_MAX_BYTES) {
		return;
	}
	/* The part before or behind a dot left out is near, too: --ttl. */
	bool is_tail = candidate.len > typed.len && typed.len > 2 && slice_ends_with(candidate, typed)
			&& candidate.ptr[candidate.len - typed.len - 1] == '.';
	size_t apart = is_tail ? 1 : distance(typed, candidate);
	if (apart < suggestion->distance) {
		suggestion->name = name;
		suggestion->distance = apart;
	}
}

const char *suggest_flag(struct slice name)
{
	struct suggestion near = suggestion_begin(name);
	for (size_t i = 0; i < flags_actions_count; i++) {
		suggestion_consider(&near, flags_actions[i].name);
	}
	for (size_t i = 0; i < settings_count; i++) {
		suggestion_consider(&near, settings[i].name);
	}
	return near.name;
}
