/* What an edit does to the text: before, edit, after. */
#include "config/toml.h"
#include "same.h"
#include "test.h"

enum op { SET, SET_INT, SET_BOOL, SET_LIST, REMOVE, ADD, DROP };

struct edit {
	const char *name, *before;
	enum op op;
	const char *path;
	const char *value;      /* SET; SET_INT, DROP: its number; SET_LIST: one word an element */
	const char *after;
	int err;
};

static int apply(struct toml_table *t, const struct edit *e)
{
	const char *words[8];
	char copy[256];
	size_t n = 0;
	struct toml_table *el;

	switch (e->op) {
	case SET:
		return toml_set_string(t, e->path, e->value);
	case SET_INT:
		return toml_set_integer(t, e->path, strtoll(e->value, NULL, 10));
	case SET_BOOL:
		return toml_set_boolean(t, e->path, e->value != NULL);
	case SET_LIST:
		snprintf(copy, sizeof copy, "%s", e->value);
		for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
			words[n++] = w;
		return toml_set_strings(t, e->path, words, n);
	case REMOVE:
		return toml_remove(t, e->path);
	case ADD:
		return toml_table_array_add(t, e->path, &el);
	case DROP:
		return toml_table_array_remove(t, e->path, strtoul(e->value, NULL, 10));
	}
	return ERR_STATE;
}

static const struct edit edits[] = {
	/* ---- a value that is there ---- */
	{ "keeps the comment at its end", "a = 1   # why\n", SET_INT, "a", "2", "a = 2   # why\n", 0 },
	{ "keeps odd spaces about it", "  \"a\"  =  'x'  \r\nb=2\r\n", SET, "a", "y", "  \"a\"  =  \"y\"  \r\nb=2\r\n", 0 },
	{ "an equal value keeps its spelling", "port = 0x10\n", SET_INT, "port", "16", "port = 0x10\n", 0 },
	{ "an equal string keeps its spelling", "s = 'x'\n", SET, "s", "x", "s = 'x'\n", 0 },
	{ "another type may take the place", "a = [1, # x\n 2]\nb=1\n", SET_BOOL, "a", "1", "a = true\nb=1\n", 0 },
	{ "a string over many lines becomes one", "a = \"\"\"\nx\ny\"\"\" # c\nb=1\n", SET, "a", "x\nz", "a = \"x\\nz\" # c\nb=1\n", 0 },
	{ "inside an inline table", "t = {x = 1, y = 2} # c\n", SET_INT, "t.y", "3", "t = {x = 1, y = 3} # c\n", 0 },
	{ "behind dotted keys", "a.b.c = 1\n", SET_INT, "a.b.c", "2", "a.b.c = 2\n", 0 },
	{ "in a section", "[a]\nb=1\n[c]\nb=1\n", SET_INT, "c.b", "2", "[a]\nb=1\n[c]\nb=2\n", 0 },
	{ "strings", "a = 1\n", SET_LIST, "a", "x y", "a = [\"x\", \"y\"]\n", 0 },
	{ "equal strings stay", "a = [ 'x',\n 'y', # two\n]\n", SET_LIST, "a", "x y", "a = [ 'x',\n 'y', # two\n]\n", 0 },
	{ "other strings do not", "a = [ 'x', 'z' ]\n", SET_LIST, "a", "x y", "a = [\"x\", \"y\"]\n", 0 },
	{ "strings over numbers", "a = [ 1, 2 ]\n", SET_LIST, "a", "x y", "a = [\"x\", \"y\"]\n", 0 },
	{ "no strings", "a = 1\n", SET_LIST, "a", "", "a = []\n", 0 },
	{ "escapes", "a = ''\n", SET, "a", "\"\\\b\t\n\f\r\x01\x7f\xc3\xa9", "a = \"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u007F\xc3\xa9\"\n", 0 },

	/* ---- a key that is missing ---- */
	{ "into nothing", "", SET_INT, "a", "1", "a = 1\n", 0 },
	{ "after the last key", "a = 1\n\n[s]\n", SET_INT, "b", "2", "a = 1\nb = 2\n\n[s]\n", 0 },
	{ "no newline at the end", "a = 1", SET_INT, "b", "2", "a = 1\nb = 2\n", 0 },
	{ "comments at the end stay there", "a = 1\n# end\n", SET_INT, "b", "2", "a = 1\nb = 2\n# end\n", 0 },
	{ "a file of comments", "# only\n", SET_INT, "b", "2", "# only\nb = 2\n", 0 },
	{ "above the first section and its comment", "# file\n\n# sec\n[s]\nx=1\n", SET_INT, "a", "1", "# file\n\na = 1\n\n# sec\n[s]\nx=1\n", 0 },
	{ "above a comment that begins the file", "# sec\n[s]\n", SET_INT, "a", "1", "a = 1\n\n# sec\n[s]\n", 0 },
	{ "after the byte order mark", "\xef\xbb\xbf[s]\n", SET_INT, "a", "1", "\xef\xbb\xbf" "a = 1\n\n[s]\n", 0 },
	{ "after nothing but the byte order mark", "\xef\xbb\xbf", SET_INT, "a", "1", "\xef\xbb\xbf" "a = 1\n", 0 },
	{ "a section after nothing but the mark", "\xef\xbb\xbf", SET_INT, "a.b", "1", "\xef\xbb\xbf[a]\nb = 1\n", 0 },
	{ "at the end of its section", "[s]\nx=1 # c\n\n[t]\ny=1\n", SET_INT, "s.z", "2", "[s]\nx=1 # c\nz = 2\n\n[t]\ny=1\n", 0 },
	{ "into an empty section", "[s] # c\n[t]\n", SET_INT, "s.z", "2", "[s] # c\nz = 2\n[t]\n", 0 },
	{ "into an empty section without newline", "[s]", SET_INT, "s.z", "2", "[s]\nz = 2\n", 0 },
	{ "indented like the one above", "[s]\n\tx=1\n", SET_INT, "s.z", "2", "[s]\n\tx=1\n\tz = 2\n", 0 },
	{ "with the newlines of the file", "a=1\r\n", SET_INT, "b", "2", "a=1\r\nb = 2\r\n", 0 },
	{ "a section with the newlines of the file", "a=1\r\n", SET_INT, "s.b", "2", "a=1\r\n\r\n[s]\r\nb = 2\r\n", 0 },
	{ "after a value of many lines", "a = [\n 1,\n]\n[s]\n", SET_INT, "b", "2", "a = [\n 1,\n]\nb = 2\n[s]\n", 0 },
	{ "a key that needs quotes", "", SET_INT, "'a b'", "1", "\"a b\" = 1\n", 0 },
	{ "a key with a dot", "[names]\n", SET, "names.\"a.b\\\"c\"", "x", "[names]\n\"a.b\\\"c\" = \"x\"\n", 0 },
	{ "an empty key", "", SET_INT, "''", "1", "\"\" = 1\n", 0 },
	{ "a key beyond ASCII", "", SET_INT, "\xc3\xa9", "1", "\"\xc3\xa9\" = 1\n", 0 },
	{ "into an inline table", "t = { x = 1 } # c\n", SET_INT, "t.y", "2", "t = { x = 1, y = 2 } # c\n", 0 },
	{ "into an empty inline table", "t = {}\n", SET_INT, "t.y", "2", "t = { y = 2 }\n", 0 },
	{ "a table into an inline table", "t = {x=1}\n", SET_INT, "t.y.z", "2", "t = {x=1, y.z = 2}\n", 0 },
	{ "a dotted table in an inline table", "t = {a.x=1 , b=2}\n", SET_INT, "t.a.y", "2", "t = {a.x=1, a.y = 2 , b=2}\n", 0 },
	{ "beside a dotted key", "[s]\na.x = 1\nb = 2\n", SET_INT, "s.a.y", "3", "[s]\na.x = 1\na.y = 3\nb = 2\n", 0 },
	{ "below a dotted key", "a.b.x = 1\n", SET_INT, "a.c.d", "3", "a.b.x = 1\na.c.d = 3\n", 0 },
	{ "a dotted table with a section below it", "a.x = 1\n[a.s]\ny=1\n", SET_INT, "a.z", "3", "a.x = 1\na.z = 3\n[a.s]\ny=1\n", 0 },

	/* ---- a section that is missing ---- */
	{ "goes to the end", "a = 1\n", SET, "network.secret", "x", "a = 1\n\n[network]\nsecret = \"x\"\n", 0 },
	{ "is the first of all", "", SET, "network.secret", "x", "[network]\nsecret = \"x\"\n", 0 },
	{ "no newline at the end of the file", "[a]", SET, "b.c", "x", "[a]\n\n[b]\nc = \"x\"\n", 0 },
	{ "a blank line is there already", "a = 1\n \n", SET, "b.c", "x", "a = 1\n \n[b]\nc = \"x\"\n", 0 },
	{ "an unfinished blank line", "a = 1\n  ", SET, "b.c", "x", "a = 1\n  \n[b]\nc = \"x\"\n", 0 },
	{ "below its parent", "[a]\nx=1\n[b]\n", SET, "a.c.d", "x", "[a]\nx=1\n\n[a.c]\nd = \"x\"\n\n[b]\n", 0 },
	{ "below what its parent has", "[a.b]\nx=1\n\n[c]\n", SET, "a.d.e", "x", "[a.b]\nx=1\n\n[a.d]\ne = \"x\"\n\n[c]\n", 0 },
	{ "several levels", "", SET_INT, "a.\"b c\".d.e", "1", "[a.\"b c\".d]\ne = 1\n", 0 },
	{ "its name stands only in a longer one", "[a.b]\nx=1\n", SET_INT, "a.y", "2", "[a.b]\nx=1\n\n[a]\ny = 2\n", 0 },
	{ "the comment under the last line is the parent's", "[a]\nx=1\n# y=2\n\n[b]\n", SET, "a.c.d", "x", "[a]\nx=1\n# y=2\n\n[a.c]\nd = \"x\"\n\n[b]\n", 0 },
	{ "the comment over the next header is not", "[a]\nx=1\n# b\n[b]\n", SET, "a.c.d", "x", "[a]\nx=1\n\n[a.c]\nd = \"x\"\n\n# b\n[b]\n", 0 },

	/* ---- what cannot be set ---- */
	{ "a table by a value", "[a]\n", SET_INT, "a", "1", NULL, ERR_TYPE },
	{ "an inline table by a value", "a={}\n", SET_INT, "a", "1", NULL, ERR_TYPE },
	{ "sections by a value", "[[a]]\n", SET_INT, "a", "1", NULL, ERR_TYPE },
	{ "a key below a value", "a=1\n", SET_INT, "a.b", "1", NULL, ERR_TYPE },
	{ "a key below sections", "[[a]]\n", SET_INT, "a.b", "1", NULL, ERR_TYPE },
	{ "no name", "a=1\n", SET_INT, "", "1", NULL, ERR_PARSE },
	{ "an empty part", "a=1\n", SET_INT, "b..c", "1", NULL, ERR_PARSE },
	{ "a part after quotes", "a=1\n", SET_INT, "'b'c", "1", NULL, ERR_PARSE },
	{ "open quotes", "a=1\n", SET_INT, "\"b", "1", NULL, ERR_PARSE },
	{ "a backslash at the end", "a=1\n", SET_INT, "\"b\\", "1", NULL, ERR_PARSE },
	{ "a key that is not UTF-8", "a=1\n", SET_INT, "\xff", "1", NULL, ERR_PARSE },
	{ "text that is not UTF-8", "a=1\n", SET, "a", "\xc3", NULL, ERR_PARSE },
	{ "strings that are not UTF-8", "a=1\n", SET_LIST, "a", "x \xed\xa0\x80", NULL, ERR_PARSE },
	{ "adding to what is not UTF-8", "", ADD, "\xff", NULL, NULL, ERR_PARSE },
	{ "removing what is not UTF-8", "", REMOVE, "\xff", NULL, NULL, ERR_PARSE },
	{ "too many parts", "", SET_INT, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3", "1", NULL, ERR_LIMIT },

	/* ---- removing ---- */
	{ "the line with its comment", "# above\na = 1 # c\nb = 2\n", REMOVE, "a", NULL, "# above\nb = 2\n", 0 },
	{ "all lines of the value", "a = [\n 1, # x\n] # y\nb = 2\n", REMOVE, "a", NULL, "b = 2\n", 0 },
	{ "the last line of all", "b = 2\na = 1", REMOVE, "a", NULL, "b = 2\n", 0 },
	{ "what is absent", "a = 1\n", REMOVE, "b", NULL, "a = 1\n", 0 },
	{ "what is absent below a value", "a = 1\n", REMOVE, "a.b", NULL, "a = 1\n", 0 },
	{ "the first pair", "t = { x = 1, y = 2, z = 3 }\n", REMOVE, "t.x", NULL, "t = { y = 2, z = 3 }\n", 0 },
	{ "a pair between", "t = { x = 1, y = 2, z = 3 }\n", REMOVE, "t.y", NULL, "t = { x = 1, z = 3 }\n", 0 },
	{ "the last pair", "t = { x = 1, y = 2, z = 3 }\n", REMOVE, "t.z", NULL, "t = { x = 1, y = 2 }\n", 0 },
	{ "the only pair", "t = { x = 1 }\n", REMOVE, "t.x", NULL, "t = {}\n", 0 },
	{ "a dotted table in braces", "t = { a.x = 1, b = 2, a.y = 3 }\n", REMOVE, "t.a", NULL, "t = { b = 2 }\n", 0 },
	{ "a dotted table that is all in braces", "t = { a.x = 1, a.y = 3 }\n", REMOVE, "t.a", NULL, "t = {}\n", 0 },
	{ "one key of a dotted table in braces", "t = { a.x = 1, b = 2, a.y = 3 }\n", REMOVE, "t.a.x", NULL, "t = { b = 2, a.y = 3 }\n", 0 },
	{ "an inline table", "t = { x = 1 } # c\nb=1\n", REMOVE, "t", NULL, "b=1\n", 0 },
	{ "a dotted table", "a.x = 1\nb = 2\na.y.z = 3\n[a.s]\nx = 1\n", REMOVE, "a", NULL, "b = 2\n", 0 },
	{ "a section", "a=1\n\n# about s\n[s]\nx=1\n# y=1\n\n# about t\n[t]\n", REMOVE, "s", NULL, "a=1\n\n# about s\n# about t\n[t]\n", 0 },
	{ "a section with those below it", "[s.a]\nx=1\n[t]\ny=1\n[s]\n[s.b]\n[[s.c]]\n[[s.c]]\n[u]\n", REMOVE, "s", NULL, "[t]\ny=1\n[u]\n", 0 },
	{ "a section that stands only in longer names", "[s.a]\n[t]\n[s.b]\n", REMOVE, "s", NULL, "[t]\n", 0 },
	{ "the last section", "a=1\n\n[s]\nx=1\n", REMOVE, "s", NULL, "a=1\n", 0 },
	{ "the only section", "\n[s]\nx=1\n", REMOVE, "s", NULL, "", 0 },
	{ "all sections of a name", "[[s]]\n[[s]]\n\n[t]\n", REMOVE, "s", NULL, "[t]\n", 0 },
	{ "an array of tables", "s=[{a=1},{b=2}]\nx=1\n", REMOVE, "s", NULL, "x=1\n", 0 },

	/* ---- arrays of tables ---- */
	{ "the first element", "a=1\n", ADD, "s", NULL, "a=1\n\n[[s]]\n", 0 },
	{ "into nothing", "", ADD, "s", NULL, "[[s]]\n", 0 },
	{ "after the last of the same name", "[[s]]\nx=1\n[s.sub]\ny=1\n\n[t]\n", ADD, "s", NULL, "[[s]]\nx=1\n[s.sub]\ny=1\n\n[[s]]\n\n[t]\n", 0 },
	{ "no newline at the end", "[[s]]\nx=1", ADD, "s", NULL, "[[s]]\nx=1\n\n[[s]]\n", 0 },
	{ "below missing tables", "", ADD, "a.b.s", NULL, "[[a.b.s]]\n", 0 },
	{ "below a section", "[a]\nx=1\n[b]\n", ADD, "a.s", NULL, "[a]\nx=1\n\n[[a.s]]\n\n[b]\n", 0 },
	{ "below a dotted table", "[a]\nb.x=1\n[c]\n", ADD, "a.b.s", NULL, "[a]\nb.x=1\n\n[[a.b.s]]\n\n[c]\n", 0 },
	{ "below a dotted table of the root", "b.x=1\n[c]\n", ADD, "b.s", NULL, "b.x=1\n[c]\n\n[[b.s]]\n", 0 },
	{ "to an array of values", "s=[]\n", ADD, "s", NULL, NULL, ERR_STATE },
	{ "to a table", "[s]\n", ADD, "s", NULL, NULL, ERR_STATE },
	{ "below an inline table", "s={}\n", ADD, "s.t", NULL, NULL, ERR_STATE },
	{ "below a value", "s=1\n", ADD, "s.t", NULL, NULL, ERR_TYPE },
	{ "drop the first", "[[s]]\nx=1\n[s.sub]\n[[s]]\nx=2\n", DROP, "s", "0", "[[s]]\nx=2\n", 0 },
	{ "drop the middle, with what lies apart", "[[s]]\n[[s]]\n[t]\ny=1\n[s.sub]\n[[s]]\nx=3\n", DROP, "s", "1", "[[s]]\n[t]\ny=1\n[[s]]\nx=3\n", 0 },
	{ "drop the last", "[[s]]\nx=1\n\n[[s]]\nx=2\n", DROP, "s", "1", "[[s]]\nx=1\n", 0 },
	{ "drop the only one", "[[s]]\nx=1\n\n[t]\n", DROP, "s", "0", "[t]\n", 0 },
	{ "drop one that is not", "[[s]]\n", DROP, "s", "1", NULL, ERR_UNKNOWN },
	{ "drop from nothing", "", DROP, "s", "0", NULL, ERR_UNKNOWN },
	{ "drop from a value", "s=1", DROP, "s", "0", NULL, ERR_UNKNOWN },
	{ "drop from an array in brackets", "s=[{}]", DROP, "s", "0", NULL, ERR_STATE },
};

static void test_an_edit_changes_this_text_and_no_other(void **)
{
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		const struct edit *e = &edits[i];
		_cleanup_(toml_freep) struct toml *t = NULL, *again = NULL;
		_cleanup_buf_ struct buf out = {};
		struct toml_error error;

		CHECK_ERR(toml_parse(&t, SPAN_STR(e->before), &error), 0);
		int err = apply(toml_root(t), e);
		if (err != (e->after ? 0 : e->err))
			fail_msg("%s: got %s", e->name, err_name(err));
		CHECK_ERR(toml_write(t, &out), 0);
		const char *want = e->after ?: e->before;
		if (!span_is(buf_span(&out), want))
			fail_msg("%s:\n--- got\n%s\n--- want\n%s", e->name, buf_str(&out), want);
		CHECK_ERR(toml_parse(&again, buf_span(&out), &error), 0);
		CHECK(table_same(toml_root(t), toml_root(again)));
	}
}

static void check_text(const struct toml *t, const char *want)
{
	_cleanup_buf_ struct buf out = {};

	CHECK_ERR(toml_write(t, &out), 0);
	if (!span_is(buf_span(&out), want))
		fail_msg("\n--- got\n%s\n--- want\n%s", buf_str(&out), want);
}

static void test_handles_outlive_edits(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	struct toml_table *root, *a, *b, *c, *sub;
	const char *s;

	CHECK_ERR(toml_new(&t), 0);
	root = toml_root(t);
	CHECK_ERR(toml_table_array_add(root, "s", &a), 0);
	CHECK_ERR(toml_table_array_add(root, "s", &b), 0);
	CHECK_ERR(toml_table_array_add(root, "s", &c), 0);
	CHECK_ERR(toml_set_string(c, "n", "c"), 0);
	CHECK_ERR(toml_set_string(a, "n", "a"), 0);
	CHECK_ERR(toml_set_string(b, "n", "b"), 0);
	CHECK_ERR(toml_set_string(b, "sub.n", "b'"), 0);
	sub = toml_value_table(toml_get(b, "sub"));
	check_text(t, "[[s]]\nn = \"a\"\n\n[[s]]\nn = \"b\"\n\n[s.sub]\nn = \"b'\"\n\n[[s]]\nn = \"c\"\n");

	CHECK_ERR(toml_table_array_remove(root, "s", 0), 0);
	CHECK(toml_table_array_len(root, "s") == 2);
	CHECK(toml_table_array_at(root, "s", 0) == b && toml_table_array_at(root, "s", 1) == c);
	CHECK(toml_string(c, "n", &s) == 1 && !strcmp(s, "c"));
	CHECK(toml_value_table(toml_get(b, "sub")) == sub);
	CHECK_ERR(toml_set_string(sub, "m", "2"), 0);
	CHECK_ERR(toml_set_string(c, "n", "C"), 0);
	check_text(t, "[[s]]\nn = \"b\"\n\n[s.sub]\nn = \"b'\"\nm = \"2\"\n\n[[s]]\nn = \"C\"\n");

	/* the removed one is empty and refuses everything */
	CHECK(toml_get(a, "n") == NULL && !toml_key_at(a, 0, NULL));
	CHECK_ERR(toml_set_string(a, "n", "x"), ERR_STATE);
	CHECK_ERR(toml_remove(a, "n"), ERR_STATE);
	CHECK_ERR(toml_table_array_add(a, "n", &b), ERR_STATE);
	CHECK_ERR(toml_table_array_remove(a, "n", 0), ERR_STATE);
}

static void test_inline_elements_can_be_edited_too(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	struct toml_table *el;

	CHECK_ERR(toml_parse(&t, SPAN_STR("s = [[{a=1}, {b=2}], {}] # c\n"), NULL), 0);
	const struct toml_value *inner = toml_array_at(toml_get(toml_root(t), "s"), 0);
	el = toml_value_table(toml_array_at(inner, 1));
	CHECK_ERR(toml_set_integer(el, "c.d", 3), 0);
	CHECK_ERR(toml_remove(el, "b"), 0);
	CHECK_ERR(toml_set_boolean(el, "e", false), 0);
	CHECK_ERR(toml_table_array_add(el, "f", &el), ERR_STATE);
	check_text(t, "s = [[{a=1}, {c.d = 3, e = false}], {}] # c\n");
}

static void test_an_edit_over_a_limit_changes_nothing(void **)
{
	static char big[TOML_SIZE_MAX + 1];
	_cleanup_(toml_freep) struct toml *t = NULL;
	struct toml_table *root, *el = NULL;

	memset(big, 'x', TOML_SIZE_MAX);
	CHECK_ERR(toml_parse(&t, SPAN_STR("a = 1\nt = {}\n"), NULL), 0);
	root = toml_root(t);
	CHECK_ERR(toml_set_string(root, "a", big), ERR_LIMIT);
	CHECK_ERR(toml_set_string(root, "b", big), ERR_LIMIT);
	CHECK_ERR(toml_set_string(root, "t.b", big), ERR_LIMIT);
	CHECK_ERR(toml_set_string(root, "s.b", big), ERR_LIMIT);
	big[TOML_SIZE_MAX - 1] = 0;
	CHECK_ERR(toml_set_integer(root, big, 1), ERR_LIMIT);
	CHECK_ERR(toml_table_array_add(root, big, &el), ERR_LIMIT);
	CHECK(el == NULL);
	check_text(t, "a = 1\nt = {}\n");

	/* the depth is the document's, not the path's */
	const char *deep = "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0";
	CHECK_ERR(toml_set_integer(root, deep, 1), 0);
	struct toml_table *low = toml_value_table(toml_get(root, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9"));
	CHECK_ERR(toml_set_integer(low, deep, 1), ERR_LIMIT);
	CHECK_ERR(toml_table_array_add(low, deep, &el), ERR_LIMIT);
	CHECK(toml_key_at(low, 1, NULL) == NULL);
}

static void test_any_name_can_be_quoted_into_a_path(void **)
{
	static const char *const names[] = { "a", "a.b", "", "\"", "\\", "'", "\n", "a b", "\xf0\x9f\x98\x80", "\\\"." };
	_cleanup_(toml_freep) struct toml *t = NULL;
	int64_t n;

	CHECK_ERR(toml_new(&t), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_buf_ struct buf path = {};
		const char *key;

		buf_add_str(&path, "names.");
		CHECK_ERR(toml_quote_key(&path, names[i]), 0);
		CHECK_ERR(toml_set_integer(toml_root(t), buf_str(&path), (int64_t)i), 0);
		CHECK(toml_integer(toml_root(t), buf_str(&path), &n) == 1 && n == (int64_t)i);
		key = toml_key_at(toml_value_table(toml_get(toml_root(t), "names")), i, NULL);
		assert_string_equal(key, names[i]);
	}
}

static void test_text_of_the_document_may_go_into_an_edit(void **)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	struct toml_table *r, *el;
	const char *s;

	CHECK_ERR(toml_parse(&t, SPAN_STR("a = 'b'\n[[l]]\n"), NULL), 0);
	r = toml_root(t);
	CHECK_ERR(toml_table_array_add(r, toml_key_at(r, 1, NULL), &el), 0);
	CHECK(toml_table_array_at(r, "l", 1) == el);
	CHECK(toml_string(r, "a", &s) == 1);
	CHECK_ERR(toml_set_string(el, s, s), 0);
	CHECK_ERR(toml_remove(r, toml_key_at(r, 0, NULL)), 0);
	check_text(t, "[[l]]\n\n[[l]]\nb = \"b\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_edit_changes_this_text_and_no_other),
		cmocka_unit_test(test_handles_outlive_edits),
		cmocka_unit_test(test_inline_elements_can_be_edited_too),
		cmocka_unit_test(test_an_edit_over_a_limit_changes_nothing),
		cmocka_unit_test(test_text_of_the_document_may_go_into_an_edit),
		cmocka_unit_test(test_any_name_can_be_quoted_into_a_path),
	};
	return RUN_TESTS(tests);
}
