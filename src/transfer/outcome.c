#include "transfer/outcome.h"

#include "transfer/line_json.h"
#include "transfer/line_value.h"

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool read_fault(struct line_reader *r, const cJSON *item, struct outcome_fault *ret_fault)
{
	return cJSON_IsObject(item)
			&& line_read_count(r, member(item, "line"), "line", &ret_fault->line)
			&& line_read_text(r, member(item, "group"), "group", &ret_fault->group)
			&& line_read_text(r, member(item, "reason"), "reason", &ret_fault->reason);
}

static bool read_faults(struct line_reader *r, const cJSON *list, struct outcome *outcome)
{
	size_t count = (size_t)cJSON_GetArraySize(list);
	outcome->faults = arena_alloc(r->arena, (count + 1) * sizeof(struct outcome_fault));
	for (const cJSON *item = list == NULL ? NULL : list->child; item != NULL; item = item->next) {
		if (!read_fault(r, item, &outcome->faults[outcome->fault_count++])) {
			return false;
		}
	}
	return true;
}

/* Members that a newer weir may add are passed over. */
static bool read_data(struct line_reader *r, const cJSON *data, struct outcome *outcome)
{
	return cJSON_IsObject(data)
			&& line_read_count(r, member(data, "groups"), "groups", &outcome->groups)
			&& line_read_count(r, member(data, "series"), "series", &outcome->series)
			&& line_read_count(r, member(data, "unchanged"), "unchanged", &outcome->unchanged)
			&& line_read_count(r, member(data, "kept"), "kept", &outcome->kept)
			&& line_read_count(r, member(data, "expired"), "expired", &outcome->expired)
			&& line_read_count(r, member(data, "refused"), "refused", &outcome->refused)
			&& read_faults(r, member(data, "faults"), outcome);
}

bool outcome_read(struct slice text, struct arena *arena, struct outcome *ret_outcome)
{
	struct line_reader r = { .arena = arena };
	struct outcome outcome = { 0 };
	cJSON *tree = line_json_parse(text, arena, &r.what);
	bool is_read = tree != NULL && read_data(&r, member(tree, "data"), &outcome);
	cJSON_Delete(tree);
	if (is_read) {
		*ret_outcome = outcome;
	}
	return is_read;
}
