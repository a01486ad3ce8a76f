/* Changing who may do what on a device, and the networks it is in: the asking half.
 * The answering half is rows of the service table. */
#pragma once

#include "base/buf.h"

#define CONFIG_AUTHORIZE_PATH "/v2/carrier.certificate.v1/authorize"    /* generation 1 */
#define CONFIG_AUTH_ADD_PATH "/v3/carrier.config.v1/auth_add"
#define CONFIG_AUTH_DEL_PATH "/v3/carrier.config.v1/auth_del"
#define CONFIG_AUTH_LIST_PATH "/v3/carrier.config.v1/auth_list"
#define CONFIG_NET_GET_PATH "/v3/carrier.config.v1/net_get"
#define CONFIG_NET_JOIN_PATH "/v3/carrier.config.v1/net_join"
#define CONFIG_NET_LEAVE_PATH "/v3/carrier.config.v1/net_leave"

struct config_request {
	const char *path, *method;      /* method: NULL but for generation 1 */
	const char *identity, *resource;        /* auth_add; auth_del: resource may be NULL */
	const char *methods, *tcp;      /* words between blanks or commas */
	const char *root, *user;
	int64_t not_before, expires;    /* unix seconds; 0: none */
	const char *code;               /* to claim */
	const char *secret;             /* net_join: text form */
};

/* The header block; NULL and 0 members are left out. It may hold secrets: buf_wipe(). */
void config_put_request(struct buf *out, const struct config_request *rq);
