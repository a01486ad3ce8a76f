# a forwarded port: many connections over one; nc the same without a port
. "$(dirname "$0")/lib.sh"

claimed_device
background python3 -c '
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data.upper())
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128
with Server(("127.0.0.1", 0), Echo) as s:
    print(s.server_address[1], flush=True)
    s.serve_forever()
' >"$T/port"
wait_for "$T/port" ""
sleep 0.3
PORT=$(cat "$T/port")

HOME="$T/alice" background carrier tcp dev "$PORT" 0 >"$T/tcp.out" 2>"$T/tcp.err"
wait_for "$T/tcp.out" "127.0.0.1:"
LOCAL=$(sed 's/.*://' "$T/tcp.out")
same "$(python3 -c '
import socket, sys
socks = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(20)]
for i, s in enumerate(socks):
    s.sendall(b"hello %d" % i)
    s.shutdown(socket.SHUT_WR)
good = 0
for i, s in enumerate(socks):
    data = b""
    while more := s.recv(100):
        data += more
    good += data == b"HELLO %d" % i
print(good)
' "$LOCAL")" 20

same "$(printf hello | as alice carrier nc dev "$PORT")" HELLO
expect_status 69 alice carrier nc dev 1
says "Connection refused"
