/* Without memory: the N-th allocation fails, for every N. Linked with --wrap. */
#include <errno.h>

#include "config/toml.h"
#include "same.h"
#include "test.h"

static long countdown = -1;     /* allocations that still succeed; -1: all */
static long live;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void __wrap_free(void *p);

static bool fails(void)
{
	if (countdown == 0)
		return true;
	countdown -= countdown > 0;
	return false;
}

static void *count(void *p, bool fresh)
{
	live += p && fresh;
	return p;
}

void *__wrap_malloc(size_t n) { return fails() ? NULL : count(__real_malloc(n), true); }
void *__wrap_calloc(size_t n, size_t size) { return fails() ? NULL : count(__real_calloc(n, size), true); }
void *__wrap_realloc(void *p, size_t n) { return fails() ? NULL : count(__real_realloc(p, n), !p); }
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : count(__real_reallocarray(p, n, size), !p);
}
void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

static const char text[] =
	"a = [1, 2, 3, 4, 5, {x = 1}]\nb.c.d = 2020-01-01\n[s]\nx = \"y\"\n[s.t.u]\n[[l]]\nn=1\n[l.m]\n[[l]]\nn=2\n[[l]]\n";

static int edit_set(struct toml_table *r) { return toml_set_string(r, "s.x", "z"); }
static int edit_insert(struct toml_table *r) { return toml_set_integer(r, "b.e", 1); }
static int edit_section(struct toml_table *r) { return toml_set_boolean(r, "new.e", true); }
static int edit_remove(struct toml_table *r) { return toml_remove(r, "l"); }
static int edit_drop(struct toml_table *r) { return toml_table_array_remove(r, "l", 0); }

static int edit_strings(struct toml_table *r)
{
	return toml_set_strings(r, "a", (const char *const[]){ "x", "y" }, 2);
}

static int edit_pair(struct toml_table *r)
{
	return toml_remove(toml_value_table(toml_array_at(toml_get(r, "a"), 5)), "x");
}

static int edit_add(struct toml_table *r)
{
	struct toml_table *el;

	return toml_table_array_add(r, "l", &el);
}

static void test_parsing_without_memory_is_clean(void **)
{
	long before = live, n;
	int err = -ENOMEM;

	for (n = 0; err == -ENOMEM; n++) {
		struct toml *t = NULL;

		countdown = n;
		err = toml_parse(&t, SPAN_STR(text), NULL);
		countdown = -1;
		CHECK((err == 0) == (t != NULL));
		toml_free(t);
		CHECK(live == before);
	}
	CHECK_ERR(err, 0);
	CHECK(n > 10);
}

static void test_an_edit_without_memory_changes_nothing(void **)
{
	static int (*const edits[])(struct toml_table *) = {
		edit_set, edit_insert, edit_section, edit_strings, edit_remove, edit_pair, edit_drop, edit_add,
	};

	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		int err = -ENOMEM;

		for (long n = 0; err == -ENOMEM; n++) {
			_cleanup_(toml_freep) struct toml *t = NULL, *again = NULL;
			_cleanup_buf_ struct buf out = {};
			long before;

			CHECK_ERR(toml_parse(&t, SPAN_STR(text), NULL), 0);
			before = live;
			countdown = n;
			err = edits[i](toml_root(t));
			countdown = -1;
			CHECK_ERR(toml_write(t, &out), 0);
			CHECK_ERR(toml_parse(&again, buf_span(&out), NULL), 0);
			CHECK(table_same(toml_root(t), toml_root(again)));
			CHECK(span_is(buf_span(&out), text) == (err < 0));
			CHECK(live >= before);
			CHECK(n < 200);
		}
		CHECK_ERR(err, 0);
	}
}

/* A thousand allocations, not only the handful of a small file. */
static void test_a_large_document_without_memory_is_clean(void **)
{
	_cleanup_buf_ struct buf big = {};
	long before = live;
	int err = -ENOMEM;

	for (unsigned i = 0; i < 400; i++)
		buf_printf(&big, "[t%u]\nkey = [\"a\", {b = %u, c.d = 'x'}]\n[[t%u.l]]\nx.y.z = 1\n", i, i, i);
	CHECK_ERR(buf_err(&big), 0);
	before = live;
	for (long n = 0; err == -ENOMEM; n++) {
		struct toml *t = NULL;

		countdown = n;
		err = toml_parse(&t, buf_span(&big), NULL);
		countdown = -1;
		toml_free(t);
		CHECK(live == before);
	}
	CHECK_ERR(err, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsing_without_memory_is_clean),
		cmocka_unit_test(test_an_edit_without_memory_changes_nothing),
		cmocka_unit_test(test_a_large_document_without_memory_is_clean),
	};
	return RUN_TESTS(tests);
}
