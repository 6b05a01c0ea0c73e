#pragma once

/*
 * What a disk has that is told of what is done to its files: see power_loss.c. On
 * any thread.
 */

#include <stdbool.h>
#include <sys/types.h>

/* Before anything happens there: later a name could be that of another file. */
void platter_begin(void);

/* All of these come after what they tell of, and do nothing for files elsewhere. */
void platter_write(int fd, off_t from, off_t to);
void platter_resize(int fd);

/* A file or a directory; false: it is elsewhere. */
bool platter_sync(int fd);

/* What is not synced of the file never will be. */
void platter_drop(int fd);

/* Between the two no names of a directory are synced: of one that changes, the old one or the new.
 */
void platter_lock(void);
void platter_unlock(void);
