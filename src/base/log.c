#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static void to_stderr(void *userdata, enum log_level level, const char *topic, const char *text)
{
	static const char *const names[] = { "ERROR", "WARN", "INFO", "DEBUG" };

	(void)userdata;
	fprintf(stderr, "[%s %s] %s\n", names[level], topic, text);
}

const struct log_sink log_stderr = { .line = to_stderr, .max = LOG_INFO };

void log_to(const struct log_sink *sink, enum log_level level, const char *topic,
	    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!sink || !sink->line || level > sink->max)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	sink->line(sink->userdata, level, topic, text);
}
