#include <errno.h>
#include <stdio.h>

#include "auth/internal.h"
#include "base/err.h"

enum { TEAM_ID_MAX = 80, TEAM_WORD_MAX = 64 };

/* Letters, digits and "_-.=+": what ids, roles and label names are written with. */
static bool is_word(struct span s, size_t max)
{
	if (!s.len || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && !strchr("_-.=+", c))
			return false;
	}
	return true;
}

/* team:ID/ROLE or team:ID/label:NAME */
static bool is_team(const char *text)
{
	const char *id = text + strlen("team:"), *slash = strchr(id, '/');

	if (!slash || !is_word(SPAN(id, slash - id), TEAM_ID_MAX))
		return false;

	struct span what = SPAN_STR(slash + 1);
	if (span_starts(what, "label:"))
		what = span_from(what, strlen("label:"));
	return is_word(what, TEAM_WORD_MAX);
}

static int parse_team(struct auth_rule *ret, const char *text, struct text_error *detail)
{
	if (!is_team(text)) {
		if (detail)
			snprintf(detail->text, sizeof detail->text,
				 "a team subject is written team:ID/ROLE or team:ID/label:NAME");
		return ERR_PARSE;
	}

	char *copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	ret->kind = AUTH_TEAM;
	ret->identity = (struct identity){ 0 };
	ret->subject = copy;
	return 0;
}

static int parse_identity(struct auth_rule *ret, const char *text, const struct identity *self,
			  struct text_error *detail)
{
	struct identity id;

	if (!strcmp(text, "self")) {
		if (!self) {
			if (detail)
				snprintf(detail->text, sizeof detail->text, "there is no identity here yet that \"self\" could mean");
			return ERR_STATE;
		}
		id = *self;
	} else {
		int err = text_parse(id.key, TEXT_IDENTITY, text, detail);
		if (err < 0)
			return err;
	}
	ret->kind = AUTH_IDENTITY;
	ret->identity = id;
	ret->subject = NULL;
	return 0;
}

int auth_subject_parse(struct auth_rule *ret, const char *text, const struct identity *self,
		       struct text_error *detail)
{
	if (!strcmp(text, "*")) {
		ret->kind = AUTH_ANYONE;
		ret->identity = (struct identity){ 0 };
		ret->subject = NULL;
		return 0;
	}
	if (!strncmp(text, "team:", 5))
		return parse_team(ret, text, detail);
	return parse_identity(ret, text, self, detail);
}

void auth_subject_format(char out[static AUTH_SUBJECT_STR_MAX], const struct auth_rule *r)
{
	switch (r->kind) {
	case AUTH_IDENTITY:
		identity_format(out, &r->identity);
		break;
	case AUTH_TEAM:
		snprintf(out, AUTH_SUBJECT_STR_MAX, "%s", r->subject);
		break;
	default:
		snprintf(out, AUTH_SUBJECT_STR_MAX, "*");
	}
}
