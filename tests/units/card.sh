#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-agent and cards: it waits for one that is not there yet, and asks for its PIN while it is there.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../questions.sh"
. "$(dirname "$0")/../softhsm.sh"

export COTTER_TEST_CARD=$tmp/card-says COTTER_TEST_CARD_LOGINS=$tmp/logins
: >"$COTTER_TEST_CARD"
make_card card
make_key card rsa:2048 01 rsa
make_card other
make_key other rsa:2048 01 rsa
softhsm=$tmp/card-module.so
cp "$build/tests/card-module.so" "$softhsm"

# An agent, of whose logins the card counts.
begin_agent() {
	: >"$COTTER_TEST_CARD_LOGINS"
	run_agent
}

logins() {
	grep -c . "$COTTER_TEST_CARD_LOGINS" || true
}

three_logins() {
	[ "$(logins)" = 3 ]
}

# The agent's questions, and an answer to the first with TEXT in it.
pin_asked() { # [TEXT]
	grep -qsF -e "Message=${1:-}" "$folder"/ask.cotter-*
}

type_pin() { # TEXT PIN|-
	local file
	file=$(grep -lF -e "$1" "$folder"/ask.cotter-* | head -n 1)
	/lib/systemd/systemd-reply-password "$([ "$2" = - ] && echo 0 || echo 1)" \
		"$(sed -n 's/^Socket=//p' "$file")" <<<"$2"
	wait_until 60 [ ! -e "$file" ]
}

bind() { # NAME CARD [QUERY]
	local typed=()
	[ $# = 3 ] || typed=("$src/tests/terminal.py" "PIN of the card: " "$card_pin"$'\n' --)
	make_small_image "$1"
	"${typed[@]}" "$cotter_enroll" --quiet --unlock-key-file="$passphrase" \
		--pkcs11-token-uri="$(card_uri "token=$2;object=rsa" "${3:-}")" "$image" >"$tmp/bind" 2>&1 ||
		{ cat "$tmp/bind" >&2; return 1; }
}

bind value card "pin-value=$card_pin"
value=$image
bind typed card
typed=$image
bind other other
other=$image

# --- a card that comes later ---

remove_cards
ask first "cryptsetup:$value"
begin_agent
wait_until 60 agent_says "no token is here"
ok "without its card it waits" kill -0 "${later[agent]}"
return_cards
finish first
ok "and answers once that is there" opens "$value"
finish agent
ok "then ends" assert_rc 0
ok "having said once why it could not" assert_equal "$(grep -c '^<3>.*no token is here' "$tmp/err")" 1

# --- a PIN ---

remove_cards
ask first "cryptsetup:$typed"
begin_agent
wait_until 60 agent_says "no token is here"
ok "no PIN is asked for while the card is not there" not pin_asked
return_cards
wait_until 60 pin_asked
ok "but for this card and volume once it is" pin_asked "Please enter the PIN of the card \"card\" that unlocks $typed:"
ok "of which nobody knows but whoever asks people" not grep -qs '^Id=' "$folder"/ask.cotter-*
type_pin PIN 1111
wait_until 60 pin_asked "Wrong PIN."
ok "a wrong one is asked for again" pin_asked "Wrong PIN. Please enter the PIN of the card \"card\""
type_pin PIN $card_pin
finish first
ok "the right one opens" opens "$typed"
finish agent
ok "and it ends" assert_rc 0
ok "each was tried once" assert_equal "$(logins)" 2
ok "and none was written down" not grep -qE "$card_pin|1111" "$tmp/err"
ok "nothing is left" nothing_asked

ask first "cryptsetup:$typed"
begin_agent
wait_until 60 pin_asked
remove_cards
wait_until 60 not pin_asked
ok "without its card no PIN is asked for any more" kill -0 "${later[agent]}"
return_cards
wait_until 60 pin_asked
ok "and again when it is back" pin_asked
type_pin PIN -
wait_until 60 agent_says "no PIN was typed"
kill -TERM "${later[first]}"
finish first
finish agent
ok "whoever does not want to is left alone" assert_rc 0
ok "and the card, too" assert_equal "$(logins)" 0

ask first "cryptsetup:$typed"
begin_agent
for pin in 1111 2222 3333; do
	wait_until 60 pin_asked
	type_pin PIN $pin
done
wait_until 60 three_logins
kill -TERM "${later[first]}"
finish first
finish agent
ok "it ends with the question for the passphrase" assert_rc 0
ok "each was tried once" assert_equal "$(logins)" 3
ok "after three wrong ones it asks no more" assert_equal "$(grep -c 'asks for its PIN' "$tmp/err")" 3

ask first "cryptsetup:$typed"
begin_agent
wait_until 60 pin_asked
kill -TERM "${later[first]}"
finish first
finish agent
ok "when somebody typed the passphrase, the question for the PIN ends" nothing_asked

# --- a passphrase that was wrong ---

# Asks for it as systemd-cryptsetup does: again once what was typed was tried.
cat >"$tmp/asker" <<END
#!/usr/bin/python3
import socket, os, sys, time

def ask(name):
    path = "$folder/sck." + name
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    with open("$folder/tmp." + name, "w") as file:
        file.write("[Ask]\nPID=%d\nSocket=%s\nMessage=Please enter:\nId=cryptsetup:$typed\n" % (os.getpid(), path))
    os.rename("$folder/tmp." + name, "$folder/ask." + name)
    answer = server.recv(1000)
    os.unlink("$folder/ask." + name)
    os.unlink(path)
    return answer[1:].decode()

ask("first")
while not os.path.exists("$tmp/tried"):
    time.sleep(0.05)
print(ask("second"))
END
chmod 755 "$tmp/asker"

run_later asker "$tmp/asker"
wait_until 60 asked "cryptsetup:$typed"
begin_agent
wait_until 60 pin_asked
/lib/systemd/systemd-reply-password 1 "$folder/sck.first" <<<wrong
wait_until 60 not asked "cryptsetup:$typed"
ok "while a passphrase that was typed is tried, the PIN is asked for" pin_asked
type_pin PIN $card_pin
: >"$tmp/tried"
finish asker
ok "and answers the next question" opens "$typed"
finish agent
ok "and it ends" assert_rc 0
ok "the card was asked once" assert_equal "$(logins)" 1
rm "$tmp/tried"

run_later asker "$tmp/asker"
wait_until 60 asked "cryptsetup:$typed"
begin_agent
wait_until 60 pin_asked
/lib/systemd/systemd-reply-password 1 "$folder/sck.first" <<<right
wait_until 60 not asked "cryptsetup:$typed"
kill -TERM "${later[asker]}"
finish asker
finish agent
ok "where the passphrase was right, nothing is asked for any more" nothing_asked

# At a console, where one question is put at a time: an empty passphrase leads on to the one for the PIN, as trying it
# takes longer than to put that.
run_later asker "$tmp/asker"
wait_until 60 asked "cryptsetup:$typed"
mkfifo "$tmp/keys"
exec {keys}<>"$tmp/keys"
run_later console sh -c "exec script -qf -c 'echo \$\$ >$tmp/pid; exec systemd-tty-ask-password-agent --watch' \
	'$tmp/console' <'$tmp/keys'"
wait_until 60 grep -q "Please enter:" "$tmp/console"
begin_agent
wait_until 60 pin_asked
printf '\n' >&$keys
wait_until 60 grep -qF 'PIN of the card "card"' "$tmp/console"
: >"$tmp/tried"
printf '%s\n' "$card_pin" >&$keys
finish asker
ok "at a console, an empty passphrase leads on to the question for the PIN" opens "$typed"
finish agent
ok "and it ends" assert_rc 0
kill -TERM "$(cat "$tmp/pid")"
finish console

# --- two cards ---

ask first "cryptsetup:$typed"
ask second "cryptsetup:$other"
begin_agent
wait_until 60 pin_asked "Please enter the PIN of the card \"card\""
wait_until 60 pin_asked "Please enter the PIN of the card \"other\""
type_pin '"other"' $card_pin
finish second
ok "of two cards the one whose PIN was typed opens" opens "$other"
ok "and the other was not tried" assert_equal "$(logins)" 1
ok "it is still asked for" pin_asked "Please enter the PIN of the card \"card\""
type_pin '"card"' $card_pin
finish first
ok "and opens" opens "$typed"
finish agent
ok "and it ends" assert_rc 0

# --- an agent that died ---

ask first "cryptsetup:$typed"
begin_agent
wait_until 60 pin_asked
kill -KILL "${later[agent]}"
finish agent
ok "one that is killed leaves its question" pin_asked
left=$(ls "$folder"/ask.cotter-*)
begin_agent
ok "which the next one removes" wait_until 60 [ ! -e "$left" ]
wait_until 60 pin_asked
kill -TERM "${later[agent]}"
finish agent
ok "one that is stopped leaves none" not pin_asked
kill -TERM "${later[first]}"
finish first
done_testing
