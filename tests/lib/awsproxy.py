"""A reverse proxy between ingot and a simulator of AWS: it writes every call down, can break any one of them, and hides what
moto does not know (CreateImage with tags for snapshots is a page of HTML with status 500 there).

    with AwsProxy(moto.port) as p:
        p.fault = lambda n, call: "cut-after" if call.action == "RunInstances" else None
        … p.url … p.actions()

Faults: "fail" (500 InternalError, never carried out), "refuse" (400, final), "throttle" (503), "cut" (the connection closes,
nothing was done), "cut-after" (it was done, the answer is lost), ("delay", seconds), or a function of the call."""
import dataclasses
import http.client
import http.server
import re
import socketserver
import threading
import time
import urllib.parse

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>1</RequestID></Response>'
FAULTS = {"fail": (500, "InternalError", "made up by the test"), "refuse": (400, "IncorrectState", "made up by the test"), "throttle": (503, "RequestLimitExceeded", "made up by the test"),
          "deny": (403, "UnauthorizedOperation", "You are not authorized to perform this operation.")}


@dataclasses.dataclass
class Call:
    n: int
    service: str
    region: str
    action: str
    params: dict
    status: int = 0
    body: str = ""
    fault: object = None
    key_id: str = ""
    at: float = 0.0

    def list(self, name):
        """Values of NAME.1, NAME.2, …"""
        return [v for k, v in self.params.items() if re.fullmatch(re.escape(name) + r"\.\d+", k)]

    def tags(self, resource):
        """Tags this call gives to a resource type at creation."""
        out = {}
        for k, v in self.params.items():
            m = re.fullmatch(r"TagSpecification\.(\d+)\.ResourceType", k)
            if m and v == resource:
                for k2, key in self.params.items():
                    t = re.fullmatch(rf"TagSpecification\.{m.group(1)}\.Tag\.(\d+)\.Key", k2)
                    if t:
                        out[key] = self.params.get(f"TagSpecification.{m.group(1)}.Tag.{t.group(1)}.Value", "")
        return out


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *args):
        pass

    def cut(self):
        self.close_connection = True
        self.connection.close()

    def reply(self, status, body, kind="text/xml"):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def forward(self, data):
        for attempt in (0, 1):
            if getattr(self, "up", None) is None:
                self.up = http.client.HTTPConnection("127.0.0.1", self.server.proxy.port, timeout=120)
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "accept-encoding", "content-length")}
            headers["Content-Length"] = str(len(data))
            try:
                self.up.request(self.command, self.path, data, headers)
                r = self.up.getresponse()
                return r.status, r.read(), r.getheader("Content-Type") or "text/xml"
            except (http.client.HTTPException, OSError):
                self.up = None
                if attempt:
                    raise

    def handle_call(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        m = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", self.headers.get("Authorization") or "")
        key_id, region, service = m.groups() if m else ("", "", "")
        params = dict(urllib.parse.parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
        action = params.pop("Action", None) or self.headers.get("X-Amz-Target") or self.path
        proxy = self.server.proxy
        call = proxy.note(service, region, action, params, key_id)
        if action == "CreateImage" and proxy.for_moto:
            drop = tuple(k.rsplit(".", 1)[0] + "." for k, v in params.items() if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", k) and v == "snapshot")
            kept = {k: v for k, v in params.items() if not (drop and k.startswith(drop))}
            data = urllib.parse.urlencode({"Action": action, **kept}).encode()
        if action == "DescribeInstances" and proxy.for_moto:
            data = proxy.without_token_filter(action, params, data)
        fault = call.fault = proxy.fault(call.n, call) if proxy.fault else None
        if isinstance(fault, tuple) and fault[0] == "delay":
            time.sleep(fault[1])
        elif fault == "cut":
            return self.cut()
        elif isinstance(fault, tuple):
            call.status = fault[0]
            return self.reply(fault[0], ERROR.format(fault[1], fault[2]))
        elif fault in FAULTS:
            call.status = FAULTS[fault][0]
            return self.reply(FAULTS[fault][0], ERROR.format(*FAULTS[fault][1:]))
        call.status, body, kind = self.forward(data)
        call.body = body.decode("utf-8", "replace")
        if action == "RunInstances" and "ClientToken" in params:
            proxy.tokens[params["ClientToken"]] = re.findall(r"<instanceId>([^<]+)<", call.body)
        if proxy.rewrite:
            call.body = proxy.rewrite(call, call.body)
            body = call.body.encode()
        if fault == "cut-after":
            return self.cut()
        if proxy.after:
            proxy.after(call)
        self.reply(call.status, body, kind)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_call


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


class AwsProxy:
    def __init__(self, port, for_moto=True):
        self.port, self.for_moto = port, for_moto
        self.calls, self.fault, self.rewrite, self.after = [], None, None, None
        self.tokens = {}
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def note(self, service, region, action, params, key_id):
        with self.lock:
            c = Call(len(self.calls) + 1, service, region, action, params, key_id=key_id, at=time.monotonic())
            self.calls.append(c)
            return c

    def without_token_filter(self, action, params, data):
        """moto answers a filter by client token with a 500 page: it is put as one by id."""
        for k, v in list(params.items()):
            m = re.fullmatch(r"Filter\.(\d+)\.Name", k)
            if m and v == "client-token":
                values = f"Filter.{m.group(1)}.Value."
                ids = [i for token in (w for n, w in params.items() if n.startswith(values)) for i in self.tokens.get(token, [])] or ["i-0000000000"]
                kept = {n: w for n, w in params.items() if not n.startswith(values)}
                kept[k] = "instance-id"
                kept.update({f"{values}{n}": i for n, i in enumerate(ids, 1)})
                return urllib.parse.urlencode({"Action": action, **kept}).encode()
        return data

    def actions(self):
        return [c.action for c in self.calls]

    def find(self, action):
        return [c for c in self.calls if c.action == action]

    def environment(self, **extra):
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", **extra}

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
