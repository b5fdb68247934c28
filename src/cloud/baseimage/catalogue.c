/* The catalogue of stand-ins: the names, owners and ids that templates search for. All rows of one
 * key are the same root file system; names and dates are those the distributions published, so that
 * `most_recent` picks what it picks on AWS.
 */
#include "base/str.h"
#include "cloud/baseimage/baseimage.h"

#define AMAZON \
	.key = "amzn", .owner_id = "137112412989", .owner_alias = "amazon", .user = "ec2-user", \
	.root_device = "/dev/xvda"
#define CANONICAL \
	.key = "ubuntu", .owner_id = "099720109477", .user = "ubuntu", .root_device = "/dev/sda1"
#define DEBIAN \
	.key = "debian", .owner_id = "136693071363", .user = "admin", .root_device = "/dev/xvda", \
	.volume_type = "gp2"
#define STANDS_FOR(what, login) \
	.description = "ingot stand-in for " what ": Debian 12 with the user " login
#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }
#define AMAZON_SSM(name) "/aws/service/ami-amazon-linux-latest/" name
#define UBUNTU_SSM(release, type) \
	"/aws/service/canonical/ubuntu/server/" release "/stable/current/amd64/hvm/" type "/ami-id"

const struct base_image base_images[] = {
	{ AMAZON, .name = "amzn-ami-hvm-2015.03.0.x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2015.03", "ec2-user"),
	  .creation_date = "2015-03-18T02:18:00.000Z", .ids = LIST("ami-cbf90ecb") },
	{ AMAZON, .name = "amzn-ami-hvm-2016.09.1.20170119-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2016.09", "ec2-user"),
	  .creation_date = "2017-01-20T23:39:54.000Z", .ids = LIST("ami-dac312b4") },
	{ AMAZON, .name = "amzn-ami-hvm-2017.03.0.20170417-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2017.03", "ec2-user"),
	  .creation_date = "2017-04-17T06:39:21.000Z", .ids = LIST("ami-859bbfe2") },
	{ AMAZON, .name = "amzn-ami-hvm-2017.09.1.20180115-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2017.09", "ec2-user"),
	  .creation_date = "2018-01-15T19:14:50.000Z" },
	{ AMAZON, .name = "amzn-ami-hvm-2018.03.0.20180811-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2018.03", "ec2-user"),
	  .creation_date = "2018-08-11T02:30:11.000Z" },
	{ AMAZON, .name = "amzn-ami-hvm-2018.03.0.20230404.0-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux AMI 2018.03", "ec2-user"),
	  .creation_date = "2023-04-06T00:16:16.000Z",
	  .ssm_parameters = LIST(AMAZON_SSM("amzn-ami-hvm-x86_64-gp2")) },
	{ AMAZON, .name = "amzn2-ami-hvm-2.0.20240223.0-x86_64-gp2", .volume_type = "gp2",
	  STANDS_FOR("Amazon Linux 2", "ec2-user"), .creation_date = "2024-02-27T01:33:13.000Z",
	  .ssm_parameters = LIST(AMAZON_SSM("amzn2-ami-hvm-x86_64-gp2")) },
	{ AMAZON, .name = "amzn2-ami-kernel-5.10-hvm-2.0.20240223.0-x86_64-gp2",
	  .volume_type = "gp2", STANDS_FOR("Amazon Linux 2", "ec2-user"),
	  .creation_date = "2024-02-27T01:28:22.000Z",
	  .ssm_parameters = LIST(AMAZON_SSM("amzn2-ami-kernel-5.10-hvm-x86_64-gp2")) },
	{ AMAZON, .name = "al2023-ami-2023.6.20241121.0-kernel-6.1-x86_64", .volume_type = "gp3",
	  STANDS_FOR("Amazon Linux 2023", "ec2-user"), .creation_date = "2024-11-22T06:39:48.000Z",
	  .ssm_parameters = LIST(AMAZON_SSM("al2023-ami-kernel-6.1-x86_64"),
				 AMAZON_SSM("al2023-ami-kernel-default-x86_64")) },
	{ AMAZON, .name = "al2023-ami-minimal-2023.6.20241121.0-kernel-6.1-x86_64",
	  .volume_type = "gp3", STANDS_FOR("Amazon Linux 2023 (minimal)", "ec2-user"),
	  .creation_date = "2024-11-22T06:38:20.000Z",
	  .ssm_parameters = LIST(AMAZON_SSM("al2023-ami-minimal-kernel-6.1-x86_64"),
				 AMAZON_SSM("al2023-ami-minimal-kernel-default-x86_64")) },

	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-xenial-16.04-amd64-server-20210928",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 16.04", "ubuntu"),
	  .creation_date = "2021-09-29T17:46:47.000Z" },
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-amd64-server-20230607",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 18.04", "ubuntu"),
	  .creation_date = "2023-06-07T21:25:26.000Z" },
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-20201026",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 20.04", "ubuntu"),
	  .creation_date = "2020-10-26T15:46:24.000Z", .ids = LIST("ami-0885b1f6bd170450c") },
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-20241004",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 20.04", "ubuntu"),
	  .creation_date = "2024-10-04T19:36:54.000Z",
	  .ssm_parameters = LIST(UBUNTU_SSM("20.04", "ebs-gp2"), UBUNTU_SSM("focal", "ebs-gp2")) },
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20241004",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 22.04", "ubuntu"),
	  .creation_date = "2024-10-04T18:47:51.000Z",
	  .ssm_parameters = LIST(UBUNTU_SSM("22.04", "ebs-gp2"), UBUNTU_SSM("jammy", "ebs-gp2")) },
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20241004",
	  .volume_type = "gp3", STANDS_FOR("Ubuntu 24.04", "ubuntu"),
	  .creation_date = "2024-10-04T18:06:33.000Z",
	  .ssm_parameters = LIST(UBUNTU_SSM("24.04", "ebs-gp3"), UBUNTU_SSM("noble", "ebs-gp3")) },
	/* Ubuntu 24.04 is published on gp3 only; templates keep the older path in their filters. */
	{ CANONICAL, .name = "ubuntu/images/hvm-ssd/ubuntu-noble-24.04-amd64-server-20241004",
	  .volume_type = "gp2", STANDS_FOR("Ubuntu 24.04", "ubuntu"),
	  .creation_date = "2024-10-04T18:06:32.000Z" },

	{ DEBIAN, .name = "debian-11-amd64-20240813-1838", STANDS_FOR("Debian 11", "admin"),
	  .creation_date = "2024-08-13T12:42:31.000Z",
	  .ssm_parameters = LIST("/aws/service/debian/release/11/latest/amd64") },
	{ DEBIAN, .name = "debian-12-amd64-20241004-1890",
	  STANDS_FOR("Debian 12's own cloud image", "admin"),
	  .creation_date = "2024-10-04T13:22:41.000Z",
	  .ssm_parameters = LIST("/aws/service/debian/release/12/latest/amd64") },
};
const size_t base_images_n = ARRAY_LEN(base_images);

const char *base_image_key_of_user(const char *user)
{
	for (size_t i = 0; i < base_images_n; i++)
		if (streq(base_images[i].user, user))
			return base_images[i].key;
	return "amzn";
}
