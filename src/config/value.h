#pragma once

/*
 * The value of one setting: from text into its field, and back.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "config/config.h"
#include "config/table.h"

/*
 * Sets a value. A further one for a list is appended. What is wrong with the
 * text, and what would be right, is appended to `error`.
 */
bool value_set(
		struct config *config, const struct setting *setting, const char *text, struct buf *error);

/* The same; commas separate the items of a list. */
bool value_set_all(
		struct config *config, const struct setting *setting, const char *text, struct buf *error);

/* As --print-config shows it: without the password of a URL. */
void value_print(const struct config *config, const struct setting *setting, struct buf *out);

/* A text that does not fit, for the error that says so: without what may be secret. */
void value_print_wrong(const struct setting *setting, const char *text, struct buf *out);

/* What stands for the value in --help, such as DURATION or logfmt|json. */
void value_print_placeholder(const struct setting *setting, struct buf *out);

/* The numbers or texts it takes, for messages and docs; nothing for those that take any. */
void value_print_range(const struct setting *setting, struct buf *out);

/* The value of another config takes the place of this one's, its source too. */
void value_copy(struct config *config, const struct config *from, const struct setting *setting);

void value_free(struct config *config, const struct setting *setting);
