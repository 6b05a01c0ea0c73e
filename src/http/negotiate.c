#include "http/negotiate.h"

enum { QUALITY_ONE = 1000 };

/* Cuts the text up to the separator, or all, off the front of the rest. */
static struct slice next_item(struct slice *rest, char separator)
{
	const char *end = slice_find_byte(*rest, separator);
	struct slice item = end == NULL ? *rest : slice_between(rest->ptr, end);
	*rest = slice_skip(*rest, end == NULL ? rest->len : item.len + 1);
	return slice_trim(item);
}

/* In thousandths: "0.5" is 500. What cannot be read is 0, the cautious answer. */
static int read_quality(struct slice text)
{
	if (text.len == 0 || (text.ptr[0] != '0' && text.ptr[0] != '1')) {
		return 0;
	}
	int quality = (text.ptr[0] - '0') * QUALITY_ONE;
	if (text.len > 1 && text.ptr[1] != '.') {
		return 0;
	}
	int weight = QUALITY_ONE / 10;
	for (size_t i = 2; i < text.len; i++, weight /= 10) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return 0;
		}
		quality += (text.ptr[i] - '0') * weight;
	}
	return quality < QUALITY_ONE ? quality : QUALITY_ONE;
}

/* Of the parameters behind a coding; 1 when none of them is q. */
static int find_quality(struct slice parameters)
{
	while (parameters.len != 0) {
		struct slice value = next_item(&parameters, ';');
		struct slice name = next_item(&value, '=');
		if (slice_equal_nocase(name, SLICE("q"))) {
			return read_quality(slice_trim(value));
		}
	}
	return QUALITY_ONE;
}

bool http_prefers_gzip(struct slice accept_encoding)
{
	int gzip = 0;
	int identity = 0;
	while (accept_encoding.len != 0) {
		struct slice parameters = next_item(&accept_encoding, ',');
		struct slice coding = next_item(&parameters, ';');
		if (slice_equal_nocase(coding, SLICE("gzip"))) {
			gzip = find_quality(parameters);
		} else if (slice_equal_nocase(coding, SLICE("identity"))) {
			identity = find_quality(parameters);
		}
	}
	return gzip > 0 && gzip >= identity;
}
