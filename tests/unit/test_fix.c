/* Every fixer of `fix`, the text it writes, and the mistakes it names. */
#include "template/upgrade/fix.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A part of a template by what it stands in; texts use ' for ". */
enum where { B, P, PP, ROOT };

static const struct {
	const char *fixer;
	enum where where;
	const char *in, *out;
} cases[] = {
	{ "iso-md5", B, "{'type':'x','iso_md5':'abc'}", "{'iso_checksum':'md5:abc','type':'x'}" },
	{ "iso-md5", B, "{'type':'x','iso_md5':1}", "{'iso_md5':1,'type':'x'}" },
	{ "createtime", B,
	  "{'type':'x','ami_name':'a-{{ .CreateTime}}{{.CreateTimes}}','other':'{{.CreateTime}}'}",
	  "{'ami_name':'a-{{timestamp}}{{.CreateTimes}}','other':'{{.CreateTime}}','type':'x'}" },
	{ "virtualbox-gaattach", B, "{'type':'virtualbox','guest_additions_attach':true}",
	  "{'guest_additions_mode':'attach','type':'virtualbox-iso'}" },
	{ "virtualbox-gaattach", B, "{'type':'virtualbox','guest_additions_attach':false}",
	  "{'guest_additions_mode':'upload','type':'virtualbox-iso'}" },
	{ "virtualbox-gaattach", B, "{'type':'virtualbox-iso','guest_additions_attach':true}",
	  "{'guest_additions_attach':true,'type':'virtualbox-iso'}" },
	{ "pp-vagrant-override", PP, "{'type':'vagrant','aws':{'a':1},'vmware':{},'x':2}",
	  "{'override':{'aws':{'a':1},'vmware':{}},'type':'vagrant','x':2}" },
	{ "pp-vagrant-override", PP, "['a',{'type':'vagrant','aws':{}}]",
	  "['a',{'override':{'aws':{}},'type':'vagrant'}]" },
	{ "virtualbox-rename", B, "{'type':'virtualbox'}", "{'type':'virtualbox-iso'}" },
	{ "virtualbox-rename", P, "{'type':'x','override':{'virtualbox':{'a':1},'b':{}}}",
	  "{'override':{'b':{},'virtualbox-iso':{'a':1}},'type':'x'}" },
	{ "vmware-rename", B, "{'type':'vmware'}", "{'type':'vmware-iso'}" },
	{ "parallels-headless", B, "{'type':'parallels-iso','headless':true}",
	  "{'type':'parallels-iso'}" },
	{ "parallels-headless", B, "{'type':'qemu','headless':true}",
	  "{'headless':true,'type':'qemu'}" },
	{ "parallels-deprecations", B,
	  "{'type':'parallels-pvm','parallels_tools_host_path':'p','guest_os_distribution':'d'}",
	  "{'guest_os_type':'d','type':'parallels-pvm'}" },
	{ "sshkeypath", B, "{'type':'x','ssh_key_path':'k'}",
	  "{'ssh_private_key_file':'k','type':'x'}" },
	{ "sshkeypath", B, "{'ssh_key_path':'k','ssh_private_key_file':'p'}",
	  "{'ssh_private_key_file':'p'}" },
	{ "sshdisableagent", B, "{'type':'x','ssh_disable_agent':true}",
	  "{'ssh_disable_agent_forwarding':true,'type':'x'}" },
	{ "scaleway-access-key", B, "{'type':'scaleway','access_key':'k'}",
	  "{'organization_id':'k','type':'scaleway'}" },
	{ "scaleway-access-key", B, "{'type':'amazon-ebs','access_key':'k'}",
	  "{'access_key':'k','type':'amazon-ebs'}" },
	{ "manifest-filename", PP, "{'type':'manifest','filename':'f'}",
	  "{'output':'f','type':'manifest'}" },
	{ "amazon-shutdown_behavior", B, "{'type':'amazon-ebs','shutdown_behaviour':'stop'}",
	  "{'shutdown_behavior':'stop','type':'amazon-ebs'}" },
	{ "amazon-enhanced-networking", B, "{'type':'amazon-chroot','enhanced_networking':true}",
	  "{'ena_support':true,'type':'amazon-chroot'}" },
	{ "amazon-private-ip", B, "{'type':'amazon-ebs','ssh_private_ip':true}",
	  "{'ssh_interface':'private_ip','type':'amazon-ebs'}" },
	{ "amazon-private-ip", B, "{'type':'amazon-ebs','ssh_private_ip':'F'}",
	  "{'ssh_interface':'public_ip','type':'amazon-ebs'}" },
	{ "amazon-private-ip", B, "{'type':'amazon-ebs','ssh_private_ip':true,'ssh_interface':'i'}",
	  "{'ssh_interface':'i','ssh_private_ip':true,'type':'amazon-ebs'}" },
	{ "amazon-temp-sec-cidrs", B,
	  "{'type':'amazon-ebs','temporary_security_group_source_cidr':'1.2.3.4/32'}",
	  "{'temporary_security_group_source_cidrs':['1.2.3.4/32'],'type':'amazon-ebs'}" },
	{ "docker-email", PP, "{'type':'docker-push','login_email':'a@b'}",
	  "{'type':'docker-push'}" },
	{ "docker-email", B, "{'type':'docker','login_email':'a@b'}",
	  "{'login_email':'a@b','type':'docker'}" },
	{ "docker-email", ROOT, "{'builders':[{'login_email':1}],'post-processors':[]}",
	  "{'builders':[{}],'post-processors':[]}" },
	{ "docker-tag-tags", PP, "{'type':'docker-tag','tag':'a, b','tags':['b','c']}",
	  "{'tags':['a','b','c'],'type':'docker-tag'}" },
	{ "docker-tag-tags", PP, "{'type':'docker-tag'}", "{'tags':[],'type':'docker-tag'}" },
	{ "powershell-escapes", P,
	  "{'type':'powershell','elevated_user':'a`$b``c`d','environment_vars':['A=`$x']}",
	  "{'elevated_user':'a$b`c`d','environment_vars':['A=$x'],'type':'powershell'}" },
	{ "vmware-compaction", B, "{'type':'vmware-iso','remote_type':'esx5'}",
	  "{'disk_type_id':'zeroedthick','remote_type':'esx5','skip_compaction':true,'type':'"
	  "vmware-iso'}" },
	{ "vmware-compaction", B,
	  "{'type':'vmware-iso','remote_type':'esx5','disk_type_id':'thin'}",
	  "{'disk_type_id':'thin','remote_type':'esx5','type':'vmware-iso'}" },
	{ "hyperv-deprecations", B, "{'type':'hyperv-iso','vhd_temp_path':'p'}",
	  "{'type':'hyperv-iso'}" },
	{ "hyperv-vmxc-typo", B, "{'type':'hyperv-vmcx','clone_from_vmxc_path':'p'}",
	  "{'clone_from_vmcx_path':'p','type':'hyperv-vmcx'}" },
	{ "hyperv-cpu-and-ram", B, "{'type':'hyperv-iso','cpu':2,'ram_size':512}",
	  "{'cpus':2,'memory':512,'type':'hyperv-iso'}" },
	{ "clean-image-name", B,
	  "{'type':'x','n':'{{clean_ami_name}}{{clean_image_name}}','tags':{'t':'clean_ami_name'},'"
	  "l':['clean_ami_name']}",
	  "{'l':['clean_ami_name'],'n':'{{clean_resource_name}}{{clean_resource_name}}','tags':{'t'"
	  ":'clean_resource_name'},'type':'x'}" },
	{ "spot-price-auto-product", B,
	  "{'type':'amazon-ebs','spot_price_auto_product':'Linux/UNIX'}", "{'type':'amazon-ebs'}" },
	{ "spot-price-auto-product", B, "{'type':'amazon-chroot','spot_price_auto_product':'x'}",
	  "{'spot_price_auto_product':'x','type':'amazon-chroot'}" },
	{ "qemu-disk-size", B, "{'type':'qemu','disk_size':40000}",
	  "{'disk_size':'40000M','type':'qemu'}" },
	{ "qemu-disk-size", B, "{'type':'qemu','disk_size':'4G'}",
	  "{'disk_size':'4G','type':'qemu'}" },
	{ "galaxy-command", P, "{'type':'ansible-local','galaxycommand':'g'}",
	  "{'galaxy_command':'g','type':'ansible-local'}" },
	{ "comm-config", B,
	  "{'type':'virtualbox-ovf','ssh_host_port_min':1,'ssh_host_port_max':2,'host_port_max':3,'"
	  "ssh_skip_nat_mapping':true}",
	  "{'host_port_max':3,'host_port_min':1,'skip_nat_mapping':true,'type':'virtualbox-ovf'}" },
	{ "ssh-wait-timeout", B, "{'type':'x','ssh_wait_timeout':'5m'}",
	  "{'ssh_timeout':'5m','type':'x'}" },
	{ "ssh-wait-timeout", B, "{'ssh_wait_timeout':'5m','ssh_timeout':'1m'}",
	  "{'ssh_timeout':'1m'}" },
	{ "vsphere-iso-net-disk", B,
	  "{'type':'vsphere-iso','network':'n','networkCard':'c','disk_size':5,'storage':[{'disk_"
	  "size':6}]}",
	  "{'network_adapters':[{'network':'n','network_card':'c'}],'storage':[{'disk_size':5},{'"
	  "disk_size':6}],'type':'vsphere-iso'}" },
	{ "iso-checksum-type-and-url", B, "{'iso_checksum':'a','iso_checksum_type':'sha1'}",
	  "{'iso_checksum':'sha1:a'}" },
	{ "iso-checksum-type-and-url", B,
	  "{'iso_checksum':'a','iso_checksum_type':'sha1','iso_checksum_url':'u'}",
	  "{'iso_checksum':'file:u'}" },
	{ "qemu-host-port", B, "{'type':'qemu','ssh_host_port_min':1,'ssh_host_port_max':2}",
	  "{'host_port_max':2,'host_port_min':1,'type':'qemu'}" },
	{ "azure-exclude_from_latest", B,
	  "{'type':'azure-chroot','shared_image_destination':{'exlude_from_latest':true}}",
	  "{'shared_image_destination':{'exclude_from_latest':true},'type':'azure-chroot'}" },
	{ "proxmox-type", B, "{'type':'proxmox'}", "{'type':'proxmox-iso'}" },
	{ "builders are there afterwards", ROOT, "{}", "{'builders':null}" },
	{ "one provisioner alone", ROOT, "{'provisioners':{'type':'x'}}",
	  "{'builders':null,'provisioners':[{'type':'x'}]}" },
	{ "the last of two keys", ROOT, "{'a':1,'a':2}", "{'a':2,'builders':null}" },
	{ "numbers", ROOT, "{'n':[1.0,0.1,-5,1e20,1e21,1e-6,1e-7,12345678901234567890,-0,1.5e-9]}",
	  "{'builders':null,'n':[1,0.1,-5,100000000000000000000,1e+21,0.000001,1e-7,"
	  "12345678901234567000,-0,1.5e-9]}" },
	{ "escapes", ROOT, "{'s':'<a> & \\u2028 \\t'}",
	  "{'builders':null,'s':'<a> \\u0026 \\u2028 \\t'}" },
};

static char *quoted(const char *s)
{
	char *out = xstrdup(s);

	for (char *p = out; *p; p++)
		if (*p == '\'')
			*p = '"';
	return out;
}

static char *wrapped(enum where where, const char *part)
{
	auto_free char *text =
		where == B    ? xasprintf("{'builders':[%s]}", part)
		: where == P  ? xasprintf("{'builders':null,'provisioners':[%s]}", part)
		: where == PP ? xasprintf("{'builders':null,'post-processors':[%s]}", part)
			      : xstrdup(part);

	return quoted(text);
}

/* Without the indentation, which no text of the cases has inside. */
static char *compact(const char *s)
{
	AUTO(buf) struct buf out = BUF_INIT;

	for (; *s; s++) {
		if (*s == '\n') {
			while (s[1] == ' ')
				s++;
		} else {
			buf_addc(&out, *s);
			if (*s == ':' && s[-1] == '"')
				s++;
		}
	}
	return buf_steal(&out);
}

static void test_fixers(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(arena) struct arena *a = arena_new();
		auto_free char *in = wrapped(cases[i].where, cases[i].in);
		auto_free char *want = wrapped(cases[i].where, cases[i].out), *got = NULL;
		AUTO(buf) struct buf out = BUF_INIT;
		AUTO(err) struct err err = ERR_INIT;
		struct diags d;

		diags_init(&d, a);
		if (template_fix(a, source_new(a, "t.json", str_from(in)), &d, &out, &err) < 0)
			fail_msg("%s: %s", cases[i].fixer,
				 err_any(&err) ? err.msg : d.v[0].summary);
		got = compact(buf_cstr(&out));
		if (!streq(got, want))
			fail_msg("%s: %s, wanted %s", cases[i].fixer, got, want);
	}
}

static void test_every_fixer_has_a_case(void **state UNUSED)
{
	for (size_t i = 0; i < nfixers; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_LEN(cases); k++)
			found |= streq(cases[k].fixer, fixers[i].name);
		if (!found)
			fail_msg("no case for %s", fixers[i].name);
	}
}

static void test_form(void **state UNUSED)
{
	static const char in[] = "{\"b\":[],\"builders\":[{\"type\":\"null\"}],\"o\":{}}";
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	struct diags d;

	diags_init(&d, a);
	assert_int_equal(template_fix(a, source_new(a, "t.json", STR(in)), &d, &out, &err), 0);
	assert_string_equal(
		buf_cstr(&out),
		"{\n  \"b\": [],\n  \"builders\": [\n    {\n      \"type\": \"null\"\n    }\n  ],\n"
		"  \"o\": {}\n}\n");
}

static void test_mistakes(void **state UNUSED)
{
	static const struct {
		const char *in, *message;
	} mistakes[] = {
		{ "[]", "A template is an object ({ … }), not a list" },
		{ "{'builders':1}", "\"builders\" is no list" },
		{ "{'builders':[{},2]}", "builder 2 is no object" },
		{ "{'post-processors':'x'}", "\"post-processors\" is no list" },
		{ "{'provisioners':[{},{'override':1}]}",
		  "virtualbox-rename: provisioner 2: \"override\" is no object" },
		{ "{'builders':[{'type':'amazon-ebs','ssh_private_ip':'x'}]}",
		  "amazon-private-ip: builder 1: ssh_private_ip: \"x\" is neither true nor false" },
		{ "{'builders':[{'type':'amazon-ebs','ssh_private_ip':3}]}",
		  "amazon-private-ip: builder 1: ssh_private_ip is neither true nor false" },
		{ "{'post-processors':[{'type':'docker-tag','tag':['a',1]}]}",
		  "docker-tag-tags: post-processor 1: tag 2 is no text" },
		{ "{'builders':[{'type':'vsphere-iso','disk_size':1,'storage':{}}]}",
		  "vsphere-iso-net-disk: builder 1: \"storage\" is no list" },
	};

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		AUTO(arena) struct arena *a = arena_new();
		auto_free char *in = quoted(mistakes[i].in);
		AUTO(buf) struct buf out = BUF_INIT;
		AUTO(err) struct err err = ERR_INIT;
		struct diags d;

		diags_init(&d, a);
		assert_int_equal(
			template_fix(a, source_new(a, "t.json", str_from(in)), &d, &out, &err), -1);
		assert_string_equal(err_any(&err) ? err.msg : d.v[0].summary, mistakes[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixers),
		cmocka_unit_test(test_every_fixer_has_a_case),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests_name("fix", tests, NULL, NULL);
}
