/* The log sink of programs. Library folders do not log: they return errors and
 * count; only the rim (endpoint, service host, programs) hands lines to a sink. */
#pragma once

#include "base/mem.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_sink {
	void (*line)(void *userdata, enum log_level level, const char *topic, const char *text);
	void *userdata;
	enum log_level max;
};

/* Does nothing with a NULL sink. topic is a word such as "endpoint"; the line
 * is cut at 1024 bytes and control characters in it become '?'. */
void log_to(const struct log_sink *sink, enum log_level level, const char *topic,
	    const char *fmt, ...) _printf_(4, 5);

/* "[INFO endpoint] text" on stderr, as the quickstart book prints it. */
extern const struct log_sink log_stderr;
