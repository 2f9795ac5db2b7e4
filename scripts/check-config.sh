#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Fails when a symbol of a fragment did not survive into the kernel configuration: check-config.sh CONFIG FRAGMENT...
#
# Kconfig drops what does not fit without a word, and a security option that disappears is the worst of these.
. "$(dirname "$0")/lib.sh"

config=${1:?usage: check-config.sh CONFIG FRAGMENT...}
shift
lost=0
while IFS= read -r wanted; do
	case $wanted in
	'# CONFIG_'*' is not set')
		symbol=${wanted#\# }
		symbol=${symbol%% *}
		grep -q "^$symbol=" "$config" || continue
		;;
	CONFIG_*)
		symbol=${wanted%%=*}
		grep -qxF -- "$wanted" "$config" && continue
		;;
	*) continue ;;
	esac
	now=$(grep -E "^(# )?${symbol}[= ]" "$config" || true)
	fragment=$(grep -lxF -- "$wanted" "$@" | tail -n 1)
	printf 'error: %s wants "%s", but the configuration has "%s"\n' "${fragment#"$TOP"/}" "$wanted" "${now:-no such symbol}" >&2
	lost=$((lost + 1))
done < <(cat "$@")
[ "$lost" -eq 0 ] || die "$lost symbols did not survive Kconfig; look up what they depend on in the Kconfig files of out/kernel/source"
