#include <hiredis/hiredis.h>
#include <stdio.h>

#include "base/hash.h"
#include "redis/parts.h"

enum { ERROR_BYTES_MAX = 300 };

/* The first line of an error; what it repeats of our password, as some do, is left out. */
static struct slice shown_error(const struct redis_conn *conn, const redisReply *reply)
{
	struct slice rest = slice_make(reply->str, reply->len);
	struct slice line = slice_first(slice_take_line(&rest), ERROR_BYTES_MAX);
	const char *password = conn->redis->options.password;
	if (password[0] != '\0') {
		const char *place = memmem(line.ptr, line.len, password, strlen(password));
		line = place == NULL ? line : slice_between(line.ptr, place);
	}
	return line;
}

static void refuse(struct redis_conn *conn, const char *what, struct slice detail)
{
	redis_conn_lose(conn,
			redis_text_printf(
					"cannot use %s: %s" SLICE_FMT, conn->node->address, what, SLICE_ARG(detail)));
}

/* The value of a line of INFO, empty when there is none. */
static struct slice info_value(struct slice info, const char *name)
{
	struct slice start = slice_of_string(name);
	while (info.len > 0) {
		struct slice line = slice_take_line(&info);
		if (slice_starts_with(line, start) && line.len > start.len && line.ptr[start.len] == ':') {
			line = slice_skip(line, start.len + 1);
			return slice_ends_with(line, SLICE("\r")) ? slice_first(line, line.len - 1) : line;
		}
	}
	return slice_make("", 0);
}

/* ---- Its answers ---- */

static struct redis_conn *conn_of(struct redis_command *command)
{
	return LIST_ENTRY(command, struct redis_greeting, command)->conn;
}

/* Whether it is one, after all. */
static bool check_error(struct redis_conn *conn, const struct redis_result *result)
{
	if (result->reply->type != REDIS_REPLY_ERROR) {
		return true;
	}
	refuse(conn, "", shown_error(conn, result->reply));
	return false;
}

static void be_ready(struct redis_conn *conn)
{
	conn->state = REDIS_CONN_READY;
	uv_timer_stop(&conn->timer);
	redis_node_on_ready(conn->node);
}

static void greet(struct redis_conn *conn, unsigned greeting,
		void (*done)(struct redis_command *command, const struct redis_result *result),
		const struct slice *args, size_t count)
{
	conn->greetings[greeting] = (struct redis_greeting){
		.conn = conn,
		.command = { .done = done, .is_internal = true },
	};
	struct redis_command *command = &conn->greetings[greeting].command;
	command->text = redis_text_of_command(args, count, 0, 0);
	redis_conn_send(conn, command);
}

static void on_auth(struct redis_command *command, const struct redis_result *result)
{
	check_error(conn_of(command), result);
}

static void on_setname(struct redis_command *command, const struct redis_result *result)
{
	/* Without a name it is as good. */
}

static void on_select(struct redis_command *command, const struct redis_result *result)
{
	struct redis_conn *conn = conn_of(command);
	if (check_error(conn, result)) {
		be_ready(conn);
	}
}

static bool is_usable(struct redis_conn *conn, struct slice info)
{
	if (slice_equal(info_value(info, "loading"), SLICE("1"))) {
		refuse(conn, "it is loading its data", slice_make("", 0));
		return false;
	}
	if (!conn->is_cluster && slice_equal(info_value(info, "role"), SLICE("slave"))) {
		refuse(conn, "it is a replica of ", info_value(info, "master_host"));
		return false;
	}
	return true;
}

static void take_info(struct redis_conn *conn, struct slice info)
{
	struct slice run = info_value(info, "run_id");
	if (run.len == 0) {
		refuse(conn, "its INFO has no run_id", slice_make("", 0));
		return;
	}
	conn->server = checksum64(run, 0);
	conn->server += conn->server == 0;
	conn->is_cluster = slice_equal(info_value(info, "cluster_enabled"), SLICE("1"));
	if (!is_usable(conn, info)) {
		return;
	}
	unsigned database = conn->redis->options.database;
	if (database == 0) {
		be_ready(conn);
	} else if (conn->is_cluster) {
		refuse(conn, "it is of a cluster, which has no database but 0", slice_make("", 0));
	} else {
		char number[16];
		snprintf(number, sizeof(number), "%u", database);
		const struct slice args[] = { SLICE("SELECT"), slice_of_string(number) };
		greet(conn, REDIS_GREETING_SELECT, on_select, args, 2);
	}
}

static void on_info(struct redis_command *command, const struct redis_result *result)
{
	struct redis_conn *conn = conn_of(command);
	if (check_error(conn, result)) {
		const redisReply *reply = result->reply;
		bool is_text = reply->type == REDIS_REPLY_STRING;
		take_info(conn, is_text ? slice_make(reply->str, reply->len) : slice_make("", 0));
	}
}

/* ---- What it is asked ---- */

static void greet_with_auth(struct redis_conn *conn)
{
	const struct redis_options *options = &conn->redis->options;
	struct slice args[3] = { SLICE("AUTH") };
	size_t count = 1;
	if (options->user[0] != '\0') {
		args[count++] = slice_of_string(options->user);
	}
	args[count++] = slice_of_string(options->password);
	if (options->password[0] != '\0' || options->user[0] != '\0') {
		greet(conn, REDIS_GREETING_AUTH, on_auth, args, count);
	}
}

void redis_greet(struct redis_conn *conn)
{
	const struct slice setname[] = { SLICE("CLIENT"), SLICE("SETNAME"),
		slice_of_string(conn->redis->options.name) };
	const struct slice info[] = { SLICE("INFO") };
	greet_with_auth(conn);
	if (setname[2].len > 0) {
		greet(conn, REDIS_GREETING_SETNAME, on_setname, setname, 3);
	}
	greet(conn, REDIS_GREETING_INFO, on_info, info, 1);
}
