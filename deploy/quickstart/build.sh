# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Building out of tree.

cores()
{
	nproc 2>/dev/null || echo 2
}

make_configure()
{
	[ -x configure ] && [ ! configure.ac -nt configure ] && [ ! Makefile.am -nt Makefile.in ] &&
		return
	step "Making configure"
	run_logged autogen ./autogen.sh
}

# build_configure FOLDER OPTION...: from inside, by a relative path (see make_work).
build_configure()
{
	local folder=$1
	shift
	mkdir -p "$folder" || die "cannot make $folder"
	[ "$folder/configured" -nt configure ] && return
	step "Configuring ${folder##*/}"
	(cd "$folder" && run_logged "configure-${folder##*/}" ../../configure -q "$@") || exit 1
	# As new as its stamp: make takes an older one for never done, and "make -q" is never content.
	[ "$folder/config.h" -ot "$folder/config.status" ] ||
		touch -r "$folder/stamp-h1" "$folder/config.h"
	touch "$folder/configured"  # by a run that nothing interrupted
}

# build_plain FOLDER TARGET...
build_plain()
{
	local folder=$1
	shift
	make_configure
	build_configure "$folder"
	(cd "$folder" && make -q "$@" >/dev/null 2>&1) && return
	step "Building $*"
	(cd "$folder" && run_logged "make-${folder##*/}" make -j"$(cores)" "$@") || exit 1
}
