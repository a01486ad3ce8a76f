#include "base/heap.h"

#include "test.h"

enum { NODES = 300 };

static struct heap_node nodes[NODES];
static uint64_t rng;

static uint64_t next(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return rng >> 33;
}

static int by_time(const void *a, const void *b)
{
	tstamp x = *(const tstamp *)a, y = *(const tstamp *)b;

	return x < y ? -1 : x > y;
}

/* What is armed, by a plain look at every node, comes out in sorted order. */
static void check_drains_sorted(struct heap *h)
{
	tstamp want[NODES];
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		if (nodes[i].pos)
			want[n++] = nodes[i].at;
	assert_int_equal(h->len, n);
	qsort(want, n, sizeof *want, by_time);
	for (size_t i = 0; i < n; i++) {
		struct heap_node *min = heap_min(h);

		assert_non_null(min);
		CHECK(min->at == want[i]);
		heap_del(h, min);
		assert_int_equal(min->pos, 0);
	}
	assert_null(heap_min(h));
}

static void test_random_arming_comes_out_sorted(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct heap h = {};

		rng = seed;
		memset(nodes, 0, sizeof nodes);
		for (int step = 0; step < 1500; step++) {
			struct heap_node *n = &nodes[next() % NODES];

			if (next() % 4 == 0)
				heap_del(&h, n);
			else if (next() % 8 == 0)
				CHECK_ERR(heap_set(&h, n, TSTAMP_NEVER), 0);
			else
				CHECK_ERR(heap_set(&h, n, next() % (seed % 2 ? 1000 : 10)), 0);
			for (size_t i = 0; i < h.len; i++)
				assert_int_equal(h.nodes[i]->pos, i + 1);
		}
		check_drains_sorted(&h);
		heap_done(&h);
	}
}

static void test_rearming_moves_both_ways(void **state)
{
	struct heap_node a = {}, b = {}, c = {};
	struct heap h = {};

	(void)state;
	CHECK_ERR(heap_set(&h, &a, 10), 0);
	CHECK_ERR(heap_set(&h, &b, 20), 0);
	CHECK_ERR(heap_set(&h, &c, 30), 0);
	CHECK_ERR(heap_set(&h, &c, 5), 0);
	assert_ptr_equal(heap_min(&h), &c);
	CHECK_ERR(heap_set(&h, &c, 40), 0);
	assert_ptr_equal(heap_min(&h), &a);
	CHECK_ERR(heap_set(&h, &a, TSTAMP_NEVER), 0);
	assert_ptr_equal(heap_min(&h), &b);
	assert_int_equal(h.len, 2);
	heap_done(&h);
}

static void test_deleting_what_is_not_there_does_nothing(void **state)
{
	struct heap_node n = {};
	struct heap h = {};

	(void)state;
	heap_del(&h, &n);
	CHECK_ERR(heap_set(&h, &n, TSTAMP_NEVER), 0);
	assert_null(heap_min(&h));
	assert_int_equal(h.len, 0);
	heap_done(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_arming_comes_out_sorted),
		cmocka_unit_test(test_rearming_moves_both_ways),
		cmocka_unit_test(test_deleting_what_is_not_there_does_nothing),
	};

	return RUN_TESTS(tests);
}
