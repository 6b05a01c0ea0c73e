#include "net/turn.h"

static void on_idle(uv_idle_t *idle)
{
	/* It is there so that the loop polls without waiting. */
}

static void on_check(uv_check_t *check)
{
	struct turn *turn = check->data;
	if (uv_is_active((uv_handle_t *)&turn->idle) && !turn->run(turn->data)) {
		uv_idle_stop(&turn->idle);
	}
}

void turn_open(struct turn *turn, uv_loop_t *loop, bool (*run)(void *data), void *data)
{
	*turn = (struct turn){ .run = run, .data = data, .open_handles = 2 };
	uv_check_init(loop, &turn->check);
	uv_idle_init(loop, &turn->idle);
	turn->check.data = turn;
	turn->idle.data = turn;
	uv_check_start(&turn->check, on_check);
	/* Waiting for work is no reason for the loop to go on. */
	uv_unref((uv_handle_t *)&turn->check);
}

void turn_arm(struct turn *turn)
{
	uv_idle_start(&turn->idle, on_idle);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct turn *turn = handle->data;
	if (--turn->open_handles == 0) {
		turn->on_closed(turn->data);
	}
}

void turn_close(struct turn *turn, void (*on_closed)(void *data))
{
	turn->on_closed = on_closed;
	uv_close((uv_handle_t *)&turn->check, on_handle_closed);
	uv_close((uv_handle_t *)&turn->idle, on_handle_closed);
}
