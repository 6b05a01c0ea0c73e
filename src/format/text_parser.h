#pragma once

/*
 * What text_parse.c, text_labels.c and text_comment.c share while a body is
 * parsed.
 */

#include "format/text_family.h"
#include "format/text_reader.h"

/* What of a line is being read: where one that fails is wrong. */
enum text_part {
	TEXT_PART_LINE, /* a comment, or not clear */
	TEXT_PART_NAME,
	TEXT_PART_LABELS,
	TEXT_PART_SORTED_LABELS, /* two of one name, as far as labels can be wrong by then */
	TEXT_PART_VALUE,
	TEXT_PART_TIMESTAMP,
};

struct text_parser {
	struct text_reader in;
	const struct format_options *options;
	struct text_families families;
	struct text_family *family;   /* the line's */
	enum sample_role suffix_role; /* what the suffix of the line's name says */
	enum text_part part;          /* the line's */
	bool has_timestamp;           /* the line */
	int64_t timestamp;            /* if it has one */
	struct label *labels;         /* the line's, reused */
	size_t label_count;
	size_t label_capacity;
	struct batch *batch;
};

/*
 * From the line's first byte to its end: one sample more in a family, a comment, or nothing.
 * False: the line is wrong. If its timestamp is, its sample is there all the same.
 */
bool text_read_line(struct text_parser *p);

/* The same for a line whose ends are set. */
bool text_read_line_within(struct text_parser *p);

/* A line that starts with '#': HELP, TYPE, or nothing of interest. */
bool text_read_comment(struct text_parser *p);

/* The family that a name belongs to, made when it is new. */
bool text_enter_family(struct text_parser *p, const char *place, struct slice name);

/* Whether a name that only quotes make possible is allowed. */
bool text_takes_quoted_name(const struct text_parser *p, struct slice name);

/* ---- The line's labels ---- */

/*
 * `at` is on the opening brace before and behind the closing one after. A line
 * that starts with the brace has no family yet: it names it inside.
 */
bool text_read_labels(struct text_parser *p);
bool text_add_label(struct text_parser *p, const char *place, struct label label);

/* By name; false when there are two of one name. */
bool text_sort_labels(struct text_parser *p);
