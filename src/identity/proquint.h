/* Speakable numbers: 16 bits as consonant-vowel-consonant-vowel-consonant. */
#pragma once

#include "identity/identity.h"

/* Four words for eight bytes, big endian: 7f000001... begins "lusab-babad". */
void proquint_format(char out[static FINGERPRINT_STR_MAX], const uint8_t bytes[static 8]);
