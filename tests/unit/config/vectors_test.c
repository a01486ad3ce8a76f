/* The published vectors: toml-test, the list for TOML 1.0.0. */
#include <jansson.h>
#include <math.h>

#include "base/file.h"
#include "config/toml.h"
#include "test.h"

static const char *folder;

static void read_vector(struct buf *out, const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (file_read(path, 1 << 20, out) < 0)
		fail_msg("cannot read %s", path);
}

/* jansson takes no NUL in keys; one vector has one. Both sides get the letters instead. */
static json_t *read_json(const char *name)
{
	_cleanup_buf_ struct buf text = {}, tame = {};
	static const char nul[] = "\"\\u0000\":";
	json_error_t error;

	read_vector(&text, name);
	for (size_t i = 0; i < text.len; i++) {
		if (span_starts(span_from(buf_span(&text), i), nul)) {
			buf_add_str(&tame, "\"<NUL>\":");
			i += strlen(nul) - 1;
		} else {
			buf_add_u8(&tame, text.data[i]);
		}
	}
	json_t *json = json_loadb((char *)tame.data, tame.len, JSON_ALLOW_NUL, &error);
	if (!json)
		fail_msg("%s: %s", name, error.text);
	return json;
}

static bool value_matches(const struct toml_value *v, const json_t *json);

static bool table_matches(const struct toml_table *t, const json_t *json)
{
	const struct toml_value *v;
	const char *key;
	size_t i;

	for (i = 0; (key = toml_key_at(t, i, &v)); i++) {
		const json_t *want;

		if (span_equal(toml_value_key(v), SPAN("", 1)))
			key = "<NUL>";
		want = json_object_get(json, key);
		if (!want || !value_matches(v, want))
			return false;
	}
	return i == json_object_size(json);
}

static bool float_matches(double got, const char *want)
{
	double w = strtod(want, NULL);

	return isnan(w) ? isnan(got) : got == w;
}

/* The vectors write milliseconds where we keep the fraction as it was written. */
static bool datetime_matches(const char *got, const char *want)
{
	const char *dot = strchr(got, '.');
	size_t n = dot ? (size_t)(dot - got) : strcspn(got, "Zz+");

	if (!dot && strchr(got, '-') && strlen(got) > 19)
		n = 19;
	if (strncmp(got, want, n))
		return false;
	got += n;
	want += n;
	n = strspn(got, ".0123456789");
	size_t w = strspn(want, ".0123456789");
	return atof(n ? got : "0") == atof(w ? want : "0") && !strcmp(got + n, want + w);
}

static bool value_matches(const struct toml_value *v, const json_t *json)
{
	static const char *const types[] = {
		[TOML_STRING] = "string", [TOML_INTEGER] = "integer", [TOML_FLOAT] = "float", [TOML_BOOLEAN] = "bool",
		[TOML_OFFSET_DATETIME] = "datetime", [TOML_LOCAL_DATETIME] = "datetime-local",
		[TOML_LOCAL_DATE] = "date-local", [TOML_LOCAL_TIME] = "time-local",
	};
	const json_t *text = json_object_get(json, "value");
	const char *type = json_string_value(json_object_get(json, "type")), *want = json_string_value(text);
	int64_t n;

	switch (toml_type(v)) {
	case TOML_TABLE:
		return json_is_object(json) && table_matches(toml_value_table(v), json);
	case TOML_ARRAY:
		if (json_array_size(json) != toml_array_len(v))
			return false;
		for (size_t i = 0; i < toml_array_len(v); i++)
			if (!value_matches(toml_array_at(v, i), json_array_get(json, i)))
				return false;
		return json_is_array(json);
	default:
		break;
	}
	if (!type || !want || strcmp(type, types[toml_type(v)]))
		return false;
	switch (toml_type(v)) {
	case TOML_STRING:
		return span_equal(toml_value_text(v), SPAN(want, json_string_length(text)));
	case TOML_INTEGER:
		return toml_value_integer(v, &n) == 0 && n == strtoll(want, NULL, 10);
	case TOML_FLOAT:
		return float_matches(toml_value_float(v), want);
	case TOML_BOOLEAN:
		return toml_value_boolean(v) == !strcmp(want, "true");
	default:
		return datetime_matches(toml_value_raw(v), want);
	}
}

static void check_valid(const char *name)
{
	_cleanup_(toml_freep) struct toml *t = NULL;
	_cleanup_buf_ struct buf text = {}, out = {};
	struct toml_error error;
	char json_name[4096];

	read_vector(&text, name);
	if (toml_parse(&t, buf_span(&text), &error) < 0)
		fail_msg("%s:%u:%u: %s", name, error.line, error.column, error.text);
	snprintf(json_name, sizeof json_name, "%.*s.json", (int)strlen(name) - 5, name);
	json_t *json = read_json(json_name);
	if (!table_matches(toml_root(t), json))
		fail_msg("%s: not the data of its .json", name);
	json_decref(json);

	CHECK_ERR(toml_write(t, &out), 0);
	if (!span_equal(buf_span(&out), buf_span(&text)))
		fail_msg("%s: written back otherwise than it was", name);
}

static void check_invalid(const char *name)
{
	struct toml *t = NULL;
	_cleanup_buf_ struct buf text = {};
	struct toml_error error = {};

	read_vector(&text, name);
	if (toml_parse(&t, buf_span(&text), &error) != ERR_CONFIG || t)
		fail_msg("%s: not refused", name);
	if (!error.line || !error.column || !error.text[0])
		fail_msg("%s: refused without a place or a reason", name);
}

static unsigned walk(const char *kind, void (*check)(const char *name))
{
	_cleanup_buf_ struct buf list = {};
	unsigned n = 0;
	char *save = NULL;

	read_vector(&list, "files-toml-1.0.0");
	for (char *line = strtok_r((char *)(uintptr_t)buf_str(&list), "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);

		if (strncmp(line, kind, strlen(kind)) || len < 5 || strcmp(line + len - 5, ".toml"))
			continue;
		check(line);
		n++;
	}
	return n;
}

static void test_every_valid_file_parses_to_its_json_and_writes_back(void **)
{
	assert_int_equal(walk("valid/", check_valid), 210);
}

static void test_every_invalid_file_is_refused_with_its_place(void **)
{
	assert_int_equal(walk("invalid/", check_invalid), 499);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_valid_file_parses_to_its_json_and_writes_back),
		cmocka_unit_test(test_every_invalid_file_is_refused_with_its_place),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return RUN_TESTS(tests);
}
