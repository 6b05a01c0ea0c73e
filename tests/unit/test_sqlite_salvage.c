/*
 * Databases that are damaged everywhere in turn: what lies on undamaged pages is
 * there afterwards, what was deleted is not, and the damaged one is kept.
 */

#include <dirent.h>

#include "random.h"
#include "sqlite_driver.h"
#include "state/sqlite_examine.h"
#include "state/sqlite_salvage.h"

enum {
	ROWS = 260,
	DELETED = 60, /* of these, the first */
	DATA_BYTES_MAX = 10000,
	PAGE_BYTES = 4096,
	ASIDE_ROWS = 3,
	OVERFLOWING_BYTES = 4000, /* rows with more lie on several pages */
};

/* A database as it is on disk, and on which page each row begins. */
struct image {
	struct buf file;
	struct buf log;
	uint32_t leaf[ROWS + 1];
	uint32_t pages;
};

static struct slice data_of(uint64_t number)
{
	static char data[DATA_BYTES_MAX];
	size_t len = number % 7 == 0 ? 4000 + number * 20 : number % 3 == 0 ? 300 + number : 40;
	for (size_t i = 0; i < len; i++) {
		data[i] = (char)(number * 31 + i * (number % 13 + 1) + (i >> 8));
	}
	return slice_make(data, len);
}

/* ---- Making one ---- */

static void put_rows(sqlite3 *db, uint64_t first, uint64_t last)
{
	for (uint64_t number = first; number <= last; number++) {
		put_row(db, number, 1, number % 50 + 1, data_of(number));
	}
}

static void fill(sqlite3 *db)
{
	put_rows(db, 1, ROWS / 2);
	sql(db, "INSERT INTO meta VALUES ('clock', x'0102030405')");
	for (int i = 0; i < ASIDE_ROWS; i++) {
		sql(db, "INSERT INTO aside VALUES (7, 1, 3, 99, x'aabb', 'a reason', 'a time')");
	}
	sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	for (uint64_t number = ROWS / 2 + 1; number <= ROWS; number += 13) {
		uint64_t last = number + 12 < ROWS ? number + 12 : ROWS;
		sql(db, "BEGIN");
		put_rows(db, number, last);
		sql(db, "COMMIT");
	}
	char text[64];
	snprintf(text, sizeof(text), "DELETE FROM segment WHERE number <= %d", DELETED);
	sql(db, text);
}

static void find_leaves(struct image *image)
{
	struct sqlite_pages pages;
	struct buf buffer;
	struct sqlite_row row;
	char bytes[PAGE_BYTES];
	buf_init(&buffer, 0);
	CHECK(sqlite_pages_open(&pages, path_of("intact"), false));
	image->pages = pages.count;
	for (uint32_t number = 2; number <= pages.count; number++) {
		CHECK(sqlite_pages_read(&pages, number, bytes));
		struct sqlite_leaf leaf = sqlite_leaf_of(&pages, number, bytes);
		for (size_t i = 0; leaf.kind == SQLITE_LEAF_ROWS && i < leaf.count; i++) {
			if (sqlite_leaf_read(&leaf, i, &buffer, &row) && sqlite_is_right_segment(&row)) {
				image->leaf[row.id] = number;
			}
		}
	}
	sqlite_pages_close(&pages);
	buf_finish(&buffer);
}

/* With half of it in the log, as a weir that was killed leaves it, or without. */
static void image_init(struct image *image, bool has_log)
{
	struct sqlite_file file;
	buf_init(&image->file, 0);
	buf_init(&image->log, 0);
	memset(image->leaf, 0, sizeof(image->leaf));
	CHECK_INT(try_to_open(&file, path_of("intact")), SQLITE_FILE_OK);
	fill(file.db);
	if (!has_log) {
		sql(file.db, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	file_get(path_of("intact"), &image->file);
	file_get(path_of("intact-wal"), &image->log);
	sqlite_file_leave(&file);
	find_leaves(image);
	unlink(path_of("intact"));
	unlink(path_of("intact-wal"));
}

static void image_finish(struct image *image)
{
	buf_finish(&image->file);
	buf_finish(&image->log);
}

/* ---- Reading one ---- */

/* What is found in the end. */
struct found {
	bool is_salvaged;
	bool has_row[ROWS + 1]; /* as it was written */
	size_t rows_wrong;
	size_t strange; /* deleted ones, and ones that there never were */
};

static bool is_whole(sqlite3 *db)
{
	struct buf why;
	buf_init(&why, 0);
	enum sqlite_file_result result = sqlite_file_check(db, &why);
	CHECK(result == SQLITE_FILE_OK || result == SQLITE_FILE_E_DAMAGED);
	CHECK((result == SQLITE_FILE_OK) == (why.len == 0));
	buf_finish(&why);
	return result == SQLITE_FILE_OK;
}

/* False: SQLite says that it is damaged. */
static bool scan(sqlite3 *db, struct found *found)
{
	sqlite3_stmt *statement;
	*found = (struct found){ .is_salvaged = found->is_salvaged };
	int result = sqlite3_prepare_v2(db,
			"SELECT number, kind, grp, sum, data FROM segment ORDER BY number DESC", -1, &statement,
			NULL);
	while (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
		uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
		struct slice data = slice_make(
				sqlite3_column_blob(statement, 4), (size_t)sqlite3_column_bytes(statement, 4));
		uint64_t sum = row_sum(number, sqlite3_column_int(statement, 1),
				(uint64_t)sqlite3_column_int64(statement, 2), data);
		if (sum != (uint64_t)sqlite3_column_int64(statement, 3)) {
			found->rows_wrong++;
		} else if (number <= DELETED || number > ROWS) {
			found->strange++;
		} else {
			CHECK(slice_equal(data, data_of(number)));
			found->has_row[number] = true;
		}
	}
	result = sqlite3_finalize(statement);
	CHECK(result == SQLITE_OK || result == SQLITE_CORRUPT);
	return result == SQLITE_OK;
}

/* The damaged one, byte for byte. */
static void check_kept(struct slice file, struct slice log, const char *kept)
{
	char name[256];
	struct buf bytes;
	buf_init(&bytes, 0);
	CHECK(slice_equal(file_get(kept, &bytes), file));
	snprintf(name, sizeof(name), "%s-wal", kept);
	CHECK(slice_equal(file_get(name, &bytes), log));
	unlink(kept);
	unlink(name);
	buf_finish(&bytes);
}

static void salvage(struct slice file, struct slice log, struct found *found)
{
	struct sqlite_salvaged salvaged;
	struct buf why;
	buf_init(&why, 0);
	CHECK(sqlite_salvage(path_of("db"), &salvaged, &why));
	CHECK_INT(why.len, 0);
	check_kept(file, log, salvaged.kept);
	sqlite_salvaged_finish(&salvaged);
	found->is_salvaged = true;
	CHECK(!file_exists(path_of("db.salvage")));
	CHECK(!file_exists(path_of("db.new")));
	buf_finish(&why);
}

/* As weir does it. False: it is taken for another program's. */
static bool recover(struct slice file_bytes, struct slice log_bytes, struct found *ret_found)
{
	struct sqlite_file file;
	*ret_found = (struct found){ .is_salvaged = false };
	unlink(path_of("db-wal"));
	unlink(path_of("db-shm"));
	file_put(path_of("db"), file_bytes);
	if (log_bytes.len > 0) {
		file_put(path_of("db-wal"), log_bytes);
	}
	enum sqlite_file_result result = try_to_open(&file, path_of("db"));
	if (result == SQLITE_FILE_OK && is_whole(file.db) && scan(file.db, ret_found)) {
		sqlite_file_close(&file);
		return true;
	}
	if (result == SQLITE_FILE_OK) {
		sqlite_file_leave(&file);
	} else if (result != SQLITE_FILE_E_DAMAGED) {
		CHECK_INT(result, SQLITE_FILE_E_FOREIGN);
		return false;
	}
	salvage(file_bytes, log_bytes, ret_found);
	CHECK_INT(try_to_open(&file, path_of("db")), SQLITE_FILE_OK);
	CHECK(scan(file.db, ret_found));
	sqlite_file_close(&file);
	return true;
}

static bool is_overflowing(uint64_t number)
{
	return data_of(number).len > OVERFLOWING_BYTES;
}

/* All but those on that page, and one row at most of which some other part lies there. */
static void check_found(const struct image *image, const struct found *found, uint32_t page)
{
	size_t cut = 0;
	size_t lost = 0;
	for (uint64_t number = DELETED + 1; number <= ROWS; number++) {
		lost += !found->has_row[number];
		if (!found->has_row[number] && image->leaf[number] != page) {
			CHECK(is_overflowing(number));
			cut++;
		}
	}
	CHECK(cut <= 1);
	CHECK(found->is_salvaged || lost <= found->rows_wrong);
	CHECK_INT(found->strange, 0);
}

/* ---- The tests ---- */

static void test_intact(void)
{
	for (int has_log = 0; has_log < 2; has_log++) {
		struct image image;
		struct found found;
		image_init(&image, has_log);
		CHECK(image.pages > 60);
		CHECK((image.log.len > 0) == has_log);
		CHECK(recover(buf_slice(&image.file), buf_slice(&image.log), &found));
		CHECK(!found.is_salvaged);
		check_found(&image, &found, 0);
		image_finish(&image);
	}
}

enum harm { HARM_ZEROS, HARM_GARBAGE, HARM_HALF, HARM_BIT, HARM_HEAD, HARM_COUNT };

static struct random_source random_source;

static void do_harm(char *page, enum harm harm)
{
	struct random_source *random = &random_source;
	size_t from = harm == HARM_HALF ? PAGE_BYTES / 2 : 0;
	switch (harm) {
	case HARM_ZEROS:
		memset(page, 0, PAGE_BYTES);
		break;
	case HARM_GARBAGE:
	case HARM_HALF:
		for (size_t i = from; i < PAGE_BYTES; i++) {
			page[i] = (char)random_below(random, 256);
		}
		break;
	case HARM_HEAD:
		page[random_below(random, 16)] ^= (char)(1 << random_below(random, 8));
		break;
	case HARM_BIT:
	case HARM_COUNT:
		page[random_below(random, PAGE_BYTES)] ^= (char)(1 << random_below(random, 8));
		break;
	}
}

/* Whether it was taken for another program's: only what has nothing left of weir may be. */
static void harm_page(const struct image *image, uint32_t page, enum harm harm)
{
	struct found found;
	struct buf file;
	buf_init(&file, 0);
	buf_append(&file, buf_slice(&image->file));
	do_harm(file.ptr + (size_t)(page - 1) * PAGE_BYTES, harm);
	CHECK(recover(buf_slice(&file), buf_slice(&image->log), &found));
	check_found(image, &found, page);
	buf_finish(&file);
}

static void harm_all(const struct image *image)
{
	uint32_t pages = (uint32_t)(image->file.len / PAGE_BYTES);
	for (uint32_t page = 1; page <= pages; page++) {
		for (int harm = 0; harm < HARM_COUNT; harm++) {
			int before = check_failures;
			harm_page(image, page, harm);
			if (check_failures != before) {
				fprintf(stderr, "page %u, harm %d\n", page, harm);
			}
		}
	}
}

static void test_harm(void)
{
	struct image image;
	image_init(&image, false);
	harm_all(&image);
	image_finish(&image);
}

static void test_harm_below_log(void)
{
	struct image image;
	image_init(&image, true);
	harm_all(&image);
	image_finish(&image);
}

int main(void)
{
	directory_begin();
	random_init(&random_source);
	RUN(test_intact);
	RUN(test_harm);
	RUN(test_harm_below_log);
	directory_end();
	return check_done();
}
