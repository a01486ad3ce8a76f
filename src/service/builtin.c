/* The table of what every device offers. Rows without replay_safe change something
 * or open something, so they are refused in 0-RTT, which an eavesdropper can replay. */
#include "service/internal.h"

const struct service service_table[] = {
	{ .path = "/v2/carrier.discovery.v1/discover", .name = "disco", .methods = "GET",
	  .replay_safe = true, .any_grant = true, .open = disco_open },
	{ .path = "/v3/carrier.discovery.v1/discover", .methods = "GET",
	  .replay_safe = true, .any_grant = true, .open = disco_open },
	{ .path = "/v2/carrier.sysinfo.v1/sysinfo", .name = "sysinfo", .methods = "GET",
	  .replay_safe = true, .open = sysinfo_open },
	{ .path = "/v3/carrier.sysinfo.v1/sysinfo", .methods = "GET",
	  .replay_safe = true, .open = sysinfo_open },
	{ .path = "/v2/carrier.trace.v1/ping", .name = "ping",
	  .replay_safe = true, .any_grant = true, .open = ping_open },

	{ .path = "/v0/shell", .name = "shell", .open = shell_open },
	{ .path = "/v0/sft", .name = "push", .methods = "GET PUT LIST", .open = sft_open },
	{ .path = "/v0/tcp", .name = "tcp", .methods = "CONNECT", .open = tcp_open },

	{ .path = "/v2/carrier.certificate.v1/authorize", .name = "authorize", .methods = "GET POST DELETE",
	  .claims = true, .open = config_authorize_open },
	{ .path = AUTH_CHANGE_PATH, .name = "auth_add", .claims = true, .open = config_auth_add_open },
	{ .path = "/v3/carrier.config.v1/auth_del", .name = "auth_del", .open = config_auth_del_open },
	{ .path = "/v3/carrier.config.v1/auth_list", .name = "auth_list", .open = config_auth_list_open },
	{ .path = "/v3/carrier.config.v1/net_get", .name = "net_get", .open = config_net_get_open },
	{ .path = "/v3/carrier.config.v1/net_join", .name = "net_join", .open = config_net_join_open },
	{ .path = "/v3/carrier.config.v1/net_leave", .name = "net_leave", .open = config_net_leave_open },
	{ 0 },
};
