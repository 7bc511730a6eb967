# SPDX-License-Identifier: LGPL-2.1-or-later
# Questions for a passphrase as systemd-cryptsetup puts them, in a folder of the test's own, and the agent that answers.
# Comes after lib.sh, in a mount namespace of one's own.

agent=$build/units/cotter-agent
folder=/run/systemd/ask-password
mkdir -p "$folder"
mount -t tmpfs questions "$folder"
own_etc

# systemd-cryptsetup's question for DEVICE, or another one; the answer goes to $tmp/NAME.out.
put_question() { # NAME ID [OPTION…]
	run_later "$1" systemd-ask-password --no-tty --timeout=100 --id="$2" "${@:3}" "Please enter:"
}

# The same while nobody answers, and waits until it is there.
ask() { # NAME ID [OPTION…]
	put_question "$@"
	wait_until 60 asked "$2"
}

asked() { # ID
	grep -qsxF "Id=$1" "$folder"/ask.*
}

nothing_asked() {
	! ls "$folder"/ask.* >/dev/null 2>&1
}

# Whether the last run ended well, with an answer that opens IMAGE.
opens() { # IMAGE
	assert_rc 0
	tr -d '\n' <"$tmp/out" | cryptsetup open --test-passphrase --disable-external-tokens --key-file=- "$1"
}

run_agent() {
	run_later agent env SYSTEMD_LOG_LEVEL=debug "$agent"
}

# The agent's lines for people, who may read no debug messages.
agent_says() { # TEXT
	grep -sF -e "$1" <(grep '^<[0-5]>' "$tmp/agent.err") >/dev/null
}
