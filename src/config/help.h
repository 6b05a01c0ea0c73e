#pragma once

/*
 * What --help, --version and --print-config show.
 */

#include "base/buf.h"
#include "config/config.h"

void help_print(struct buf *out);
void help_print_version(struct buf *out);
void help_print_config(const struct config *config, struct buf *out);
