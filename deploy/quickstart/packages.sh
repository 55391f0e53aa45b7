# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Debian packages: only what is missing, and never a system cluster of PostgreSQL.

packages_run=(autoconf automake gcc libc6-dev make pkg-config
	libevent-dev libjansson-dev libpq-dev libssl-dev libconfuse-dev uthash-dev libargon2-dev
	libseccomp-dev
	postgresql openssl ca-certificates curl xxd jose python3-jwcrypto python3-cryptography
	util-linux)
packages_check=(libcunit1-dev pgtap git jq procps shellcheck clang-format-14 clang libclang-rt-dev
	nodejs npm python3-yaml python3-jsonschema python3-authlib python3-requests-oauthlib
	python3-prometheus-client haproxy nghttp2-client systemd devscripts checksec sslscan)

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
	nodejs) node_is_there ;;
	npm) command -v npm >/dev/null ;;
	*) is_installed "$1" ;;
	esac
}

# Any of version 18 or later will do.
node_is_there()
{
	local version
	version=$(node --version 2>/dev/null) && version=${version#v} && [ "${version%%.*}" -ge 18 ]
}

pgtap_package()
{
	local bin
	bin=$(cluster_programs) && echo "postgresql-$(basename "$(dirname "$bin")")-pgtap"
}

# What it makes is for everybody: a umask of 077 would shut others out of the system's settings.
as_root()
(
	umask 022
	if is_root; then
		exec "$@"
	fi
	exec sudo "$@"
)

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

# Installing the server makes a cluster, unless this file says no.  Clusters that are there are not
# touched, and with the server in place the file is again what it was, or what the package brings.
createcluster=/etc/postgresql-common/createcluster.conf

forbid_system_cluster()
{
	say "    no system cluster is made: $createcluster says so for as long as this takes"
	# shellcheck disable=SC2016
	as_root sh -c '
		mkdir -p "${1%/*}" || exit 1
		if [ -e "$1" ] && [ ! -e "$1.kept" ] && ! grep -q quickstart "$1"; then
			cp -p "$1" "$1.kept" || exit 1
		fi
		printf "%s\n" "# stipa/quickstart: while it installs the server" \
			"create_main_cluster = false" >"$1" && chmod 644 "$1"' \
		sh "$createcluster" || die "cannot write $createcluster"
}

# Only a first installation makes a cluster, so an upgrade will not make up for it.
release_system_cluster()
{
	grep -qs quickstart "$createcluster" || return 0
	is_root || command -v sudo >/dev/null || return 0
	# shellcheck disable=SC2016
	as_root sh -c '
		for from in "$1.kept" "$1.ucf-dist" "/usr/share/postgresql-common/${1##*/}"; do
			[ ! -e "$from" ] || { cp -p "$from" "$1"; break; }
		done
		rm -f "$1.kept" "$1.ucf-dist"' sh "$createcluster"
}

# A service that only a test needs shall not run here: masked, unless it is there already.
forbid_service()
{
	local unit=/etc/systemd/system/$1.service
	[ ! -e "$unit" ] && [ ! -L "$unit" ] || return 0
	say "    the service $1 is masked: systemctl unmask $1, if you want it"
	as_root sh -c 'mkdir -p "${1%/*}" && ln -s /dev/null "$1"' sh "$unit" ||
		die "cannot write $unit"
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
	[ ${#missing[@]} -gt 0 ] || {
		release_system_cluster
		return 0
	}
	step "Installing what is missing $why: ${missing[*]}"
	is_root || command -v sudo >/dev/null || die "you are not root and there is no sudo" \
		"as root: apt-get install ${missing[*]}"
	packages_refresh
	for package in "${missing[@]}"; do
		case $package in
		postgresql) forbid_system_cluster ;;
		pgtap) late+=("$package") ;;
		haproxy) forbid_service haproxy ;;
		esac
	done
	packages_add "${missing[@]/#pgtap/postgresql-common}"
	[ ${#late[@]} = 0 ] || packages_add "$(pgtap_package)"
	for package in "${missing[@]}"; do
		package_is_there "$package" || die "$package is still missing" \
			"see $work/log/apt-install.log"
	done
	release_system_cluster
}

# The npm packages of the tests, exactly those of tests/package-lock.json, beside the builds.  Their
# install scripts do not run.
npm_install()
{
	local folder=$work/npm
	export STIPA_NODE_MODULES=$folder/node_modules
	cmp -s "$source/tests/package-lock.json" "$folder/installed" && return
	step "Installing the npm packages of the tests"
	mkdir -p "$folder" && rm -f "$folder/installed" &&
		cp "$source"/tests/package.json "$source"/tests/package-lock.json "$folder/" ||
		die "cannot write $folder"
	(cd "$folder" && run_logged npm-ci npm ci --ignore-scripts --no-audit --no-fund) || exit 1
	cp "$folder/package-lock.json" "$folder/installed"
}
