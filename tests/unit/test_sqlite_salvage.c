/*
 * Databases that are damaged everywhere in turn: what lies on undamaged pages is
 * there afterwards, what was deleted is not, and the damaged one is kept.
 */

#include "random.h"
#include "sqlite_driver.h"
#include "state/sqlite/examine.h"
#include "state/sqlite/repair.h"

enum {
	ROWS = 260,
	DELETED = 60, /* of these, the first */
	DATA_BYTES_MAX = 10000,
	PAGE_BYTES = 4096,
	ASIDE_ROWS = 3,
	META_PAGE = 3,
	ASIDE_PAGE = 4,
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
	sqlite_file_close(&file);
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
	size_t deleted; /* that are there again */
	int64_t aside;
	bool has_clock;
};

static void scan(sqlite3 *db, struct found *found)
{
	sqlite3_stmt *statement;
	int result = sqlite3_prepare_v2(db,
			"SELECT number, kind, grp, sum, data FROM segment ORDER BY number DESC", -1, &statement,
			NULL);
	CHECK_INT(result, SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
		struct slice data = slice_make(
				sqlite3_column_blob(statement, 4), (size_t)sqlite3_column_bytes(statement, 4));
		uint64_t sum = row_sum(number, sqlite3_column_int(statement, 1),
				(uint64_t)sqlite3_column_int64(statement, 2), data);
		if (sum != (uint64_t)sqlite3_column_int64(statement, 3)) {
			found->rows_wrong++;
		} else if (number > ROWS) {
			CHECK(number <= ROWS);
		} else {
			CHECK(slice_equal(data, data_of(number)));
			found->has_row[number] = true;
			found->deleted += number <= DELETED;
		}
	}
	CHECK_INT(sqlite3_finalize(statement), SQLITE_OK);
	found->has_clock =
			sql_number(db, "SELECT value = x'0102030405' FROM meta WHERE name = 'clock'") == 1;
	found->aside = sql_number(db,
			"SELECT count(*) FROM aside WHERE number = 7 AND grp = 3 AND data = x'aabb' AND "
			"reason = 'a reason' AND set_aside = 'a time'");
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

static void check_salvaged(
		struct slice file, struct slice log, const struct sqlite_repaired *repaired)
{
	CHECK(repaired->why.len > 0);
	check_kept(file, log, repaired->salvaged.kept);
	CHECK(!file_exists(path_of("db.salvage")));
	CHECK(!file_exists(path_of("db.new")));
}

static void put_files(struct slice file, struct slice log)
{
	unlink(path_of("db-wal"));
	unlink(path_of("db-shm"));
	file_put(path_of("db"), file);
	if (log.len > 0) {
		file_put(path_of("db-wal"), log);
	}
}

/* As weir does it. False: it is taken for another program's. */
static bool recover(struct slice file_bytes, struct slice log_bytes, struct found *ret_found)
{
	struct sqlite_file file;
	struct sqlite_repaired repaired;
	struct buf why;
	*ret_found = (struct found){ .is_salvaged = false };
	put_files(file_bytes, log_bytes);
	buf_init(&why, 0);
	sqlite_repaired_init(&repaired);
	enum sqlite_file_result result =
			sqlite_repair_open(&file, path_of("db"), STATE_SYNC_NORMAL, &repaired, &why);
	if (result == SQLITE_FILE_OK) {
		result = sqlite_repair_check(&file, &repaired, &why);
	}
	if (repaired.is_salvaged) {
		check_salvaged(file_bytes, log_bytes, &repaired);
	}
	if (result == SQLITE_FILE_OK) {
		ret_found->is_salvaged = repaired.is_salvaged;
		scan(file.db, ret_found);
		sqlite_file_close(&file);
	} else {
		CHECK_INT(result, SQLITE_FILE_E_FOREIGN);
	}
	CHECK((result == SQLITE_FILE_OK) == (why.len == 0));
	buf_finish(&why);
	sqlite_repaired_finish(&repaired);
	return result == SQLITE_FILE_OK;
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
	CHECK_INT(found->deleted, 0);
	CHECK(found->has_clock || page == META_PAGE);
	CHECK(found->aside == ASIDE_ROWS || page == ASIDE_PAGE);
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

/* ---- The log ---- */

enum { LOG_HEAD_BYTES = 32, FRAME_BYTES = PAGE_BYTES + 24 };

static size_t frame_count(const struct image *image)
{
	return (image->log.len - LOG_HEAD_BYTES) / FRAME_BYTES;
}

static char *frame_of(struct buf *log, size_t frame)
{
	return log->ptr + LOG_HEAD_BYTES + frame * FRAME_BYTES;
}

/* The first frame of the last transaction but one: from there on damage is not seen. */
static size_t last_two(struct image *image)
{
	size_t commits = 0;
	size_t frame = frame_count(image);
	while (frame > 0 && commits < 3) {
		commits += sqlite_pages_u32(frame_of(&image->log, --frame) + 4) != 0;
	}
	return frame + 1;
}

/* What was committed behind it is there, too; what was deleted last may be. */
static void check_found_in_log(const struct image *image, struct found *found, uint32_t page)
{
	CHECK(found->is_salvaged);
	found->deleted = 0;
	check_found(image, found, page);
}

static void test_harm_in_log(void)
{
	struct image image;
	struct found found;
	struct buf log;
	buf_init(&log, 0);
	image_init(&image, true);
	size_t frames = last_two(&image);
	CHECK(frames > 20);
	for (size_t frame = 0; frame < frames; frame++) {
		log.len = 0;
		buf_append(&log, buf_slice(&image.log));
		uint32_t page = sqlite_pages_u32(frame_of(&log, frame));
		do_harm(frame_of(&log, frame) + frame % 24, (enum harm)(frame % HARM_COUNT));
		CHECK(recover(buf_slice(&image.file), buf_slice(&log), &found));
		check_found_in_log(&image, &found, page);
	}
	for (size_t at = 0; at < LOG_HEAD_BYTES; at++) {
		log.len = 0;
		buf_append(&log, buf_slice(&image.log));
		log.ptr[at] ^= (char)(1 << random_below(&random_source, 8));
		CHECK(recover(buf_slice(&image.file), buf_slice(&log), &found));
		check_found_in_log(&image, &found, sqlite_pages_u32(frame_of(&log, 0)));
	}
	buf_finish(&log);
	image_finish(&image);
}

/* As the power may leave it: all up to there, and none of it is damage. */
static void test_cut_log(void)
{
	struct image image;
	struct found found;
	image_init(&image, true);
	for (size_t len = 0; len < image.log.len; len += 3001) {
		CHECK(recover(buf_slice(&image.file), slice_first(buf_slice(&image.log), len), &found));
		CHECK(!found.is_salvaged);
		CHECK(found.has_row[ROWS / 2]);
	}
	image_finish(&image);
}

/* ---- Everything at once ---- */

static void test_cut_file(void)
{
	struct image image;
	struct found found;
	image_init(&image, false);
	for (size_t len = image.file.len - 1; len > PAGE_BYTES * 3; len -= len < 9000 ? 1500 : 9000) {
		struct slice cut = slice_first(buf_slice(&image.file), len);
		CHECK(recover(cut, slice_make("", 0), &found));
		CHECK(found.is_salvaged);
		for (uint64_t number = DELETED + 1; number <= ROWS; number++) {
			bool is_there = (size_t)image.leaf[number] * PAGE_BYTES <= len;
			CHECK(found.has_row[number] || !is_there || is_overflowing(number));
		}
	}
	image_finish(&image);
}

/* Whatever it is, that ends well. */
static void test_much_harm(void)
{
	struct image image;
	struct found found;
	struct buf file;
	struct buf log;
	buf_init(&file, 0);
	buf_init(&log, 0);
	image_init(&image, true);
	for (unsigned round = random_rounds(100); round > 0; round--) {
		file.len = 0;
		log.len = 0;
		buf_append(&file, buf_slice(&image.file));
		buf_append(&log, buf_slice(&image.log));
		for (unsigned count = random_below(&random_source, 20) + 1; count > 0; count--) {
			struct buf *harmed = random_once_in(&random_source, 3) ? &log : &file;
			unsigned room = (unsigned)(harmed->len - PAGE_BYTES);
			do_harm(harmed->ptr + random_below(&random_source, room),
					(enum harm)random_below(&random_source, HARM_COUNT));
		}
		recover(buf_slice(&file), buf_slice(&log), &found);
	}
	buf_finish(&file);
	buf_finish(&log);
	image_finish(&image);
}

/* ---- Being interrupted ---- */

static void test_interrupted(void)
{
	struct image image;
	struct found found;
	image_init(&image, true);
	struct slice log = buf_slice(&image.log);
	struct slice file = buf_slice(&image.file);

	file_put(path_of("db.salvage"), slice_of_string(".damaged-1\n")); /* nothing more was done */
	CHECK(recover(file, log, &found));
	check_found_in_log(&image, &found, 0);

	file_put(path_of("db.salvage"), slice_of_string(".dam")); /* nor was that */
	CHECK(recover(file, log, &found));
	check_found_in_log(&image, &found, 0);

	file_put(path_of("db.salvage"), slice_of_string(".damaged-1\n"));
	file_put(path_of("db.damaged-1"), file);
	file_put(path_of("db.damaged-1-wal"), log);
	put_files(file, slice_make("", 0)); /* its log is removed */
	file_put(path_of("db.new"), slice_of_string("half of it"));
	struct sqlite_file opened;
	CHECK_INT(try_to_open(&opened, path_of("db")), SQLITE_FILE_E_DAMAGED);
	unlink(path_of("db"));
	CHECK_INT(try_to_open(&opened, path_of("db")), SQLITE_FILE_E_DAMAGED);
	struct sqlite_salvaged salvaged;
	struct buf why;
	buf_init(&why, 0);
	CHECK(sqlite_salvage(path_of("db"), &salvaged, &why));
	CHECK_INT(salvaged.rows, ROWS - DELETED);
	check_kept(file, log, salvaged.kept);
	sqlite_salvaged_finish(&salvaged);
	buf_finish(&why);
	image_finish(&image);
}

/* Each that is kept has a name of its own. */
static void test_names(void)
{
	struct sqlite_salvaged salvaged[3];
	struct image image;
	struct buf why;
	buf_init(&why, 0);
	image_init(&image, false);
	for (int i = 0; i < 3; i++) {
		put_files(buf_slice(&image.file), slice_make("", 0));
		CHECK(sqlite_salvage(path_of("db"), &salvaged[i], &why));
	}
	for (int i = 0; i < 3; i++) {
		check_kept(buf_slice(&image.file), slice_make("", 0), salvaged[i].kept);
		sqlite_salvaged_finish(&salvaged[i]);
	}
	buf_finish(&why);
	image_finish(&image);
}

/* They are for whoever loads them to report. */
static void test_wrong_rows(void)
{
	struct sqlite_salvaged salvaged;
	struct sqlite_file file;
	struct buf why;
	buf_init(&why, 0);
	put_files(slice_make("", 0), slice_make("", 0));
	CHECK_INT(try_to_open(&file, path_of("db")), SQLITE_FILE_OK);
	put_rows(file.db, 1, 20);
	put_row_with_sum(file.db, 21, 1, 3, 12345, data_of(21));
	put_row_with_sum(file.db, 22, 1, 3, 12345, slice_make("", 0));
	sqlite_file_close(&file);
	CHECK(sqlite_salvage(path_of("db"), &salvaged, &why));
	CHECK_INT(salvaged.rows, 20);
	CHECK_INT(salvaged.rows_wrong, 2);
	CHECK_INT(salvaged.pages_unreadable, 0);
	CHECK_INT(try_to_open(&file, path_of("db")), SQLITE_FILE_OK);
	CHECK_INT(sql_number(file.db, "SELECT length(data) FROM segment WHERE number = 21"),
			(long long)data_of(21).len);
	CHECK_INT(sql_number(file.db, "SELECT length(data) FROM segment WHERE number = 22"), 0);
	sqlite_file_close(&file);
	sqlite_salvaged_finish(&salvaged);
	buf_finish(&why);
}

int main(void)
{
	directory_begin();
	random_init(&random_source);
	RUN(test_intact);
	RUN(test_harm);
	RUN(test_harm_below_log);
	RUN(test_harm_in_log);
	RUN(test_cut_log);
	RUN(test_cut_file);
	RUN(test_much_harm);
	RUN(test_interrupted);
	RUN(test_names);
	RUN(test_wrong_rows);
	directory_end();
	return check_done();
}
