#include "state/sqlite/repair.h"

#include <stdlib.h>

void sqlite_repaired_init(struct sqlite_repaired *repaired)
{
	*repaired = (struct sqlite_repaired){ .is_salvaged = false };
	buf_init(&repaired->why, 0);
}

void sqlite_repaired_finish(struct sqlite_repaired *repaired)
{
	buf_finish(&repaired->why);
	sqlite_salvaged_finish(&repaired->salvaged);
}

/* Of one that is closed; the buffer says what is wrong with it, and is emptied. */
static enum sqlite_file_result salvage(struct sqlite_file *file, const char *path,
		enum state_sync sync, struct sqlite_repaired *repaired, struct buf *reterr_why)
{
	struct sqlite_salvaged salvaged;
	struct buf why = *reterr_why;
	buf_init(reterr_why, why.cap);
	if (!sqlite_salvage(path, &salvaged, reterr_why)) {
		buf_finish(&why);
		return SQLITE_FILE_E_SYSTEM;
	}
	sqlite_repaired_finish(repaired);
	*repaired = (struct sqlite_repaired){
		.is_salvaged = true,
		.why = why,
		.salvaged = salvaged,
	};
	return sqlite_file_open(file, path, sync, reterr_why);
}

enum sqlite_file_result sqlite_repair_open(struct sqlite_file *file, const char *path,
		enum state_sync sync, struct sqlite_repaired *repaired, struct buf *reterr_why)
{
	enum sqlite_file_result result = sqlite_file_open(file, path, sync, reterr_why);
	return result == SQLITE_FILE_E_DAMAGED ? salvage(file, path, sync, repaired, reterr_why)
										   : result;
}

enum sqlite_file_result sqlite_repair_left(
		struct sqlite_file *file, struct sqlite_repaired *repaired, struct buf *reterr_why)
{
	struct sqlite_file made = { .db = NULL };
	enum sqlite_file_result result = salvage(&made, file->path, file->sync, repaired, reterr_why);
	file->db = made.db;
	free(made.path);
	return result;
}

enum sqlite_file_result sqlite_repair_check(
		struct sqlite_file *file, struct sqlite_repaired *repaired, struct buf *reterr_why)
{
	enum sqlite_file_result result = sqlite_file_check(file->db, reterr_why);
	if (result == SQLITE_FILE_OK) {
		return result;
	}
	sqlite_file_leave(file);
	return result == SQLITE_FILE_E_DAMAGED ? sqlite_repair_left(file, repaired, reterr_why)
										   : result;
}
