#include "base/log.h"

#include "test.h"

struct seen {
	int lines;
	enum log_level level;
	char topic[16], text[2048];
};

static void record(void *userdata, enum log_level level, const char *topic, const char *text)
{
	struct seen *s = userdata;

	s->lines++;
	s->level = level;
	snprintf(s->topic, sizeof s->topic, "%s", topic);
	snprintf(s->text, sizeof s->text, "%s", text);
}

static void test_hands_lines_up_to_the_level(void **state)
{
	struct seen s = {};
	struct log_sink sink = { .line = record, .userdata = &s, .max = LOG_INFO };

	(void)state;
	log_to(&sink, LOG_WARN, "topic", "%d of %s", 3, "four");
	assert_int_equal(s.lines, 1);
	assert_int_equal(s.level, LOG_WARN);
	assert_string_equal(s.topic, "topic");
	assert_string_equal(s.text, "3 of four");
	log_to(&sink, LOG_DEBUG, "topic", "no");
	assert_int_equal(s.lines, 1);
}

/* A stranger's text must not forge a line or move a terminal's cursor. */
static void test_control_characters_do_not_get_through(void **state)
{
	struct seen s = {};
	struct log_sink sink = { .line = record, .userdata = &s, .max = LOG_INFO };

	(void)state;
	log_to(&sink, LOG_INFO, "t", "a\n[INFO x] b\r\x1b[31m\x7f%c", 1);
	assert_string_equal(s.text, "a?[INFO x] b??[31m??");
	log_to(&sink, LOG_INFO, "t", "caf\xc3\xa9");
	assert_string_equal(s.text, "caf\xc3\xa9");
}

static void test_long_lines_are_cut(void **state)
{
	struct seen s = {};
	struct log_sink sink = { .line = record, .userdata = &s, .max = LOG_INFO };

	(void)state;
	log_to(&sink, LOG_INFO, "t", "%2000d", 1);
	assert_int_equal(strlen(s.text), 1023);
}

static void test_no_sink_is_fine(void **state)
{
	(void)state;
	log_to(NULL, LOG_ERROR, "t", "x");
	log_to(&(struct log_sink){ .max = LOG_DEBUG }, LOG_ERROR, "t", "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hands_lines_up_to_the_level),
		cmocka_unit_test(test_control_characters_do_not_get_through),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_no_sink_is_fine),
	};

	return RUN_TESTS(tests);
}
