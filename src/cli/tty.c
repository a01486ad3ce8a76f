#include "cli/tty.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

static struct termios before;
static int raw_fd = -1;

void tty_restore(void)
{
	if (raw_fd < 0)
		return;
	tcsetattr(raw_fd, TCSADRAIN, &before);
	raw_fd = -1;
}

int tty_raw(int fd)
{
	struct termios raw;
	static bool registered;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	if (!registered && atexit(tty_restore) != 0)
		return -ENOMEM;
	registered = true;
	raw = before;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -errno;
	raw_fd = fd;
	return 0;
}

bool tty_window(int fd, struct shell_window *ret)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0)
		return false;
	*ret = (struct shell_window){ .row = w.ws_row, .col = w.ws_col, .xpixel = w.ws_xpixel, .ypixel = w.ws_ypixel };
	return true;
}
