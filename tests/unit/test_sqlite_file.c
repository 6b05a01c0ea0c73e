/* The database file: whose it is, and what is done to it. */

#include "sqlite_driver.h"
#include "state/sqlite/schema.h"

/* Opens what must not be touched: the bytes stay, and nothing is left beside it. */
static void check_refused(const char *name, enum sqlite_file_result wanted)
{
	struct sqlite_file file;
	struct buf before;
	struct buf after;
	char beside[256];
	buf_init(&before, 0);
	buf_init(&after, 0);
	file_get(path_of(name), &before);
	CHECK_INT(try_to_open(&file, path_of(name)), wanted);
	file_get(path_of(name), &after);
	CHECK(slice_equal(buf_slice(&before), buf_slice(&after)));
	snprintf(beside, sizeof(beside), "%s-wal", name);
	CHECK(!file_exists(path_of(beside)));
	snprintf(beside, sizeof(beside), "%s-shm", name);
	CHECK(!file_exists(path_of(beside)));
	snprintf(beside, sizeof(beside), "%s.new", name);
	CHECK(!file_exists(path_of(beside)));
	buf_finish(&before);
	buf_finish(&after);
}

static void check_is_ours(sqlite3 *db)
{
	CHECK_INT(sql_number(db, "PRAGMA application_id"), SQLITE_SCHEMA_APPLICATION);
	CHECK_INT(sql_number(db, "PRAGMA user_version"), SQLITE_SCHEMA_VERSION);
	CHECK_INT(sql_number(db, "PRAGMA page_size"), 4096);
	CHECK_INT(sql_number(db, "SELECT rootpage FROM sqlite_master WHERE name = 'segment'"),
			SQLITE_SCHEMA_SEGMENT_ROOT);
	CHECK_INT(sql_number(db, "SELECT count(*) FROM meta WHERE name = 'written_by'"), 1);
	CHECK_INT(sql_number(db, "SELECT count(*) FROM aside"), 0);
}

static void test_new(void)
{
	struct sqlite_file file;
	struct stat status;
	CHECK_INT(try_to_open(&file, path_of("new")), SQLITE_FILE_OK);
	check_is_ours(file.db);
	put_row(file.db, 1, 1, 1, slice_of_string("x"));
	sqlite3 *second = sqlite_file_open_second(&file);
	CHECK_INT(sql_number(second, "SELECT count(*) FROM segment"), 1);
	sqlite3_close(second);
	CHECK(stat(path_of("new-wal"), &status) == 0 && (status.st_mode & 0777) == 0600);
	sqlite_file_close(&file);
	CHECK(stat(path_of("new"), &status) == 0 && (status.st_mode & 0777) == 0600);
	CHECK(!file_exists(path_of("new-wal")));
	CHECK(!file_exists(path_of("new.new")));

	CHECK_INT(try_to_open(&file, path_of("new")), SQLITE_FILE_OK);
	CHECK_INT(sql_number(file.db, "SELECT count(*) FROM segment"), 1);
	sqlite_file_close(&file);
}

static void test_empty(void)
{
	struct sqlite_file file;
	file_put(path_of("empty"), slice_make("", 0));
	file_put(path_of("empty.new"), slice_of_string("left by a crash"));
	file_put(path_of("empty-wal"), slice_make("", 0));
	CHECK_INT(try_to_open(&file, path_of("empty")), SQLITE_FILE_OK);
	check_is_ours(file.db);
	sqlite_file_close(&file);

	sqlite3 *db;
	sqlite3_open(path_of("vacuumed"), &db);
	sql(db, "VACUUM");
	sqlite3_close(db);
	CHECK_INT(try_to_open(&file, path_of("vacuumed")), SQLITE_FILE_OK);
	check_is_ours(file.db);
	sqlite_file_close(&file);
}

static void test_link(void)
{
	struct sqlite_file file;
	CHECK(symlink("new", path_of("link")) == 0);
	CHECK_INT(try_to_open(&file, path_of("link")), SQLITE_FILE_OK);
	CHECK_STRING(slice_of_string(file.path), path_of("new"));
	sqlite_file_close(&file);
	CHECK(symlink("nothing", path_of("dangling")) == 0);
	CHECK_INT(try_to_open(&file, path_of("dangling")), SQLITE_FILE_E_SYSTEM);
}

static void test_impossible(void)
{
	struct sqlite_file file;
	CHECK(mkdir(path_of("folder"), 0700) == 0);
	CHECK_INT(try_to_open(&file, path_of("folder")), SQLITE_FILE_E_SYSTEM);
	CHECK_INT(try_to_open(&file, path_of("none/new")), SQLITE_FILE_E_SYSTEM);
	CHECK(mkfifo(path_of("pipe"), 0600) == 0);
	CHECK_INT(try_to_open(&file, path_of("pipe")), SQLITE_FILE_E_SYSTEM);
}

static void test_foreign(void)
{
	static char many[3 * 4096];
	memset(many, 'a', sizeof(many));
	file_put(path_of("text"), slice_of_string("some text\n"));
	check_refused("text", SQLITE_FILE_E_FOREIGN);
	file_put(path_of("pages"), slice_make(many, sizeof(many)));
	check_refused("pages", SQLITE_FILE_E_FOREIGN);
	memset(many, 0, sizeof(many));
	file_put(path_of("zeros"), slice_make(many, sizeof(many)));
	check_refused("zeros", SQLITE_FILE_E_FOREIGN);
}

static void test_foreign_database(void)
{
	sqlite3 *db;
	sqlite3_open(path_of("foreign"), &db);
	sql(db,
			"CREATE TABLE segment (number INTEGER PRIMARY KEY, kind, grp, sum, data);"
			"INSERT INTO segment VALUES (1, 1, 1, 1, x'00')");
	sqlite3_close(db);
	check_refused("foreign", SQLITE_FILE_E_FOREIGN);

	sqlite3_open(path_of("foreign"), &db);
	sql(db, "PRAGMA journal_mode=WAL");
	sqlite3_close(db);
	check_refused("foreign", SQLITE_FILE_E_FOREIGN);
}

static void make(const char *name, const char *text)
{
	struct sqlite_file file;
	CHECK_INT(try_to_open(&file, path_of(name)), SQLITE_FILE_OK);
	sql(file.db, text);
	sqlite_file_close(&file);
}

static void test_newer(void)
{
	struct sqlite_file file;
	struct buf why;
	make("newer",
			"PRAGMA user_version=2; UPDATE meta SET value = 'weir 99.1' "
			"WHERE name = 'written_by'");
	check_refused("newer", SQLITE_FILE_E_NEWER);
	buf_init(&why, 0);
	sqlite_file_open(&file, path_of("newer"), STATE_SYNC_FULL, &why);
	buf_append_byte(&why, '\0');
	CHECK(strstr(why.ptr, "weir 99.1") != NULL);
	buf_finish(&why);
}

/* Of an older weir of the same version of the tables. */
static void test_writer(void)
{
	struct sqlite_file file;
	make("older", "UPDATE meta SET value = 'weir 0.0.1' WHERE name = 'written_by'");
	CHECK_INT(try_to_open(&file, path_of("older")), SQLITE_FILE_OK);
	CHECK_INT(sql_number(file.db, "SELECT count(*) FROM meta WHERE value = 'weir 0.0.1'"), 0);
	sqlite_file_close(&file);
}

static void test_damaged(void)
{
	make("version", "PRAGMA user_version=77");
	check_refused("version", SQLITE_FILE_E_DAMAGED);
	make("versionless", "PRAGMA user_version=0");
	check_refused("versionless", SQLITE_FILE_E_DAMAGED);
	make("application", "PRAGMA application_id=1");
	check_refused("application", SQLITE_FILE_E_DAMAGED);

	struct sqlite_file file;
	make("nameless", "DELETE FROM meta");
	CHECK_INT(try_to_open(&file, path_of("nameless")), SQLITE_FILE_E_DAMAGED);
	make("table", "DROP TABLE segment");
	CHECK_INT(try_to_open(&file, path_of("table")), SQLITE_FILE_E_DAMAGED);
}

/* As it is while it is open: most of it is in the log. */
static void test_log_alone(void)
{
	struct sqlite_file file;
	struct buf log;
	buf_init(&log, 0);
	CHECK_INT(try_to_open(&file, path_of("logged")), SQLITE_FILE_OK);
	put_row(file.db, 1, 1, 1, slice_of_string("x"));
	file_get(path_of("logged-wal"), &log);
	sqlite_file_close(&file);

	file_put(path_of("alone-wal"), buf_slice(&log));
	CHECK_INT(try_to_open(&file, path_of("alone")), SQLITE_FILE_E_DAMAGED);
	file_put(path_of("alone"), slice_make("", 0));
	CHECK_INT(try_to_open(&file, path_of("alone")), SQLITE_FILE_E_DAMAGED);
	CHECK(file_exists(path_of("alone-wal")));
	buf_finish(&log);
}

/* While somebody reads, it cannot begin anew; it is not to be as large for ever after. */
static void test_log_shrinks(void)
{
	struct sqlite_file file;
	struct stat status;
	CHECK_INT(try_to_open(&file, path_of("large")), SQLITE_FILE_OK);
	put_row(file.db, 1, 1, 1, slice_of_string("x"));
	sqlite3 *reader = sqlite_file_open_second(&file);
	sql(reader, "BEGIN");
	CHECK_INT(sql_number(reader, "SELECT count(*) FROM segment"), 1);
	sql(file.db, "INSERT INTO segment VALUES (2, 1, 2, 3, zeroblob(50000000))");
	sqlite3_close(reader);
	CHECK(stat(path_of("large-wal"), &status) == 0 && status.st_size > 50000000);
	sqlite3_wal_checkpoint_v2(file.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	put_row(file.db, 3, 1, 3, slice_of_string("x"));
	CHECK(stat(path_of("large-wal"), &status) == 0 && status.st_size < 40000000);
	sqlite_file_close(&file);
	unlink(path_of("large"));
}

int main(void)
{
	directory_begin();
	RUN(test_new);
	RUN(test_empty);
	RUN(test_link);
	RUN(test_impossible);
	RUN(test_foreign);
	RUN(test_foreign_database);
	RUN(test_newer);
	RUN(test_writer);
	RUN(test_damaged);
	RUN(test_log_alone);
	RUN(test_log_shrinks);
	directory_end();
	return check_done();
}
