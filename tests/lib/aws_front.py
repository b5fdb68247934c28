"""An HTTP server before an EC2 simulator (or alone) that can misbehave: every request is logged and shown to a hook first."""
import http.client
import socket
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CUT = object()  # the hook's answer for: close the connection without a word
FORWARD_AND_CUT = object()  # let the simulator do it, but lose its answer


def ec2_error(code, status=400, message="as the test wants it"):
    return status, f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body, self.time = method, path, headers, body, time.monotonic()
        self.params = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        self.action = self.params.get("Action", headers.get("X-Amz-Target", "").rpartition(".")[2])
        scope = headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        self.key, self.region, self.service = (scope[0], scope[2], scope[3]) if len(scope) > 3 else (None, None, None)


class Front:
    """hook(request, earlier requests of that action) returns None (forward), CUT, FORWARD_AND_CUT, or (status, body[, headers])."""

    def __init__(self, upstream=None, hook=None, date=None):
        self.requests, self.hook, self.date, self.lock, self.connections = [], hook, date, threading.Lock(), 0
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                with front.lock:
                    front.connections += 1

            def log_message(self, *args):
                pass

            def date_time_string(self, timestamp=None):
                return front.date or formatdate(usegmt=True)

            def answer(self, status, body, headers=()):
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for k, v in dict(headers).items():
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                r = Request(self.command, self.path, self.headers, body)
                with front.lock:
                    before = [q for q in front.requests if q.action == r.action]
                    front.requests.append(r)
                a = front.hook(r, before) if front.hook else None
                if a is CUT:
                    return self.cut()
                if a is not None and a is not FORWARD_AND_CUT:
                    return self.answer(*a)
                c = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlparse(upstream).port)
                c.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "connection"})
                u = c.getresponse()
                text = u.read()
                c.close()
                if a is FORWARD_AND_CUT:
                    return self.cut()
                self.answer(u.status, text, {"Content-Type": u.headers.get("Content-Type", "text/xml")})

            def cut(self):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = do_PUT = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def of(self, action):
        return [r for r in self.requests if r.action == action]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
