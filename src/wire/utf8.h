/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include "base/span.h"

/* Length of the character that s begins with, 1 to 4; 0 if s is empty or begins
 * with anything else. */
size_t utf8_next(struct span s);

/* Length of the longest valid beginning of s: s.len if all of it is valid. */
size_t utf8_valid_len(struct span s);

static inline bool utf8_valid(struct span s) { return utf8_valid_len(s) == s.len; }
