/*
 * Descriptions of flows. Whatever is in one, reading it ends; what is refused has a reason with a
 * line, and of what is taken there is a dashboard, the same each time.
 */

#include <stdint.h>
#include <stdlib.h>

#include "cli/dashboard_board.h"
#include "cli/flow_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void print_twice(const struct flow *flow)
{
	char *one = board_print(flow, BOARD_TEXT);
	char *other = board_print(flow, BOARD_TEXT);
	require(one != NULL && other != NULL && strcmp(one, other) == 0);
	free(one);
	free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct buf errors;
	struct buf warnings;
	struct flow flow;
	buf_init(&errors, 0);
	buf_init(&warnings, 0);
	bool is_taken = flow_read_text(&flow, "f.yml", text, &errors, &warnings);
	require(is_taken == (errors.len == 0));
	require(is_taken || slice_starts_with(buf_slice(&errors), SLICE("f.yml:")));
	if (is_taken) {
		print_twice(&flow);
	}
	flow_finish(&flow);
	buf_finish(&errors);
	buf_finish(&warnings);
	return 0;
}
