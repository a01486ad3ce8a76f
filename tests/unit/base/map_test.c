#include "base/map.h"

#include <errno.h>

#include "test.h"

enum { KEYS = 400 };

struct value {
	int payload;
	uint8_t key[20];        /* not a multiple of the hash's word */
	bool in;                /* the naive model */
};

static struct value values[KEYS];
static uint64_t rng;

static uint64_t next(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return rng >> 33;
}

static void make_values(size_t key_len)
{
	memset(values, 0, sizeof values);
	for (int i = 0; i < KEYS; i++) {
		values[i].payload = i;
		memcpy(values[i].key, &i, key_len < sizeof i ? key_len : sizeof i);
	}
}

static void check_against_model(const struct map *m, uint64_t seed)
{
	size_t len = 0, seen = 0, at = 0;
	struct value *v;

	for (int i = 0; i < KEYS; i++) {
		len += values[i].in;
		if (map_get(m, values[i].key) != (values[i].in ? &values[i] : NULL))
			fail_msg("seed %llu: key %d", (unsigned long long)seed, i);
	}
	assert_int_equal(m->len, len);
	while ((v = map_next(m, &at))) {
		assert_true(v->in);
		seen++;
	}
	assert_int_equal(seen, len);
}

/* Deletion shifts entries back; every key must stay reachable whatever was
 * between it and its home. */
static void test_random_puts_and_deletes_agree_with_a_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		const uint64_t map_seed[2] = { seed * 77, ~seed };
		size_t key_len = seed % 3 ? 20 : 8;
		struct map m;

		rng = seed;
		make_values(key_len);
		map_init(&m, offsetof(struct value, key), key_len, map_seed);
		for (int step = 0; step < 3000; step++) {
			/* a window of keys that grows and shrinks, so that the table is dense and sparse */
			struct value *v = &values[next() % (step % 1000 < 500 ? KEYS : 40)];

			if (next() % 5 < (step / 500 % 2 ? 2u : 3u)) {
				int err = map_put(&m, v);

				assert_int_equal(err, v->in ? -EEXIST : 0);
				v->in = true;
			} else {
				void *gone = map_del(&m, v->key);

				assert_ptr_equal(gone, v->in ? v : NULL);
				v->in = false;
			}
			if (step % 50 == 0)
				check_against_model(&m, seed);
		}
		check_against_model(&m, seed);
		map_done(&m);
	}
}

static void test_an_empty_map_answers_without_a_table(void **state)
{
	const uint64_t seed[2] = { 1, 2 };
	struct map m;
	size_t at = 0;

	(void)state;
	make_values(8);
	map_init(&m, offsetof(struct value, key), 8, seed);
	assert_null(map_get(&m, values[0].key));
	assert_null(map_del(&m, values[0].key));
	assert_null(map_next(&m, &at));
	assert_null(m.slots);
	map_done(&m);
}

static void test_is_usable_again_after_done(void **state)
{
	const uint64_t seed[2] = { 1, 2 };
	struct map m;

	(void)state;
	make_values(8);
	map_init(&m, offsetof(struct value, key), 8, seed);
	CHECK_ERR(map_put(&m, &values[3]), 0);
	map_done(&m);
	assert_null(map_get(&m, values[3].key));
	CHECK_ERR(map_put(&m, &values[3]), 0);
	assert_ptr_equal(map_get(&m, values[3].key), &values[3]);
	map_done(&m);
}

static void test_a_refused_put_keeps_the_first_value(void **state)
{
	const uint64_t seed[2] = { 5, 6 };
	struct value twin;
	struct map m;

	(void)state;
	make_values(8);
	twin = values[9];
	map_init(&m, offsetof(struct value, key), 8, seed);
	CHECK_ERR(map_put(&m, &values[9]), 0);
	CHECK_ERR(map_put(&m, &twin), -EEXIST);
	assert_ptr_equal(map_get(&m, twin.key), &values[9]);
	assert_int_equal(m.len, 1);
	map_done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_puts_and_deletes_agree_with_a_model),
		cmocka_unit_test(test_an_empty_map_answers_without_a_table),
		cmocka_unit_test(test_is_usable_again_after_done),
		cmocka_unit_test(test_a_refused_put_keeps_the_first_value),
	};

	return RUN_TESTS(tests);
}
