/* broker_line_parse(), target_parse(), name_check(): what is taken comes out again
 * as it went in. */
#include <stdlib.h>

#include "vault/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct home *home(void)
{
	static struct home h;
	static char config[] = "/nonexistent/carrier.toml", secret[] = "/nonexistent/carrier.secret";
	static const char text[] = "[names]\nhome = \"oWDw4B1f88jiGj71qMCYTL8RCCdpRYfgbSNXQSDVByRVHV9\"\n";

	if (!h.config) {
		struct toml_error te;

		h.config_path = config;
		h.secret_path = secret;
		if (toml_parse(&h.config, SPAN_STR(text), &te) < 0)
			abort();
	}
	return &h;
}

static void check_broker(const char *text)
{
	struct broker_line b = { 0 }, again = { 0 };
	struct text_error detail = { "" };
	_cleanup_buf_ struct buf out = { 0 };

	if (broker_line_parse(&b, text, &detail) < 0) {
		if (!detail.text[0])
			abort();
		return;
	}
	broker_line_format(&out, &b);
	if (broker_line_parse(&again, buf_str(&out), NULL) < 0 || !identity_equal(&b.id, &again.id) ||
	    strcmp(b.host, again.host) || b.port != again.port || strcmp(b.token, again.token))
		abort();
}

static void check_target(const char *text)
{
	struct identity self = { { 1 } };
	struct home_error error = { "" };
	struct target t = { 0 };

	if (target_parse(&t, home(), &self, text, &error) < 0) {
		if (!error.text[0])
			abort();
		return;
	}
	if (t.has_addr != !!t.host[0] || t.has_addr != !!t.port || (t.self && t.has_addr))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_cleanup_free_ char *text = span_dup_str(SPAN(data, len));

	if (!text)
		return 0;
	check_broker(text);
	check_target(text);
	/* a name is nothing else at the same time */
	struct identity id;
	if (name_check(text, NULL) >= 0 && identity_parse(&id, text) >= 0)
		abort();
	return 0;
}
