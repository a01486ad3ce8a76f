#include "carrierd/agent.h"

int main(int argc, char **argv)
{
	return carrierd_main(argc, argv);
}
