/* SPDX-License-Identifier: MIT */
#include "settings.h"

/* Fits a terminal of 24 lines and 80 columns. */
const char settings_help[] =
    "usage: " PROGRAM " [options] [recipient ...] < message\n"
    "Send a message through one server, over verified TLS.\n"
    "\n"
    "Server    --url smtps://HOST[:PORT] or smtp://HOST[:PORT] (STARTTLS)\n"
    "          --connect-to ADDR:PORT|unix:PATH  --ehlo NAME  "
    "--timeout SECONDS\n"
    "TLS       --cafile FILE  --capath DIR  --system-ca  --crlfile FILE\n"
    "          --cert FILE  --key FILE  --ciphers LIST  --tls-min 1.2|1.3\n"
    "Login     --user NAME with --password-file FILE, --password-command CMD,\n"
    "          or a prompt;  --auth PLAIN|LOGIN|EXTERNAL\n"
    "Message   -t        recipients also from To, Cc and Bcc\n"
    "          -f ADDR   envelope sender, '' for none;  -r ADDR is the same\n"
    "          -F NAME   full name, where From is missing\n"
    "          -i        a line with a single dot does not end the message\n"
    "          -G        add no From, Date, Message-ID\n"
    "          --domain NAME  for addresses without one;  --smtputf8\n"
    "Modes     -bm send (default)  -bv print recipients  -bp print queue\n"
    "          --dry-run  do all but connect, print envelope and message\n"
    "          --probe [--json]  connect and log in, report what was found\n"
    "          -v show the conversation;  --help;  --version\n"
    "Insecure  --insecure-no-verify  --insecure-cleartext  "
    "--insecure-legacy-tls\n"
    "No effect -n -m -U -c -x, -L -e -B -h -p -d -M -X -A with an argument,\n"
    "          and all -o and -O that are not named in sendmail-tls(1)\n";
