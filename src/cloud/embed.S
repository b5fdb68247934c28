/* Data files, taken in as they are; the build passes their paths. */
	.macro embed name, path
	.global ingot_embed_\name, ingot_embed_\name\()_end
	.balign 16
ingot_embed_\name:
	.incbin "\path"
ingot_embed_\name\()_end:
	.byte 0
	.endm

	.section .rodata
	embed guest, GUEST_PATH
	embed yum, YUM_PATH
	embed yum_packages, YUM_PACKAGES_PATH

	.section .note.GNU-stack, "", %progbits
