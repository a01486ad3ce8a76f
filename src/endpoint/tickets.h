/* Remembered sessions, in the state folder: they save round trips and may be deleted
 * at any time. One file each, 0600, named by a hash, so that a listing of the folder
 * does not tell whom this user talks to. */
#pragma once

#include "vault/home.h"

int tickets_load(const struct home *h, const char *alpn, const struct identity *peer, struct buf *out) _must_check_;
void tickets_save(const struct home *h, const char *alpn, const struct identity *peer, struct span blob);
