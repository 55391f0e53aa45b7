# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# A private PostgreSQL: a socket and no port, and an operating-system user for a password.

roles=(stipa_owner stipa_operator stipa_authority stipa_portal stipa_auditor)

# The newest server, 15 or later.
cluster_programs()
{
	local bin
	bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$bin/initdb" ] && [ "$(basename "$(dirname "$bin")")" -ge 15 ] && echo "$bin"
}

# PostgreSQL does not run as root: root lends it the user that Debian made for it.
cluster_user()
{
	if is_root; then
		echo postgres
	else
		id -un
	fi
}

as_cluster()
(
	cd "$short" || exit 1
	if is_root; then
		exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
	fi
	exec "$@"
)

cluster_sql()
{
	as_cluster "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$short/pg" -U postgres "$@"
}

conninfo()
{
	echo "host=$short/pg dbname=stipa user=$1"
}

# Who of the system may be whom: you, and the cluster's own user.
cluster_access()
{
	local user role
	printf 'local all all peer map=stipa\n' >"$work/run/pg_hba.conf"
	for user in $( (id -un; cluster_user) | sort -u); do
		for role in postgres "${roles[@]}"; do
			printf 'stipa "%s" %s\n' "$user" "$role"
		done
	done >"$work/run/pg_ident.conf"
}

cluster_settings()
{
	cat >"$work/run/stipa.conf" <<-EOT
		listen_addresses = ''
		unix_socket_directories = '$short/pg'
		unix_socket_permissions = 0777
		max_connections = 60
		log_line_prefix = '%m [%p] %u '
		timezone = 'UTC'
	EOT
}

# Its files go over by standard input: its user may not look into the checkout.
cluster_put()
{
	as_cluster sh -c 'cat >"$1"' sh "$short/data/$1" <"$work/run/$1"
}

# The folder has its name when all is in it: what was interrupted is made anew.
cluster_make()
{
	step "Making a private PostgreSQL in $short"
	keys_forget
	rm -rf "$short"/{data,data.new,pg,state}
	if is_root; then
		chown root:postgres "$short" && chmod 710 "$short"
		install -d -o postgres -g postgres -m 700 "$short/data.new" "$short/pg"
	else
		install -d -m 700 "$short/data.new" "$short/pg"
	fi || die "cannot make $short/data.new"
	run_logged initdb as_cluster "$bin/initdb" -D "$short/data.new" -U postgres -E UTF8 \
		--locale=C.UTF-8 --auth-local=peer --auth-host=reject
	echo "include_if_exists = 'stipa.conf'" |
		as_cluster sh -c 'cat >>"$1"' sh "$short/data.new/postgresql.conf" &&
		mv -T "$short/data.new" "$short/data" || die "cannot make $short/data"
}

cluster_is_up()
{
	as_cluster "$bin/pg_ctl" -D "$short/data" status >/dev/null 2>&1
}

cluster_has_data()
{
	as_cluster test -f "$short/data/PG_VERSION" 2>/dev/null
}

cluster_check_version()
{
	local major=
	major=$(as_cluster cat "$short/data/PG_VERSION")
	[ -x "/usr/lib/postgresql/$major/bin/initdb" ] ||
		die "the database is of PostgreSQL $major, which is not installed any more" \
			"install postgresql-$major, or start anew with ./quickstart reset"
	bin=/usr/lib/postgresql/$major/bin
}

cluster_start()
{
	bin=$(cluster_programs) || die "no PostgreSQL 15 or later" "apt-get install postgresql"
	if cluster_has_data; then
		cluster_check_version
	else
		cluster_make
	fi
	# A node's processes may be root's without root's power over files.  Only its group comes
	# as far as the socket, and is asked there who it is.
	is_root && chmod 711 "$short/pg"
	cluster_is_up && return
	step "Starting PostgreSQL $(as_cluster cat "$short/data/PG_VERSION") (a socket in $short/pg)"
	cluster_access
	cluster_settings
	cluster_put pg_hba.conf && cluster_put pg_ident.conf && cluster_put stipa.conf ||
		die "cannot write in $short/data"
	started_cluster=yes
	as_cluster "$bin/pg_ctl" -D "$short/data" -l "$short/data/server.log" -w -t 60 start \
		>"$work/log/pg_ctl.log" 2>&1 </dev/null 9>&- ||
		die "PostgreSQL does not start: $(as_cluster tail -n 3 "$short/data/server.log")" \
			"./quickstart reset starts anew"
}

cluster_stop()
{
	bin=$(cluster_programs) || return 0
	cluster_has_data && cluster_is_up || return 0
	as_cluster "$bin/pg_ctl" -D "$short/data" -m fast -w -t 60 stop >"$work/log/pg_ctl.log" 2>&1 ||
		die "PostgreSQL does not stop" "see $work/log/pg_ctl.log"
}

cluster_status()
{
	if bin=$(cluster_programs) && cluster_has_data && cluster_is_up; then
		say "PostgreSQL runs: $(conninfo stipa_owner)"
	else
		say "PostgreSQL does not run."
	fi
}

schema_migrate()
{
	cluster_sql -d postgres -f - <"$source/db/roles.sql" >"$work/log/roles.log" 2>&1 ||
		die "roles.sql failed: $(tail -n 3 "$work/log/roles.log")"
	[ "$(cluster_sql -d postgres \
		-c "SELECT count(*) FROM pg_database WHERE datname = 'stipa'")" = 1 ] ||
		cluster_sql -d postgres -c 'CREATE DATABASE stipa OWNER stipa_owner' ||
		die "cannot create the database stipa"
	settings_write
	"$short/stipactl" db migrate >"$work/log/migrate.log" 2>&1 </dev/null 9>&- ||
		die "$(tail -n 3 "$work/log/migrate.log")" \
			"these are demo data: ./quickstart reset starts anew"
}
