/* Which subjects are understood, and do they come out as they went in? */
#include "fixtures.h"

static void which_subjects_are_understood(void **state)
{
	static const struct { const char *text; int want; enum auth_subject_kind kind; } rows[] = {
		{ "*", 0, AUTH_ANYONE },
		{ "self", 0, AUTH_IDENTITY },
		{ "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9", 0, AUTH_IDENTITY },
		{ "team:abc/owner", 0, AUTH_TEAM },
		{ "team:A-b_c.9=/label:front-door", 0, AUTH_TEAM },
		{ "team:/owner", ERR_PARSE, 0 },
		{ "team:abc", ERR_PARSE, 0 },
		{ "team:abc/", ERR_PARSE, 0 },
		{ "team:abc/label:", ERR_PARSE, 0 },
		{ "team:abc/a/b", ERR_PARSE, 0 },
		{ "team:a b/owner", ERR_PARSE, 0 },
		{ "team:abc/ow ner", ERR_PARSE, 0 },
		{ "team:abc/other:x", ERR_PARSE, 0 },
		{ "", ERR_PREFIX, 0 },
		{ "**", ERR_PREFIX, 0 },
		{ "Self", ERR_PREFIX, 0 },
	};
	struct identity self = person(ALICE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct auth_rule r = { 0 };
		struct text_error detail = { "" };
		int err = auth_subject_parse(&r, rows[i].text, &self, &detail);

		if (rows[i].want) {
			if (err >= 0 || (rows[i].want == ERR_PARSE && err != ERR_PARSE) || !detail.text[0])
				fail_msg("\"%s\": %s", rows[i].text, err_name(err));
			CHECK_ERR(auth_subject_parse(&r, rows[i].text, &self, NULL), err);
			continue;
		}
		if (err < 0 || r.kind != rows[i].kind)
			fail_msg("\"%s\": %s", rows[i].text, err_name(err));
		auth_rule_done(&r);
	}
}

static void how_long_may_a_team_subject_be(void **state)
{
	char text[256];
	struct auth_rule r = { 0 };

	(void)state;
	snprintf(text, sizeof text, "team:%080d/label:%064d", 0, 0);
	CHECK_ERR(auth_subject_parse(&r, text, NULL, NULL), 0);
	char out[AUTH_SUBJECT_STR_MAX];
	auth_subject_format(out, &r);
	assert_string_equal(out, text);
	auth_rule_done(&r);
	snprintf(text, sizeof text, "team:%081d/x", 0);
	CHECK_ERR(auth_subject_parse(&r, text, NULL, NULL), ERR_PARSE);
	snprintf(text, sizeof text, "team:x/%065d", 0);
	CHECK_ERR(auth_subject_parse(&r, text, NULL, NULL), ERR_PARSE);
}

static void is_self_refused_while_there_is_none(void **state)
{
	struct text_error detail = { "" };
	struct auth_rule r = { 0 };

	(void)state;
	CHECK_ERR(auth_subject_parse(&r, "self", NULL, &detail), ERR_STATE);
	CHECK(strstr(detail.text, "self"));
	CHECK_ERR(auth_subject_parse(&r, "self", NULL, NULL), ERR_STATE);
}

static void does_an_identity_come_out_in_generation_2(void **state)
{
	struct auth_rule r = { 0 };
	char out[AUTH_SUBJECT_STR_MAX], want[IDENTITY_STR_MAX];

	(void)state;
	CHECK_ERR(auth_subject_parse(&r, "oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9", NULL, NULL), 0);
	auth_subject_format(out, &r);
	identity_format(want, &r.identity);
	assert_string_equal(out, want);
	CHECK(out[0] == 'c');
	CHECK_ERR(auth_subject_parse(&r, "*", NULL, NULL), 0);
	auth_subject_format(out, &r);
	assert_string_equal(out, "*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_subjects_are_understood),
		cmocka_unit_test(how_long_may_a_team_subject_be),
		cmocka_unit_test(is_self_refused_while_there_is_none),
		cmocka_unit_test(does_an_identity_come_out_in_generation_2),
	};

	return RUN_TESTS(tests);
}
