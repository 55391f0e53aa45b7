# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The demo service provider, and .quickstart/env: all that a client must know.

demo_account=sp-demo
demo_alias=demo-telephone
demo_spc=1234
demo_client=demo-kms
demo_user=demo-user

ctl()
{
	"$short/stipactl" "$@" 9>&-
}

ctl_said()
{
	ctl "$@" >"$work/log/stipactl.log" 2>&1 </dev/null
}

ctl_must()
{
	ctl_said "$@" || die "stipactl $*: $(tail -n 3 "$work/log/stipactl.log")"
}

# ctl_shows TEXT COMMAND...
ctl_shows()
{
	local text=$1
	shift
	ctl --json "$@" 2>/dev/null </dev/null | grep -qF "$text"
}

env_value()
(
	. "$work/env" 2>/dev/null && printf %s "${!1-}"
)

# KEY=value, quoted where a shell would cut it.
env_line()
{
	if [[ $2 =~ ^[A-Za-z0-9/._@:+,=-]*$ ]]; then
		printf '%s=%s\n' "$1" "$2"
	else
		printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
	fi
}

env_write()
(
	umask 077
	{
		env_line STIPA_URL "https://127.0.0.1:$port"
		env_line STIPA_CA_FILE "$work/tls/ca.pem"
		env_line STIPA_PA_ROOT "$pki/root.pem"
		env_line STIPA_ACCOUNT "$demo_account"
		env_line STIPA_SPC "$demo_spc"
		env_line STIPA_CLIENT_ID "$demo_client"
		env_line STIPA_CLIENT_SECRET "$1"
		env_line STIPA_CTL "$short/stipactl"
		env_line STIPA_DB "$(conninfo stipa_owner)"
		env_line STIPA_API_USER "$demo_user"
		env_line STIPA_API_PASSWORD "$2"
		env_line STIPA_METRICS "$short/node.sock"
	} >"$work/env.new" && mv "$work/env.new" "$work/env"
)

# Each step asks first, so that a run that was interrupted is taken up where it ended.
demo_account_make()
{
	local until
	until=$(date -ud '+1 year' +%Y-%m-%d)
	ctl_said account show "$demo_account" ||
		ctl_must account add "$demo_account" --organisation demo \
			--legal-name "Demo Telephone Company" --verified-until "$until"
	ctl_shows '"active"' account show "$demo_account" ||
		ctl_must account approve "$demo_account" --evidence quickstart
	ctl_shows "\"$demo_alias\"" account show "$demo_account" ||
		ctl_must account alias "$demo_account" "$demo_alias"
	ctl_shows "\"$demo_spc\"" spc list --account "$demo_account" ||
		ctl_must spc assign "$demo_account" "$demo_spc" --kind OCN --evidence quickstart
}

# made_secret MEMBER COMMAND...: what a command made and shows once.
made_secret()
{
	local member=$1
	shift
	ctl --json "$@" 2>"$work/log/stipactl.log" | sed -nE "s/.*\"$member\": *\"([^\"]+)\".*/\\1/p"
}

# What was lost is made anew.
client_secret_make()
{
	made_secret secret client add "$demo_account" "$demo_client" | grep . ||
		made_secret secret client rotate "$demo_client" --reason "the secret was lost" | grep . ||
		die "no secret for $demo_client: $(cat "$work/log/stipactl.log")"
}

api_password_make()
{
	made_secret password api-user add "$demo_client" "$demo_user" | grep . ||
		made_secret password api-user rotate "$demo_user" --reason "the password was lost" |
		grep . || die "no password for $demo_user: $(cat "$work/log/stipactl.log")"
}

demo_make()
{
	local secret password
	secret=$(env_value STIPA_CLIENT_SECRET)
	password=$(env_value STIPA_API_PASSWORD)
	if [ -z "$secret" ]; then
		step "Making the demo service provider $demo_account with SPC $demo_spc"
		demo_account_make
		secret=$(client_secret_make) || exit 1
	fi
	if [ -z "$password" ]; then
		password=$(api_password_make) || exit 1
	fi
	env_write "$secret" "$password" || die "cannot write $work/env"
}
