#include "broker_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/err.h"
#include "bench.h"
#include "broker/broker.h"
#include "guest.h"

enum { ROUTE_RATE = 2000000000 };       /* bytes a second: the load is not to be limited */

_Noreturn static void run(int out, int core, const struct addr *listen_at)
{
	struct broker_config config = { .route_rate = ROUTE_RATE };
	struct broker_process self = {};
	struct vault *vault;
	struct loop *loop;
	struct broker *broker;
	struct addr at;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (core >= 0)
		bench_pin(core);
	BENCH_CHECK(addr_parse(&at, "127.0.0.1:0"));
	bench_identity(&self.id, &vault);
	BENCH_CHECK(loop_new(&loop));
	config.loop = loop;
	config.vault = vault;
	BENCH_CHECK(broker_new(&broker, &config));
	BENCH_CHECK(broker_listen(broker, listen_at ?: &at, -1, &self.at));
	if (write(out, &self, sizeof self) != sizeof self)
		_exit(1);
	close(out);
	_exit(loop_run(loop) < 0);
}

void broker_process_start(struct broker_process *ret, int core, const struct addr *listen_at)
{
	int ends[2];

	BENCH_CHECK(pipe(ends));
	pid_t pid = fork();
	if (!pid) {
		close(ends[0]);
		run(ends[1], core, listen_at);
	}
	close(ends[1]);
	if (pid < 0 || read(ends[0], ret, sizeof *ret) != sizeof *ret)
		bench_die("the broker does not start", ERR_STATE);
	close(ends[0]);
	ret->pid = pid;
}

void broker_process_stop(struct broker_process *b)
{
	kill(b->pid, SIGTERM);
	waitpid(b->pid, NULL, 0);
}
