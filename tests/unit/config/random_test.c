/* Random edits against a model: a flat list of "path = value".
 *
 * After each edit the document, and what it writes parsed again, hold exactly
 * what the model holds, and no comment line has gone. CONFIG_TEST_SEED repeats
 * a run. */
#include <inttypes.h>
#include <time.h>

#include "config/toml.h"
#include "same.h"
#include "test.h"

enum { MODEL_MAX = 512, PATH_LEN = 128, STEPS = 60, RUNS = 150 };

struct model {
	struct { char path[PATH_LEN]; int64_t value; } row[MODEL_MAX];
	size_t n;
};

static uint64_t state;

static unsigned pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 33) % n);
}

static const char *const starts[] = {
	"",
	"# top\na.b = 1 # x\na.c.d = 2\n\n# sec\n[b]\na = 3\n",
	"a = { b = 1, c.d = 2 } # x\n# two\nb = 4",
	"[a.b]\nc = 1\n# mid\n[a]\nd = 2\n\t# in\n\n\n# last",
	"[[l]]\na = 1\n# one\n\n[l.b]\nc = 2\n[c]\nd = 1\n[l.d]\na = 1\n[[l]]\n# two\na = { b = 3 }\n",
	"\xef\xbb\xbf# bom\r\n[d]\r\na.b=1\r\n[[d.l]]\r\na=1\r\n[d.a.c]\r\nd=1\r\n",
	"a.b = 1\n[a.c.d]\na = 1\n[a.d]\nb.c = 1\n",
};

static void flatten(struct model *m, const struct toml_table *t, const char *prefix)
{
	const struct toml_value *v;
	const char *key;

	for (size_t i = 0; (key = toml_key_at(t, i, &v)); i++) {
		char path[PATH_LEN];

		snprintf(path, sizeof path, "%.40s%s%.16s", prefix, *prefix ? "." : "", key);
		if (toml_type(v) == TOML_TABLE) {
			flatten(m, toml_value_table(v), path);
		} else if (toml_type(v) == TOML_ARRAY) {
			for (size_t k = 0; k < toml_array_len(v); k++) {
				char el[PATH_LEN];

				snprintf(el, sizeof el, "%.40s.%zu", path, k % 1000);
				flatten(m, toml_value_table(toml_array_at(v, k)), el);
			}
		} else {
			CHECK(m->n < MODEL_MAX);
			snprintf(m->row[m->n].path, PATH_LEN, "%s", path);
			CHECK_ERR(toml_value_integer(v, &m->row[m->n++].value), 0);
		}
	}
}

static int compare_rows(const void *a, const void *b) { return strcmp(a, b); }

static bool model_same(struct model *a, struct model *b)
{
	if (a->n != b->n)
		return false;
	qsort(a->row, a->n, sizeof a->row[0], compare_rows);
	qsort(b->row, b->n, sizeof b->row[0], compare_rows);
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->row[i].path, b->row[i].path) || a->row[i].value != b->row[i].value)
			return false;
	return true;
}

static bool below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return !strncmp(path, top, n) && (!path[n] || path[n] == '.');
}

static void model_remove(struct model *m, const char *top)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!below(m->row[i].path, top))
			m->row[n++] = m->row[i];
	m->n = n;
}

static void model_set(struct model *m, const char *path, int64_t value)
{
	model_remove(m, path);
	CHECK(m->n < MODEL_MAX);
	CHECK(snprintf(m->row[m->n].path, PATH_LEN, "%s", path) < PATH_LEN);
	m->row[m->n++].value = value;
}

/* Element k is gone: the numbers after it move down. */
static void model_drop(struct model *m, const char *array, unsigned k)
{
	char gone[PATH_LEN];
	size_t n = strlen(array);

	snprintf(gone, sizeof gone, "%s.%u", array, k);
	model_remove(m, gone);
	for (size_t i = 0; i < m->n; i++) {
		char *path = m->row[i].path, rest[PATH_LEN], *end;

		if (!below(path, array))
			continue;
		unsigned long at = strtoul(path + n + 1, &end, 10);
		if (at > k) {
			snprintf(rest, sizeof rest, "%s", end);
			snprintf(path + n + 1, PATH_LEN - n - 1, "%lu%s", at - 1, rest);
		}
	}
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static void random_path(char out[static PATH_LEN])
{
	unsigned parts = 1 + pick(3);
	size_t n = 0;

	for (unsigned i = 0; i < parts; i++)
		n += (size_t)snprintf(out + n, PATH_LEN - n, "%s%c", i ? "." : "", "abcd"[pick(4)]);
}

/* The root or an element of an array, and its path in the model. */
static struct toml_table *random_table(struct toml *t, char prefix[static PATH_LEN])
{
	static const char *const arrays[] = { "l", "d.l", "a.l" };
	const char *array = arrays[pick(3)];
	size_t len = toml_table_array_len(toml_root(t), array);
	unsigned k = len ? pick((unsigned)len) : 0;

	prefix[0] = 0;
	if (!len || pick(2))
		return toml_root(t);
	snprintf(prefix, PATH_LEN, "%s.%u.", array, k);
	return toml_table_array_at(toml_root(t), array, k);
}

/* true: comments may have gone with a section or with a line. */
static bool random_edit(struct toml *t, struct model *m)
{
	static const char *const arrays[] = { "l", "d.l", "a.l" };
	char path[PATH_LEN], prefix[PATH_LEN], full[2 * PATH_LEN];
	struct toml_table *table = random_table(t, prefix), *el;
	const char *array = arrays[pick(3)];
	size_t len = toml_table_array_len(toml_root(t), array);
	int64_t value = pick(1000);
	int err;

	random_path(path);
	snprintf(full, sizeof full, "%s%s", prefix, path);
	switch (pick(8)) {
	case 0:
		err = toml_remove(table, path);
		CHECK_ERR(err, 0);
		model_remove(m, full);
		return true;
	case 1:
		err = toml_table_array_add(toml_root(t), array, &el);
		CHECK(err == 0 || err == ERR_TYPE || err == ERR_STATE);
		CHECK(err < 0 || toml_table_array_at(toml_root(t), array, len) == el);
		return false;
	case 2:
		if (!len)
			return false;
		CHECK_ERR(toml_table_array_remove(toml_root(t), array, (size_t)value % len), 0);
		model_drop(m, array, (unsigned)((size_t)value % len));
		return true;
	default:
		err = toml_set_integer(table, path, value);
		CHECK(err == 0 || err == ERR_TYPE);
		if (!err)
			model_set(m, full, value);
		return false;
	}
}

static void run(const char *start)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	struct model want = {};

	CHECK_ERR(toml_parse(&t, SPAN_STR(start), NULL), 0);
	flatten(&want, toml_root(t), "");
	for (unsigned step = 0; step < STEPS; step++) {
		_cleanup_(toml_freep) struct toml *again = NULL;
		_cleanup_buf_ struct buf before = {}, out = {};
		struct model got = {};

		CHECK_ERR(toml_write(t, &before), 0);
		bool comments_go = random_edit(t, &want);
		CHECK_ERR(toml_write(t, &out), 0);
		CHECK_ERR(toml_parse(&again, buf_span(&out), NULL), 0);
		flatten(&got, toml_root(t), "");
		if (!model_same(&got, &want) || !table_same(toml_root(t), toml_root(again)))
			fail_msg("step %u\n--- before\n%s\n--- after\n%s", step, buf_str(&before), buf_str(&out));
		if (!comments_go)
			CHECK(count(buf_str(&out), '#') == count(buf_str(&before), '#'));
	}
}

static void test_random_edits_do_what_the_model_does(void **)
{
	const char *given = getenv("CONFIG_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("CONFIG_TEST_SEED=%" PRIu64 "\n", seed);
	state = seed * 0x9e3779b97f4a7c15u | 1;
	for (unsigned i = 0; i < RUNS; i++)
		run(starts[i % ARRAY_LEN(starts)]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_edits_do_what_the_model_does),
	};
	return RUN_TESTS(tests);
}
