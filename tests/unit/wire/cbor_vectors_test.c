/* RFC 8949 appendix A. */
#include "cbor_vectors.h"
#include "test.h"
#include "tree.h"
#include "wire/json.h"

static bool is_unsupported(const char *hex)
{
	unsigned first = 0;

	sscanf(hex, "%2x", &first);
	return first >= 0xc0 && (first < 0xf4 || first > 0xf6);         /* tags, floats, simple values */
}

static void test_deterministic_vectors_round_trip(void **state)
{
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		_cleanup_buf_ struct buf copy = {};
		uint8_t raw[128];
		struct span item = SPAN(raw, unhex(raw, sizeof raw, v->hex));

		if (!v->roundtrip || is_unsupported(v->hex))
			continue;
		taken++;
		if (cbor_validate(item))
			fail_msg("%s: %s", v->hex, err_name(cbor_validate(item)));
		if (!strcmp(v->hex, "a201020304"))
			continue;       /* keys that are not text are valid, but we write none */
		struct cbor c = CBOR(item);
		tree_copy(&copy, &c);
		if (cbor_end(&c) || !span_equal(buf_span(&copy), item))
			fail_msg("%s does not round-trip", v->hex);
	}
	assert_int_equal(taken, 37);
}

static void test_the_same_values_as_json_become_the_same_bytes(void **state)
{
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		_cleanup_buf_ struct buf out = {};
		uint8_t raw[128];
		struct span item = SPAN(raw, unhex(raw, sizeof raw, v->hex));
		size_t at = 0;

		if (!v->json || !v->roundtrip)
			continue;
		taken++;
		int err = json_to_cbor(&out, SPAN_STR(v->json), &at);
		if (err || !span_equal(buf_span(&out), item))
			fail_msg("%s: %s at %zu", v->json, err_name(err), at);
	}
	CHECK(taken > 30);
}

static void test_every_other_vector_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		const struct vector *v = &vectors[i];
		uint8_t raw[128];
		struct span item = SPAN(raw, unhex(raw, sizeof raw, v->hex));
		int want = is_unsupported(v->hex) ? ERR_TYPE : ERR_CANON;

		if (v->roundtrip && !is_unsupported(v->hex))
			continue;
		if (!strcmp(v->hex, "f818"))
			want = ERR_PARSE;       /* RFC 8949 made this spelling malformed */
		if (cbor_validate(item) != want)
			fail_msg("%s: got %s", v->hex, err_name(cbor_validate(item)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deterministic_vectors_round_trip),
		cmocka_unit_test(test_the_same_values_as_json_become_the_same_bytes),
		cmocka_unit_test(test_every_other_vector_is_refused),
	};

	return RUN_TESTS(tests);
}
