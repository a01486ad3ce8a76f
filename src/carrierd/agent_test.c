#include "carrierd/agent_test.h"

struct agent_test agent_test;
