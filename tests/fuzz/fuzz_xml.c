/* XML answers: no input may crash the reader, and a copy of a tree must read like the tree. */
#include "aws/ec2.h"
#include "aws/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct ec2_instance instance;
	struct ec2_image image;
	struct xml *root;

	if (xml_parse(a, (struct str){ (const char *)data, n }, &root, &err) < 0)
		return 0;
	ec2_read_instance(a, root, &instance);
	ec2_read_image(a, xml_copy(a, root), &image);
	if (instance.nmappings != image.nmappings)
		abort();
	return 0;
}
