/* Whether two documents hold the same data, whatever their spelling. */
#pragma once

#include "config/toml.h"

static inline bool value_same(const struct toml_value *a, const struct toml_value *b);

static inline bool table_same(const struct toml_table *a, const struct toml_table *b)
{
	const struct toml_value *x, *y;
	size_t i;

	for (i = 0; toml_key_at(a, i, &x); i++) {
		size_t k = 0;

		while (toml_key_at(b, k, &y) && !span_equal(toml_value_key(x), toml_value_key(y)))
			k++;
		if (!toml_key_at(b, k, &y) || !value_same(x, y))
			return false;
	}
	return !toml_key_at(b, i, NULL);
}

static inline bool value_same(const struct toml_value *a, const struct toml_value *b)
{
	int64_t x, y;

	if (toml_type(a) != toml_type(b) || toml_array_len(a) != toml_array_len(b))
		return false;
	switch (toml_type(a)) {
	case TOML_STRING:
		return span_equal(toml_value_text(a), toml_value_text(b));
	case TOML_INTEGER:
		return !toml_value_integer(a, &x) && !toml_value_integer(b, &y) && x == y;
	case TOML_FLOAT: {
		double f = toml_value_float(a), g = toml_value_float(b);
		return !memcmp(&f, &g, sizeof f);
	}
	case TOML_BOOLEAN:
		return toml_value_boolean(a) == toml_value_boolean(b);
	case TOML_ARRAY:
		for (size_t i = 0; i < toml_array_len(a); i++)
			if (!value_same(toml_array_at(a, i), toml_array_at(b, i)))
				return false;
		return true;
	case TOML_TABLE:
		return table_same(toml_value_table(a), toml_value_table(b));
	default:
		return !strcmp(toml_value_raw(a), toml_value_raw(b));
	}
}
