#include "store/line.h"

struct slice line_series(struct slice line)
{
	const char *blank = memrchr(line.ptr, ' ', line.len);
	return slice_between(line.ptr, blank);
}

/* The quote that ends what began behind the opening one. */
static const char *closing_quote(const char *text)
{
	while (*text != '"') {
		text += *text == '\\' ? 2 : 1;
	}
	return text;
}

bool line_name_is_quoted(struct slice series)
{
	return series.ptr[0] == '{';
}

struct slice line_name(struct slice series)
{
	if (line_name_is_quoted(series)) {
		const char *name = series.ptr + 2;
		return slice_between(name, closing_quote(name));
	}
	const char *brace = slice_find_byte(series, '{');
	return brace == NULL ? series : slice_between(series.ptr, brace);
}

struct line_labels line_labels_of(struct slice series)
{
	struct slice name = line_name(series);
	struct line_labels labels = { .at = name.ptr + name.len, .end = series.ptr + series.len };
	labels.at += line_name_is_quoted(series); /* the closing quote, then a comma */
	if (labels.at < labels.end) {
		labels.at++;
		labels.end--;
	}
	return labels;
}

bool line_labels_next(struct line_labels *labels, struct label *ret_label)
{
	if (labels->at >= labels->end) {
		return false;
	}
	const char *name = labels->at;
	const char *name_end;
	const char *value;
	if (*name == '"') {
		name++;
		name_end = closing_quote(name);
		value = name_end + 3;
	} else {
		name_end = memchr(name, '=', (size_t)(labels->end - name));
		value = name_end + 2;
	}
	const char *quote = closing_quote(value);
	ret_label->name = slice_between(name, name_end);
	ret_label->value = slice_between(value, quote);
	labels->at = quote + 2; /* behind the comma, or the end */
	return true;
}

bool line_labels_next_with_value(struct line_labels *labels, struct label *ret_label)
{
	while (line_labels_next(labels, ret_label)) {
		if (ret_label->value.len > 0) {
			return true;
		}
	}
	return false;
}

bool line_same_series(struct slice a, struct slice b)
{
	if (!slice_equal(line_name(a), line_name(b))) {
		return false;
	}
	struct line_labels left = line_labels_of(a);
	struct line_labels right = line_labels_of(b);
	for (;;) {
		struct label x;
		struct label y;
		bool has_x = line_labels_next_with_value(&left, &x);
		bool has_y = line_labels_next_with_value(&right, &y);
		if (!has_x || !has_y) {
			return has_x == has_y;
		}
		if (!slice_equal(x.name, y.name) || !slice_equal(x.value, y.value)) {
			return false;
		}
	}
}
