"""The speed of `fmt -`, with the reading, the check of its syntax and the writing."""
import os
import tempfile

import measure

BLOCK = """source "amazon-ebs" "web_{0}" {{
  ami_name="web-${{local.stamp}}-{0}" # unique
  instance_type  =   var.type
    tags = {{ Name="web {0}", Base  = "${{upper(var.base)}}"
  Release={0} }}
  source_ami_filter {{
    filters = {{
      virtualization-type="hvm"
      name = "ubuntu/images/*{0}*"
    }}
    owners=["099720109477", var.owner]
  }}
  user_data = <<-EOT
    #!/bin/sh
    echo "${{var.greeting}}" > /etc/motd
  EOT
}}

"""


def main(program):
    text = "".join(BLOCK.format(i) for i in range(40000))
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "CHECKPOINT_DISABLE": "1", "TMPDIR": home}
        path = os.path.join(home, "large.pkr.hcl")
        with open(path, "w") as f:
            f.write(text)
        times = []
        for _ in range(5):
            r = measure.run([program, "fmt", "-check", path], env=env, sample=False)
            if r.status != 3:
                raise RuntimeError(f"fmt ended with status {r.status}: {r.output[:300]}")
            times.append(r.cpu)
        measure.row(f"fmt -check of {len(text) / 1e6:.0f} MB, CPU for each 50 MB", sorted(times)[2] * 50e6 / len(text), limit_abs=1.0)
