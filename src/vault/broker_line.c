#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "vault/internal.h"
#include "vault/settings.h"

enum { HOST_MAX = 253, LABEL_MAX = 63, TOKEN_MAX = 64 };

int refuse_text(struct text_error *detail, const char *fmt, ...)
{
	va_list ap;

	if (detail) {
		va_start(ap, fmt);
		vsnprintf(detail->text, sizeof detail->text, fmt, ap);
		va_end(ap);
	}
	return ERR_PARSE;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits, '-' and '_' in labels of 1..63; an IPv4 address is such a name too. */
static bool is_host_name(struct span s)
{
	size_t label = 0;

	if (!s.len || s.len > HOST_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)s.data[i];

		if (c == '.') {
			if (!label)
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(c) && c != '_' && (c != '-' || !label))
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool is_ip6(struct span s)
{
	char text[ADDR_STR_MAX];
	struct addr a;

	if (s.len > 45)
		return false;
	snprintf(text, sizeof text, "[%.*s]:1", (int)s.len, (const char *)s.data);
	return memchr(s.data, ':', s.len) && addr_parse(&a, text) >= 0;
}

static int parse_port(uint16_t *ret, const char *text)
{
	unsigned v = 0;
	size_t n = strspn(text, "0123456789");

	if (!n || n > 5 || text[n])
		return ERR_PARSE;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)(text[i] - '0');
	if (!v || v > UINT16_MAX)
		return ERR_PARSE;
	*ret = (uint16_t)v;
	return 0;
}

int host_port_parse(char host[static 256], uint16_t *ret_port, const char *text,
		    struct text_error *detail)
{
	const char *colon = strrchr(text, ':');
	uint16_t port;

	if (!colon)
		return refuse_text(detail, "the port is missing: host:port, or [IPv6]:port");

	struct span h = SPAN(text, colon - text);
	bool bracketed = h.len > 2 && h.data[0] == '[' && h.data[h.len - 1] == ']';
	if (bracketed)
		h = SPAN(h.data + 1, h.len - 2);
	if (bracketed ? !is_ip6(h) : !is_host_name(h))
		return refuse_text(detail, "\"%.*s\" is no host name or address (IPv6 goes in brackets)",
				   (int)MIN(h.len, (size_t)64), (const char *)h.data);
	if (parse_port(&port, colon + 1) < 0)
		return refuse_text(detail, "\"%.16s\" is no port; 1 to 65535", colon + 1);

	memcpy(host, h.data, h.len);
	host[h.len] = 0;
	*ret_port = port;
	return 0;
}

static bool is_token(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return n && n <= TOKEN_MAX && !s[n];
}

static int parse_id(struct identity *ret, struct span s, struct text_error *detail)
{
	char text[TEXT_STR_MAX];

	if (s.len >= sizeof text)
		return refuse_text(detail, "the part before '@' is too long for an identity");
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	return text_parse(ret->key, TEXT_IDENTITY, text, detail) < 0 ? ERR_PARSE : 0;
}

int broker_line_parse(struct broker_line *ret, const char *text, struct text_error *detail)
{
	struct broker_line b = { 0 };
	const char *at = strchr(text, '@'), *hash = strchr(text, '#');
	char host_port[HOST_MAX + 10];
	size_t len;

	if (!at && is_host_name(SPAN_STR(text)))
		return refuse_text(detail, "\"%.60s\" is a DNS domain, as the older generations named brokers; "
				   "put the line that `carrier broker` prints: ID@host:port#TOKEN", text);
	if (!at)
		return refuse_text(detail, "a broker is written ID@host:port#TOKEN");
	if (parse_id(&b.id, SPAN(text, at - text), detail) < 0)
		return ERR_PARSE;
	if (hash && !is_token(hash + 1))
		return refuse_text(detail, "what follows '#' is no join token");

	len = hash ? (size_t)(hash - at - 1) : strlen(at + 1);
	if ((hash && hash < at) || len >= sizeof host_port)
		return refuse_text(detail, "a broker is written ID@host:port#TOKEN");
	memcpy(host_port, at + 1, len);
	host_port[len] = 0;
	if (host_port_parse(b.host, &b.port, host_port, detail) < 0)
		return ERR_PARSE;
	if (hash)
		snprintf(b.token, sizeof b.token, "%.64s", hash + 1);
	*ret = b;
	return 0;
}

void broker_line_format(struct buf *out, const struct broker_line *b)
{
	char id[IDENTITY_STR_MAX];
	bool ip6 = strchr(b->host, ':');

	identity_format(id, &b->id);
	buf_printf(out, "%s@%s%s%s:%u", id, ip6 ? "[" : "", b->host, ip6 ? "]" : "", (unsigned)b->port);
	if (b->token[0])
		buf_printf(out, "#%s", b->token);
}
