"""HCL2: data sources side by side, one mistake among many, interrupts; the template of the docs; long templates; secrets in all output."""
import http.server
import os
import re
import signal
import threading
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = 'source "null" "a" { communicator = "none" }\nbuild { sources = ["null.a"] }\n'


class Meeting:
    """A server that answers nobody before `needed` requests are there at once."""

    def __init__(self, needed):
        self.needed, self.now, self.most, self.order = needed, 0, 0, []
        self.change = threading.Condition()
        meeting = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with meeting.change:
                    meeting.now += 1
                    meeting.most = max(meeting.most, meeting.now)
                    meeting.order.append(self.path)
                    meeting.change.notify_all()
                    meeting.change.wait_for(lambda: meeting.most >= meeting.needed, 20)
                    meeting.now -= 1
                self.send_response(200)
                self.end_headers()
                try:
                    self.wfile.write(self.path.encode())
                except BrokenPipeError:
                    pass

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        with self.change:
            self.needed = 0
            self.change.notify_all()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def meeting():
    made = []

    def make(needed):
        made.append(Meeting(needed))
        return made[-1]
    yield make
    for m in made:
        m.stop()


def sources(url, names):
    return "".join(f'data "http" "{n}" {{ url = "{url}/{n}" }}\n' for n in names)


def test_side_by_side(ingot, folder, meeting):
    m = meeting(5)  # each waits until all five are asked
    d = folder({"t.pkr.hcl": sources(m.url, "abcde") + "locals {\n  all = [for n in data.http : n.body]\n}\n" + BUILD})
    r = ingot.run("inspect", "t.pkr.hcl", cwd=d, check=0)
    assert m.most == 5
    assert re.findall(r"/[a-e]", r.stdout) == ["/a", "/b", "/c", "/d", "/e"]


def test_one_after_the_other(ingot, folder, meeting):
    m = meeting(0)
    d = folder({"t.pkr.hcl": sources(m.url, "abcd") + BUILD})
    ingot.run("validate", "-evaluate-datasources", "-use-sequential-evaluation", "t.pkr.hcl", cwd=d, check=0)
    assert m.order == ["/a", "/b", "/c", "/d"] and m.most == 1


def test_what_needs_another_waits_for_it(ingot, folder, meeting):
    m = meeting(0)
    d = folder({"t.pkr.hcl": f'data "http" "last" {{ url = "{m.url}/last${{local.mid}}" }}\n'
                f'locals {{\n  mid = data.http.first.body\n}}\ndata "http" "first" {{ url = "{m.url}/first" }}\n' + BUILD})
    ingot.run("build", "t.pkr.hcl", cwd=d, check=0)
    assert m.order == ["/first", "/last/first"]


def test_no_data_source_is_asked_when_something_is_wrong_before(ingot, folder, meeting):
    m = meeting(0)
    d = folder({"t.pkr.hcl": 'variable "must" {}\n' + sources(m.url, "a") + BUILD})
    assert '"must" has no value' in ingot.run("build", "t.pkr.hcl", cwd=d, check=1).stdout
    assert m.order == []


def test_an_interrupt_ends_the_waiting(ingot, folder, meeting):
    m = meeting(1000)
    d = folder({"t.pkr.hcl": sources(m.url, "ab") + BUILD})
    p = ingot.start("build", "t.pkr.hcl", cwd=d)
    with m.change:
        assert m.change.wait_for(lambda: m.now == 2, 20)
    p.send_signal(signal.SIGINT)
    start = time.monotonic()
    out, _ = p.communicate(timeout=15)
    assert p.returncode == 1 and time.monotonic() - start < 10
    assert "Cancelling build" in out, out


def test_the_template_of_the_docs(ingot, tmp_path):
    with open(os.path.join(TOP, "docs", "hcl2.md"), encoding="utf-8") as f:
        (tmp_path / "t.pkr.hcl").write_text(re.search(r"```hcl\n(.*?)```", f.read(), re.S).group(1))
    ingot.run("validate", "t.pkr.hcl", cwd=tmp_path, check=0)
    out = ingot.run("build", "t.pkr.hcl", cwd=tmp_path, env={"TOKEN": "t0ken-of-mine"}, check=0).stdout
    assert re.search(r"==> null.web: web-eu-central-1-\d{8}\n", out), out
    out = ingot.run("validate", "-var", "region=Frankfurt", "t.pkr.hcl", cwd=tmp_path, check=1).stdout
    assert "The region must be one of AWS's, such as eu-central-1." in out and "t.pkr.hcl:9:3" in out


def test_a_long_chain_and_many_locals(ingot, tmp_path):
    n = 20000
    lines = ["locals {"] + [f"  l{i} = local.l{i + 1} + 1" for i in range(n)] + [f"  l{n} = 0", "}"]
    (tmp_path / "t.pkr.hcl").write_text("\n".join(lines))
    start = time.monotonic()
    assert ingot.run("console", "t.pkr.hcl", cwd=tmp_path, input="local.l0\n", check=0).stdout == f"{n}\n"
    assert time.monotonic() - start < 20  # 0.1 s; much more under the sanitizers on a busy machine
    lines[-2] = f"  l{n} = local.l0"
    (tmp_path / "t.pkr.hcl").write_text("\n".join(lines))
    out = ingot.run("validate", "t.pkr.hcl", cwd=tmp_path, check=1).stdout
    assert out.count("Error: ") == 1 and "local.l0" in out and len(out) < 5000


def test_secrets_in_the_output_of_builds(ingot, folder):
    d = folder({"t.pkr.hcl": 'variable "s" {\n  type = string\n  sensitive = true\n}\nlocals {\n  made = "user:${var.s}@host"\n}\n'
                'local "own" {\n  expression = ["own-secret"]\n  sensitive = true\n}\n'
                'source "null" "a" { communicator = "none" }\n'
                'build {\n  sources = ["null.a"]\n  provisioner "shell-local" {\n'
                '    inline = ["echo ${var.s}", "echo ${local.made}", "echo ${local.own[0]} $X"]\n    environment_vars = ["X=${base64encode(var.s)}"]\n  }\n}\n'})
    r = ingot.run("build", "-var", "s=hunter22", "t.pkr.hcl", cwd=d, env={"PACKER_LOG": "1"}, check=0)
    assert "<sensitive>" in r.stdout
    assert not re.search("hunter22|own-secret|aHVudGVyMjI", r.stdout + (r.stderr or ""))


def test_inspect_for_programs(ingot, folder):
    d = folder({"t.pkr.hcl": 'variable "x" { default = "a, b" }\n' + BUILD})
    lines = ingot.run("inspect", "-machine-readable", "t.pkr.hcl", cwd=d, check=0).stdout.splitlines()
    assert [line.split(",", 4)[1:4] for line in lines] == [["", "ui", "say"]] * 3
    assert lines[1].endswith(r'> input-variables:\n\nvar.x: "a%!(PACKER_COMMA) b"\n\n> local-variables:\n\n')
    assert ",> builds:" in lines[2] and r"null.a\n" in lines[2]
