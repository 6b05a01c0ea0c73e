/*
 * YAML into a tree, and what is said of text that is none.
 */

#include "check.h"
#include "config/yaml.h"

/* The tree in one line: {a:b,c:[d,~]} */
static void dump(const struct yaml_node *node, struct buf *out)
{
	if (node->kind == YAML_KIND_SCALAR) {
		buf_append_string(out, node->is_null ? "~" : node->text);
		return;
	}
	bool is_map = node->kind == YAML_KIND_MAP;
	buf_append_byte(out, is_map ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		buf_append_string(out, i == 0 ? "" : ",");
		if (is_map) {
			buf_printf(out, "%s@%zu:", node->keys[i], node->key_lines[i]);
		}
		dump(node->items[i], out);
	}
	buf_append_byte(out, is_map ? '}' : ']');
}

static void test_trees(void)
{
	static const struct {
		const char *text;
		const char *tree;
	} cases[] = {
		{ "a: b\n", "{a@1:b}" },
		{ "a:\n  b: 1\n  c: [x, 'y z', \"\\u00e9\"]\n", "{a@1:{b@2:1,c@3:[x,y z,\xc3\xa9]}}" },
		{ "- 1\n- - 2\n  - 3\n", "[1,[2,3]]" },
		{ "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", "{a@1:~,b@2:~,c@3:~,d@4:null,e@5:}" },
		{ "a: |\n  one\n  two\n", "{a@1:one\ntwo\n}" },
		{ "# only\n---\na: &x {k: v}\nb: *x\n", "{a@3:{k@3:v},b@4:{k@3:v}}" },
		{ "{\"a.b\": true, c: {}}", "{a.b@1:true,c@1:{}}" },
		{ "a: {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, x: [1,2,3,4,5,6,7,8,9]}",
				"{a@1:{1@1:1,2@1:2,3@1:3,4@1:4,5@1:5,6@1:6,7@1:7,8@1:8,9@1:9,x@1:[1,2,3,4,5,6,7,8,"
				"9]}}" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct yaml_file file;
		struct buf errors, tree;
		buf_init(&errors, 0);
		buf_init(&tree, 0);
		CHECK(yaml_read_text(&file, "f", slice_of_string(cases[i].text), &errors));
		if (file.root != NULL) {
			dump(file.root, &tree);
		}
		CHECK_STRING(buf_slice(&tree), cases[i].tree);
		CHECK_STRING(buf_slice(&errors), "");
		yaml_finish(&file);
		buf_finish(&tree);
		buf_finish(&errors);
	}
}

static void check_refused(struct slice text, const char *error)
{
	struct yaml_file file;
	struct buf errors;
	buf_init(&errors, 0);
	CHECK(!yaml_read_text(&file, "f", text, &errors));
	CHECK(file.failed);
	CHECK_STRING(buf_slice(&errors), error);
	yaml_finish(&file);
	buf_finish(&errors);
}

static void test_refused(void)
{
	check_refused(SLICE("a: b\na: c\n"), "f:2: key 'a' stands here for the second time\n");
	check_refused(SLICE("a: @b\n"),
			"f:1: found character that cannot start any token: put the value in quotes\n");
	check_refused(SLICE("a:\n  \tb: @c\n"), "f:2: indented by a tab: YAML takes blanks only\n");
	check_refused(SLICE("a:\n\tb: 1\n"), "f:2: indented by a tab: YAML takes blanks only\n");
	check_refused(SLICE("a: *x\n"), "f:1: nothing is anchored as 'x' above\n");
	check_refused(SLICE("a: &x [*x]\n"), "f:1: nothing is anchored as 'x' above\n");
	check_refused(SLICE("a: 1\n---\nb: 2\n"), "f:2: a second document begins here\n");
	check_refused(SLICE("? [a]\n: b\n"), "f:1: a key must be plain text\n");
	check_refused(SLICE("a: \"x\\0y\"\n"), "f:1: a value must not have a NUL byte\n");
	check_refused(SLICE("a: b: c\n"), "f:1: mapping values are not allowed in this context\n");
	check_refused(SLICE("a: \xff\n"), "f:1: invalid leading UTF-8 octet at byte 3\n");
	check_refused(SLICE("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
			"f:1: nested deeper than 32 levels\n");
	check_refused(SLICE("a: [1\n"),
			"f:2: did not find expected ',' or ']' while parsing a flow sequence that begins in "
			"line 1\n");
}

/* Whether a list of so many values, or of a list of 100 and aliases of it, is taken. */
static bool takes_values(size_t values, size_t aliases)
{
	struct yaml_file file;
	struct buf text, errors;
	buf_init(&text, 0);
	buf_init(&errors, 0);
	buf_append_string(&text, aliases == 0 ? "" : "- &a [1");
	for (size_t i = 1; i < 99 && aliases != 0; i++) {
		buf_append_string(&text, ",1");
	}
	buf_append_string(&text, aliases == 0 ? "" : "]\n");
	for (size_t i = 0; i < values + aliases; i++) {
		buf_append_string(&text, i < values ? "- x\n" : "- *a\n");
	}
	bool fine = yaml_read_text(&file, "f", buf_slice(&text), &errors);
	CHECK(fine == (errors.len == 0));
	CHECK(fine || memmem(errors.ptr, errors.len, "more than 20000 values", 22) != NULL);
	yaml_finish(&file);
	buf_finish(&errors);
	buf_finish(&text);
	return fine;
}

static void test_how_many(void)
{
	CHECK(takes_values(19999, 0)); /* and the list itself */
	CHECK(!takes_values(20000, 0));
	CHECK(takes_values(0, 198)); /* 100 each, and those of the first */
	CHECK(!takes_values(100, 199));
}

static void test_empty(void)
{
	static const char *const texts[] = { "", "\n", "# nothing\n" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct yaml_file file;
		struct buf errors;
		buf_init(&errors, 0);
		CHECK(yaml_read_text(&file, "f", slice_of_string(texts[i]), &errors));
		CHECK(file.root == NULL);
		yaml_finish(&file);
		buf_finish(&errors);
	}
}

static void test_missing_file(void)
{
	struct yaml_file file;
	struct buf errors;
	buf_init(&errors, 0);
	CHECK(!yaml_read(&file, "/nowhere/f.yml", &errors));
	CHECK_STRING(buf_slice(&errors), "/nowhere/f.yml: No such file or directory\n");
	yaml_finish(&file);
	buf_reset(&errors, 0);
	CHECK(!yaml_read(&file, "/dev/zero", &errors));
	CHECK_STRING(buf_slice(&errors), "/dev/zero: larger than a file of settings may be, 1MiB\n");
	yaml_finish(&file);
	buf_finish(&errors);
}

int main(void)
{
	RUN(test_trees);
	RUN(test_refused);
	RUN(test_how_many);
	RUN(test_empty);
	RUN(test_missing_file);
	return check_done();
}
