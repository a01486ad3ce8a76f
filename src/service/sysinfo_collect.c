#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/err.h"
#include "base/file.h"
#include "service/sysinfo_internal.h"
#include "wire/utf8.h"

enum { FILE_MAX = 1 << 20, LINE_MAX_LEN = 256, KIB = 1024 };

void sysinfo_put_text(struct cbor_map *m, const char *key, struct span text)
{
	_cleanup_buf_ struct buf clean = {};

	while (text.len) {
		size_t n = utf8_valid_len(text);
		buf_add_span(&clean, span_first(text, n));
		text = span_from(text, n);
		if (text.len)
			buf_add_u8(&clean, '?');
		text = span_from(text, 1);
	}
	cbor_map_text(m, key, buf_span(&clean));
}

static struct span trim(struct span s)
{
	while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = span_from(s, 1);
	while (s.len && (s.data[s.len - 1] <= ' '))
		s.len--;
	return s;
}

static struct span next_line(struct span *in)
{
	const uint8_t *nl = in->len ? memchr(in->data, '\n', in->len) : NULL;
	struct span line = span_first(*in, nl ? (size_t)(nl - in->data) : in->len);

	*in = span_from(*in, line.len + 1);
	return line;
}

bool sysinfo_read_line(const char *path, char *out, size_t size)
{
	_cleanup_buf_ struct buf b = { .max = FILE_MAX };
	struct span all, line;

	if (file_read(path, FILE_MAX, &b) < 0)
		return false;
	all = buf_span(&b);
	line = trim(next_line(&all));
	/* the device tree ends its texts with a NUL */
	while (line.len && !line.data[line.len - 1])
		line.len--;
	if (!line.len || line.len >= size)
		return false;
	memcpy(out, line.data, line.len);
	out[line.len] = 0;
	return true;
}

/* "NAME<separator> value" of one line into name and value. */
static bool split(struct span line, char separator, struct span *ret_name, struct span *ret_value)
{
	const uint8_t *at = line.len ? memchr(line.data, separator, line.len) : NULL;

	if (!at)
		return false;
	*ret_name = trim(span_first(line, (size_t)(at - line.data)));
	*ret_value = trim(span_from(line, (size_t)(at - line.data) + 1));
	return true;
}

static void put_uname(struct cbor_map *m)
{
	struct utsname u;
	struct cbor_map g;

	if (uname(&u) < 0)
		return;
	cbor_map_begin(&g, cbor_map_key(m, "uname"));
	sysinfo_put_text(&g, "sysname", SPAN_STR(u.sysname));
	sysinfo_put_text(&g, "nodename", SPAN_STR(u.nodename));
	sysinfo_put_text(&g, "release", SPAN_STR(u.release));
	sysinfo_put_text(&g, "version", SPAN_STR(u.version));
	sysinfo_put_text(&g, "machine", SPAN_STR(u.machine));
	cbor_map_end(&g);
}

static uint64_t decimal(struct span s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.len && i < 18 && s.data[i] >= '0' && s.data[i] <= '9'; i++)
		v = v * 10 + (s.data[i] - '0');
	return v;
}

static void put_mem(struct cbor_map *m)
{
	static const struct { const char *line, *key; } fields[] = {
		{ "MemTotal", "total" }, { "MemFree", "free" }, { "MemAvailable", "available" },
		{ "SwapTotal", "swap_total" }, { "SwapFree", "swap_free" },
	};
	_cleanup_buf_ struct buf b = { .max = FILE_MAX };
	struct span all, name, value;
	struct cbor_map g;

	if (file_read("/proc/meminfo", FILE_MAX, &b) < 0)
		return;
	all = buf_span(&b);
	cbor_map_begin(&g, cbor_map_key(m, "mem"));
	while (all.len) {
		if (!split(next_line(&all), ':', &name, &value))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			if (span_is(name, fields[i].line) && !cbor_map_has(&g, SPAN_STR(fields[i].key)))
				cbor_map_uint(&g, fields[i].key, decimal(value) * KIB);
	}
	cbor_map_end(&g);
}

static void put_loadavg(struct cbor_map *g)
{
	unsigned long avg[3][2], running, procs;
	char line[LINE_MAX_LEN];

	if (!sysinfo_read_line("/proc/loadavg", line, sizeof line) ||
	    sscanf(line, "%8lu.%2lu %8lu.%2lu %8lu.%2lu %8lu/%8lu", &avg[0][0], &avg[0][1], &avg[1][0], &avg[1][1],
		   &avg[2][0], &avg[2][1], &running, &procs) != 8)
		return;
	cbor_map_uint(g, "avg1", avg[0][0] * 100 + avg[0][1]);
	cbor_map_uint(g, "avg5", avg[1][0] * 100 + avg[1][1]);
	cbor_map_uint(g, "avg15", avg[2][0] * 100 + avg[2][1]);
	cbor_map_uint(g, "running", running);
	cbor_map_uint(g, "procs", procs);
}

/* Threads are what the system schedules on, cores their distinct siblings. */
static void put_cpus(struct cbor_map *g)
{
	long threads = sysconf(_SC_NPROCESSORS_ONLN);
	char path[LINE_MAX_LEN], line[LINE_MAX_LEN];
	unsigned cores = 0, first;

	if (threads <= 0)
		return;
	cbor_map_uint(g, "threads", (uint64_t)threads);
	for (unsigned i = 0; i < (unsigned)threads && i < 4096; i++) {
		snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", i);
		if (sysinfo_read_line(path, line, sizeof line) && sscanf(line, "%8u", &first) == 1 && first == i)
			cores++;
	}
	cbor_map_uint(g, "cores", cores ?: (uint64_t)threads);
}

static void put_load(struct cbor_map *m)
{
	unsigned long uptime, idle;
	time_t clock = time(NULL);
	char line[LINE_MAX_LEN];
	struct cbor_map g;

	cbor_map_begin(&g, cbor_map_key(m, "load"));
	put_loadavg(&g);
	if (sysinfo_read_line("/proc/uptime", line, sizeof line) &&
	    sscanf(line, "%15lu.%*u %15lu", &uptime, &idle) == 2) {
		cbor_map_uint(&g, "uptime", uptime);
		cbor_map_uint(&g, "idletime", idle);
	}
	cbor_map_uint(&g, "clock", clock > 0 ? (uint64_t)clock : 0);
	put_cpus(&g);
	cbor_map_end(&g);
}

static struct span unquote(struct span s)
{
	if (s.len >= 2 && (s.data[0] == '"' || s.data[0] == '\'') && s.data[s.len - 1] == s.data[0])
		return SPAN(s.data + 1, s.len - 2);
	return s;
}

static void put_firmware(struct cbor_map *m)
{
	static const struct { const char *line, *key; } fields[] = {
		{ "NAME", "name" }, { "ID", "id" }, { "VERSION", "version" }, { "PRETTY_NAME", "pretty" },
		{ "BUILD_ID", "build" },
	};
	_cleanup_buf_ struct buf b = { .max = FILE_MAX };
	struct span all, name, value;
	struct cbor_map g;

	if (file_read("/etc/os-release", FILE_MAX, &b) < 0) {
		buf_done(&b);
		if (file_read("/usr/lib/os-release", FILE_MAX, &b) < 0)
			return;
	}
	all = buf_span(&b);
	cbor_map_begin(&g, cbor_map_key(m, "firmware"));
	while (all.len) {
		if (!split(next_line(&all), '=', &name, &value))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(fields); i++)
			if (span_is(name, fields[i].line) && !cbor_map_has(&g, SPAN_STR(fields[i].key)))
				sysinfo_put_text(&g, fields[i].key, span_first(unquote(value), LINE_MAX_LEN));
	}
	cbor_map_end(&g);
}

static void put_board(struct cbor_map *m)
{
	static const struct { const char *key, *path; } fields[] = {
		{ "model", "/proc/device-tree/model" },
		{ "model", "/sys/class/dmi/id/product_name" },
		{ "vendor", "/sys/class/dmi/id/sys_vendor" },
		{ "name", "/sys/class/dmi/id/board_name" },
	};
	char line[LINE_MAX_LEN];
	struct cbor_map g;

	cbor_map_begin(&g, cbor_map_key(m, "board"));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!cbor_map_has(&g, SPAN_STR(fields[i].key)) &&
		    sysinfo_read_line(fields[i].path, line, sizeof line))
			sysinfo_put_text(&g, fields[i].key, SPAN_STR(line));
	cbor_map_end(&g);
}

int sysinfo_collect(struct buf *out)
{
	_cleanup_buf_ struct buf b = { .max = SYSINFO_LEN_MAX };
	struct cbor_map m;

	cbor_map_begin(&m, &b);
	put_uname(&m);
	put_mem(&m);
	put_load(&m);
	put_firmware(&m);
	put_board(&m);
	sysinfo_put_fs(&m);
	sysinfo_put_netdev(&m);
	cbor_map_end(&m);
	if (buf_err(&b) < 0)
		return buf_err(&b);
	buf_add_span(out, buf_span(&b));
	return buf_err(out);
}
