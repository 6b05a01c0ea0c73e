#include "targets/service.h"

static const struct slice service_job = SLICE_INIT("weir_service");

/* ---- Names ---- */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool service_is_name(struct slice text)
{
	bool is_name = text.len > 0 && text.len <= SERVICE_NAME_BYTES_MAX
			&& is_alphanumeric(text.ptr[0]) && is_alphanumeric(text.ptr[text.len - 1]);
	for (size_t i = 0; i < text.len && is_name; i++) {
		char c = text.ptr[i];
		is_name = is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
	}
	return is_name;
}

void service_key_init(struct service_key *key, struct slice name)
{
	key->pairs[0] = (struct label){ SLICE("instance"), name };
	key->pairs[1] = (struct label){ SLICE("job"), service_job };
	key->key.labels = (struct labels){ key->pairs, 2 };
}

bool service_fits(const struct group_key *key)
{
	const struct labels *labels = &key->labels;
	return labels->count == 2 && slice_equal(labels_find(labels, SLICE("job")), service_job)
			&& service_is_name(labels_find(labels, SLICE("instance")));
}
