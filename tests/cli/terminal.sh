# a real terminal: its size at the start and later, Ctrl-C goes to the device, and it is given back as it was
. "$(dirname "$0")/lib.sh"

claimed_device
cat >"$T/drive.py" <<'PY'
import fcntl, os, pty, select, struct, sys, termios, time

def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.2)
    os.execvp("sh", ["sh", "-c", 'carrier shell dev; echo "status $?"; stty -a'])
size(fd, 30, 100)
seen = b""

def wait_for(text):
    global seen
    end = time.time() + 10
    while text not in seen:
        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
            sys.exit(f"never saw {text!r} in {seen!r}")
        try:
            seen += os.read(fd, 4096)
        except OSError:
            sys.exit(f"ended before {text!r}: {seen!r}")
    seen = seen.split(text, 1)[1]

os.write(fd, b"echo $((40+2)); stty size\n")
wait_for(b"42\r\n")
wait_for(b"30 100")
size(fd, 41, 121)
time.sleep(0.3)
os.write(fd, b"stty size\n")
wait_for(b"41 121")
os.write(fd, b"echo $((50+5)); sleep 60\n")
wait_for(b"55\r\n")
time.sleep(0.3)
os.write(fd, b"\x03")
time.sleep(0.2)
os.write(fd, b"exit 9\n")
wait_for(b"status 9")
wait_for(b" icanon")
wait_for(b" echo ")
os.waitpid(pid, 0)
PY
as alice python3 "$T/drive.py" >"$T/out" 2>"$T/err" || fail "the terminal"
