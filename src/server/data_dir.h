#pragma once

/*
 * The data directory: one weir a directory. The lock ends with the process.
 *
 * Who names a directory gets that one or an error. Who names none gets
 * systemd's $STATE_DIRECTORY if there is one, else ./data, and where that
 * cannot be written $HOME/weir: services such as Debian's
 * prometheus-pushgateway run in / as a user who may write only there.
 */

#include <stdbool.h>

struct data_dir {
	char *path;         /* owned; NULL: none */
	const char *origin; /* why it is this one, for the log */
	int fd;             /* of the directory, to name what is in it by; -1: none */
	int lock_fd;        /* of the file that is locked; -1: none */
};

/*
 * Finds the directory, makes it if need be and opens its lock file, without
 * locking it. False: the log says why. Finish it in either case.
 */
bool data_dir_open(struct data_dir *dir, const char *path, bool is_asked_for);
void data_dir_finish(struct data_dir *dir);

/* False: the log says who is in the way. */
bool data_dir_lock(struct data_dir *dir);

/* Takes the lock that another process has on it, and closes fd if it is of something else. */
bool data_dir_take_lock(struct data_dir *dir, int fd);
