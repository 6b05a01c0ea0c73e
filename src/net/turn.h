#pragma once

/*
 * Work for the next turn of the loop: runs after the loop has served its
 * input, and keeps the loop from going to sleep while there is more.
 */

#include <stdbool.h>
#include <uv.h>

struct turn {
	uv_check_t check; /* runs */
	uv_idle_t idle;   /* active while armed; the loop then does not wait for input */
	/* Does a share of the work; false when nothing is left. */
	bool (*run)(void *data);
	void (*on_closed)(void *data);
	void *data;
	int open_handles;
};

void turn_open(struct turn *turn, uv_loop_t *loop, bool (*run)(void *data), void *data);

/* There is something to do. */
void turn_arm(struct turn *turn);

/* on_closed may free the turn. */
void turn_close(struct turn *turn, void (*on_closed)(void *data));
