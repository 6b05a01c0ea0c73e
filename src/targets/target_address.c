#include "targets/target_address.h"

#include "targets/targets_reader.h"

bool target_address_fits(struct slice address)
{
	return address.len > 0 && targets_has_only(address, ".-_:[]");
}

struct slice target_address_host(struct slice address)
{
	if (address.len > 0 && address.ptr[0] == '[') {
		const char *end = slice_find_byte(address, ']');
		return end == NULL ? slice_make(NULL, 0) : slice_between(address.ptr + 1, end);
	}
	const char *colon = slice_find_byte(address, ':');
	bool is_v6 = colon != NULL
			&& slice_find_byte(slice_skip(address, (size_t)(colon + 1 - address.ptr)), ':') != NULL;
	return colon == NULL || is_v6 ? address : slice_between(address.ptr, colon);
}
