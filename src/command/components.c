/* Tables of components. A new one is its own file (or directory) and one line here, in its
 * sorted place. */
#include "command/components.h"

#include "datasource/functions.h"
#include "lang/expr/functions/groups.h"

/* The component's own file defines `const struct KIND KIND_NAME`. */
#define BUILDERS(ROW) \
	ROW(amazon_ebs) \
	ROW(file) \
	ROW(null)
#define PROVISIONERS(ROW) \
	ROW(breakpoint) \
	ROW(file) \
	ROW(shell) \
	ROW(shell_local) \
	ROW(sleep)
#define POSTPROCESSORS(ROW) \
	ROW(artifice) \
	ROW(checksum) \
	ROW(compress) \
	ROW(manifest) \
	ROW(shell_local)
#define DATASOURCES(ROW) \
	ROW(amazon_ami) \
	ROW(amazon_parameterstore) \
	ROW(amazon_secretsmanager) \
	ROW(http) \
	ROW(null)

#define DECLARE(name) extern const struct builder builder_##name;
BUILDERS(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const struct provisioner provisioner_##name;
PROVISIONERS(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const struct postprocessor postprocessor_##name;
POSTPROCESSORS(DECLARE)
#undef DECLARE
#define DECLARE(name) extern const struct datasource datasource_##name;
DATASOURCES(DECLARE)
#undef DECLARE

#define ENTRY(name) &builder_##name,
static const struct builder *const builders[] = { BUILDERS(ENTRY) NULL };
#undef ENTRY
#define ENTRY(name) &provisioner_##name,
static const struct provisioner *const provisioners[] = { PROVISIONERS(ENTRY) NULL };
#undef ENTRY
#define ENTRY(name) &postprocessor_##name,
static const struct postprocessor *const postprocessors[] = { POSTPROCESSORS(ENTRY) NULL };
#undef ENTRY
#define ENTRY(name) &datasource_##name,
static const struct datasource *const datasources[] = { DATASOURCES(ENTRY) NULL };
#undef ENTRY

/* Types of Packer and of the plugins known under its name. A type that ingot learns leaves its
 * list. */
static const char *const later_builders[] = {
	"alicloud-ecs", "amazon-chroot", "amazon-ebssurrogate", "amazon-ebsvolume",
	"amazon-instance", "azure-arm", "azure-chroot", "azure-dtl", "cloudstack", "digitalocean",
	"docker", "exoscale", "googlecompute", "hcloud", "hyperone", "hyperv-iso", "hyperv-vmcx",
	"jdcloud", "linode", "lxc", "lxd", "ncloud", "oneandone", "openstack", "oracle-classic",
	"oracle-oci", "osc-bsu", "osc-bsusurrogate", "osc-bsuvolume", "osc-chroot",
	"outscale-bsu", "parallels-ipsw", "parallels-iso", "parallels-macvm", "parallels-pvm",
	"profitbricks", "proxmox", "proxmox-clone", "proxmox-iso", "qemu", "scaleway",
	"tencentcloud-cvm", "triton", "ucloud-uhost", "vagrant", "virtualbox-iso",
	"virtualbox-ovf", "virtualbox-vm", "vmware-iso", "vmware-vmx", "vsphere-clone",
	"vsphere-iso", "vsphere-supervisor", "vultr", "yandex", NULL
};
static const char *const later_provisioners[] = {
	"ansible", "ansible-local", "chef-client", "chef-solo", "converge", "hcp-sbom", "inspec",
	"powershell", "puppet-masterless", "puppet-server", "salt-masterless", "windows-restart",
	"windows-shell", "windows-update", NULL
};
static const char *const later_postprocessors[] = {
	"alicloud-import", "amazon-import", "digitalocean-import", "docker-import", "docker-push",
	"docker-save", "docker-tag", "exoscale-import", "googlecompute-export",
	"googlecompute-import", "provenance", "ucloud-import", "vagrant", "vagrant-cloud",
	"vagrant-registry", "vsphere", "vsphere-template", "yandex-export", "yandex-import", NULL
};

#define ENTRY(name) &func_group_##name,
static const struct func_group *const functions[] = { FUNC_GROUPS(ENTRY) ENTRY(server) NULL };
static const struct func_group *const functions_local[] = {
	FUNC_GROUPS(ENTRY) ENTRY(server_local) NULL
};
#undef ENTRY

#define COMPONENTS(groups) \
	{ \
		.builders = builders, \
		.provisioners = provisioners, \
		.postprocessors = postprocessors, \
		.datasources = datasources, \
		.functions = (groups), \
		.later_builders = later_builders, \
		.later_provisioners = later_provisioners, \
		.later_postprocessors = later_postprocessors, \
	}
const struct registry components = COMPONENTS(functions);
const struct registry components_local = COMPONENTS(functions_local);

/* The tables' elements are of four types with the same two members. */
#define LIST_KIND(list, kind_, table) \
	for (size_t i = 0; (table)[i]; i++) { \
		vec_push(&(list)->rows, \
			 (struct component){ (kind_), (table)[i]->type, (table)[i]->spec }); \
	}

void components_list(struct component_list *ret)
{
	*ret = (struct component_list){ 0 };
	LIST_KIND(ret, "builder", builders)
	LIST_KIND(ret, "provisioner", provisioners)
	LIST_KIND(ret, "post-processor", postprocessors)
	LIST_KIND(ret, "data source", datasources)
}

void component_list_release(struct component_list *list)
{
	vec_release(&list->rows);
}
