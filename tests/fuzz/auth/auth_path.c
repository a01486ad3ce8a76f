/* GLOB '\n' PATH '\n' SUBJECT '\n' TCP '\n' HOST '\n' FILE: the checks agree with each
 * other, and nothing that is no path is ever allowed. */
#include <stdlib.h>

#include "auth/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FIELDS = 6 };

static void split(char *fields[static FIELDS], char *text)
{
	for (int i = 0; i < FIELDS; i++) {
		fields[i] = text;
		char *end = strchr(text, '\n');
		text = end ? end + 1 : text + strlen(text);
		if (end)
			*end = 0;
	}
}

static void check_subject(const char *text)
{
	struct auth_rule r = { 0 }, again = { 0 };
	struct identity self = { { 1 } };
	char out[AUTH_SUBJECT_STR_MAX], out2[AUTH_SUBJECT_STR_MAX];

	if (auth_subject_parse(&r, text, &self, NULL) < 0)
		return;
	auth_subject_format(out, &r);
	/* the made-up "self" is no curve point */
	if (strcmp(text, "self")) {
		if (auth_subject_parse(&again, out, NULL, NULL) < 0)
			abort();
		auth_subject_format(out2, &again);
		if (strcmp(out, out2))
			abort();
	}
	auth_rule_done(&r);
	auth_rule_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = span_dup_str(SPAN(data, len));
	_cleanup_(auth_freep) struct auth *a = NULL;
	char *f[FIELDS];

	if (!text || auth_new(&a) < 0)
		return 0;
	split(f, text);
	check_subject(f[2]);

	struct auth_rule r = { .kind = AUTH_ANYONE, .path = f[0] };
	const char *key;
	if (*f[3]) {
		r.tcp[0] = f[3];
		r.tcp_len = 1;
	}
	if (auth_add(a, NULL, &r) < 0) {
		if (!auth_rule_fault(&r, &key))
			abort();
		return 0;
	}

	struct auth_request rq = {
		.path = f[1], .tcp_host = *f[4] ? f[4] : NULL, .tcp_port = 80, .file = *f[5] ? f[5] : NULL,
	};
	struct auth_decision d = auth_decide(a, &rq);
	bool is_path = auth_path_check(f[1]) >= 0 && f[1][0] == '/' && !strchr(f[1], '*');

	if (d.allow && (!is_path || !auth_glob_matches(f[0], f[1])))
		abort();
	if (d.allow && rq.file && !strncmp(rq.file, "../", 3))
		abort();
	if (!d.allow && is_path && auth_glob_matches(f[0], f[1]) && !rq.tcp_host && !rq.file)
		abort();
	return 0;
}
