#include "cli/progress.h"

static void put_size(struct buf *out, double bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB", "TB" };
	size_t unit = 0;

	for (; bytes >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		bytes /= 1024;
	buf_printf(out, unit ? "%.2f %s" : "%.0f %s", bytes, units[unit]);
}

static void put_time(struct buf *out, double seconds)
{
	if (seconds < 60)
		buf_printf(out, "%.0fs", seconds);
	else if (seconds < 3600)
		buf_printf(out, "%.0fm", seconds / 60);
	else
		buf_printf(out, "%.0fh", MIN(seconds / 3600, 9999.0));
}

void progress_format(struct buf *out, const struct progress *p, int bar)
{
	double part = p->total ? (double)p->done / (double)p->total : 1;
	double seconds = (double)p->elapsed / 1e9;
	double rate = seconds > 0 ? (double)(p->done - MIN(p->resumed_at, p->done)) / seconds : 0;
	int filled = (int)(part * bar);

	buf_printf(out, "rtt %llums | ", (unsigned long long)(p->rtt / 1000000));
	put_size(out, (double)p->done);
	buf_add_str(out, " / ");
	put_size(out, (double)p->total);
	buf_add_str(out, " [");
	for (int i = 0; i < bar; i++)
		buf_add_str(out, i < filled - (filled < bar) ? "=" : i == filled - 1 && filled < bar ? ">" : i < filled ? "=" : "-");
	buf_printf(out, "] %.2f %% ", part * 100);
	put_size(out, rate);
	buf_add_str(out, "/s ");
	put_time(out, rate > 0 ? (double)(p->total - MIN(p->done, p->total)) / rate : 0);
}
