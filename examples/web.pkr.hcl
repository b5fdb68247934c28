# A web server's image: packages, a page, a check that it serves. The same build as web.json.

packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.0"
    }
  }
}

variable "greeting" {
  type    = string
  default = "hello"

  validation {
    condition     = length(var.greeting) > 0
    error_message = "The greeting is shown on the page: it cannot be empty."
  }
}

locals {
  stamp = formatdate("YYYY-MM-DD", timestamp())
}

source "amazon-ebs" "web" {
  region        = "us-east-1"
  instance_type = "t3.micro"
  ssh_username  = "ubuntu"
  ami_name      = "web-{{timestamp}}"

  source_ami_filter {
    filters = {
      name                = "ubuntu/images/*ubuntu-jammy-22.04-amd64-server-*"
      virtualization-type = "hvm"
    }
    owners      = ["099720109477"]
    most_recent = true
  }

  tags = {
    Name = "web"
    Base = "{{ .SourceAMIName }}"
  }
}

build {
  name    = "web"
  sources = ["source.amazon-ebs.web"]

  provisioner "shell" {
    inline = [
      "sudo apt-get install -y -q nginx-light",
      "echo '${var.greeting} from ${local.stamp}' | sudo tee /var/www/html/index.html",
    ]
  }

  provisioner "shell" {
    inline = ["sudo nginx -t"]
  }

  provisioner "shell-local" {
    inline = ["echo built on ${build.ID} at ${build.Host} from ${build.SourceAMIName}"]
  }

  post-processor "manifest" {
    output     = "web-manifest.json"
    strip_path = true
  }
}
