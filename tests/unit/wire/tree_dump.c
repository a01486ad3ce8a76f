/* Prints the encodings of a number of random values in hex, one a line. */
#include "test.h"
#include "tree.h"

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;

	for (unsigned long seed = 0; seed < n; seed++) {
		_cleanup_buf_ struct buf b = {};
		struct rng r = { seed };

		tree_put(&b, &r, 5, false);
		for (size_t i = 0; i < b.len; i++)
			printf("%02x", b.data[i]);
		putchar('\n');
	}
	return 0;
}
