/*
 * docs/config.md lists every setting as the table has it. Prints the list
 * that should be there when it is not. First argument: the file.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "config/sources.h"
#include "config/table.h"
#include "config/value.h"

static const char *docs_path;

static void print_row(const struct setting *setting, struct buf *out)
{
	char variable[ENVIRONMENT_NAME_MAX];
	environment_name(setting->name, variable);
	bool is_empty = setting->initial[0] == '\0';
	buf_printf(out, "| `--%s` | %s%s%s | ", setting->name, is_empty ? "none" : "`",
			setting->initial, is_empty ? "" : "`");
	size_t before = out->len;
	value_print_range(setting, out);
	if (out->len == before) {
		buf_append_string(out, setting->type == SETTING_BOOL ? "true, false" : "text");
	}
	buf_printf(out, " | %s | %s |\n", setting->is_reloadable ? "yes" : "no", setting->help);
}

static void print_table(struct buf *out)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (i == 0 || strcmp(settings[i].group, settings[i - 1].group) != 0) {
			buf_printf(out,
					"\n### %s\n\n| flag | default | takes | reload | what it does |\n"
					"|---|---|---|---|---|\n",
					settings[i].group);
		}
		print_row(&settings[i], out);
	}
}

static void read_file(const char *path, struct buf *ret_text)
{
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	size_t bytes;
	while (buf_reserve(ret_text, 4096)
			&& (bytes = fread(ret_text->ptr + ret_text->len, 1, 4096, file)) > 0) {
		ret_text->len += bytes;
	}
	fclose(file);
}

static void test_docs(void)
{
	struct buf wanted, docs;
	buf_init(&wanted, 0);
	buf_init(&docs, 0);
	print_table(&wanted);
	read_file(docs_path, &docs);
	bool lists_all = memmem(docs.ptr, docs.len, wanted.ptr, wanted.len) != NULL;
	CHECK(lists_all);
	if (!lists_all) {
		printf("%s should have these tables:\n" SLICE_FMT, docs_path,
				SLICE_ARG(buf_slice(&wanted)));
	}
	buf_finish(&docs);
	buf_finish(&wanted);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: test_config_docs docs/config.md\n");
		return 1;
	}
	docs_path = argv[1];
	RUN(test_docs);
	return check_done();
}
