# A build with most of the syntax.
packer {
  required_plugins {
    amazon = {
      version = ">= 1.2, < 2"
      source  = "github.com/hashicorp/amazon"
    }
  }
}
variable "region" {
  type    = string
  default = "eu-central-1" // near
}
locals {
  stamp = formatdate("YYYYMMDD", timestamp())
  names = [for k, v in var.tags : "${k}=${v}" if v != null]
  group = { for s in ["a", "b"] : upper(s) => s... }
  long  = var.a ? -1 + 2 * (3 - x.y[0]) % 4 : !b && c || d
  script = <<-EOT
    #!/bin/sh
      echo "${local.stamp}" $${HOME}
    %{ for n in local.names ~}
    echo ${n}
    %{ endfor ~}
    %{ if a }x%{ else }y%{ endif }
  EOT
}
source "amazon-ebs" "web" {
  ami_name = "web-${local.stamp}"
  a = 1
  c { b = x.*.y.0 }
  d "x" "y" {
    a = f(x[*].z, [1, 2]...)
  }
}
