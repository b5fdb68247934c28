/* What each fixer changes (names and order: the reference's fix command). A function is small
 * because most of what happened to options is that they got another name. */
#include "template/upgrade/fix.h"

#include "base/buf.h"
#include "base/str.h"

static bool has(const json_t *part, const char *key)
{
	return json_object_get(part, key) != NULL;
}

/* The new name takes the old one's value, whether or not it has one already. */
static void rename_key(json_t *part, const char *from, const char *to)
{
	json_t *value = json_object_get(part, from);

	if (!value)
		return;
	json_object_set(part, to, value);
	json_object_del(part, from);
}

/* The old name goes; its value is taken only where the new name has none. */
static void rename_unless(json_t *part, const char *from, const char *to)
{
	if (has(part, to))
		json_object_del(part, from);
	else
		rename_key(part, from, to);
}

static void set_text(json_t *part, const char *key, struct str text)
{
	json_object_set_new(part, key, json_stringn(text.p ? text.p : "", text.n));
}

static struct str text_at(const json_t *part, const char *key)
{
	const json_t *value = json_object_get(part, key);

	return (struct str){ json_string_value(value), json_string_length(value) };
}

static void set_type(json_t *part, const char *type)
{
	json_object_set_new(part, "type", json_string(type));
}

static int iso_md5(json_t *b, struct err *err UNUSED)
{
	if (!json_is_string(json_object_get(b, "iso_md5")))
		return 0;
	rename_key(b, "iso_md5", "iso_checksum");
	json_object_set_new(b, "iso_checksum_type", json_string("md5"));
	return 0;
}

/* {{ .CreateTime }}, with any white space in it. Returns the length of the action at the text's
 * start, or 0. */
static size_t create_time_length(struct str text)
{
	size_t n = strlen("{{");

	if (!str_starts(text, "{{"))
		return 0;
	while (n < text.n && strchr(" \t\n\r\f", text.p[n]))
		n++;
	if (!str_starts(str_slice(text, n, text.n), ".CreateTime"))
		return 0;
	n += strlen(".CreateTime");
	while (n < text.n && strchr(" \t\n\r\f", text.p[n]))
		n++;
	return str_starts(str_slice(text, n, text.n), "}}") ? n + strlen("}}") : 0;
}

static void replace_create_time(json_t *b, const char *key)
{
	struct str text = text_at(b, key);
	AUTO(buf) struct buf out = BUF_INIT;

	if (!text.p)
		return;
	while (text.n) {
		size_t n = create_time_length(text);

		if (n)
			buf_adds(&out, "{{timestamp}}");
		else
			buf_addc(&out, *text.p);
		text = str_slice(text, n ? n : 1, text.n);
	}
	set_text(b, key, buf_str(&out));
}

static int createtime(json_t *b, struct err *err UNUSED)
{
	replace_create_time(b, "ami_name");
	replace_create_time(b, "bundle_prefix");
	replace_create_time(b, "snapshot_name");
	return 0;
}

static int virtualbox_gaattach(json_t *b, struct err *err UNUSED)
{
	const json_t *attach = json_object_get(b, "guest_additions_attach");

	if (!json_is_boolean(attach))
		return 0;
	json_object_set_new(b, "guest_additions_mode",
			    json_string(json_is_true(attach) ? "attach" : "upload"));
	json_object_del(b, "guest_additions_attach");
	return 0;
}

static int pp_vagrant_override(json_t *pp, struct err *err UNUSED)
{
	static const char *const providers[] = { "aws", "digitalocean", "virtualbox", "vmware" };
	json_t *overrides = json_object();

	for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
		json_t *options = json_object_get(pp, providers[i]);

		if (!options)
			continue;
		json_object_set(overrides, providers[i], options);
		json_object_del(pp, providers[i]);
	}
	if (json_object_size(overrides))
		json_object_set(pp, "override", overrides);
	json_decref(overrides);
	return 0;
}

static int virtualbox_rename(json_t *b, struct err *err UNUSED)
{
	set_type(b, "virtualbox-iso");
	return 0;
}

static int virtualbox_override(json_t *p, struct err *err)
{
	json_t *override = json_object_get(p, "override");

	if (!override || json_is_null(override))
		return 0;
	if (!json_is_object(override))
		return err_set(err, ERR_INVALID, "\"override\" is no object");
	rename_key(override, "virtualbox", "virtualbox-iso");
	return 0;
}

static int vmware_rename(json_t *b, struct err *err UNUSED)
{
	set_type(b, "vmware-iso");
	return 0;
}

static int parallels_headless(json_t *b, struct err *err UNUSED)
{
	json_object_del(b, "headless");
	return 0;
}

static int parallels_deprecations(json_t *b, struct err *err UNUSED)
{
	json_object_del(b, "parallels_tools_host_path");
	rename_key(b, "guest_os_distribution", "guest_os_type");
	return 0;
}

static int sshkeypath(json_t *b, struct err *err UNUSED)
{
	if (json_is_string(json_object_get(b, "ssh_key_path")))
		rename_unless(b, "ssh_key_path", "ssh_private_key_file");
	return 0;
}

static int sshdisableagent(json_t *b, struct err *err UNUSED)
{
	if (json_is_boolean(json_object_get(b, "ssh_disable_agent")))
		rename_unless(b, "ssh_disable_agent", "ssh_disable_agent_forwarding");
	return 0;
}

static int scaleway_access_key(json_t *b, struct err *err UNUSED)
{
	if (json_is_string(json_object_get(b, "access_key")))
		rename_unless(b, "access_key", "organization_id");
	return 0;
}

static int manifest_filename(json_t *pp, struct err *err UNUSED)
{
	if (json_is_string(json_object_get(pp, "filename")))
		rename_key(pp, "filename", "output");
	return 0;
}

static int amazon_shutdown_behavior(json_t *b, struct err *err UNUSED)
{
	rename_key(b, "shutdown_behaviour", "shutdown_behavior");
	return 0;
}

static int amazon_enhanced_networking(json_t *b, struct err *err UNUSED)
{
	if (json_is_boolean(json_object_get(b, "enhanced_networking")))
		rename_key(b, "enhanced_networking", "ena_support");
	return 0;
}

static int private_ip_from(const json_t *value, bool *ret, struct err *err)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	const char *text = json_string_value(value);

	if (json_is_boolean(value)) {
		*ret = json_is_true(value);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (text && (streq(text, yes[i]) || streq(text, no[i]))) {
			*ret = streq(text, yes[i]);
			return 0;
		}
	if (text)
		return err_set(err, ERR_INVALID, "ssh_private_ip: \"%s\" is neither true nor false",
			       text);
	return err_set(err, ERR_INVALID, "ssh_private_ip is neither true nor false");
}

static int amazon_private_ip(json_t *b, struct err *err)
{
	const json_t *value = json_object_get(b, "ssh_private_ip");
	bool private = false;

	if (has(b, "ssh_interface") || !value)
		return 0;
	if (private_ip_from(value, &private, err) < 0)
		return -1;
	json_object_set_new(b, "ssh_interface", json_string(private ? "private_ip" : "public_ip"));
	json_object_del(b, "ssh_private_ip");
	return 0;
}

static int amazon_temp_sec_cidrs(json_t *b, struct err *err UNUSED)
{
	json_t *cidr = json_object_get(b, "temporary_security_group_source_cidr");

	if (!json_is_string(cidr))
		return 0;
	json_object_set_new(b, "temporary_security_group_source_cidrs", json_pack("[O]", cidr));
	json_object_del(b, "temporary_security_group_source_cidr");
	return 0;
}

static int docker_email(json_t *part, struct err *err UNUSED)
{
	json_object_del(part, "login_email");
	return 0;
}

static void add_tag(json_t *tags, struct str tag)
{
	const json_t *known;
	size_t i;

	json_array_foreach(tags, i, known) {
		if (str_eqs(tag, json_string_value(known)))
			return;
	}
	json_array_append_new(tags, json_stringn(tag.p ? tag.p : "", tag.n));
}

/* A list of texts, or one text with commas. */
static int add_tags(json_t *tags, const json_t *from, struct err *err)
{
	struct str rest = { json_string_value(from), json_string_length(from) }, tag;
	const json_t *one;
	size_t i;

	if (rest.p)
		while (str_split(&rest, ',', &tag))
			add_tag(tags, str_trim(tag));
	json_array_foreach(from, i, one) {
		if (!json_is_string(one))
			return err_set(err, ERR_INVALID, "tag %zu is no text", i + 1);
		add_tag(tags, str_from(json_string_value(one)));
	}
	return 0;
}

static int docker_tag_tags(json_t *pp, struct err *err)
{
	json_t *tags = json_array();

	if (add_tags(tags, json_object_get(pp, "tag"), err) < 0 ||
	    add_tags(tags, json_object_get(pp, "tags"), err) < 0) {
		json_decref(tags);
		return -1;
	}
	json_object_del(pp, "tag");
	json_object_set_new(pp, "tags", tags);
	return 0;
}

/* The escapes that older versions wanted in PowerShell's own texts. */
static json_t *without_backticks(struct str text)
{
	AUTO(buf) struct buf out = BUF_INIT;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '`' && i + 1 < text.n && strchr("$\"`'", text.p[i + 1]))
			i++;
		buf_addc(&out, text.p[i]);
	}
	return json_stringn(buf_cstr(&out), out.n);
}

static bool all_texts(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (!json_is_string(one))
			return false;
	}
	return json_is_array(list);
}

static int powershell_escapes(json_t *p, struct err *err UNUSED)
{
	static const char *const texts[] = { "elevated_user", "elevated_password" };
	json_t *vars = json_object_get(p, "environment_vars"), *one;
	size_t i;

	if (vars && !all_texts(vars))
		return 0;
	for (i = 0; i < ARRAY_LEN(texts); i++)
		if (json_is_string(json_object_get(p, texts[i])))
			json_object_set_new(p, texts[i], without_backticks(text_at(p, texts[i])));
	json_array_foreach(vars, i, one)
		json_array_set_new(vars, i, without_backticks(str_from(json_string_value(one))));
	return 0;
}

/* Disks that are not thin cannot be compacted over a remote ESXi; "zeroedthick" was the default
 * once. */
static int vmware_compaction(json_t *b, struct err *err UNUSED)
{
	const char *remote = json_string_value(json_object_get(b, "remote_type"));
	const json_t *disk = json_object_get(b, "disk_type_id");
	const json_t *skip = json_object_get(b, "skip_compaction");

	if (!streq(remote, "esx5"))
		return 0;
	if (!disk)
		json_object_set_new(b, "disk_type_id", json_string("zeroedthick"));
	else if (!json_is_string(disk) || streq(json_string_value(disk), "thin"))
		return 0;
	if (!skip || json_is_boolean(skip))
		json_object_set_new(b, "skip_compaction", json_true());
	return 0;
}

static int hyperv_deprecations(json_t *b, struct err *err UNUSED)
{
	json_object_del(b, "vhd_temp_path");
	return 0;
}

static int hyperv_vmxc_typo(json_t *b, struct err *err UNUSED)
{
	rename_key(b, "clone_from_vmxc_path", "clone_from_vmcx_path");
	return 0;
}

static int hyperv_cpu_and_ram(json_t *b, struct err *err UNUSED)
{
	rename_key(b, "cpu", "cpus");
	rename_key(b, "ram_size", "memory");
	return 0;
}

static json_t *clean_names(struct str text)
{
	AUTO(buf) struct buf out = BUF_INIT;

	while (text.n) {
		size_t n = str_starts(text, "clean_image_name") ? strlen("clean_image_name")
			   : str_starts(text, "clean_ami_name") ? strlen("clean_ami_name")
								: 0;

		if (n)
			buf_adds(&out, "clean_resource_name");
		else
			buf_addc(&out, *text.p);
		text = str_slice(text, n ? n : 1, text.n);
	}
	return json_stringn(buf_cstr(&out), out.n);
}

/* Texts of the builder, and of the objects in it, one level down. */
static void clean_texts(json_t *object, bool deeper)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, key, value) {
		if (json_is_string(value))
			json_object_set_new(object, key, clean_names(text_at(object, key)));
		else if (deeper && json_is_object(value))
			clean_texts(value, false);
	}
}

static int clean_image_name(json_t *b, struct err *err UNUSED)
{
	clean_texts(b, true);
	return 0;
}

static int spot_price_auto_product(json_t *b, struct err *err UNUSED)
{
	json_object_del(b, "spot_price_auto_product");
	return 0;
}

static int qemu_disk_size(json_t *b, struct err *err UNUSED)
{
	const json_t *size = json_object_get(b, "disk_size");
	AUTO(buf) struct buf text = BUF_INIT;

	if (!json_is_number(size))
		return 0;
	buf_printf(&text, "%lldM", (long long)json_number_value(size));
	set_text(b, "disk_size", buf_str(&text));
	return 0;
}

static int galaxy_command(json_t *p, struct err *err UNUSED)
{
	if (has(p, "galaxy_command") || json_is_string(json_object_get(p, "galaxycommand")))
		rename_unless(p, "galaxycommand", "galaxy_command");
	return 0;
}

static int comm_config(json_t *b, struct err *err UNUSED)
{
	rename_unless(b, "ssh_host_port_min", "host_port_min");
	rename_unless(b, "ssh_host_port_max", "host_port_max");
	if (has(b, "skip_nat_mapping") ||
	    json_is_boolean(json_object_get(b, "ssh_skip_nat_mapping")))
		rename_unless(b, "ssh_skip_nat_mapping", "skip_nat_mapping");
	return 0;
}

static int ssh_wait_timeout(json_t *b, struct err *err UNUSED)
{
	if (has(b, "ssh_timeout") || json_is_string(json_object_get(b, "ssh_wait_timeout")))
		rename_unless(b, "ssh_wait_timeout", "ssh_timeout");
	return 0;
}

/* Options that stand alone now stand in the first object of a list. */
static int move_into_list(json_t *b, const char *const (*keys)[2], const char *list_key,
			  struct err *err)
{
	json_t *first = json_object(), *list = json_object_get(b, list_key), *all;
	int rc = 0;

	for (; (*keys)[0]; keys++) {
		json_t *value = json_object_get(b, (*keys)[0]);

		if (!value)
			continue;
		json_object_set(first, (*keys)[1], value);
		json_object_del(b, (*keys)[0]);
	}
	if (json_object_size(first) && list && !json_is_array(list)) {
		rc = err_set(err, ERR_INVALID, "\"%s\" is no list", list_key);
	} else if (json_object_size(first)) {
		all = json_pack("[O]", first);
		json_array_extend(all, list);
		json_object_set_new(b, list_key, all);
	}
	json_decref(first);
	return rc;
}

static int vsphere_iso_net_disk(json_t *b, struct err *err)
{
	static const char *const network[][2] = {
		{ "network", "network" },
		{ "networkCard", "network_card" },
		{ "network_card", "network_card" },
		{ NULL, NULL },
	};
	static const char *const disk[][2] = {
		{ "disk_size", "disk_size" },
		{ "disk_thin_provisioned", "disk_thin_provisioned" },
		{ "disk_eagerly_scrub", "disk_eagerly_scrub" },
		{ NULL, NULL },
	};

	if (move_into_list(b, network, "network_adapters", err) < 0)
		return -1;
	return move_into_list(b, disk, "storage", err);
}

static int iso_checksum_type_and_url(json_t *b, struct err *err UNUSED)
{
	struct str url = text_at(b, "iso_checksum_url"), type = text_at(b, "iso_checksum_type");
	struct str sum = text_at(b, "iso_checksum");
	AUTO(buf) struct buf text = BUF_INIT;

	if (url.n)
		buf_printf(&text, "file:" STR_FMT, STR_ARG(url));
	else if (sum.n && type.n)
		buf_printf(&text, STR_FMT ":" STR_FMT, STR_ARG(type), STR_ARG(sum));
	json_object_del(b, "iso_checksum_url");
	json_object_del(b, "iso_checksum_type");
	if (text.n)
		set_text(b, "iso_checksum", buf_str(&text));
	return 0;
}

static int qemu_host_port(json_t *b, struct err *err UNUSED)
{
	rename_key(b, "ssh_host_port_min", "host_port_min");
	rename_key(b, "ssh_host_port_max", "host_port_max");
	return 0;
}

static int azure_exclude_from_latest(json_t *b, struct err *err UNUSED)
{
	json_t *destination = json_object_get(b, "shared_image_destination");

	if (json_is_object(destination))
		rename_key(destination, "exlude_from_latest", "exclude_from_latest");
	return 0;
}

static int proxmox_type(json_t *b, struct err *err UNUSED)
{
	set_type(b, "proxmox-iso");
	return 0;
}

#define B FIX_BUILDER
#define P FIX_PROVISIONER
#define PP FIX_POSTPROCESSOR
const struct fixer fixers[] = {
	{ "iso-md5", "`iso_md5` becomes `iso_checksum` with the type md5.", B, NULL, iso_md5 },
	{ "createtime", "`{{.CreateTime}}` in names becomes `{{timestamp}}`.", B, NULL,
	  createtime },
	{ "virtualbox-gaattach", "`guest_additions_attach` becomes `guest_additions_mode`.", B,
	  "virtualbox", virtualbox_gaattach },
	{ "pp-vagrant-override", "What vagrant has for one provider goes into its `override`.", PP,
	  "vagrant", pp_vagrant_override },
	{ "virtualbox-rename", "The builder `virtualbox` becomes `virtualbox-iso`.", B,
	  "virtualbox", virtualbox_rename },
	{ "virtualbox-rename", "Overrides for `virtualbox` become ones for `virtualbox-iso`.", P,
	  NULL, virtualbox_override },
	{ "vmware-rename", "The builder `vmware` becomes `vmware-iso`.", B, "vmware",
	  vmware_rename },
	{ "parallels-headless", "`headless`, which does nothing, is taken out.", B,
	  "parallels-iso parallels-pvm", parallels_headless },
	{ "parallels-deprecations",
	  "`guest_os_distribution` becomes `guest_os_type`; `parallels_tools_host_path` is taken "
	  "out.",
	  B, "parallels-iso parallels-pvm", parallels_deprecations },
	{ "sshkeypath", "`ssh_key_path` becomes `ssh_private_key_file`.", B, NULL, sshkeypath },
	{ "sshdisableagent", "`ssh_disable_agent` becomes `ssh_disable_agent_forwarding`.", B, NULL,
	  sshdisableagent },
	{ "scaleway-access-key", "`access_key` becomes `organization_id`.", B, "scaleway",
	  scaleway_access_key },
	{ "manifest-filename", "`filename` becomes `output`.", PP, "manifest", manifest_filename },
	{ "amazon-shutdown_behavior", "`shutdown_behaviour` becomes `shutdown_behavior`.", B,
	  "amazon-*", amazon_shutdown_behavior },
	{ "amazon-enhanced-networking", "`enhanced_networking` becomes `ena_support`.", B,
	  "amazon-*", amazon_enhanced_networking },
	{ "amazon-private-ip", "`ssh_private_ip` becomes `ssh_interface`.", B, "amazon-*",
	  amazon_private_ip },
	{ "amazon-temp-sec-cidrs",
	  "`temporary_security_group_source_cidr` becomes a list, "
	  "`temporary_security_group_source_cidrs`.",
	  B, "amazon-*", amazon_temp_sec_cidrs },
	{ "docker-email", "`login_email` is taken out of templates with post-processors.",
	  FIX_LOGIN, NULL, docker_email },
	{ "docker-tag-tags", "`tag` becomes the list `tags`, each of them once.", PP, "docker-tag",
	  docker_tag_tags },
	{ "powershell-escapes",
	  "Backticks before `$`, `\"`, `'` and backticks leave variables, user and password.", P,
	  "powershell", powershell_escapes },
	{ "vmware-compaction", "Disks on ESXi that are not thin get `skip_compaction`.", B,
	  "vmware-iso", vmware_compaction },
	{ "hyperv-deprecations", "`vhd_temp_path` is taken out.", B, "hyperv-iso",
	  hyperv_deprecations },
	{ "hyperv-vmxc-typo", "`clone_from_vmxc_path` becomes `clone_from_vmcx_path`.", B,
	  "hyperv-vmcx", hyperv_vmxc_typo },
	{ "hyperv-cpu-and-ram", "`cpu` becomes `cpus`, `ram_size` becomes `memory`.", B,
	  "hyperv-iso hyperv-vmcx", hyperv_cpu_and_ram },
	{ "clean-image-name",
	  "`clean_ami_name` and `clean_image_name` become `clean_resource_name`.", B, NULL,
	  clean_image_name },
	{ "spot-price-auto-product", "`spot_price_auto_product` is taken out.", B,
	  "amazon-ebs amazon-ebssurrogate amazon-ebsvolume amazon-instance",
	  spot_price_auto_product },
	{ "qemu-disk-size", "A number as `disk_size` becomes text: mebibytes.", B, "qemu",
	  qemu_disk_size },
	{ "galaxy-command", "`galaxycommand` becomes `galaxy_command`.", P, "ansible-local",
	  galaxy_command },
	{ "comm-config",
	  "`ssh_host_port_min`, `ssh_host_port_max` and `ssh_skip_nat_mapping` lose their `ssh_`.",
	  B, "virtualbox*", comm_config },
	{ "ssh-wait-timeout", "`ssh_wait_timeout` becomes `ssh_timeout`.", B, NULL,
	  ssh_wait_timeout },
	{ "vsphere-iso-net-disk",
	  "Options of the network and the disk go into `network_adapters` and `storage`.", B,
	  "vsphere-iso", vsphere_iso_net_disk },
	{ "iso-checksum-type-and-url",
	  "`iso_checksum_type` and `iso_checksum_url` go into `iso_checksum`.", B, NULL,
	  iso_checksum_type_and_url },
	{ "qemu-host-port", "`ssh_host_port_min` and `ssh_host_port_max` lose their `ssh_`.", B,
	  "qemu", qemu_host_port },
	{ "azure-exclude_from_latest", "`exlude_from_latest` becomes `exclude_from_latest`.", B,
	  "azure-chroot*", azure_exclude_from_latest },
	{ "proxmox-type", "The builder `proxmox` becomes `proxmox-iso`.", B, "proxmox",
	  proxmox_type },
};
#undef B
#undef P
#undef PP
const size_t nfixers = ARRAY_LEN(fixers);
