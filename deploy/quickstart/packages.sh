# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Debian packages: only what is missing, and never a system cluster of PostgreSQL.

packages_run=(autoconf automake gcc libc6-dev make pkg-config
	libevent-dev libjansson-dev libpq-dev libssl-dev libconfuse-dev uthash-dev
	postgresql openssl ca-certificates curl xxd jose python3-jwcrypto python3-cryptography
	util-linux)
packages_check=(libcunit1-dev pgtap jq shellcheck clang-format-14)

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A server of any package will do; pgTAP belongs to the server's major version.
package_is_there()
{
	case $1 in
	postgresql) cluster_programs >/dev/null ;;
	pgtap) cluster_programs >/dev/null && is_installed "$(pgtap_package)" ;;
	*) is_installed "$1" ;;
	esac
}

pgtap_package()
{
	local bin
	bin=$(cluster_programs) && echo "postgresql-$(basename "$(dirname "$bin")")-pgtap"
}

as_root()
{
	if is_root; then
		"$@"
	else
		sudo "$@"
	fi
}

packages_refresh()
{
	run_logged apt-update as_root apt-get -q update -o Acquire::Retries=3
}

packages_add()
{
	run_logged apt-install as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
		apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=120 \
		-o Dpkg::Options::=--force-confold "$@"
}

# Installing the server makes a cluster, unless this says no.  One that is there is not touched.
forbid_system_cluster()
{
	local file=/etc/postgresql-common/createcluster.conf
	say "    no system cluster is made: create_main_cluster = false in $file"
	# shellcheck disable=SC2016
	as_root sh -c '
		mkdir -p "${1%/*}" && touch "$1" && chmod 644 "$1" &&
		sed -i "/^[[:space:]]*create_main_cluster\b/d" "$1" &&
		echo "create_main_cluster = false" >>"$1"' sh "$file" ||
		die "cannot write $file"
}

# packages_install WHY PACKAGE...
packages_install()
{
	local why=$1 package missing=() late=()
	shift
	command -v dpkg-query >/dev/null || die "this machine has no dpkg" \
		"quickstart knows Debian 12 or later; CONTRIBUTING.md says how to build by hand"
	for package; do
		package_is_there "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	step "Installing what is missing $why: ${missing[*]}"
	is_root || command -v sudo >/dev/null || die "you are not root and there is no sudo" \
		"as root: apt-get install ${missing[*]}"
	packages_refresh
	for package in "${missing[@]}"; do
		case $package in
		postgresql) forbid_system_cluster ;;
		pgtap) late+=("$package") ;;
		esac
	done
	packages_add "${missing[@]/#pgtap/postgresql-common}"
	[ ${#late[@]} = 0 ] || packages_add "$(pgtap_package)"
	for package in "${missing[@]}"; do
		package_is_there "$package" || die "$package is still missing" \
			"see $work/log/apt-install.log"
	done
}
