#include "carrierd/net_programs.h"

#include <errno.h>

#include "auth/claim.h"
#include "base/err.h"
#include "carrierd/clock.h"
#include "carrierd/net.h"
#include "service/service.h"

/* The code is the monitor's secret: here every claim is passed on, there it is judged. */
static struct claim claim_passed_on;

int net_services_new(struct net *n)
{
	struct services_config config = {
		.loop = n->loop,
		.auth = n->auth,
		.claim = &claim_passed_on,
		.host = n->host,
		.log = &n->log,
		.self = n->self,
		.application = n->setup->application,
		.application_version = n->setup->application_version,
		.unix_time = clock_unix_time,
	};
	int err = services_new(&n->services, &config);

	return err < 0 ? err : services_add_builtin(n->services);
}

void net_add_program(struct net *n, const char *path, bool replay_safe)
{
	int err = services_add_program(n->services, path, replay_safe);

	if (err < 0 && err != -EEXIST && err != ERR_EXISTS)
		log_to(&n->log, LOG_WARN, "net", "service %s: %s", path, err_text(err));
}
