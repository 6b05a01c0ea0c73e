/*
 * Whole pages: golden/text/NAME.in is pushed, NAME.out is what is exposed then,
 * without the push times. The key is {job="j"}, or what a first line says:
 *
 *     # key job=backup,zone=n
 *
 * The page that comes out, pushed in turn, has to come out the same.
 */

#include <dirent.h>
#include <limits.h>

#include "unit/store_driver.h"

static struct slice read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	size_t size = (size_t)ftell(file);
	rewind(file);
	char *text = arena_text(arena, size + 1);
	if (fread(text, 1, size, file) != size) {
		perror(path);
		exit(1);
	}
	fclose(file);
	text[size] = '\0';
	return slice_make(text, size);
}

static const char *key_of(struct arena *arena, struct slice input)
{
	const struct slice start = SLICE("# key ");
	if (!slice_starts_with(input, start)) {
		return "job=j";
	}
	struct slice rest = slice_skip(input, start.len);
	const char *feed = slice_find_byte(rest, '\n');
	return arena_copy_string(arena, slice_between(rest.ptr, feed));
}

static struct slice expose(struct store_driver *d, const char *key, struct slice body)
{
	CHECK_INT(store_driver_push(d, STORE_PUT, key, body.ptr), PUSH_OK);
	return store_driver_page(d);
}

static void check_file(const char *directory, const char *name)
{
	char path[PATH_MAX];
	struct store_driver d;
	int failures = check_failures;
	store_driver_init(&d, NULL);
	snprintf(path, sizeof(path), "%s/%s.in", directory, name);
	struct slice input = read_file(&d.arena, path);
	snprintf(path, sizeof(path), "%s/%s.out", directory, name);
	struct slice wanted = read_file(&d.arena, path);
	const char *key = key_of(&d.arena, input);
	CHECK_SLICE(expose(&d, key, input), wanted);
	CHECK_SLICE(expose(&d, key, wanted), wanted);
	if (check_failures != failures) {
		fprintf(stderr, "in %s\n", path);
	}
	store_driver_finish(&d);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: test_golden_text DIRECTORY\n");
		return 1;
	}
	DIR *directory = opendir(argv[1]);
	int files = 0;
	int failed = 0;
	if (directory == NULL) {
		perror(argv[1]);
		return 1;
	}
	for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
		struct slice name = slice_of_string(entry->d_name);
		if (slice_ends_with(name, SLICE(".in"))) {
			int failures = check_failures;
			entry->d_name[name.len - 3] = '\0';
			check_file(argv[1], entry->d_name);
			failed += check_failures != failures;
			files++;
		}
	}
	closedir(directory);
	printf("%d passed, %d failed\n", files - failed, failed);
	return files == 0 || failed > 0;
}
