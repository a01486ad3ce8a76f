/* What parses is written back byte for byte, survives edits, and after each of
 * them parses to the same data again. */
#include "base/err.h"
#include "config/toml.h"
#include "same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_writes_back(const struct toml *t, struct span text)
{
	_cleanup_buf_ struct buf out = {};

	must(toml_write(t, &out) == 0);
	must(span_equal(buf_span(&out), text));
}

static void check_parses_again(struct toml *t)
{
	_cleanup_(toml_freep) struct toml *again = NULL;
	_cleanup_buf_ struct buf out = {};

	must(toml_write(t, &out) == 0);
	must(toml_parse(&again, buf_span(&out), NULL) == 0);
	must(table_same(toml_root(t), toml_root(again)));
}

/* The input's own first names, so that edits meet what it holds. */
static void path_of(struct buf *path, const struct toml_table *t)
{
	const struct toml_value *v;
	const char *key = toml_key_at(t, 0, &v);

	if (!key)
		key = "new";
	if (path->len)
		buf_add_u8(path, '.');
	(void)!toml_quote_key(path, key);
	if (toml_key_at(t, 0, &v) && toml_value_table(v))
		path_of(path, toml_value_table(v));
}

static void edit(struct toml *t, const char *path)
{
	struct toml_table *r = toml_root(t), *el;
	int64_t n;
	int err;

	if (toml_set_integer(r, path, 42) == 0)
		must(toml_integer(r, path, &n) == 1 && n == 42);
	check_parses_again(t);
	(void)!toml_set_strings(r, path, (const char *const[]){ "x\n", "\"" }, 2);
	check_parses_again(t);
	if (toml_remove(r, path) == 0)
		must(!toml_get(r, path));
	check_parses_again(t);
	if (toml_table_array_add(r, path, &el) == 0) {
		err = toml_set_string(el, "a.b", "c");
		must(err == 0 || err == ERR_LIMIT);
		err = toml_table_array_add(el, "l", &el);
		must(err == 0 || err == ERR_LIMIT);
		check_parses_again(t);
		must(toml_table_array_remove(r, path, toml_table_array_len(r, path) - 1) == 0);
	}
	(void)!toml_table_array_remove(r, path, 0);
	check_parses_again(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	_cleanup_buf_ struct buf path = {};
	struct toml_table *r;
	struct toml_error e = {};
	int err = toml_parse(&t, SPAN(data, len), &e);

	if (err < 0) {
		must(err == ERR_CONFIG && e.line && e.column && e.text[0]);
		return 0;
	}
	check_writes_back(t, SPAN(data, len));
	r = toml_root(t);
	path_of(&path, r);
	(void)!toml_set_boolean(r, "a.b", true);
	(void)!toml_set_string(r, "zz", "x");
	check_parses_again(t);
	edit(t, buf_str(&path));
	edit(t, "a");
	edit(t, "a.b.c");
	for (size_t i = 0; i < 8 && toml_key_at(r, 0, NULL); i++) {
		_cleanup_buf_ struct buf key = {};

		must(toml_quote_key(&key, toml_key_at(r, 0, NULL)) == 0);
		(void)!toml_remove(r, buf_str(&key));
		check_parses_again(t);
	}
	return 0;
}
