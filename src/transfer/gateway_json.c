#include "transfer/gateway_json.h"

/* Go writes the character itself as it is, and the escape only for what is none. */
bool gateway_json_is_repaired(struct slice text)
{
	static const struct slice escape = SLICE_INIT("\\ufffd");
	const char *at = text.ptr;
	const char *end = text.ptr + text.len;
	while ((at = memmem(at, (size_t)(end - at), escape.ptr, escape.len)) != NULL) {
		const char *first = at; /* of the backslashes in a row */
		while (first > text.ptr && first[-1] == '\\') {
			first--;
		}
		if ((at - first) % 2 == 0) {
			return true;
		}
		at += escape.len;
	}
	return false;
}

struct slice gateway_json_member(const cJSON *object, const char *key, struct arena *arena)
{
	const char *string = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
	return string == NULL ? slice_make(NULL, 0) : line_json_text(string, arena);
}

bool gateway_json_labels(const cJSON *object, struct arena *arena, struct labels *ret_labels)
{
	const cJSON *item;
	struct labels labels = { 0 };
	if (!cJSON_IsObject(object)) {
		return false;
	}
	labels.pairs =
			arena_alloc(arena, ((size_t)cJSON_GetArraySize(object) + 1) * sizeof(struct label));
	cJSON_ArrayForEach(item, object)
	{
		if (!cJSON_IsString(item)) {
			return false;
		}
		labels.pairs[labels.count++] = (struct label){
			.name = line_json_text(item->string, arena),
			.value = line_json_text(item->valuestring, arena),
		};
	}
	*ret_labels = labels;
	return true;
}

struct labels gateway_json_escape(const struct labels *labels, struct arena *arena)
{
	struct labels escaped = { .count = labels->count };
	escaped.pairs = arena_alloc(arena, (labels->count + 1) * sizeof(struct label));
	for (size_t i = 0; i < labels->count; i++) {
		escaped.pairs[i].name = labels_escape(arena, labels->pairs[i].name);
		escaped.pairs[i].value = labels_escape(arena, labels->pairs[i].value);
	}
	labels_sort(&escaped);
	return escaped;
}
